"""docs/benchmarks.md and its pictures, from what bench/report.py measured."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from fastact.cli import plot
from fastact.cli.bench import ALONE, ELEMENTWISE_TOLERANCES, MICROSECONDS, MODES, TOLERANCES

Record = dict[str, Any]
FLOORS = tuple(plot.LIMITS)


def write(content: Record, docs: Path) -> None:
    """Write the document and draw the pictures of the sections that were measured."""
    sections = content["sections"]
    parts = [introduction(content)]
    for name, section in PARTS.items():
        if sections.get(name):
            parts.append(section(sections, docs))
    parts.append(losses(sections))
    parts.append(left_out(sections))
    (docs / "benchmarks.md").write_text("\n\n".join(part.strip() for part in parts) + "\n", encoding="utf-8")


# --- what is read off the records -----------------------------------------------------------------------------------


def entries(record: Record) -> int:
    return math.prod(record["shape"])


def others(record: Record) -> dict[str, float]:
    """Times of the libraries that fastact is compared with."""
    return {name: time for name, time in record["times"].items() if name not in ("fastact", ALONE, *FLOORS)}


def best(record: Record) -> tuple[str, float] | None:
    """The fastest other library, and its time as a multiple of fastact's."""
    times = others(record)
    if not times:
        return None
    name = min(times, key=lambda name: times[name])
    return name, times[name] / record["times"]["fastact"]


def geometric_mean(values: Sequence[float]) -> float:
    return math.exp(sum(map(math.log, values)) / len(values))


def where(records: Iterable[Record], **wanted: Any) -> list[Record]:
    """The records with a result and these values."""
    return [r for r in records if r["times"] and all(r.get(key) == value for key, value in wanted.items())]


def case(record: Record) -> str:
    """Shape, and axis where it is not the last; and whether entries are masked."""
    shape = " x ".join(map(str, record["shape"])) + ", causal" * record.get("masked", False)
    return shape if record["axis"] in (-1, len(record["shape"]) - 1) else f"{shape}, axis {record['axis']}"


def figure(seconds: float, record: Record) -> str:
    """A time as text: in µs where the array is small, or else in ns per entry."""
    if entries(record) < MICROSECONDS:
        return f"{digits(seconds * 1e6)} µs"
    return digits(seconds * 1e9 / entries(record))


def digits(value: float) -> str:
    """Three digits, or all of a whole number that is not too long."""
    if value >= 1e5:
        return f"{value:.0e}".replace("+0", "").replace("+", "")
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"


def ratio(value: float) -> str:
    """With two digits after the point; a loss in bold."""
    return f"{value:.2f}" if value >= 1 else f"**{value:.2f}**"


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def picture(name: str, words: str) -> str:
    return f"![{words}]({name})"


def compared(records: Sequence[Record], first: str = "shape", yardstick: str | None = None) -> str:
    """A line for each case, and for each type fastact's time, the fastest other library's, and the ratio."""
    dtypes = [dtype for dtype in ("float16", "float32", "float64") if where(records, dtype=dtype)]
    head = [first]
    for dtype in dtypes:
        head += [dtype, "best other", "ratio", *([f"to a {yardstick}"] if yardstick else [])]
    name = (lambda r: r["function"]) if first == "function" else case
    rows: dict[str, list[str]] = {}
    ratios: dict[str, list[float]] = {dtype: [] for dtype in dtypes}
    for key in dict.fromkeys(name(r) for r in records):
        rows[key] = [key]
        for dtype in dtypes:
            record = next((r for r in where(records, dtype=dtype) if name(r) == key), None)
            if record is None:
                rows[key] += [""] * (4 if yardstick else 3)
                continue
            ours, found = record["times"]["fastact"], best(record)
            rows[key] += [figure(ours, record)]
            if found is None:
                rows[key] += ["", ""]
            else:
                ratios[dtype].append(found[1])
                rows[key] += [f"{figure(found[1] * ours, record)} ({found[0]})", ratio(found[1])]
            if yardstick:
                rows[key].append(f"{ours / record['times'][yardstick]:.2f}")
    mean = ["geometric mean"]
    for dtype in dtypes:
        found_mean = ratio(geometric_mean(ratios[dtype])) if ratios[dtype] else ""
        mean += ["", "", found_mean, *([""] if yardstick else [])]
    return table(head, [*rows.values(), mean])


