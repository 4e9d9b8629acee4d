"""``fastact bench``: softmax, or the activations, beside the libraries that are installed."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

import fastact
from fastact import _core
from fastact.cli import CommandError, require
from fastact.cli.measure import medians, reference
from fastact.cli.peers import FUNCTIONS, ROW_FUNCTIONS, Call, Copy, Peer, installed, standard
from fastact.cli.table import show

Array = np.ndarray[Any, Any]

SHAPES = ((1, 10), (64, 10), (1024, 10), (128, 1000), (1, 32000), (4096, 1024))
DTYPES = ("float32", "float64")
MODES = ("allocating", "given output")
"""Whether each call makes an array for its result, or writes into one made beforehand."""
ALONE = "fastact, one thread"
"""What fastact with more threads is measured beside."""
TOLERANCES = {"float16": 2e-2, "float32": 1e-4, "float64": 1e-10}
"""Largest relative difference from the reference: far above rounding, far below any mistake."""
ELEMENTWISE_TOLERANCES = {"float16": 2e-2, "float32": 1e-3, "float64": 1e-7}
"""The same for activations: JAX loses digits in the tails, PyTorch and ONNX Runtime keep some constants in float32.
And for gradients of rows, whose terms cancel."""

ELEMENTWISE_SHAPE = (128, 1000)

SWEPT = 1 << 18
"""Entries of each array that the plot is drawn from."""

MICROSECONDS = 10_000
"""Arrays with fewer entries than this are timed in microseconds per call, others in nanoseconds per entry."""

LEGEND = """\
Allocating: each call makes an array for its result; given output: it does not.
Medians of interleaved rounds. vs best: the time of the fastest other library,
divided by fastact's; ! marks a loss."""


def run(threads: int, *, quick: bool, plot: Path | None, activations: bool) -> None:
    """Print the tables of softmax or of the activations, or draw the plot."""
    rounds = 5 if quick else 25
    if activations:
        peers = installed(threads)
        _introduce(peers, threads)
        for dtype in DTYPES:
            for mode in MODES:
                _activations(peers, dtype, mode, rounds)
        print(f"ns per entry; copy: NumPy's copy of the input.\n{LEGEND}")
        return
    if plot is None:
        peers = installed(threads)
        _introduce(peers, threads)
        for dtype in DTYPES:
            for mode in MODES:
                _table(peers, dtype, mode, rounds)
        print(f"Arrays of {MICROSECONDS} entries and more: ns per entry; smaller ones: µs per call.\n{LEGEND}")
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


def operands(function: str, x: Array, axis: int = -1) -> tuple[Array, ...]:
    """What a function takes, made of x: x itself, or a gradient and what its gradient needs."""
    name = function.removesuffix("_backward")
    if function == name:
        return (x,)
    if function in ROW_FUNCTIONS:
        return np.flip(x, axis).copy(), np.ascontiguousarray(getattr(fastact, name)(x, axis))
    takes_result = _core.activations[name]["needs"] == "y"
    return x[:, ::-1].copy(), _core.elementwise_ufuncs[name](x, *standard(name).values()) if takes_result else x


def agrees(result: Any, expected: Array, dtype: Any, tolerances: Mapping[str, float] = TOLERANCES) -> bool:
    """Whether a library's result is right, up to the rounding of its type."""
    a = np.asarray(result)
    tolerance = tolerances[np.dtype(dtype).name]
    right = np.allclose(a, expected, rtol=tolerance, atol=tolerance * 1e-2 * np.abs(expected).max())
    return a.dtype == dtype and a.shape == expected.shape and right


