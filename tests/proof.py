"""The accuracy proof: `make proof`, or `python tests/proof.py [--quick] [NAME ...]`.

Every finite float32 input of every activation, of all 2**32, against a float64 reference; and 10**8 inputs of every
other function of the list, dense around kinks, roots, thresholds and the ends of the range, against extended precision.
Each on the best instruction set of this machine and on the one that has no FMA: all others give the bits of the best.

Every finished function is kept in docs/proof.json, and skipped by the next run unless the kernels or the references
have changed since. From there the tables of docs/accuracy.md and of the README are written. The exit code is 1 where an
error exceeds its bound. --quick takes a thousandth of the inputs and keeps nothing.
"""

import argparse
import hashlib
import json
import os
import re
import sys
import textwrap
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

import numpy as np
from activation_reference import HAS_LONGDOUBLE, ulps
from activation_registry import CALLS, DTYPES, GATED_CALLS, around, landmarks

import fastact

ROOT = Path(__file__).parent.parent
INCLUDE = ROOT / "include" / "fastact"
KEPT = ROOT / "docs" / "proof.json"
TABLE = ROOT / "docs" / "accuracy.md"
README = ROOT / "README.md"
SUMMARY = re.compile(r"(<!-- worst errors, from docs/proof.json -->\n).*?(\n<!-- end -->)", re.S)
PIECE = 1 << 14
TASK = 1 << 24
SAMPLES = 100_000_000
JOBS = {f"{call} {np.dtype(dtype).name}": (call, dtype) for call in CALLS + GATED_CALLS for dtype in DTYPES}


def headers():
    """What the kernels of the activations include."""
    found, left = set(), {"kernels-inl.h", *(f"simd/{path.name}" for path in (INCLUDE / "simd").glob("*.h"))}
    while left:
        name = left.pop()
        found.add(name)
        text = (INCLUDE / name).read_text(encoding="utf-8")
        text = re.sub(r"(#ifdef FASTACT_ACTIVATION_KERNELS\n.*?)#else\n.*?(#endif)", r"\1\2", text, flags=re.S)
        left |= set(re.findall(r'#include "fastact/(.*)"', text)) - found
    return [INCLUDE / name for name in sorted(found)]


def digest():
    """What the results depend on: the code of the kernels and the references, whatever their comments say."""
    sources = [*headers(), Path(__file__).with_name("activation_reference.py")]
    text = "".join(re.sub(r"/\*.*?\*/", "", path.read_text(encoding="utf-8"), flags=re.S) for path in sources)
    return hashlib.sha256("".join(text.split()).encode()).hexdigest()


def isas():
    available = fastact.available_isas()
    return available[:1] + available[-1:] if len(available) > 1 else available


def is_exhaustive(pair):
    call, dtype = pair
    return dtype is np.float32 and call not in GATED_CALLS and not call.is_gradient