# --- the parts ------------------------------------------------------------------------------------------------------


def introduction(content: Record) -> str:
    about, sections = content["about"], content["sections"]
    config = about["config"]
    versions = ", ".join(f"{name} {version}" for name, version in about["versions"].items())
    absent = f" Not installed, and left out: {', '.join(about['absent'])}." if about["absent"] else ""
    rows = []
    for section in ("cases", "elementwise"):
        for mode in MODES:
            for dtype in ("float32", "float64", "float16"):
                for function in (
                    dict.fromkeys(r["function"] for r in sections.get("cases", ())) if section == "cases" else (None,)
                ):
                    wanted = {"mode": mode, "dtype": dtype} | ({"function": function} if function else {})
                    ratios = [found[1] for r in where(sections.get(section, ()), **wanted) if (found := best(r))]
                    if ratios:
                        lost = sum(value < 1 for value in ratios)
                        counts = [str(len(ratios)), f"**{lost}**" if lost else "0"]
                        name = function or "elementwise functions"
                        rows.append([name, dtype, mode, ratio(geometric_mean(ratios)), *counts])
    rows.sort(key=lambda row: row[0] == "elementwise functions")
    order = {name: k for k, name in enumerate(dict.fromkeys(row[0] for row in rows))}
    rows.sort(key=lambda row: order[row[0]])
    quick = "\n\nThis is a quick form of the report, with few rounds: its figures are uncertain." * about["quick"]
    text = f"""\
# Benchmarks

Measured {about["date"]} on {about["processor"]}, {config.get("processors", "?")} processors for the process,
instruction set {config.get("instruction set", "?")}, last-level cache {config.get("last-level cache", "?")},
{config.get("compiler", "?")}, Python {config.get("Python", "?")}, {config.get("platform", "?")}: {versions}.{absent}
One thread, except where threads are counted. Written by `make report`, which measures the same on your machine; the
figures are in [benchmarks.json](benchmarks.json).{quick}

Every result is compared with a reference before it is timed. All libraries take turns in one process, so that they
meet the same weather; figures are medians. Entries are normal, with standard deviation 3. "Allocating": every call
makes an array for its result; "given output": it writes into one made beforehand, which not every library can. ONNX
Runtime then has its input and output bound beforehand, PyTorch and JAX always get their own tensors and arrays, made
beforehand: what it takes to make these from an array of NumPy is not counted. Times are in ns per entry, or in µs per
call for arrays with less than {MICROSECONDS} entries. "Best other" is the fastest of all other libraries in that
case, and "ratio" its time over fastact's: above 1 fastact is faster; losses are in bold.

## Summary

Geometric means of the ratios to the fastest other library of each case, and how many cases were lost:"""
    return f"{wrapped(text)}\n\n{table(['function', 'type', 'mode', 'geometric mean', 'cases', 'lost'], rows)}"


def wrapped(text: str) -> str:
    paragraphs = (
        p if p.startswith(("#", "|", "!")) else textwrap.fill(p, 130, break_long_words=False)
        for p in text.split("\n\n")
    )
    return "\n\n".join(paragraphs)


def cases(sections: Record, docs: Path) -> str:
    records = sections["cases"]
    parts = ["## Row functions"]
    dots: dict[str, dict[str, float]] = {}
    for record in where(records, function="softmax", mode=MODES[0], dtype="float32"):
        ours = record["times"]["fastact"]
        dots[case(record)] = {"fastact": 1.0, **{name: time / ours for name, time in others(record).items()}}
    if dots:
        plot.strip(
            docs / "benchmarks-cases.png", dots, "softmax, float32, allocating, one thread", "time over fastact's"
        )
        parts.append(
            picture("benchmarks-cases.png", "time of each library over that of fastact, softmax, float32, allocating")
        )
        parts.append("Dots left of 1, on the shaded ground, are faster than fastact.")
    if any(r.get("masked") for r in records):
        parts.append('"causal": in every matrix of the last two axes the entries above the diagonal are -inf.')
    for function in dict.fromkeys(r["function"] for r in records):
        for mode in MODES:
            some = where(records, function=function, mode=mode)
            parts += by_precision(function, mode, some)
    compiled = [r for r in records if "torch.compile" in r["times"]]
    if compiled:
        told = "; ".join(f"{case(r)}: {ratio(r['times']['torch.compile'] / r['times']['fastact'])}" for r in compiled)
        text = f"""\
torch.compile takes its compiler seconds for each shape and type, and was asked for these only; its time over
fastact's, in {compiled[0]["dtype"]}, {compiled[0]["mode"]}: {told}."""
        parts.append(wrapped(text))
    return "\n\n".join(parts)