def calls(
    peers: Sequence[Peer],
    mode: str,
    x: Array,
    function: str = "softmax",
    axis: int = -1,
    refused: list[str] | None = None,
) -> dict[str, Call]:
    """The function of x by each library that can; one that gives a wrong result is an error, not a time.

    With `refused`, such a library is left out and noted there, as is one that does not take arrays of this kind.
    """
    arrays = operands(function, x, axis)
    some, tolerances = _some(x.shape, axis), TOLERANCES
    wide = [a[some].astype(np.float64) for a in arrays]
    if function in FUNCTIONS:
        # fastact itself in float64: the tests hold it against references, and here the others must agree with it.
        tolerances = ELEMENTWISE_TOLERANCES
        expected = _core.elementwise_ufuncs[function](*wide, *standard(function).values())
    else:
        if function.endswith("_backward"):
            tolerances = ELEMENTWISE_TOLERANCES
        expected = reference(function, *wide, axis=axis, dtype=np.float64)
    found: dict[str, Call] = {}
    for peer in peers:
        what = f"{function} of {x.shape} {x.dtype} entries"
        try:
            call = peer.call(function, *arrays, axis=axis, given_output=mode == "given output")
            if call is None:
                continue
            if not agrees(np.asarray(call())[some], expected, x.dtype, tolerances):
                raise CommandError(f"{peer.name} computes {what} wrong: it is not timed")
        except Exception as error:
            if refused is None:
                raise
            reason = f"{error}" if isinstance(error, CommandError) else f"{peer.name}: {what}: {type(error).__name__}"
            refused.append(reason)
        else:
            found[peer.name] = call
    return found


def _some(shape: tuple[int, ...], axis: int) -> slice:
    """Which rows of an array are checked: of a large one, not all."""
    step = -(-math.prod(shape) // (1 << 20))
    return slice(None, None, step if len(shape) > 1 and axis == -1 else None)


def _introduce(peers: Sequence[Peer], threads: int) -> None:
    versions = ", ".join(f"{peer.name} {peer.version}" for peer in peers)
    print(textwrap.fill(f"{versions}; {fastact.isa()}, {_counted(threads)}", 80), end="\n\n")


def _counted(threads: int) -> str:
    return f"{threads} thread{'s' * (threads > 1)}"


def _verdict(times: Mapping[str, float]) -> tuple[str | None, str]:
    """The fastest other library, if there is one, and its time as a multiple of fastact's."""
    best = min((name for name in times if name != "fastact"), key=lambda name: times[name], default=None)
    if best is None:
        return None, ""
    ratio = times[best] / times["fastact"]
    return best, f"{ratio:.2f}{'!' if ratio < 1 else ' '}"


def _table(peers: Sequence[Peer], dtype: str, mode: str, rounds: int) -> None:
    rows = []
    names: list[str] = []
    for shape in SHAPES:
        x = logits(shape, dtype)
        times = medians(calls(peers, mode, x), rounds)
        names = list(times)
        unit = 1e6 if x.size < MICROSECONDS else 1e9 / x.size
        verdict = _verdict(times)[1]
        rows.append([f"{shape[0]} x {shape[1]}", *(f"{seconds * unit:.3g}" for seconds in times.values()), verdict])
    short = {"scikit-learn": "sklearn", "ONNX Runtime": "ONNX RT"}
    show(f"softmax, {dtype}, {mode}", ["shape", *(short.get(name, name) for name in names), "vs best"], rows)


def _activations(peers: Sequence[Peer], dtype: str, mode: str, rounds: int) -> None:
    rows = []
    x = logits(ELEMENTWISE_SHAPE, dtype)
    for function in FUNCTIONS:
        timed = calls(peers, mode, x, function)
        if "fastact" not in timed:  # prelu_backward has two results and takes no array for them
            continue
        copy = Copy(1).made(function, None, (x,), mode == "given output")
        times = medians({**timed, Copy.name: copy}, rounds)
        cells = {name: f"{seconds * 1e9 / x.size:.3g}" for name, seconds in times.items()}
        best, verdict = _verdict({name: times[name] for name in timed})
        rows.append([function, cells["fastact"], cells[best] if best else "", best or "", verdict, cells[Copy.name]])
    header = ["function", "fastact", "best other", "its name", "vs best", "copy"]
    show(f"{ELEMENTWISE_SHAPE[0]} x {ELEMENTWISE_SHAPE[1]}, {dtype}, {mode}", header, rows)


def _sweep(
    peers: Sequence[Peer], dtype: str, mode: str, lengths: Sequence[int], rounds: int
) -> dict[str, list[tuple[int, float]]]:
    """(row length, ns per entry) of each library, on arrays of one size."""
    lines: dict[str, list[tuple[int, float]]] = {}
    for n in lengths:
        x = logits((SWEPT // n, n), dtype)
        for name, seconds in medians(calls(peers, mode, x), rounds).items():
            lines.setdefault(name, []).append((n, seconds * 1e9 / x.size))
    return lines
