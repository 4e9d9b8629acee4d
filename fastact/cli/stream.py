"""``fastact softmax``: .npy files of any size, in blocks through memory maps."""

from __future__ import annotations

import contextlib
import math
import mmap
import os
import secrets
import shutil
import signal
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

import fastact
from fastact.cli import CommandError

Array = np.ndarray[Any, Any]
Index = tuple[slice, ...]

BLOCK = 1 << 26
"""Bytes that are computed at a time. A row is never divided: one that is longer is computed in a file's memory map."""


def run(source: Path, target: Path, axis: int, log: bool, where: Path | None, dtype: str | None) -> None:
    """Softmax or log_softmax of the array in file `source`, as file `target`."""
    function = fastact.log_softmax if log else fastact.softmax
    x = _open(source)
    try:
        result = function(np.zeros(1, x.dtype), dtype=dtype).dtype
    except TypeError as error:
        raise CommandError(f"{source}: {error}") from None
    try:
        last = normalize_axis_index(axis, max(x.ndim, 1))
    except ValueError:
        raise CommandError(f"{source} has {x.ndim} axes, {x.shape}: none is number {axis}") from None
    maps = [x]
    mask = None
    if where is not None:
        maps.append(_open(where))
        mask = _broadcast(maps[1], x.shape, where)

    with _terminable(), _replacing(target) as path:
        # In the order of the input file, so that neighbours stay neighbours.
        y = np.lib.format.open_memmap(path, "w+", result, x.shape, fortran_order=x.flags.fnc)
        with path.open("rb+") as file:
            _reserve(file, path.stat().st_size)
        maps.append(y)
        if x.size:
            # In C order, with the axis last.
            views = [np.asarray(a).reshape(a.shape or (1,)) for a in (x, y)]
            views += [] if mask is None else [mask.reshape(mask.shape or (1,))]
            if x.flags.fnc:
                views, last = [a.T for a in views], x.ndim - 1 - last
            views = [np.moveaxis(a, last, -1) for a in views]
            with _progress(source.name, x.nbytes + y.nbytes) as advance:
                _compute(function, *views, maps=maps, folder=path.parent, advance=advance)
        y.flush()