def by_precision(name: str, mode: str, records: list[Record], *columns: str) -> list[str]:
    """Tables of float32 and float64 side by side, and of float16."""
    usual, half = [r for r in records if r["dtype"] != "float16"], where(records, dtype="float16")
    kinds = {f"{name}, {mode}": usual, f"{name} in half precision, {mode}": half}
    return [f"### {title}\n\n{compared(some, *columns)}" for title, some in kinds.items() if some]


def lengths(sections: Record, docs: Path) -> str:
    records = sections["lengths"]
    limits = {record["dtype"]: record for record in sections.get("limits", ())}
    panels: dict[str, dict[str, list[tuple[float, float]]]] = {}
    for record in where(records):
        panel = panels.setdefault(f"{record['dtype']}, {record['mode']}", {})
        for name, seconds in record["times"].items():
            panel.setdefault(name, []).append((record["shape"][-1], seconds * 1e9 / entries(record)))
    floors = {"copy, out of cache": "copy", "arithmetic, in the first cache": "arithmetic"}
    for title, panel in panels.items():
        if limit := limits.get(title.partition(",")[0]):
            ends = [point[0] for point in panel["fastact"]]
            for name, key in floors.items():
                if limit[key]:
                    panel[name] = [(n, limit[key] * 1e9) for n in (ends[0], ends[-1])]
    size = entries(records[0])
    name = "benchmarks-lengths.png"
    plot.draw(docs / name, panels, f"softmax of {size} entries, one thread")
    rows = [
        [
            dtype,
            f"{r['bandwidth'] / 1e9:.1f} GB/s",
            digits(r["copy"] * 1e9),
            digits(r["arithmetic"] * 1e9) if r["arithmetic"] else "",
        ]
        for dtype, r in limits.items()
    ]
    head = ["type", "memory, read and written", "ns per entry of that copy", "ns per entry of the arithmetic"]
    text = f"""\
## Row length

{picture(name, "time per entry against row length, for each library, type and mode")}

Arrays of {size} entries, from rows of 2 to rows of {max(r["shape"][-1] for r in records)}. Three limits are drawn in.
"copy": NumPy's copy of the same array, in the same mode. "copy, out of cache": the same of 256 MiB, that is the
bandwidth of the memory; arrays in a cache may be faster. "arithmetic, in the first cache": fastact's
own softmax or logsumexp, whichever is faster, of rows that stay there, as the difference between rows of 2 KiB and of
1, which is free of what calls and rows cost: the exponentials, their sum and the largest entry, without memory."""
    return f"{wrapped(text)}\n\n{table(head, rows) if rows else ''}"


def latency(sections: Record, docs: Path) -> str:
    records = sections["latency"]
    names = list(dict.fromkeys(name for r in records for name in r["times"]))
    rows = [
        [f"`{n}`" if "(" in n else n, *(f"{r['times'][n] * 1e9:.0f}" if n in r["times"] else "" for r in records)]
        for n in names
    ]
    text = """\
## Latency of a call

One row of ten entries, in ns per call. `exp` is NumPy's, the functions from softmax to act are fastact's. "An empty
call" is what the timing loop itself takes, and is in every figure but those of other libraries, whose loop takes some
10 ns less."""
    return f"{wrapped(text)}\n\n{table(['call', *(r['dtype'] for r in records)], rows)}"


