"""The report: `python bench/report.py` measures, writes docs/benchmarks.json, and docs/benchmarks.md with its pictures.

    python bench/report.py --quick --docs /tmp/trial      # less of everything, elsewhere: done in two minutes
    python bench/report.py --sections idle,scaling        # measures these again, and keeps the rest
    python bench/report.py --sections none                # only writes and draws again

Every section is measured in an interpreter of its own, with every library that is installed in turns: a library that
crashes costs a section and not the report, memory is given back, and JAX, which takes its number of threads when it is
imported, gets each of them.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import platform
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from datetime import date
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np

import fastact
from fastact._threads import processors
from fastact.cli.bench import ALONE, DTYPES, ELEMENTWISE_SHAPE, MODES, calls, logits
from fastact.cli.measure import EXTENDED, medians, reference, ulps
from fastact.cli.peers import FUNCTIONS, REPORTED, ROW_FUNCTIONS, Copy, Fastact, Peer, TorchCompile, installed

DOCS = Path(__file__).parents[1] / "docs"

ROWS = (
    *((1, 10), (1, 1000), (64, 10), (1024, 2), (1024, 10), (1024, 33), (128, 1000), (1, 32000), (8, 128256)),
    *((4096, 1024), (16384, 4096)),
)
"""Shapes whose last axis every function is taken along."""
OTHERS = (((8, 12, 196, 196), -1), ((1000, 300), 0), ((4, 21, 128, 128), 1))
"""Shape and axis of what only softmax is taken of."""
MASKED = OTHERS[0][0]
"""Attention of which every entry after the row's own is -inf; softmax alone."""
COMPILED = ((128, 1000), (4096, 1024))
"""What torch.compile is asked for, in float32: the first takes it a minute, each other one seconds."""
SWEPT = 1 << 18
BATCH = 1 << 20
"""Entries of each array whose row length, or number of rows, varies."""
SCALED = (*((shape, -1) for shape in ROWS if math.prod(shape) >= 10000), ((1, 256000), -1), *OTHERS)
SCALED_ACTIVATION = ((128, 1000), (1, 256000), (4096, 1024))
"""Shapes (and axes) that are taken with more threads too."""
CALLS = (
    *("exp(x)", "exp(x, out=y)", "softmax(x)", "softmax(x, -1)", "softmax(x, axis=-1)", "softmax(x, out=y)"),
    *("softmax(x, axis=-1, out=y)", "log_softmax(x, -1)", "logsumexp(x, -1)", "relu(x)", "gelu(x)", "gelu(x, out=y)"),
)
"""Calls of NumPy's exp and of fastact whose latency is measured, as they are written."""
GAPS = (0, 0.001, 0.01, 0.1)
IDLE = ((128, 1000), (4096, 1024))
WARM = 0.02
"""Seconds of calls before a measurement of threads, which are awake then. How they wake is measured by `idle`."""
JUDGED = ("sigmoid", "tanh", "silu", "gelu", "elu", "softplus", "mish")
"""Activations whose errors are told beside their times."""

THREADED = ("fastact", "PyTorch", "ONNX Runtime", "JAX", "numexpr", "Numba")
"""Libraries that have threads of their own."""

STALLED = 600

Record = dict[str, Any]


class Bench:
    """The libraries, with so many threads, and how much time there is."""

    def __init__(self, threads: int, quick: bool) -> None:
        self.threads = threads
        self.quick = quick

    @cached_property
    def peers(self) -> list[Peer]:
        """All but torch.compile."""
        return installed(self.threads, REPORTED)

    @cached_property
    def compiled(self) -> Peer | None:
        """torch.compile, where there is time for it."""
        return None if self.quick or not TorchCompile.is_installed() else TorchCompile(self.threads)

    def timed(
        self,
        function: str,
        shape: tuple[int, ...],
        dtype: str,
        *modes: str,
        axis: int = -1,
        masked: bool = False,
        budget: float = 1.0,
        warm: float = 0,
        more: tuple[Peer, ...] = (),
        beside: tuple[Peer, ...] = (),
    ) -> Record:
        """Times of a case in the last of the modes that each library has; what is `beside` is timed and not checked.

        Calls that are to be `warm` are those of libraries with threads, and fastact's by one thread.
        """
        x, refused, timed, around = logits(shape, dtype), list[str](), {}, {}
        if masked:
            x[..., ~np.tri(*shape[-2:], dtype=bool)] = -np.inf
        peers = [peer for peer in self.peers if not warm or peer.name in THREADED]
        for mode in modes:
            timed |= calls((*peers, *more), mode, x, function, axis, refused)
        for peer in beside:
            timed[peer.name] = peer.call(FUNCTIONS[0], x, given_output=modes[-1] == MODES[1])
        if warm and self.threads > 1 and "fastact" in timed:
            timed[ALONE] = timed["fastact"]
            around[ALONE] = partial(fastact.threads, 1)
        rounds, budget = (5, 0.05) if self.quick else (25, budget)
        times = medians(timed, rounds, budget=budget, warm=warm, around=around) if "fastact" in timed else {}
        case: Record = {"function": function, "shape": shape, "axis": axis, "dtype": dtype, "mode": modes[-1]}
        if masked:
            case["masked"] = True
        return {**case, "threads": self.threads, "times": times, "refused": refused}


