"""How right and how fast: extended-precision references, distances in ULP, and times that can be compared."""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from itertools import repeat
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
Call = Callable[[], object]

EXTENDED = np.finfo(np.longdouble).nmant > np.finfo(np.float64).nmant
"""Whether numpy.longdouble is wider than float64 here, so that it can judge float64 results."""


def reference(function: str, *operands: Array, axis: int = -1, dtype: type[np.floating[Any]] = np.longdouble) -> Array:
    """Row function along an axis, in another precision.

    The sum of the other terms is kept apart from the largest one, so that the logarithm of a probability near 1 has its
    full relative accuracy.

    Parameters
    ----------
    function : {"softmax", "log_softmax", "logsumexp", "softmax_backward", "log_softmax_backward"}
        Its name in fastact.
    *operands : ndarray
        Its array arguments.
    axis : int, default: -1
        What it is taken along.
    dtype : type, default: numpy.longdouble
        What is computed in, and returned.

    Returns
    -------
    ndarray
        The result.
    """
    if axis != -1:
        result = reference(function, *(np.moveaxis(a, axis, -1) for a in operands), dtype=dtype)
        return result if function == "logsumexp" else np.moveaxis(result, -1, axis)
    x, *rest = (np.asarray(a, dtype) for a in operands)
    if function == "softmax_backward":
        (y,) = rest
        return np.asarray(y * (x - (x * y).sum(axis=-1, keepdims=True)))
    if function == "log_softmax_backward":
        (y,) = rest
        return np.asarray(x - np.exp(y) * x.sum(axis=-1, keepdims=True))
    where = x.argmax(axis=-1, keepdims=True)
    largest = np.take_along_axis(x, where, axis=-1)
    difference = x - largest
    with np.errstate(invalid="ignore"):  # of -inf
        back = difference - x
        rounded = (x - (difference - back)) - (largest + back)  # what the subtraction lost (Knuth's two-sum)
    rounded[x == -np.inf] = 0
    terms = np.exp(difference) * (1 + rounded)
    others = terms.copy()
    np.put_along_axis(others, where, 0, axis=-1)
    sum_of_others = others.sum(axis=-1, keepdims=True)
    if function == "softmax":
        return np.asarray(terms / (1 + sum_of_others))
    if function == "log_softmax":
        return np.asarray(difference - (np.log1p(sum_of_others) - rounded))
    return np.asarray((largest + np.log1p(sum_of_others))[..., 0])


def ulps(result: Array, exact: Array, unit: Array | None = None) -> Array:
    """Distance of results from the exact ones, in units in the last place.

    Parameters
    ----------
    result : ndarray
        Of the type whose last place is meant.
    exact : ndarray
        In extended precision.
    unit : ndarray, optional
        The values whose last place is meant, where it is not that of `exact`.

    Returns
    -------
    ndarray
        Distances as float64; infinite where result is NaN and exact is not.
    """
    spacing = np.spacing(np.abs(exact if unit is None else unit).astype(result.dtype))
    distance = (np.abs(result.astype(np.longdouble) - exact) / spacing).astype(np.float64)
    return np.where(np.isnan(distance), np.inf, distance)


def medians(
    calls: Mapping[str, Call],
    rounds: int,
    least: float = 1e-3,
    budget: float = math.inf,
    warm: float = 0,
    around: Mapping[str, Callable[[], AbstractContextManager[Any]]] | None = None,
) -> dict[str, float]:
    """Seconds per call: medians over rounds in which every call takes its turn, so that all meet the same weather.

    Parameters
    ----------
    calls : mapping of str to callable
        What is timed, by name.
    rounds : int
        How often each is measured.
    least : float, default: 1e-3
        Seconds that one measurement takes at least; a shorter call is repeated within it.
    budget : float, default: inf
        Seconds that all may take, if three rounds do not take longer.
    warm : float, default: 0
        Seconds of calls before each measurement, after a pause: a library's threads sleep while the others take their
        turns, and theirs may spin for a while after them.
    around : mapping of str to callable, optional
        By name, what makes the context in which a call is measured.

    Returns
    -------
    dict
        Seconds per call, by name.
    """
    tried = {name: _repetitions(call, least) for name, call in calls.items()}
    a_round = sum(elapsed * (1 + 1 / count) + (warm and warm + _SPUN) for count, elapsed in tried.values())
    samples: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(min(rounds, max(3, int(min(budget / a_round, rounds)))) if a_round else rounds):
        for name, call in calls.items():
            count, elapsed = tried[name]
            with (around or {}).get(name, nullcontext)():
                if elapsed < _LONG * least:  # brings data into the caches that they fit
                    call()
                if warm and elapsed:
                    time.sleep(_SPUN)
                    _seconds(call, max(1, round(warm * count / elapsed)))
                samples[name].append(_seconds(call, count) / count)
    return {name: statistics.median(times) for name, times in samples.items()}


_SPUN = 0.05
"""Seconds after which no library's threads spin any more."""

_LONG = 20
"""How many times the least duration a call takes that needs no other one before it."""


def _repetitions(call: Call, least: float) -> tuple[int, float]:
    """How many calls take long enough to be timed together, and how long."""
    if (elapsed := _seconds(call, 1)) >= _LONG * least:
        return 1, elapsed
    count = 1
    while (elapsed := _seconds(call, count)) < least:
        count = max(2 * count, int(1.2 * count * least / elapsed)) if elapsed else 2 * count
    return count, elapsed


def _seconds(call: Call, count: int) -> float:
    start = time.perf_counter()
    for _ in repeat(None, count):
        call()
    return time.perf_counter() - start
