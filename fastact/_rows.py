"""Functions of whole rows that are other functions of this package put together."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from fastact import _activations, _arrays, _core, _softmax


def softmin(x: Any, axis: Any = -1, *, where: Any = None, out: Any = None, dtype: Any = None) -> Any:
    r"""Softmax of -x: the smallest entry has the largest probability.

    .. math:: p_i = \frac{e^{-x_i}}{\sum_j e^{-x_j}}

    Parameters
    ----------
    x : array_like of float16, float32, float64, integers or bools
        Any shape and strides.
    axis : int, tuple of int or None, default: -1
        The axis or axes along which the results add up to 1; None: over the whole array.
    where : array_like of bool, optional
        Entries where it is False take no part and come out as 0. Broadcast to x.
    out : ndarray, optional
        Where the result is written: an array of x's shape. It may be x itself, or overlap it.
    dtype : {float16, float32, float64}, optional
        The type to which x is converted first, and of the result.

    Returns
    -------
    ndarray or scalar
        Probabilities, of x's shape; `out` if it was given.

    Raises
    ------
    TypeError, ValueError
        As for `softmax`.

    See Also
    --------
    softmin_backward : the gradient

    Notes
    -----
    Every result is within 3 ULP of the exact one, in float32 and float64.

    Examples
    --------
    >>> import numpy as np
    >>> from fastact import softmin
    >>> softmin(np.array([1.0, 2.0, 3.0])).round(4).tolist()
    [0.6652, 0.2447, 0.09]
    """
    a = _arrays.checked("x", x)
    char = _arrays.computed_in("x", a.dtype)
    return _softmax.softmax(np.negative(a, dtype=char), axis, where=where, out=out, dtype=dtype)


def softmin_backward(grad: Any, y: Any, axis: Any = -1, *, out: Any = None) -> Any:
    r"""Gradient of a loss through `softmin`.

    .. math:: dx_i = -y_i \Bigl(g_i - \sum_j g_j y_j\Bigr)

    Parameters
    ----------
    grad : array_like
        Gradient g of the loss with respect to the result of `softmin`.
    y : array_like
        The result of `softmin`. Broadcast with grad.
    axis : int, tuple of int or None, default: -1
        The axis that `softmin` was taken along.
    out : ndarray, optional
        Where the result is written. It may be grad or y itself, or overlap them.

    Returns
    -------
    ndarray or scalar
        Gradient with respect to x; `out` if it was given.

    Raises
    ------
    TypeError, ValueError
        As for `softmax_backward`.

    Notes
    -----
    Every result is within 3 ULP of the exact one, counted as for `softmax_backward`.

    Examples
    --------
    >>> import numpy as np
    >>> from fastact import softmin, softmin_backward
    >>> y = softmin(np.array([1.0, 2.0, 3.0]))
    >>> softmin_backward(np.array([0.0, 0.0, 1.0]), y).round(4).tolist()
    [0.0599, 0.022, -0.0819]
    """
    dx = _softmax.softmax_backward(grad, y, axis, out=out)
    return np.negative(dx, out=out) if out is not None else -dx


def hardmax(x: Any, axis: Any = -1, *, out: Any = None, dtype: Any = None) -> Any:
    """One at the first largest entry of each row, zero elsewhere.

    The limit of softmax(x / t) for t to 0 where one entry is largest. Its gradient is zero wherever it has one.

    Parameters
    ----------
    x : array_like of float16, float32, float64, integers or bools
        Any shape and strides.
    axis : int, tuple of int or None, default: -1
        The axis or axes of a row; None: the whole array.
    out : ndarray, optional
        Where the result is written: an array of x's shape. It may be x itself, or overlap it.
    dtype : {float16, float32, float64}, optional
        The type to which x is converted first, and of the result.

    Returns
    -------
    ndarray or scalar
        Of x's shape; `out` if it was given. A row that holds NaN is NaN.

    Raises
    ------
    TypeError, ValueError
        As for `softmax`.

    Notes
    -----
    Every result is exact.

    Examples
    --------
    >>> import numpy as np
    >>> from fastact import hardmax
    >>> hardmax(np.array([[1.0, 3.0, 3.0], [2.0, 0.0, 1.0]])).tolist()
    [[0.0, 1.0, 0.0], [1.0, 0.0, 0.0]]
    """
    a = _arrays.checked("x", x)
    char = _arrays.float_type("dtype", dtype) if dtype is not None else _arrays.computed_in("x", a.dtype)
    if out is not None:
        _arrays.check_out(out, a.shape, char)
    axes = _arrays.axes_of(axis, a.ndim)
    result = np.zeros(a.shape, char)
    if a.size:
        kept = [k for k in range(a.ndim) if k not in axes]
        order = [*kept, *axes]
        with np.errstate(all="ignore"):
            converted = np.asarray(a).astype(char, copy=False)
        rows = converted.transpose(order).reshape(*(a.shape[k] for k in kept), -1)
        first = rows.argmax(axis=-1)[..., None]  # of the first NaN, where there is one
        flat = np.zeros(rows.shape, char)
        np.put_along_axis(flat, first, 1, axis=-1)
        flat[np.isnan(np.take_along_axis(rows, first, axis=-1)[..., 0])] = np.nan
        result = flat.reshape([a.shape[k] for k in order]).transpose(np.argsort(order))
    if out is None:
        return result[()]
    with np.errstate(all="ignore"):
        np.copyto(out, result, casting="same_kind")
    return out


def _count(num_pieces: Any) -> int:
    try:
        count = operator.index(num_pieces)
    except TypeError:
        raise TypeError(f"num_pieces must be an integer, got {num_pieces!r}") from None
    if count < 1:
        raise ValueError(f"num_pieces must be at least 1, got {count}")
    return count


def _one_axis(name: str, x: Any, axis: Any) -> tuple[np.ndarray, int]:
    """X as an array of the type to return, and its axis counted from the front."""
    a = _arrays.checked(name, x)
    axes = _arrays.axes_of(axis, a.ndim)
    if len(axes) != 1:
        raise ValueError(f"axis must be one axis of an array, got {axis!r} for one of {a.ndim} dimensions")
    return np.asarray(a).astype(_arrays.computed_in(name, a.dtype), copy=False), axes[0]


def maxout(x: Any, num_pieces: Any, axis: Any = -1, *, return_index: bool = False) -> Any:
    r"""Maximum of each group of consecutive entries along an axis.

    .. math:: y_i = \max_{0 \le j < k} x_{k i + j}

    Piecewise linear and convex in its input. The gradient goes to the first largest entry of each group.

    Parameters
    ----------
    x : array_like of float16, float32, float64, integers or bools
        Any shape and strides.
    num_pieces : int
        The number k of entries in a group; it must divide the length of the axis.
    axis : int, default: -1
        The axis that is grouped.
    return_index : bool, default: False
        Also return which entry of its group each maximum is, 0 to k - 1, which `maxout_backward` needs.

    Returns
    -------
    y : ndarray
        The maxima; the axis is k times shorter. NaN wins.
    index : ndarray of int
        Only with return_index.

    Raises
    ------
    TypeError, ValueError
        For an unsupported type, or a number of pieces that does not divide the axis.

    See Also
    --------
    maxout_backward : the gradient

    Notes
    -----
    Every result is exact.

    References
    ----------
    .. [1] I. J. Goodfellow, D. Warde-Farley, M. Mirza, A. Courville and Y. Bengio, "Maxout networks", ICML 2013.

    Examples
    --------
    >>> import numpy as np
    >>> from fastact import maxout
    >>> maxout(np.array([1.0, 5.0, 4.0, 2.0]), 2).tolist()
    [5.0, 4.0]
    """
    pieces = _count(num_pieces)
    a, k = _one_axis("x", x, axis)
    if a.shape[k] % pieces:
        raise ValueError(f"num_pieces must divide the length of the axis, got {pieces} for {a.shape[k]}")
    groups = a.reshape(*a.shape[:k], a.shape[k] // pieces, pieces, *a.shape[k + 1 :])
    if return_index:
        return _core.maxout_index(groups, axes=[k + 1, (), ()])
    return _core.maxout(groups, axis=k + 1)


def maxout_backward(grad: Any, index: Any, num_pieces: Any, axis: Any = -1) -> Any:
    """Gradient of a loss through `maxout`: each goes to the entry that was the largest of its group.

    Parameters
    ----------
    grad : array_like
        Gradient of the loss with respect to the result of `maxout`.
    index : array_like of int
        Which entry of its group each maximum was: from ``maxout(..., return_index=True)``.
    num_pieces : int
        As for `maxout`.
    axis : int, default: -1
        As for `maxout`.

    Returns
    -------
    ndarray
        Gradient with respect to x.

    Raises
    ------
    TypeError, ValueError
        For an unsupported type, or an index of another shape or out of range.

    Examples
    --------
    >>> import numpy as np
    >>> from fastact import maxout, maxout_backward
    >>> y, index = maxout(np.array([1.0, 5.0, 4.0, 2.0]), 2, return_index=True)
    >>> maxout_backward(np.array([10.0, 20.0]), index, 2).tolist()
    [0.0, 10.0, 20.0, 0.0]
    """
    pieces = _count(num_pieces)
    g, k = _one_axis("grad", grad, axis)
    i = np.asarray(index)
    if i.shape != g.shape or i.dtype.kind not in "iu":
        raise ValueError(f"index must hold integers and have grad's shape {g.shape}, got {i.dtype} and {i.shape}")
    if i.size and not 0 <= i.min() <= i.max() < pieces:
        raise ValueError(f"index must be from 0 to {pieces - 1}, got {i.min()} to {i.max()}")
    groups = np.empty((*g.shape[: k + 1], pieces, *g.shape[k + 1 :]), g.dtype)
    _core.maxout_backward(g, i.astype(np.intp, copy=False), np.arange(pieces), out=groups, axes=[(), (), 0, k + 1])
    return groups.reshape(*g.shape[:k], g.shape[k] * pieces, *g.shape[k + 1 :])


def _halves(x: np.ndarray, axis: int) -> tuple[np.ndarray, np.ndarray]:
    """Views of the halves of x along an axis counted from the front."""
    half = x.shape[axis] // 2
    before = (slice(None),) * axis
    return x[(*before, slice(half))], x[(*before, slice(half, None))]


def _split(name: str, x: Any, axis: Any) -> tuple[np.ndarray, np.ndarray, int]:
    """The half of x that is activated, the other one, and their axis counted from the front."""
    a = _arrays.checked("x", x)
    axes = _arrays.axes_of(axis, a.ndim)
    if len(axes) != 1 or a.shape[axes[0]] % 2:
        raise ValueError(f"x must have an even length along axis {axis!r}, got shape {a.shape}")
    first, second = _halves(a, axes[0])
    return (second, first, axes[0]) if name == "glu" else (first, second, axes[0])


def _gated(name: str, x: Any, axis: Any, out: Any) -> Any:
    """The gated pair `name` of the halves of x."""
    gate, other, _ = _split(name, x, axis)
    return _arrays.elementwise(name, {"x": gate, "other": other}, 1, out, True, None)


def _gated_backward(name: str, grad: Any, x: Any, axis: Any, out: Any) -> Any:
    """The gradients with respect to the halves of x, side by side."""
    gate, other, k = _split(name, x, axis)
    g = _arrays.checked("grad", grad)
    char = np.result_type(_arrays.computed_in("x", gate.dtype), _arrays.computed_in("grad", g.dtype)).char
    try:
        g = np.broadcast_to(g, gate.shape, subok=True)
    except ValueError:
        raise ValueError(f"grad must have a shape that broadcasts to {gate.shape}, got {g.shape}") from None
    shape = tuple(size * (1 + (axis == k)) for axis, size in enumerate(gate.shape))
    if out is not None:
        _arrays.check_out(out, shape, char)
    dx = np.empty(shape, char)
    first, second = _halves(dx, k)
    to_gate, to_other = (second, first) if name == "glu" else (first, second)
    _arrays.elementwise(f"{name}_backward", {"grad": g, "x": gate, "other": other}, 1, to_gate, True, None)
    _arrays.elementwise(name, {"x": gate, "other": g}, 1, to_other, True, None)  # linear in the other half
    if out is None:
        return dx
    with np.errstate(all="ignore"):
        np.copyto(out, dx, casting="same_kind")
    return out


def glu(x: Any, axis: Any = -1, *, out: Any = None) -> Any:
    r"""Gated linear unit: the first half of an axis, gated by the sigmoid of the second.

    .. math:: y = a \, \sigma(b), \qquad x = (a, b)

    Parameters
    ----------
    x : array_like of float16, float32, float64, integers or bools
        Its length along the axis is even.
    axis : int, default: -1
        The axis that is split in halves a and b.
    out : ndarray, optional
        Where the result is written: an array of a's shape.

    Returns
    -------
    ndarray
        Half as long as x along the axis; `out` if it was given.

    Raises
    ------
    TypeError, ValueError
        For an unsupported type, or an odd length.

    Notes
    -----
    Every result is within 2.5 ULP of the exact one, in float32 and float64.

    References
    ----------
    .. [1] Y. N. Dauphin, A. Fan, M. Auli and D. Grangier, "Language modeling with gated convolutional networks",
       ICML 2017.

    Examples
    --------
    >>> import numpy as np
    >>> from fastact import glu
    >>> glu(np.array([1.0, 2.0, 0.0, 100.0])).tolist()
    [0.5, 2.0]
    """
    return _gated("glu", x, axis, out)


def glu_backward(grad: Any, x: Any, axis: Any = -1, *, out: Any = None) -> Any:
    r"""Gradient of a loss through `glu`.

    .. math:: da = g \, \sigma(b), \qquad db = g \, a \, \sigma'(b)

    Parameters
    ----------
    grad : array_like
        Gradient g of the loss with respect to the result of `glu`. Broadcast to its shape.
    x : array_like
        The input of `glu`.
    axis : int, default: -1
        As for `glu`.
    out : ndarray, optional
        Where the result is written: an array of x's shape. It may be x itself, or overlap it.

    Returns
    -------
    ndarray
        Gradient with respect to x, of its shape; `out` if it was given.

    Raises
    ------
    TypeError, ValueError
        For an unsupported type, an odd length, or shapes that do not fit.

    Notes
    -----
    Every result is within 4 ULP of the exact one, or within 2 ULP of the largest term where a
    derivative crosses zero.

    Examples
    --------
    >>> import numpy as np
    >>> from fastact import glu_backward
    >>> glu_backward(np.array([1.0]), np.array([3.0, 0.0])).tolist()
    [0.5, 0.75]
    """
    return _gated_backward("glu", grad, x, axis, out)


def swiglu(x: Any, axis: Any = -1, *, out: Any = None) -> Any:
    r"""The second half of an axis, gated by the SiLU of the first.

    .. math:: y = \operatorname{silu}(a) \, b, \qquad x = (a, b)

    Parameters
    ----------
    x : array_like of float16, float32, float64, integers or bools
        Its length along the axis is even.
    axis : int, default: -1
        The axis that is split in halves a and b.
    out : ndarray, optional
        Where the result is written: an array of a's shape.

    Returns
    -------
    ndarray
        Half as long as x along the axis; `out` if it was given.

    Raises
    ------
    TypeError, ValueError
        For an unsupported type, or an odd length.

    Notes
    -----
    Every result is within 2.5 ULP of the exact one, in float32 and float64.

    References
    ----------
    .. [1] N. Shazeer, "GLU variants improve transformer", arXiv:2002.05202, 2020.

    Examples
    --------
    >>> import numpy as np
    >>> from fastact import swiglu
    >>> swiglu(np.array([1.0, 2.0, 3.0, 4.0])).round(4).tolist()
    [2.1932, 7.0464]
    """
    return _gated("swiglu", x, axis, out)


def swiglu_backward(grad: Any, x: Any, axis: Any = -1, *, out: Any = None) -> Any:
    r"""Gradient of a loss through `swiglu`.

    .. math:: da = g \, b \, \operatorname{silu}'(a), \qquad db = g \, \operatorname{silu}(a)

    Parameters
    ----------
    grad : array_like
        Gradient g of the loss with respect to the result of `swiglu`. Broadcast to its shape.
    x : array_like
        The input of `swiglu`.
    axis : int, default: -1
        As for `swiglu`.
    out : ndarray, optional
        Where the result is written: an array of x's shape. It may be x itself, or overlap it.

    Returns
    -------
    ndarray
        Gradient with respect to x, of its shape; `out` if it was given.

    Raises
    ------
    TypeError, ValueError
        For an unsupported type, an odd length, or shapes that do not fit.

    Notes
    -----
    Every result is within 4 ULP of the exact one, or within 2 ULP of the largest term where a
    derivative crosses zero.

    Examples
    --------
    >>> import numpy as np
    >>> from fastact import swiglu_backward
    >>> swiglu_backward(np.array([1.0]), np.array([0.0, 3.0])).tolist()
    [1.5, 0.0]
    """
    return _gated_backward("swiglu", grad, x, axis, out)


def _geglu(approximate: Any) -> str:
    return "geglu" if _activations._is_exact(approximate) else "geglu_tanh"


def geglu(x: Any, axis: Any = -1, approximate: Any = "none", *, out: Any = None) -> Any:
    r"""The second half of an axis, gated by the GELU of the first.

    .. math:: y = \operatorname{gelu}(a) \, b, \qquad x = (a, b)

    Parameters
    ----------
    x : array_like of float16, float32, float64, integers or bools
        Its length along the axis is even.
    axis : int, default: -1
        The axis that is split in halves a and b.
    approximate : {"none", "tanh"}, default: "none"
        As for `gelu`.
    out : ndarray, optional
        Where the result is written: an array of a's shape.

    Returns
    -------
    ndarray
        Half as long as x along the axis; `out` if it was given.

    Raises
    ------
    TypeError, ValueError
        For an unsupported type, or an odd length.

    Notes
    -----
    Every result is within 3.5 ULP of the exact one, in float32 and float64; with approximate="tanh" within 2.5 ULP.

    References
    ----------
    .. [1] N. Shazeer, "GLU variants improve transformer", arXiv:2002.05202, 2020.

    Examples
    --------
    >>> import numpy as np
    >>> from fastact import geglu
    >>> geglu(np.array([1.0, 2.0, 3.0, 4.0])).round(4).tolist()
    [2.524, 7.818]
    """
    return _gated(_geglu(approximate), x, axis, out)


def geglu_backward(grad: Any, x: Any, axis: Any = -1, approximate: Any = "none", *, out: Any = None) -> Any:
    r"""Gradient of a loss through `geglu`.

    .. math:: da = g \, b \, \operatorname{gelu}'(a), \qquad db = g \, \operatorname{gelu}(a)

    Parameters
    ----------
    grad : array_like
        Gradient g of the loss with respect to the result of `geglu`. Broadcast to its shape.
    x : array_like
        The input of `geglu`.
    axis : int, default: -1
        As for `geglu`.
    approximate : {"none", "tanh"}, default: "none"
        As for `gelu`.
    out : ndarray, optional
        Where the result is written: an array of x's shape. It may be x itself, or overlap it.

    Returns
    -------
    ndarray
        Gradient with respect to x, of its shape; `out` if it was given.

    Raises
    ------
    TypeError, ValueError
        For an unsupported type, an odd length, or shapes that do not fit.

    Notes
    -----
    Every result is within 4 ULP of the exact one, or within 2 ULP of the largest term where a
    derivative crosses zero.

    Examples
    --------
    >>> import numpy as np
    >>> from fastact import geglu_backward
    >>> geglu_backward(np.array([1.0]), np.array([0.0, 3.0])).tolist()
    [1.5, 0.0]
    """
    return _gated_backward(_geglu(approximate), grad, x, axis, out)
