"""Pictures of times: those of ``fastact bench --plot`` and of the report."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

# Okabe and Ito's colours, which stay apart for the colour-blind; markers and the legend's order help in grey.
STYLES = {
    "fastact": ("#000000", "o"),
    "NumPy": ("#999999", "v"),
    "SciPy": ("#E69F00", "^"),
    "scikit-learn": ("#009E73", "D"),
    "PyTorch": ("#D55E00", "s"),
    "ONNX Runtime": ("#0072B2", "P"),
    "JAX": ("#CC79A7", "X"),
    "numexpr": ("#8C6D1F", "<"),
    "Numba": ("#56B4E9", ">"),
    "thinc": ("#5D3A9B", "d"),
    "torch.compile": ("#7F2704", "p"),
}
LIMITS = {"copy": "--", "copy, out of cache": ":", "arithmetic, in the first cache": "-."}
"""What no library can be faster than, or nearly: drawn as thin lines."""

Points = Sequence[tuple[float, float]]
Panels = Mapping[str, Mapping[str, Points]]


def draw(path: Path, panels: Panels, title: str) -> None:
    """Draw time per entry against row length, in panels two by two.

    Parameters
    ----------
    path : Path
        The picture's file.
    panels : mapping
        Title of the panel -> library, or one of `LIMITS` -> sequence of (row length, nanoseconds per entry).
    title : str
        The whole picture's.
    """
    curves(path, panels, title, "entries in a row", "ns per entry (lower is better)", rows_ticks=True)


def curves(
    path: Path, panels: Panels, title: str, across: str, up: str, *, rows_ticks: bool = False, shared: bool = True
) -> None:
    """Draw one line for each library, in panels two by two.

    Parameters
    ----------
    path : Path
        The picture's file.
    panels : mapping
        Title of the panel -> library, or one of `LIMITS` -> sequence of points.
    title, across, up : str
        Of the picture, and of its axes, which have logarithmic scales.
    rows_ticks : bool, default: False
        Whether the numbers across are row lengths; otherwise each that occurs is written, or six of them.
    shared : bool, default: True
        Whether all panels have the same range.
    """
    rows = -(-len(panels) // 2)
    figure, axes = _figure((7.2, 1.0 + (3.3 if shared else 2.6) * rows), rows, 2, shared)
    for panel, (name_of_panel, libraries) in zip(axes.flat, panels.items(), strict=False):
        for name, points in libraries.items():
            panel.plot(*zip(*points, strict=True), label=name, **_line(name))
        panel.set_xscale("log", base=2)
        panel.set_yscale("log")
        panel.set_title(name_of_panel, fontsize=10)
        places = sorted({x for points in libraries.values() for x, _ in points})
        some = places[:: -(-len(places) // 6) or 1]
        _ticks(panel.xaxis, [2, 16, 128, 1024, 8192, 65536] if rows_ticks else some, _counted)
        _ticks(panel.yaxis, _decades, _plain)
        panel.grid(True, linewidth=0.4, color="#cccccc")
    _finish(figure, axes, title, across, up, path)


def strip(path: Path, cases: Mapping[str, Mapping[str, float]], title: str, across: str) -> None:
    """Draw a line of dots for each case, one for each library, where each stands beside fastact.

    Parameters
    ----------
    path : Path
        The picture's file.
    cases : mapping
        Case, from top to bottom -> library -> its time as a multiple of fastact's.
    title, across : str
        Of the picture, and of its axis, which has a logarithmic scale.
    """
    figure, axes = _figure((7.2, 1.4 + 0.24 * len(cases)), 1, 1)
    panel = axes[0, 0]
    names = list(dict.fromkeys(name for case in cases.values() for name in case))
    for name in sorted(names, key=list(STYLES).index):
        points = [(case[name], k) for k, case in enumerate(cases.values()) if name in case]
        panel.plot(*zip(*points, strict=True), label=name, **(_line(name) | {"linestyle": "none", "markersize": 6}))
    panel.axvspan(panel.get_xlim()[0] / 10, 1, color="#f3dcd0", zorder=0, linewidth=0)
    panel.set_xscale("log")
    least = min([0.8, *(0.9 * value for case in cases.values() for value in case.values())])
    panel.set_xlim(least, 1.2 * max(value for case in cases.values() for value in case.values()))
    panel.set_ylim(len(cases) - 0.5, -0.5)
    panel.set_yticks(range(len(cases)), list(cases), fontsize=8)
    _ticks(panel.xaxis, _decades, _plain)
    panel.grid(True, linewidth=0.4, color="#cccccc")
    _finish(figure, axes, title, across, "", path)


def scatter(path: Path, panels: Panels, title: str, across: str, up: str) -> None:
    """Draw one dot for each library, in panels three by three.

    Parameters
    ----------
    path : Path
        The picture's file.
    panels : mapping
        Title of the panel -> library -> its points.
    title, across, up : str
        Of the picture, and of its axes, which have logarithmic scales.
    """
    columns = 3
    rows = -(-len(panels) // columns)
    figure, axes = _figure((7.2, 1.2 + 2.5 * rows), rows, columns, shared=False)
    for panel, (name_of_panel, libraries) in zip(axes.flat, panels.items(), strict=False):
        for name, points in libraries.items():
            style = _line(name) | {"linestyle": "none", "markersize": 10 if name == "fastact" else 7}
            panel.plot(*zip(*points, strict=True), label=name, **style)
        panel.set_xscale("log")
        panel.set_yscale("log")
        panel.margins(0.15)
        few = partial(_decades, many=100)
        panel.set_title(name_of_panel, fontsize=10)
        _ticks(panel.xaxis, few, _plain)
        _ticks(panel.yaxis, few, _plain)
        panel.grid(True, linewidth=0.4, color="#cccccc")
    _finish(figure, axes, title, across, up, path)


def _figure(size: tuple[float, float], rows: int, columns: int, shared: bool = True) -> tuple[Any, Any]:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=size, layout="constrained", facecolor="white")
    FigureCanvasAgg(figure)
    return figure, figure.subplots(rows, columns, sharex=shared, sharey=shared, squeeze=False)


def _line(name: str) -> dict[str, Any]:
    if name in LIMITS:
        return {"color": "#444444", "linestyle": LIMITS[name], "linewidth": 1.0, "zorder": 1}
    colour, marker = STYLES[name]
    ours = name == "fastact"
    width, front = (2.4, 4) if ours else (1.1, 3)
    return {"color": colour, "marker": marker, "markersize": 4, "linewidth": width, "zorder": front}


def _decades(low: float, high: float, many: float = 1e3) -> list[float]:
    """1, 2 and 5 of every decade of an axis, or only 1 where these are many, or of some decades."""
    steps = (1, 2, 5) if high / low < many else (1,)
    powers = range(-9, 20, max(1, round(math.log10(high / low) / 5)))
    return [float(f"{step}e{power}") for power in powers for step in steps if low <= step * 10.0**power <= high]


def _plain(value: float) -> str:
    return f"{value:g}" if value < 1e4 else f"{value:.0e}".replace("+0", "").replace("+", "")


def _ticks(axis: Any, places: Sequence[float] | Callable[..., list[float]], written: Callable[[float], str]) -> None:
    from matplotlib.ticker import FixedLocator, FuncFormatter, NullFormatter, NullLocator

    where = places(*axis.get_view_interval()) if callable(places) else places
    axis.set_major_locator(FixedLocator(where))
    axis.set_major_formatter(FuncFormatter(lambda value, _: written(value)))
    axis.set_minor_locator(NullLocator())
    axis.set_minor_formatter(NullFormatter())


def _counted(n: float) -> str:
    return f"{n:.0f}" if n < 1000 else f"{n / 1024:.0f}k" if n < 1 << 20 else f"{n / (1 << 20):.0f}M"


def _finish(figure: Any, axes: Any, title: str, across: str, up: str, path: Path) -> None:
    for panel in axes[:, 0]:
        panel.set_ylabel(up)
    for panel in axes[-1]:
        panel.set_xlabel(across)
    figure.suptitle(title, fontsize=11)
    entries: dict[str, Any] = {}
    for panel in axes.flat:
        if not panel.has_data():
            panel.set_axis_off()
        handles, labels = panel.get_legend_handles_labels()
        entries |= dict(zip(labels, handles, strict=True))
    order = [name for name in (*STYLES, *LIMITS) if name in entries]
    figure.legend(
        [entries[name] for name in order], order, loc="outside lower center", ncols=4, frameon=False, fontsize=9
    )
    figure.savefig(path, dpi=300 if path.suffix == ".pdf" else 160)
