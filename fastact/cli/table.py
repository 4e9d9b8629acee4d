"""Tables in the terminal."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence


def show(title: str, header: Sequence[str], rows: Sequence[Sequence[str]], mark: str = "!") -> None:
    """Print a table to standard output.

    Parameters
    ----------
    title : str
        The line above.
    header : sequence of str
        Names of the columns. The first is flush left, the others flush right.
    rows : sequence of sequence of str
        The cells.
    mark : str, default: "!"
        A cell that ends with it is red where the output is a terminal.
    """
    widths = [max(map(len, column)) for column in zip(header, *rows, strict=True)]
    print(_styled(title, "1"))
    print(_line(header, widths))
    print("  ".join("-" * width for width in widths))
    for row in rows:
        print(_line(row, widths, mark))
    print()


def _line(cells: Sequence[str], widths: Sequence[int], mark: str | None = None) -> str:
    padded = [
        cell.rjust(width) if k else cell.ljust(width) for k, (cell, width) in enumerate(zip(cells, widths, strict=True))
    ]
    return "  ".join(_styled(cell, "1;31") if mark and cell.endswith(mark) else cell for cell in padded).rstrip()


def _styled(text: str, code: str) -> str:
    return f"\x1b[{code}m{text}\x1b[0m" if sys.stdout.isatty() and "NO_COLOR" not in os.environ else text
