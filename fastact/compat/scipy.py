"""`scipy.special`'s softmax functions: its signatures and defaults, on fastact's kernels.

Replace ``from scipy.special import softmax, log_softmax, logsumexp`` by the same import from here. Two things differ:
float16 and float32 stay what they are at every size, and complex input raises a TypeError.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import fastact
from fastact import _arrays

__all__ = ["expit", "log_expit", "log_softmax", "logsumexp", "softmax", "softplus"]


def softmax(x: Any, axis: Any = None) -> Any:
    """Softmax over the whole array, or along an axis, as `scipy.special.softmax`.

    Parameters
    ----------
    x : array_like
        Scores.
    axis : int, tuple of int or None, default: None
        The axis along which the results add up to 1; None: the whole array.

    Returns
    -------
    ndarray or scalar
        Probabilities, of x's shape.

    See Also
    --------
    fastact.softmax : the same with ``where``, ``out`` and ``dtype``, along the last axis by default

    Examples
    --------
    >>> from fastact.compat.scipy import softmax
    >>> softmax([[1, 1], [1, 1]]).tolist()
    [[0.25, 0.25], [0.25, 0.25]]
    """
    return fastact.softmax(x, axis)


def log_softmax(x: Any, axis: Any = None) -> Any:
    """Logarithm of softmax over the whole array, or along an axis, as `scipy.special.log_softmax`.

    Parameters
    ----------
    x : array_like
        Scores.
    axis : int, tuple of int or None, default: None
        The axis along which the exponentials of the results add up to 1; None: the whole array.

    Returns
    -------
    ndarray or scalar
        Log-probabilities, of x's shape.

    See Also
    --------
    fastact.log_softmax : the same with ``where``, ``out`` and ``dtype``, along the last axis by default

    Examples
    --------
    >>> from fastact.compat.scipy import log_softmax
    >>> log_softmax([1000.0, 0.0]).tolist()
    [0.0, -1000.0]
    """
    return fastact.log_softmax(x, axis)


def logsumexp(a: Any, axis: Any = None, b: Any = None, keepdims: bool = False, return_sign: bool = False) -> Any:
    r"""Logarithm of a weighted sum of exponentials, as `scipy.special.logsumexp`.

    .. math:: l = \log \Bigl| \sum_j b_j e^{a_j} \Bigr|

    Parameters
    ----------
    a : array_like
        Exponents.
    axis : int, tuple of int or None, default: None
        The axis that is summed over; None: the whole array.
    b : array_like, optional
        Weights, which may be negative or 0, broadcast with a; 1 by default. Entries of weight 0 take no part.
    keepdims : bool, default: False
        Keep the axes that are summed over, with length 1.
    return_sign : bool, default: False
        Return the sign of the sum too; without it, a negative sum gives NaN.

    Returns
    -------
    res : ndarray or scalar
        The logarithm (of the absolute value, with ``return_sign``).
    sgn : ndarray or scalar
        With ``return_sign``: 1, 0, -1 or NaN.

    See Also
    --------
    fastact.logsumexp : without weights, with ``where``, ``out`` and ``dtype``

    Examples
    --------
    >>> from fastact.compat.scipy import logsumexp
    >>> import numpy as np
    >>> float(np.exp(logsumexp([1.0, 2.0], b=[3.0, 0.5])).round(6))
    11.849374
    >>> value, sign = logsumexp([1.0, 2.0], b=[1.0, -1.0], return_sign=True)
    >>> float(value.round(6)), float(sign)
    (1.541325, -1.0)
    """
    if b is None:
        result = fastact.logsumexp(a, axis, keepdims=bool(keepdims))
        if not return_sign:
            return result
        # exp(-inf) = 0 has no sign.
        return result, np.where(np.isneginf(result), 0, np.where(np.isnan(result), result, 1)).astype(result.dtype)[()]
    result, sign = _arrays.weighted_logsumexp(a, b, axis, bool(keepdims))
    if return_sign:
        return result, sign
    return np.where(sign < 0, np.nan, result).astype(result.dtype)[()]


def expit(x: Any, out: Any = None) -> Any:
    """Logistic function, as `scipy.special.expit`.

    Parameters
    ----------
    x : array_like
        Any shape.
    out : ndarray, optional
        Where the result is written.

    Returns
    -------
    ndarray or scalar
        1 / (1 + exp(-x)).

    Examples
    --------
    >>> from fastact.compat.scipy import expit
    >>> float(expit(0))
    0.5
    """
    return fastact.sigmoid(x, out=out)


def log_expit(x: Any, out: Any = None) -> Any:
    """Logarithm of the logistic function, as `scipy.special.log_expit`.

    Parameters
    ----------
    x : array_like
        Any shape.
    out : ndarray, optional
        Where the result is written.

    Returns
    -------
    ndarray or scalar
        -log(1 + exp(-x)).

    Examples
    --------
    >>> from fastact.compat.scipy import log_expit
    >>> float(log_expit(-1000))
    -1000.0
    """
    return fastact.log_sigmoid(x, out=out)


def softplus(x: Any, out: Any = None) -> Any:
    """Softplus, as `scipy.special.softplus`.

    Parameters
    ----------
    x : array_like
        Any shape.
    out : ndarray, optional
        Where the result is written.

    Returns
    -------
    ndarray or scalar
        log(1 + exp(x)).

    Examples
    --------
    >>> from fastact.compat.scipy import softplus
    >>> round(float(softplus(0)), 4)
    0.6931
    """
    return fastact.softplus(x, out=out)