def tasks(job, quick):
    """(first, count) of the pieces of work that a job falls into."""
    if is_exhaustive(JOBS[job]):
        return [(first, TASK // 1000 if quick else TASK) for first in range(0, 1 << 32, TASK)]
    total = SAMPLES // 1000 if quick else SAMPLES
    size = min(total, 1_000_000)
    return [(first, size) for first in range(0, total, size)]


def samples(call, dtype, values, seed, count):
    """Inputs of every kind."""
    rng = np.random.default_rng(seed)
    points = landmarks(call.activation, dtype, values)
    info = np.finfo(dtype)
    wide = 110 if dtype is np.float32 else 760
    part = count // 8
    bits = f"i{info.bits // 8}"
    near = rng.choice(points[np.isfinite(points)], part).view(bits) + rng.integers(-(1 << 14), 1 << 14, part)
    others = [
        rng.standard_normal(part),
        rng.normal(0, 4, 2 * part),
        rng.uniform(-wide, wide, part),
        rng.choice([-1, 1], part) * np.exp2(rng.uniform(info.minexp - info.nmant, info.maxexp, part)),
        rng.uniform(-1, 1, 2 * part) * np.exp2(rng.integers(-12, 6, 2 * part)),
    ]
    x = np.concatenate([near.astype(bits).view(dtype), *(part.astype(dtype) for part in others)])
    return x[np.isfinite(x)]


def pieces(job, first, count):
    """The operands of the task and its parameters, a piece at a time."""
    call, dtype = JOBS[job]
    values = call.activation.some_values
    if is_exhaustive(JOBS[job]):
        for start in range(first, first + count, PIECE):
            x = np.arange(start, min(start + PIECE, first + count), dtype=np.uint32).view(np.float32)
            x = x[np.isfinite(x)]
            if x.size:
                yield (x,), values
        return
    x = samples(call, dtype, values, first, count)
    if first == 0:
        x = np.concatenate([around(landmarks(call.activation, dtype, values), 100), x])
    for start in range(0, x.size, PIECE):
        part = x[start : start + PIECE]
        rng = np.random.default_rng(start)
        if call in GATED_CALLS:
            values = ((1 + rng.random(part.size)).astype(dtype),)
        yield call.operands(part, values, 1 + rng.random(part.size)), values


def work(job, first, count):
    """For each instruction set: the largest error, where it is, the sum of all, and how many there are."""
    call, dtype = JOBS[job]
    wide = np.float64 if dtype is np.float32 else np.longdouble if HAS_LONGDOUBLE else None
    found = {isa: {"ulp": -1.0, "at": [], "sum": 0.0, "count": 0} for isa in isas()}
    fastact.set_num_threads(1)
    for operands, values in pieces(job, first, count):
        want, largest = call.exact(dtype, operands, values, wide=wide)
        first = errors = None
        for isa, result in found.items():
            fastact.set_isa(isa)
            got = np.asarray(call(*operands, *values))
            if errors is None or not np.array_equal(got, first):
                errors = ulps(got, want, largest)
            first = got
            at = int(errors.argmax())
            if errors[at] > result["ulp"]:
                arrays = [*operands, *(v for v in values if np.ndim(v))]
                result["ulp"], result["at"] = float(errors[at]), [float(a[at]).hex() for a in arrays]
            result["sum"] += float(errors.sum())
            result["count"] += errors.size
    return job, found


def add(total, part):
    for isa, result in part.items():
        known = total.setdefault(isa, {"ulp": -1.0, "at": [], "sum": 0.0, "count": 0})
        if result["ulp"] > known["ulp"]:
            known["ulp"], known["at"] = result["ulp"], result["at"]
        known["sum"] += result["sum"]
        known["count"] += result["count"]


def line(job, found):
    bound = JOBS[job][0].ulp
    cells = []
    for isa, r in found.items():
        at = ", ".join(f"{float.fromhex(a):.9g}" for a in r["at"])
        mark = " !" if r["ulp"] > bound else ""
        cells.append(f"{isa} {r['ulp']:.3f} at {at}, mean {r['mean']:.3f}{mark}")
    return f"{job}: bound {bound:g}; " + "; ".join(cells)


def document(kept):
    """The text of docs/accuracy.md."""
    lines = [
        "# Worst errors of the activations",
        "",
        "`make proof` computed this table. Functions in float32 took all finite inputs of the 2³², against a float64",
        "reference (the limits at infinity, and NaN, have tests of their own); all others 10⁸ inputs of every size,",
        "dense around kinks, roots, thresholds and the ends of the range, in float64 against extended precision. The",
        "references are in `tests/activation_reference.py`, where a test holds them against mpmath. Parameters have",
        "their defaults; a gradient g and the other half of a gated pair lie between 1 and 2.",
        "",
        "The unit is the last place of the exact result, subnormal results included. Where the terms of a derivative",
        "cancel (silu, swish, gelu, mish and the gated pairs), it is at least half that of the larger term: a bound of",
        "4 then means 2 ULP of the larger term. The first instruction set gives the bits of all that have FMA.",
        "",
        f"| function | type | inputs | bound | {' | '.join(f'{isa}: worst | at | mean' for isa in _isas(kept))} |",
        f"|---|---|---|---|{'---|---|---|' * len(_isas(kept))}",
    ]
    for job in JOBS:
        found = kept["results"].get(job)
        if found is None:
            continue
        name, dtype = job.split()
        count = next(iter(found.values()))["count"]
        cells = [name, dtype, "2³²" if is_exhaustive(JOBS[job]) else f"{count:.3g}", f"{JOBS[job][0].ulp:g}"]
        for r in found.values():
            at = ", ".join(f"{float.fromhex(a):.9g}" for a in r["at"])
            cells += [f"{r['ulp']:.3f}", at, f"{r['mean']:.3f}"]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _isas(kept):
    return list(next(iter(kept["results"].values())))


def summary(kept):
    """The worst errors of the functions in float32, as a paragraph of the README."""
    worst = {
        job.split()[0]: max(r["ulp"] for r in kept["results"][job].values())
        for job, (call, dtype) in JOBS.items()
        if dtype is np.float32 and not call.is_gradient and job in kept["results"]
    }
    return textwrap.fill(", ".join(f"{name} {ulp:.2f}" for name, ulp in worst.items()) + ".", 128)


def write(kept):
    TABLE.write_text(document(kept), encoding="utf-8")
    readme = README.read_text(encoding="utf-8")
    README.write_text(SUMMARY.sub(lambda m: m[1] + summary(kept) + m[2], readme), encoding="utf-8")


def main():
    parser = argparse.ArgumentParser(description="Prove the error bounds of the activations.")
    parser.add_argument("names", nargs="*", metavar="NAME", help="only these, for example sigmoid or gelu_backward")
    parser.add_argument("--quick", action="store_true", help="a thousandth of the inputs; nothing is kept")
    arguments = parser.parse_args()
    jobs = [job for job in JOBS if not arguments.names or job.split()[0] in arguments.names]
    if not jobs:
        parser.error(f"no such function; there are {', '.join(sorted({job.split()[0] for job in JOBS}))}")
    kept = {"digest": digest(), "results": {}}
    if KEPT.exists() and not arguments.quick:
        stored = json.loads(KEPT.read_text())
        kept = stored if stored["digest"] == kept["digest"] else kept
    todo = {job: tasks(job, arguments.quick) for job in jobs if job not in kept["results"]}
    left = {job: len(pieces) for job, pieces in todo.items()}
    totals = {job: {} for job in todo}
    from rich.progress import MofNCompleteColumn, Progress, TimeRemainingColumn

    columns = (*Progress.get_default_columns()[:3], MofNCompleteColumn(), TimeRemainingColumn())
    with ProcessPoolExecutor(os.cpu_count()) as pool, Progress(*columns) as progress:
        bar = progress.add_task("", total=sum(left.values()))
        futures = [pool.submit(work, job, *piece) for job, pieces in todo.items() for piece in pieces]
        for future in as_completed(futures):
            job, part = future.result()
            add(totals[job], part)
            left[job] -= 1
            progress.update(bar, advance=1, description=job)
            if left[job] == 0:
                for result in totals[job].values():
                    result["mean"] = result.pop("sum") / result["count"]
                kept["results"][job] = totals[job]
                progress.console.print(line(job, totals[job]), highlight=False, soft_wrap=True)
                if not arguments.quick:
                    KEPT.parent.mkdir(exist_ok=True)
                    KEPT.write_text(json.dumps(kept, indent=1) + "\n")
    if not arguments.quick:
        write(kept)
    beyond = [job for job in jobs if any(not r["ulp"] <= JOBS[job][0].ulp for r in kept["results"][job].values())]
    print(
        f"{len(jobs) - len(beyond)} of {len(jobs)} within their bounds" + "".join(f"\nbeyond: {job}" for job in beyond)
    )
    return 1 if beyond else 0


if __name__ == "__main__":
    sys.exit(main())