Measured = Iterator[Callable[[], Record]]


def cases(bench: Bench) -> Measured:
    """Every row function in both modes; softmax along other axes too."""
    for function in ROW_FUNCTIONS:
        for dtype in (*DTYPES, "float16"):
            shapes = [(shape, -1) for shape in ROWS] + list(OTHERS) * (function == "softmax")
            for shape, axis in shapes[:: 3 if bench.quick else 1]:
                huge = np.prod(shape) > 1 << 24
                if huge and (bench.quick or (function, dtype) not in (("softmax", "float32"), ("softmax", "float64"))):
                    continue
                for mode in MODES:
                    slow = bench.compiled and (function, dtype, mode) == ("softmax", "float32", MODES[0])
                    more = (bench.compiled,) if slow and shape in COMPILED else ()
                    budget = 0.8 if function == "softmax" else 0.4
                    yield partial(bench.timed, function, shape, dtype, mode, axis=axis, budget=budget, more=more)
            for mode in MODES if function == "softmax" and not bench.quick else ():
                yield partial(bench.timed, function, MASKED, dtype, mode, masked=True, budget=0.8)


def lengths(bench: Bench) -> Measured:
    """Softmax of as many entries in shorter and longer rows, beside a copy."""
    for dtype in (*DTYPES, "float16"):
        for mode in MODES:
            for k in range(1, 18, 4 if bench.quick else 2 if dtype == "float16" else 1):
                shape = (SWEPT >> k, 1 << k)
                yield partial(bench.timed, "softmax", shape, dtype, mode, budget=0.3, beside=(Copy(1),))


