"""The command line: ``python -m fastact``, also installed as ``fastact``."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

import fastact
from fastact.cli import CommandError


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """One line instead of the whole usage."""
        self.exit(2, f"{self.prog}: error: {message}\n")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Parameters
    ----------
    argv : sequence of str, optional
        The arguments, without the program's name; those of this process by default.

    Returns
    -------
    int
        The exit code: 0, 1 where the machine failed (a full disk), 2 for wrong arguments or files, 130 after Ctrl-C.
    """
    arguments = _parser().parse_args(argv)
    program = f"fastact {arguments.command}"
    try:
        arguments.run(arguments)
        sys.stdout.flush()
    except CommandError as error:
        print(f"{program}: error: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:
        # The reader (head, less) has left; the interpreter would complain when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as error:
        print(f"{program}: error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(f"{program}: interrupted", file=sys.stderr)
        return 130
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="fastact", description="Softmax on NumPy arrays: fast, accurate, reproducible.")
    parser.add_argument("--version", action="version", version=f"fastact {fastact.__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)

    info = commands.add_parser(
        "info", help="this build and this machine", description="Facts that matter for speed and bits."
    )
    info.add_argument("--json", action="store_true", help="as JSON")
    info.set_defaults(run=_info)

    softmax = commands.add_parser(
        "softmax",
        help="softmax of a .npy file of any size",
        description="Softmax of a .npy file, in blocks: the file may be larger than memory. OUT appears when it is "
        "complete, and may be IN. Its entries are those of fastact.softmax on the whole array, to the last bit.",
    )
    softmax.add_argument("source", metavar="IN.npy", type=Path)
    softmax.add_argument("-o", "--output", metavar="OUT.npy", type=Path, required=True)
    softmax.add_argument(
        "--axis", type=int, default=-1, help="axis along which the results add up to 1 (default: the last)"
    )
    softmax.add_argument("--log", action="store_true", help="log_softmax instead")
    softmax.add_argument("--where", metavar="MASK.npy", type=Path, help="bools; entries where it is False take no part")
    softmax.add_argument(
        "--dtype", choices=("float16", "float32", "float64"), help="type to convert to first, and of OUT"
    )
    softmax.set_defaults(run=_softmax)

    demo = commands.add_parser(
        "demo",
        help="handwritten digits, classified and drawn",
        description="Probabilities of handwritten digits from a linear model, checked and timed beside SciPy.",
    )
    demo.set_defaults(run=_demo)

    bench = commands.add_parser(
        "bench",
        help="times beside NumPy, SciPy, scikit-learn, PyTorch, ONNX Runtime and JAX",
        description="Times of softmax beside those of the installed libraries: medians of interleaved rounds.",
    )
    instead = bench.add_mutually_exclusive_group()
    instead.add_argument("--plot", metavar="FILE.png", type=Path, help="draw the time against the row length instead")
    instead.add_argument(
        "--activations", action="store_true", help="the activations and their gradients instead of softmax"
    )
    bench.add_argument("--quick", action="store_true", help="fewer rounds: done in seconds, and less certain")
    bench.add_argument(
        "--threads", metavar="N", type=_positive, default=1, help="threads for every library (default: 1)"
    )
    bench.set_defaults(run=_bench)
    return parser


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"must be a positive integer, got {text!r}")
    return int(text)


def _info(arguments: argparse.Namespace) -> None:
    if arguments.json:
        print(json.dumps(fastact.show_config(mode="dicts"), indent=2))
    else:
        fastact.show_config()


def _softmax(arguments: argparse.Namespace) -> None:
    from fastact.cli import stream

    stream.run(arguments.source, arguments.output, arguments.axis, arguments.log, arguments.where, arguments.dtype)


def _demo(arguments: argparse.Namespace) -> None:
    from fastact.cli import demo

    demo.run()


def _bench(arguments: argparse.Namespace) -> None:
    from fastact.cli import bench

    bench.run(arguments.threads, quick=arguments.quick, plot=arguments.plot, activations=arguments.activations)


if __name__ == "__main__":
    sys.exit(main())
