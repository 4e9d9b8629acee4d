"""``fastact demo``: handwritten digits, from images to probabilities."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

import fastact
from fastact.cli import require
from fastact.cli.measure import EXTENDED, medians, reference, ulps

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

Array = np.ndarray[Any, Any]

WIDTH = 80
COPIES = 100
BAR = 12


def run() -> None:
    """Print the demonstration."""
    require("demo", "cli,sklearn", "rich", "sklearn.datasets", "sklearn.linear_model", "scipy.special")
    from rich.console import Console

    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")
    console = Console(highlight=False, width=WIDTH)
    images, labels, logits, fitted = _classified()
    probabilities = fastact.softmax(logits)
    right = probabilities.argmax(axis=1) == labels

    console.rule("[bold]fastact: handwritten digits", characters="─")
    console.print(
        f"\n{fitted + len(labels)} images of 8 x 8 pixels. A logistic regression fitted on {fitted} of them gives ten"
        f" logits for each of the other {len(labels)}; softmax turns them into probabilities.\n"
    )
    console.print(f"Accuracy [bold]{right.mean():.3f}[/]: {right.sum()} of {len(labels)} right.")
    console.print(_comparison(logits))
    console.print(
        "[dim]Deviation: the largest from an extended-precision reference, in units in the last place."
        " Times per call: medians of interleaved rounds, one thread.[/]\n"
    )
    console.print(_gallery(console, images, labels, probabilities))


def _classified() -> tuple[Array, Array, Array, int]:
    """Images, labels and logits of the test half, and how many images the model was fitted on."""
    from sklearn.datasets import load_digits
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import train_test_split

    images, labels = load_digits(return_X_y=True)
    images = images / 16
    train, test, train_labels, test_labels = train_test_split(
        images, labels, test_size=0.5, stratify=labels, random_state=0
    )
    model = LogisticRegression(C=10, max_iter=1000).fit(train, train_labels)
    return test.reshape(-1, 8, 8), test_labels, model.decision_function(test), len(train)


def _comparison(logits: Array) -> Table:
    """Deviations and times of fastact and SciPy; the better one is bold."""
    from rich import box
    from rich.table import Table
    from scipy.special import softmax

    functions: dict[str, Callable[[Array], Array]] = {"fastact": fastact.softmax, "SciPy": partial(softmax, axis=-1)}
    rows, classes = logits.shape
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 2))
    for name in ("", "", "deviation", f"{rows} x {classes}", f"{rows * COPIES} x {classes}"):
        table.add_column(name, justify="right" if name else "left")
    with fastact.threads(1):
        for dtype in (np.float32, np.float64):
            x = logits.astype(dtype)
            many = np.tile(x, (COPIES, 1))
            judged = EXTENDED or dtype == np.float32
            exact = reference("softmax", x)
            deviations = {n: float(ulps(f(x), exact).max()) if judged else np.nan for n, f in functions.items()}
            few_times = medians({name: partial(f, x) for name, f in functions.items()}, 31)
            many_times = medians({name: partial(f, many) for name, f in functions.items()}, 11)
            for name in functions:
                table.add_row(
                    dtype.__name__ if name == "fastact" else "",
                    name,
                    _best(f"{deviations[name]:.2f} ULP" if judged else "not known", deviations[name], deviations),
                    _best(f"{few_times[name] * 1e6:.1f} µs", few_times[name], few_times),
                    _best(f"{many_times[name] * 1e6:.0f} µs", many_times[name], many_times),
                    end_section=name == "SciPy",
                )
    return table


def _best(text: str, value: float, values: dict[str, float]) -> str:
    return f"[bold]{text}[/]" if value == min(values.values()) else text


def _gallery(console: Console, images: Array, labels: Array, probabilities: Array) -> Table:
    """Four digits two by two: the surest, a typical and the least sure right answer, and the surest mistake."""
    from rich.table import Table

    guesses, sureness = probabilities.argmax(axis=1), probabilities.max(axis=1)
    order = np.argsort(sureness, kind="stable")
    right = order[guesses[order] == labels[order]]
    wrong = order[guesses[order] != labels[order]]
    chosen = {
        "the surest": right[-1],
        "one in the middle": right[len(right) // 4],
        "the least sure": right[0],
        **({"the surest mistake": wrong[-1]} if len(wrong) else {}),
    }
    panels = []
    for title, k in chosen.items():
        confusion = f" taken for a {guesses[k]}" if guesses[k] != labels[k] else ""
        panels.append(_panel(console, f"{title}: a {labels[k]}{confusion}", images[k], probabilities[k]))
    grid = Table.grid(padding=(0, 4, 0, 0))
    for row in range(0, len(panels), 2):
        grid.add_row(*panels[row : row + 2])
        grid.add_row()
    return grid


def _panel(console: Console, title: str, image: Array, probabilities: Array) -> Table:
    """The picture with the ten probabilities beside it."""
    from rich.table import Table
    from rich.text import Text

    bars = [_bar(console, digit, float(p), digit == probabilities.argmax()) for digit, p in enumerate(probabilities)]
    body = Table.grid(padding=(0, 2, 0, 0))
    body.add_row(Text("\n").join([Text(""), *_picture(console, image)]), Text("\n").join(bars))
    panel = Table.grid()
    panel.add_row(Text(title, style="bold"))
    panel.add_row(body)
    return panel


def _picture(console: Console, image: Array) -> Sequence[Text]:
    """One line for each row of pixels, two columns for each pixel; greys where there are colours, shades where not."""
    from rich.text import Text

    if console.color_system and not console.no_color:
        greys = (28 + 227 * image).astype(int)
        return [Text.assemble(*(("  ", f"on rgb({g},{g},{g})") for g in row)) for row in greys]
    shades = " ░▒▓█" if console.encoding.startswith("utf") else " .:*#"
    return [Text("".join(2 * shades[round(4 * pixel)] for pixel in row)) for row in image]


def _bar(console: Console, digit: int, probability: float, is_guess: bool) -> Text:
    from rich.text import Text

    whole, half = ("━", "╸") if console.encoding.startswith("utf") else ("=", "-")
    length = round(2 * BAR * probability)
    bar = whole * (length // 2) + half * (length % 2)
    style = "bold cyan" if is_guess else ""
    return Text.assemble(f"{digit} ", (f"{bar:<{BAR}}", style or "cyan"), (f" {probability:.3f}", style or "dim"))
