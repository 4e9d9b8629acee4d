"""How many threads a call may use."""

from __future__ import annotations

import contextlib
import operator
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from fastact import _core


def set_num_threads(n: int) -> None:
    """Set the number of threads that a call may use, for the whole process.

    Small arrays use fewer, down to one, and so do calls of less than some milliseconds with pauses between them, which
    would have to wake the threads first. At import it is the environment variable ``FASTACT_NUM_THREADS``, or else
    ``OMP_NUM_THREADS``, or else the number of processors that this process may use (its affinity and its control
    group's quota). A limit set with threadpoolctl holds besides.

    Parameters
    ----------
    n : int
        At least 1.

    Raises
    ------
    TypeError, ValueError
        If n is not an integer, or below 1.

    Examples
    --------
    >>> import fastact
    >>> before = fastact.get_num_threads()
    >>> fastact.set_num_threads(1)
    >>> fastact.get_num_threads()
    1
    >>> fastact.set_num_threads(before)
    """
    _core._set_process_threads(_count("n", n))


def get_num_threads() -> int:
    """Return the number of threads that a call from this thread may use."""
    process, thread = _core._get_threads()
    return thread or process


@contextlib.contextmanager
def threads(n: int) -> Iterator[None]:
    """Limit the calls of this thread to n threads, inside a ``with`` statement.

    Other threads are not affected.

    Parameters
    ----------
    n : int
        At least 1.

    Examples
    --------
    >>> import fastact
    >>> with fastact.threads(1):
    ...     fastact.get_num_threads()
    1
    """
    n = _count("n", n)
    _, before = _core._get_threads()
    _core._set_thread_limit(n)
    try:
        yield
    finally:
        _core._set_thread_limit(before)


def _count(name: str, n: Any) -> int:
    try:
        count = operator.index(n)
    except TypeError:
        raise TypeError(f"{name} must be an integer, got {n!r}") from None
    if not 1 <= count <= 4096:
        raise ValueError(f"{name} must be from 1 to 4096, got {n!r}")
    return count


def _from_environment() -> int:
    for variable in ("FASTACT_NUM_THREADS", "OMP_NUM_THREADS"):
        text = os.environ.get(variable, "").split(",")[0].strip()
        if text.isdecimal() and int(text) > 0:
            return min(int(text), 4096)
        if text and variable == "FASTACT_NUM_THREADS":
            raise ValueError(f"the environment variable {variable} must be a positive integer, got {text!r}")
    return processors()


def processors() -> int:
    """Processors that this process may use: its affinity, and the CPU quota of its control group."""
    try:
        count = len(os.sched_getaffinity(0))
    except AttributeError:
        count = os.cpu_count() or 1
    quota = _quota(Path("/proc/self/cgroup"), Path("/sys/fs/cgroup"))
    return max(1, min(count, int(quota))) if quota else count


def _quota(membership: Path, root: Path) -> float | None:
    """The least CPU quota of the control group and its parents, in processors (cgroup versions 2 and 1)."""
    quotas = []
    try:
        lines = membership.read_text().splitlines()
    except OSError:
        return None
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controllers and "cpu" not in controllers.split(","):
            continue
        base = root if not controllers else root / controllers
        group = base / path.lstrip("/")
        for folder in (group, *group.parents):
            if not folder.is_relative_to(base):
                break
            with contextlib.suppress(OSError, ValueError):
                if controllers:
                    limit = int((folder / "cpu.cfs_quota_us").read_text())
                    period = int((folder / "cpu.cfs_period_us").read_text())
                else:
                    limit, period = map(int, (folder / "cpu.max").read_text().split())
                if limit > 0:
                    quotas.append(limit / period)
    return min(quotas, default=None)


_core._set_process_threads(_from_environment())
