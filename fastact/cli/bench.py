"""``fastact bench``: softmax beside the libraries that are installed."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

import fastact
from fastact.cli import CommandError, require
from fastact.cli.measure import medians, reference
from fastact.cli.peers import Call, Peer, installed
from fastact.cli.table import show

Array = np.ndarray[Any, Any]

SHAPES = ((1, 10), (64, 10), (1024, 10), (128, 1000), (1, 32000), (4096, 1024))
DTYPES = ("float32", "float64")
MODES = ("allocating", "given output")
"""Whether each call makes an array for its result, or writes into one made beforehand."""
TOLERANCES = {"float32": 1e-4, "float64": 1e-10}
"""Largest relative difference from the reference: far above rounding, far below any mistake."""

SWEPT = 1 << 18
"""Entries of each array that the plot is drawn from."""

MICROSECONDS = 10_000
"""Arrays with fewer entries than this are timed in microseconds per call, others in nanoseconds per entry."""


def run(threads: int, *, quick: bool, plot: Path | None) -> None:
    """Print the tables, or draw the plot."""
    rounds = 5 if quick else 25
    if plot is None:
        peers = installed(threads)
        _introduce(peers, threads)
        for dtype in DTYPES:
            for mode in MODES:
                _table(peers, dtype, mode, rounds)
        print(f"Arrays of {MICROSECONDS} entries and more: ns per entry; smaller ones: µs per call.")
        print("Allocating: each call makes an array for its result; given output: it does not.")
        print("Medians of interleaved rounds. vs best: the time of the fastest other library,")
        print("divided by fastact's; ! marks a loss.")
        return
    require("bench --plot", "docs", "matplotlib")
    from fastact.cli import plot as drawing

    if plot.suffix[1:] not in ("png", "pdf", "svg") or not plot.absolute().parent.is_dir():
        raise CommandError(f"--plot must name a .png, .pdf or .svg file in a folder that exists, got {plot}")
    peers = installed(threads)
    _introduce(peers, threads)
    lengths = [2**k for k in range(2, 19, 2 if quick else 1)]
    panels = {f"{dtype}, {mode}": _sweep(peers, dtype, mode, lengths, rounds) for mode in MODES for dtype in DTYPES}
    drawing.draw(plot, panels, f"softmax of {SWEPT} entries, {_counted(threads)}")
    print(f"drawn: {plot}")


def logits(shape: tuple[int, ...], dtype: str) -> Array:
    """What is timed on: normal, of standard deviation 3, the same on every run."""
    return np.random.default_rng(0).normal(0, 3, shape).astype(dtype)


def agrees(result: Any, expected: Array, dtype: Any) -> bool:
    """Whether a library's result is right, up to the rounding of its type."""
    a = np.asarray(result)
    tolerance = TOLERANCES[np.dtype(dtype).name]
    right = np.allclose(a, expected, rtol=tolerance, atol=tolerance * 1e-2 * np.abs(expected).max())
    return a.dtype == dtype and a.shape == expected.shape and right


def calls(peers: Sequence[Peer], x: Array, mode: str) -> dict[str, Call]:
    """Softmax of x by each library that can; one that gives a wrong result is an error, not a time."""
    expected = reference("softmax", x, dtype=np.float64)
    made = {peer.name: peer.call("softmax", x, given_output=mode == "given output") for peer in peers}
    found = {name: call for name, call in made.items() if call is not None}
    for name, call in found.items():
        if not agrees(call(), expected, x.dtype):
            raise CommandError(f"{name} computes the softmax of {x.shape} {x.dtype} entries wrong: it is not timed")
    return found


def _introduce(peers: Sequence[Peer], threads: int) -> None:
    versions = ", ".join(f"{peer.name} {peer.version}" for peer in peers)
    print(textwrap.fill(f"{versions}; {fastact.isa()}, {_counted(threads)}", 80), end="\n\n")


def _counted(threads: int) -> str:
    return f"{threads} thread{'s' * (threads > 1)}"


def _table(peers: Sequence[Peer], dtype: str, mode: str, rounds: int) -> None:
    rows = []
    names: list[str] = []
    for shape in SHAPES:
        x = logits(shape, dtype)
        times = medians(calls(peers, x, mode), rounds)
        names = list(times)
        unit = 1e6 if x.size < MICROSECONDS else 1e9 / x.size
        best = min((seconds for name, seconds in times.items() if name != "fastact"), default=math.nan)
        ratio = best / times["fastact"]
        verdict = f"{ratio:.2f}{'!' if ratio < 1 else ' '}"
        rows.append([f"{shape[0]} x {shape[1]}", *(f"{seconds * unit:.3g}" for seconds in times.values()), verdict])
    short = {"scikit-learn": "sklearn", "ONNX Runtime": "ONNX RT"}
    show(f"softmax, {dtype}, {mode}", ["shape", *(short.get(name, name) for name in names), "vs best"], rows)


def _sweep(
    peers: Sequence[Peer], dtype: str, mode: str, lengths: Sequence[int], rounds: int
) -> dict[str, list[tuple[int, float]]]:
    """(row length, ns per entry) of each library, on arrays of one size."""
    lines: dict[str, list[tuple[int, float]]] = {}
    for n in lengths:
        x = logits((SWEPT // n, n), dtype)
        for name, seconds in medians(calls(peers, x, mode), rounds).items():
            lines.setdefault(name, []).append((n, seconds * 1e9 / x.size))
    return lines