def scaling(sections: Record, docs: Path) -> str:
    records = where(sections["scaling"])
    counts = sorted({r["threads"] for r in records})
    parts = ["## Threads"]
    panels: dict[str, dict[str, list[tuple[float, float]]]] = {}
    for r in where(records, function="softmax", dtype="float32"):
        panel = panels.setdefault(case(r), {})
        for name, seconds in {"fastact": r["times"]["fastact"], **others(r)}.items():
            panel.setdefault(name, []).append((r["threads"], seconds * 1e6))
    if len(counts) > 1:
        name = "benchmarks-threads.png"
        plot.curves(docs / name, panels, "softmax, float32", "threads", "µs per call (lower is better)", shared=False)
        parts.append(picture(name, "time of a call against the number of threads, for each library and shape"))
    parts.append(
        wrapped(
            "Every library with as many threads, with its output given where it can, each time after a pause in which "
            "the others' threads stop spinning, and 20 ms of calls in which its own awake (for calls that wake them, "
            "see the next section). NumPy, SciPy, scikit-learn and thinc, which have one thread, are left out. "
            '"Speed-up" is the time of fastact with one thread over that with so many, taken in turns.'
        )
    )
    rows = []
    for key in dict.fromkeys((r["function"], r["dtype"], case(r)) for r in records):
        same = [r for r in records if (r["function"], r["dtype"], case(r)) == key]
        for r in same:
            found = best(r)
            ours = r["times"]["fastact"]
            cells = [f"{digits(found[1] * ours * 1e6)} ({found[0]})", ratio(found[1])] if found else ["", ""]
            speedup = f"{r['times'].get(ALONE, ours) / ours:.2f}"
            rows.append([*key, str(r["threads"]), digits(ours * 1e6), speedup, *cells])
    parts.append(
        table(["function", "type", "shape", "threads", "fastact, µs", "speed-up", "best other, µs", "ratio"], rows)
    )
    means = []
    for key in dict.fromkeys((r["function"], r["dtype"], r["threads"]) for r in records):
        function, dtype, threads = key
        same = where(records, function=function, dtype=dtype, threads=threads)
        if ratios := [found[1] for r in same if (found := best(r))]:
            means.append([function, dtype, str(threads), ratio(geometric_mean(ratios))])
    parts.append(table(["function", "type", "threads", "geometric mean of the ratios"], sorted(means)))
    return "\n\n".join(parts)


def idle(sections: Record, docs: Path) -> str:
    records = sections["idle"]
    gaps = sorted({r["gap"] for r in records})
    rows = []
    for key in dict.fromkeys((tuple(r["shape"]), r["name"]) for r in records):
        same = {r["gap"]: r for r in records if (tuple(r["shape"]), r["name"]) == key}
        pairs = (
            f"{digits(same[g]['median'] * 1e6)} / {digits(same[g]['cpu'] * 1e6)}" if g in same else "" for g in gaps
        )
        rows.append([" x ".join(map(str, key[0])), key[1], *pairs])
    text = """\
## Calls after a pause

softmax in float32 with as many threads as there are processors, called again after each pause: the latency of a call,
and the processor time that the process spends for each call, its pause included; both in µs. Threads that wait for
work by spinning show in the second."""
    head = ["shape", "library", *(f"{gap * 1e3:g} ms" for gap in gaps)]
    return f"{wrapped(text)}\n\n{table(head, rows)}"


def batches(sections: Record, docs: Path) -> str:
    records = sections["batches"]
    tall = [r for r in records if len(r["shape"]) == 2]
    name = "benchmarks-batches.png"
    panels: dict[str, dict[str, list[tuple[float, float]]]] = {}
    for r in where(tall):
        panel = panels.setdefault(r["dtype"], {})
        for peer, seconds in r["times"].items():
            panel.setdefault(peer, []).append((r["shape"][-1], seconds * 1e9 / entries(r)))
    size = entries(tall[0])
    plot.curves(
        docs / name,
        panels,
        f"softmax of {size} entries, from tall to fat",
        "entries in a row",
        "ns per entry (lower is better)",
    )
    text = f"""\
## Batches and axes

{picture(name, "time per entry of arrays of one size, from tall to fat")}

Arrays of {size} entries, larger than the second-level cache, and every axis of a cube; output given where a library
can:"""
    return f"{wrapped(text)}\n\n{compared(records)}"


