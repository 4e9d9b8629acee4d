"""The plot of ``fastact bench --plot``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

# Okabe and Ito's colours, which stay apart for the colour-blind; markers and the legend's order help in grey.
STYLES = {
    "fastact": ("#000000", "o"),
    "NumPy": ("#999999", "v"),
    "SciPy": ("#E69F00", "^"),
    "scikit-learn": ("#009E73", "D"),
    "PyTorch": ("#D55E00", "s"),
    "ONNX Runtime": ("#0072B2", "P"),
    "JAX": ("#CC79A7", "X"),
}


def draw(path: Path, panels: Mapping[str, Mapping[str, Sequence[tuple[int, float]]]], title: str) -> None:
    """Draw time per entry against row length, in panels two by two.

    Parameters
    ----------
    path : Path
        The picture's file.
    panels : mapping
        Title of the panel -> library -> sequence of (row length, nanoseconds per entry).
    title : str
        The whole picture's.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.ticker import FixedLocator, FuncFormatter, NullFormatter

    figure = Figure(figsize=(7.2, 7.6), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(len(panels) // 2, 2, sharex=True, sharey=True, squeeze=False)
    for panel, (name_of_panel, libraries) in zip(axes.flat, panels.items(), strict=True):
        for name, points in libraries.items():
            colour, marker = STYLES[name]
            ours = name == "fastact"
            panel.plot(
                *zip(*points, strict=True),
                color=colour,
                marker=marker,
                markersize=4,
                linewidth=2.4 if ours else 1.1,
                zorder=3 if ours else 2,
                label=name,
            )
        panel.set_xscale("log", base=2)
        panel.set_yscale("log")
        panel.set_title(name_of_panel, fontsize=10)
        panel.xaxis.set_major_locator(FixedLocator([4, 32, 256, 2048, 16384, 131072]))
        panel.xaxis.set_major_formatter(FuncFormatter(lambda n, _: f"{n:.0f}" if n < 1000 else f"{n / 1024:.0f}k"))
        panel.yaxis.set_major_locator(FixedLocator([0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200]))
        panel.yaxis.set_major_formatter(FuncFormatter(lambda t, _: f"{t:g}"))
        panel.yaxis.set_minor_formatter(NullFormatter())
        panel.grid(True, linewidth=0.4, color="#cccccc")
        panel.minorticks_off()
    for panel in axes[:, 0]:
        panel.set_ylabel("ns per entry (lower is better)")
    for panel in axes[-1]:
        panel.set_xlabel("entries in a row")
    figure.suptitle(title, fontsize=11)
    handles, labels = axes[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=4, frameon=False, fontsize=9)
    figure.savefig(path, dpi=300)