def _compute(
    function: Callable[..., Array],
    x: Array,
    y: Array,
    mask: Array | None = None,
    *,
    maps: list[np.memmap[Any, Any]],
    folder: Path,
    advance: Callable[[int], None],
) -> None:
    """Fill y with the function of x along the last axis."""
    kernel = np.promote_types(y.dtype, np.float32)  # what the kernels compute in
    shape = _block_shape(x.shape, max(1, BLOCK // kernel.itemsize))
    entries = math.prod(shape)
    is_long = entries * kernel.itemsize > BLOCK
    if is_long:
        print(f"rows of {entries} entries: longer than a block, computed whole in a memory map", file=sys.stderr)
    in_place = y.dtype == kernel and y[tuple(map(slice, shape))].flags.c_contiguous
    buffer = None if in_place else _scratch(folder, kernel, entries) if is_long else np.empty(entries, kernel)
    for block in _blocks(x.shape, shape):
        x_block, y_block, mask_block = x[block], y[block], None if mask is None else mask[block]
        rows = y_block if buffer is None else buffer[: x_block.size].reshape(x_block.shape)
        takes_part = np.zeros((*x_block.shape[:-1], 1), bool)
        with np.errstate(all="ignore"):
            for piece in _pieces(x_block):
                rows[piece] = x_block[piece].astype(y.dtype, copy=False)
                if mask_block is not None:
                    np.copyto(rows[piece], -np.inf, where=~mask_block[piece])
                    takes_part[piece[:-1]] |= mask_block[piece].any(axis=-1, keepdims=True)
                advance(x_block[piece].nbytes)
                _release(maps)
            function(rows, out=rows)
            if mask_block is not None:
                np.copyto(rows, -np.inf if function is fastact.log_softmax else 0, where=~takes_part)
            for piece in _pieces(y_block):
                if rows is not y_block:
                    y_block[piece] = rows[piece]
                advance(y_block[piece].nbytes)
                _release(maps)


def _block_shape(shape: tuple[int, ...], most: int) -> tuple[int, ...]:
    """Whole rows (the last axis), as many neighbours as make up to `most` entries; at least one row."""
    block = [1] * (len(shape) - 1) + [shape[-1]]
    for k in reversed(range(len(shape) - 1)):
        block[k] = min(shape[k], max(1, most // math.prod(block)))
    return tuple(block)


def _blocks(shape: tuple[int, ...], block: tuple[int, ...]) -> Iterator[Index]:
    for starts in product(*map(range, [0] * len(shape), shape, block)):
        yield tuple(slice(start, start + size) for start, size in zip(starts, block, strict=True))


def _pieces(a: Array) -> Iterator[Index]:
    """Parts of an array that each lie close together in its file, as much as is brought into memory at a time."""
    outer = max(range(a.ndim), key=lambda k: (a.shape[k] > 1) * a.strides[k])
    step = max(1, BLOCK // 8 // a.strides[outer])
    for start in range(0, a.shape[outer], step):
        yield tuple(slice(start, start + step) if k == outer else slice(None) for k in range(a.ndim))


def _release(maps: list[np.memmap[Any, Any]]) -> None:
    """Let go of the maps' pages, which count as this process's memory. What was written stays in the file."""
    for a in maps:
        if isinstance(a.base, mmap.mmap):
            a.base.madvise(mmap.MADV_DONTNEED)


def _open(path: Path) -> np.memmap[Any, Any]:
    try:
        return np.lib.format.open_memmap(path, mode="r")
    except OSError as error:
        raise CommandError(f"{path}: {error.strerror or error}") from None
    except (ValueError, SyntaxError) as error:
        reason = str(error).partition("\n")[0]
        known = {
            "magic string": "it does not begin as one",
            "Python objects": "it holds Python objects, which are never loaded",
            "mmap length": "it is shorter than its header says",
        }
        reason = next((clear for part, clear in known.items() if part in reason), reason)
        raise CommandError(f"{path} is not a .npy file that can be read: {reason}") from None


def _broadcast(mask: Array, shape: tuple[int, ...], path: Path) -> Array:
    if mask.dtype != bool:
        raise CommandError(f"{path} must hold bools, got {mask.dtype}")
    try:
        return np.broadcast_to(np.asarray(mask), shape)
    except ValueError:
        raise CommandError(f"{path} must have a shape that broadcasts to {shape}, got {mask.shape}") from None


@contextlib.contextmanager
def _replacing(target: Path) -> Iterator[Path]:
    """A new file in target's folder: it takes target's name once it is complete, and vanishes if it is not."""
    target = target.resolve()
    if target.exists() and not target.is_file():
        raise CommandError(f"{target} is not a file that can be replaced")
    path = target.with_name(f".fastact-{secrets.token_hex(8)}.part")
    try:
        try:
            path.touch(exist_ok=False)
        except OSError as error:
            raise CommandError(f"{target}: {error.strerror}") from None
        if target.exists():
            shutil.copymode(target, path)
        yield path
        _sync(path)
        path.replace(target)
        _sync(target.parent)
    finally:
        path.unlink(missing_ok=True)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _reserve(file: IO[bytes], size: int) -> None:
    """Take the file's space now: where the disk is full, this is an error, and writing to a memory map is a crash."""
    file.truncate(size)
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(file.fileno(), 0, size)


def _scratch(folder: Path, dtype: np.dtype[Any], entries: int) -> Array:
    """Room for one row that does not fit in a block: the memory map of a file without a name."""
    with tempfile.TemporaryFile(dir=folder) as file:
        _reserve(file, entries * dtype.itemsize)
        return np.asarray(np.memmap(file, dtype, "r+", shape=(entries,)))


@contextlib.contextmanager
def _terminable() -> Iterator[None]:
    """Have SIGTERM end the process as an exception does, so that no temporary file stays behind."""

    def terminate(*_: object) -> None:
        raise SystemExit(128 + signal.SIGTERM)

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, terminate)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextlib.contextmanager
def _progress(name: str, total: int) -> Iterator[Callable[[int], None]]:
    """A bar of bytes read and written, where standard error is a terminal and rich is installed."""
    try:
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            DownloadColumn,
            Progress,
            TextColumn,
            TimeRemainingColumn,
            TransferSpeedColumn,
        )
    except ImportError:
        yield lambda count: None
        return
    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        task = progress.add_task(name, total=total)
        yield lambda count: progress.advance(task, count)