def elementwise(sections: Record, docs: Path) -> str:
    records = sections["elementwise"]
    text = """\
## Elementwise functions

Every activation and its gradient, on arrays of 128 x 1000 entries; "to a copy" is fastact's time as a multiple of
that of NumPy's copy of the input. PyTorch's gradient of log_sigmoid is given exp(-|x|) by its forward kernel, and
pays nothing for it here. prelu's gradient includes that of the weight."""
    parts = [wrapped(text)]
    for mode in MODES:
        parts += by_precision("activations", mode, where(records, mode=mode), "function", "copy")
    return "\n\n".join(parts)


def accuracy(sections: Record, docs: Path) -> str:
    records = [r for r in sections["accuracy"] if r["times"]]
    names = list(dict.fromkeys(name for r in records for name in r["errors"]))
    rows, panels = [], {}
    for r in records:
        cells = []
        for name in names:
            if name in r["errors"]:
                error, time = r["errors"][name], figure(r["times"][name], r)
                cells.append(f"{'∞' if error is None else digits(error)} / {time}")
            else:
                cells.append("")
        rows.append([r["function"], r["dtype"], *cells])
        if r["function"] in ("softmax", "log_softmax", "logsumexp") or r["dtype"] == "float32":
            least = 0.3  # errors below are drawn there
            points = {
                name: [(r["times"][name] * 1e9 / entries(r), 1e17 if error is None else min(max(error, least), 1e17))]
                for name, error in r["errors"].items()
            }
            panels[f"{r['function']}, {r['dtype']}"] = points
    rows_first = {title: points for title, points in panels.items() if "softmax" in title or "sumexp" in title}
    name = "benchmarks-accuracy.png"
    plot.scatter(
        docs / name, rows_first, "Error and time: the lower left is best", "ns per entry", "largest error, ULP"
    )
    text = f"""\
## Accuracy beside speed

{picture(name, "largest error against time, for each library and function")}

The largest error in units in the last place / ns per entry of 128 x 1000, allocating. Errors are those of `make
accuracy`: over rows of many kinds, and inputs of all sizes, against extended precision; results below the smallest
normal number that a library makes 0 are left out. Where the largest probability is nearly 1, its logarithm is that of
the sum of all others, which most libraries lose: hence the errors of log_softmax and logsumexp."""
    return f"{wrapped(text)}\n\n{table(['function', 'type', *names], rows)}"


def losses(sections: Record) -> str:
    rows = []
    for section in ("cases", "lengths", "scaling", "batches", "elementwise"):
        for r in where(sections.get(section, ())):
            found = best(r)
            if found and found[1] < 1:
                ours = figure(r["times"]["fastact"], r)
                kind = [r["function"], case(r), r["dtype"], r["mode"], str(r["threads"])]
                other = figure(found[1] * r["times"]["fastact"], r)
                rows.append((found[1], [*kind, ours, f"{other} ({found[0]})", ratio(found[1])]))
    rows.sort(key=lambda row: row[0])
    head = ["function", "shape", "type", "mode", "threads", "fastact", "best other", "ratio"]
    total = sum(len(where(sections.get(s, ()))) for s in ("cases", "lengths", "scaling", "batches", "elementwise"))
    text = f"## Every loss\n\n{len(rows)} of the {total} cases above, the worst first."
    return f"{text}\n\n{table(head, [row for _, row in rows])}" if rows else text


def left_out(sections: Record) -> str:
    notes = dict.fromkeys(note for records in sections.values() for r in records for note in r.get("refused", ()))
    if not notes:
        return "Every result of every library agreed with the reference."
    text = wrapped(
        "## Left out\n\nWhat a library cannot do, or computes too far from the reference: "
        f"by more than {allowed(TOLERANCES)}; activations and gradients {allowed(ELEMENTWISE_TOLERANCES)}, "
        "relative to the result."
    )
    return f"{text}\n\n" + "\n".join(f"- {note}" for note in notes)


def allowed(tolerances: Mapping[str, float]) -> str:
    return ", ".join(f"{value:g} in {dtype}" for dtype, value in tolerances.items())


PARTS: Mapping[str, Any] = {
    part.__name__: part for part in (cases, lengths, latency, scaling, idle, batches, elementwise, accuracy)
}