def limits(bench: Bench) -> Measured:
    """What memory and arithmetic allow."""

    def limit(dtype: str) -> Record:
        entries = (1 << 22 if bench.quick else 1 << 26) * 4 // np.dtype(dtype).itemsize
        x, y = np.ones(entries, dtype), np.zeros(entries, dtype)
        copy = medians({"copy": partial(np.copyto, y, x)}, 9)["copy"]
        # Rows in the first-level cache, of 1 KiB and of 2: their difference is free of what calls and rows cost.
        count, long = 12, 2048 // np.dtype(dtype).itemsize
        rows = {n: logits((count, n), dtype) for n in (long // 2, long)}
        logsumexp = {f"logsumexp {n}": partial(fastact.logsumexp, x.copy(), -1) for n, x in rows.items()}
        softmax = {f"softmax {n}": partial(fastact.softmax, x, out=x) for n, x in rows.items()}
        runs = [medians(logsumexp | softmax, 5) for _ in range(9)]
        least = {name: min(run[name] for run in runs) for name in runs[0]}  # a limit: what the machine does undisturbed
        extra = count * (long - long // 2)
        slopes = [(least[f"{name} {long}"] - least[f"{name} {long // 2}"]) / extra for name in ("logsumexp", "softmax")]
        return {
            "dtype": dtype,
            "bandwidth": 2 * x.nbytes / copy,
            "copy": copy / entries,
            # None where the noise of a busy machine is larger than the difference
            "arithmetic": min((slope for slope in slopes if slope > 1e-11), default=None),
            "row": long,
        }

    for dtype in (*DTYPES, "float16"):
        yield partial(limit, dtype)


def latency(bench: Bench) -> Measured:
    """One row of ten entries: what a call costs."""

    def table(dtype: str) -> Record:
        x = logits((1, 10), dtype)
        y = np.empty_like(x)
        names = {**vars(fastact), "exp": np.exp, "act": fastact.get("gelu"), "x": x, "y": y}
        statements = {
            "an empty call": "None",
            **{text: text for text in CALLS},
            'act = get("gelu"); act(x)': "act(x)",
        }
        # Not partial, which takes 50 ns for keyword arguments.
        timed = {label: eval(f"lambda: {text}", names) for label, text in statements.items()}
        for peer in bench.peers:
            for mode in MODES:
                call = peer.call("softmax", x, given_output=mode == MODES[1])
                if call and not isinstance(peer, Fastact):
                    timed[f"{peer.name}: softmax, {mode}"] = call
        return {"shape": x.shape, "dtype": dtype, "times": medians(timed, 5 if bench.quick else 25)}

    for dtype in DTYPES:
        yield partial(table, dtype)


def scaling(bench: Bench) -> Measured:
    """The same calls with more threads."""
    for dtype in DTYPES:
        for shape, axis in SCALED[:: 3 if bench.quick else 1]:
            yield partial(bench.timed, "softmax", shape, dtype, *MODES, axis=axis, budget=2, warm=WARM)
    for shape in SCALED_ACTIVATION:
        yield partial(bench.timed, "gelu", shape, "float32", *MODES, budget=2, warm=WARM)


def idle(bench: Bench) -> Measured:
    """Calls after a pause: how long one takes, and what the process computes meanwhile."""

    def pauses(name: str, shape: tuple[int, ...], gap: float) -> Record:
        x = logits(shape, "float32")
        (peer,) = (peer for peer in bench.peers if peer.name == name)
        call = peer.call("softmax", x, given_output=True) or peer.call("softmax", x)
        assert call is not None
        for _ in range(20):
            call()
        time.sleep(0.3)  # until the threads of the one before sleep
        count = 3 if bench.quick else 12
        took = []
        before = time.process_time()
        for _ in range(count):
            time.sleep(gap)
            start = time.perf_counter()
            call()
            took.append(time.perf_counter() - start)
        cpu = (time.process_time() - before) / count
        return {"name": name, "shape": shape, "gap": gap, "median": float(np.median(took)), "cpu": cpu}

    for shape in IDLE[: 1 if bench.quick else None]:
        for peer in bench.peers:
            if peer.name in THREADED:
                for gap in GAPS:
                    yield partial(pauses, peer.name, shape, gap)


def batches(bench: Bench) -> Measured:
    """Tall to fat arrays of one size, and every axis of one array."""
    for dtype in DTYPES:
        for k in range(1, 21, 6 if bench.quick else 2):
            yield partial(bench.timed, "softmax", (BATCH >> k, 1 << k), dtype, *MODES, budget=1.0)
        for axis in range(3):
            yield partial(bench.timed, "softmax", (100, 100, 100), dtype, *MODES, axis=axis, budget=1.0)


def elementwise(bench: Bench) -> Measured:
    """Every activation and gradient, beside a copy."""
    for dtype in (*DTYPES, "float16"):
        for mode in MODES:
            for function in FUNCTIONS[:: 8 if bench.quick else 1]:
                if Fastact.has(function, given_output=mode == MODES[1]):  # prelu_backward has two results
                    yield partial(bench.timed, function, ELEMENTWISE_SHAPE, dtype, mode, budget=0.2, beside=(Copy(1),))


def accuracy(bench: Bench) -> Measured:
    """The largest error of each library, and the time of the same call."""
    import accuracy as judge

    def rows(function: str, dtype: str) -> Record:
        record = bench.timed(function, ELEMENTWISE_SHAPE, dtype, MODES[0])
        errors: dict[str, float] = dict.fromkeys(record["times"], 0.0)
        for wide in judge.row_kinds().values():
            arrays = judge.operands(function, wide.astype(dtype))
            exact = reference(function, *arrays)
            for peer in bench.peers:
                if peer.name in errors and (call := peer.call(function, *arrays)):
                    result = np.asarray(call())
                    error = judge.largest(result, exact, ulps(result, exact, judge.unit(function, exact, *arrays)))[0]
                    errors[peer.name] = max(errors[peer.name], error)
        return {**record, "errors": errors}

    def activation(function: str, dtype: str) -> Record:
        record = bench.timed(function, ELEMENTWISE_SHAPE, dtype, MODES[0])
        (listed,) = (call for call in judge.CALLS if str(call) == function)
        values = tuple(judge.standard(function).values())
        errors: dict[str, float] = dict.fromkeys(record["times"], 0.0)
        for x in judge.number_kinds(listed, np.dtype(dtype).type, values).values():
            arrays = listed.operands(x, values, np.ones(x.size))
            exact, largest = listed.exact(np.dtype(dtype).type, arrays, values)
            for peer in bench.peers:
                if peer.name in errors and (call := peer.call(function, *arrays)):
                    with np.errstate(all="ignore"):
                        result = np.asarray(call())
                    error = judge.largest(result, exact, judge.elementwise_ulps(result, exact, largest))[0]
                    errors[peer.name] = max(errors[peer.name], error)
        return {**record, "errors": errors}

    for dtype in DTYPES if EXTENDED else DTYPES[:1]:
        for function in ("softmax", "log_softmax", "logsumexp"):
            yield partial(rows, function, dtype)
        for function in () if bench.quick else JUDGED:
            yield partial(activation, function, dtype)


SECTIONS: dict[str, Callable[[Bench], Measured]] = {
    section.__name__: section
    for section in (cases, lengths, limits, latency, scaling, idle, batches, elementwise, accuracy)
}


def counts() -> list[int]:
    """1, 2, 4, ... and as many threads as there are processors for this process."""
    most = processors()
    return sorted({*(2**k for k in range(most.bit_length())), most})


def threads_of(section: str) -> list[int]:
    """The numbers of threads with which a section is measured."""
    return counts() if section == "scaling" else counts()[-1:] if section == "idle" else [1]


def work(section: str, threads: int, quick: bool) -> None:
    """Measure a section, and write how many records there will be, then these, each in a line of JSON."""
    stream = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what the libraries print is not the report
    measured = list(SECTIONS[section](Bench(threads, quick)))
    print(len(measured), file=stream, flush=True)
    for measure in measured:
        print(json.dumps(measure()), file=stream, flush=True)


def measured(section: str, threads: int, quick: bool, progress: Any) -> list[Record]:
    """The records of a section, from an interpreter of its own; what it had until it failed, if it did."""
    task = progress.add_task(section if threads == 1 else f"{section}, {threads} threads", total=None)
    command = [sys.executable, __file__, "--work", section, "--threads", str(threads), *["--quick"] * quick]
    records: list[Record] = []
    with (
        tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as complaints,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=complaints, text=True) as process,
    ):
        assert process.stdout is not None
        watch = _watch(process)
        for line in process.stdout:
            watch.cancel()
            watch = _watch(process)
            content = json.loads(line)
            if isinstance(content, int):
                progress.update(task, total=content)
            else:
                records.append(content)
                progress.advance(task)
        code = process.wait()
        watch.cancel()
        if code:
            complaints.seek(0)
            why = f"{section} ended early, with exit code {code}:\n{complaints.read()[-2000:]}"
            progress.console.print(why, markup=False, highlight=False)
    return records


def _watch(process: subprocess.Popen[str]) -> threading.Timer:
    """End a process that is silent for long: no case takes so many seconds, and the report must not wait for ever."""
    timer = threading.Timer(STALLED, process.kill)
    timer.daemon = True
    timer.start()
    return timer


def about(quick: bool) -> Record:
    """What was measured, on what, and when."""
    versions, absent = {}, []
    for peer in (*REPORTED, TorchCompile):
        if peer.is_installed():
            versions[peer.name] = peer.installed_version()
        else:
            absent.append(peer.name)
    return {
        "date": date.today().isoformat(),
        "processor": _processor(),
        "config": {key: str(value) for key, value in fastact.show_config(mode="dicts").items()},
        "versions": versions,
        "absent": absent,
        "quick": quick,
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())


def main() -> int:
    parser = argparse.ArgumentParser(description="Measure, and write docs/benchmarks.md.")
    parser.add_argument("--quick", action="store_true", help="less of everything, to try it")
    parser.add_argument("--sections", default=",".join(SECTIONS), help="what to measure anew, or none (default: all)")
    parser.add_argument("--docs", type=Path, default=DOCS, help="the folder that is written to")
    parser.add_argument("--work", choices=SECTIONS, help=argparse.SUPPRESS)
    parser.add_argument("--threads", type=int, default=1, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.work:
        work(arguments.work, arguments.threads, arguments.quick)
        return 0
    wanted = [] if arguments.sections == "none" else arguments.sections.split(",")
    if unknown := set(wanted) - set(SECTIONS):
        parser.error(f"no section {', '.join(unknown)}; there are {', '.join(SECTIONS)}")

    import document
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    arguments.docs.mkdir(parents=True, exist_ok=True)
    store = arguments.docs / "benchmarks.json"
    content: Record = json.loads(store.read_text(encoding="utf-8")) if store.exists() else {"sections": {}}
    columns = (TextColumn("{task.description:<22}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    complete = True
    with Progress(*columns) as progress:
        for section in wanted:
            records: list[Record] = []
            for threads in threads_of(section):
                found = measured(section, threads, arguments.quick, progress)
                complete &= bool(found)
                records += found
            content["about"] = about(arguments.quick)
            content["sections"][section] = records
            store.write_text(dumped(content), encoding="utf-8")
    document.write(json.loads(dumped(content)), arguments.docs)
    print(f"written: {arguments.docs / 'benchmarks.md'}")
    return 0 if complete else 1


def dumped(content: Record) -> str:
    """JSON with a record in each line."""
    sections = ",\n".join(
        f"{json.dumps(name)}: [\n" + ",\n".join(json.dumps(_rounded(record)) for record in records) + "\n]"
        for name, records in content["sections"].items()
    )
    return f'{{"about": {json.dumps(content["about"], indent=1)},\n"sections": {{\n{sections}\n}}}}\n'


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _rounded(item) for key, item in value.items()}
    if isinstance(value, float):  # JSON has no infinity: an error without bound is null
        return float(f"{value:.4g}") if math.isfinite(value) else None
    return value


if __name__ == "__main__":
    sys.exit(main())
