# cython: language_level=3, embedsignature=False
"""The softmax family. Each function tries the plain array first and leaves everything else to `fastact._arrays`."""

from fastact._core cimport (
    FASTACT_log_softmax,
    FASTACT_log_softmax_backward,
    FASTACT_logsumexp,
    FASTACT_softmax,
    FASTACT_softmax_backward,
    plain,
)

from fastact import _arrays


def softmax(x, axis=-1, *, where=None, out=None, dtype=None):
    r"""Softmax: exponentials, divided by their sum along an axis.

    .. math:: p_i = \frac{e^{x_i}}{\sum_j e^{x_j}}

    The results are positive and add up to 1; adding a constant to all of x does not change them. Softmax is smooth
    everywhere, zero included: :math:`\partial p_i / \partial x_j = p_i (\delta_{ij} - p_j)`. The Jacobian
    :math:`\operatorname{diag}(p) - p p^T` is symmetric, positive semidefinite, of rank n - 1, maps (1, ..., 1) to 0 and
    has norm at most 1/2. It vanishes where p is nearly one-hot (softmax saturates), but no entry is ever cut off. Texts
    that call it not differentiable at zero, with a gradient of zero for negative inputs, describe ReLU.

    Parameters
    ----------
    x : array_like of float16, float32, float64, integers or bools
        Scores (logits), any shape and strides. Integers and bools are computed in float64, float16 in float32.
    axis : int, tuple of int or None, default: -1
        The axis or axes along which the results add up to 1; None: over the whole array.
    where : array_like of bool, optional
        Entries where it is False take no part, whatever they hold, and come out as 0. Broadcast to x.
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
    TypeError
        For an unsupported type (complex, object, text, dates), a masked array, or an `out` that cannot hold the result.
    ValueError
        For an `out` or `where` of another shape, or an axis that x does not have.

    See Also
    --------
    log_softmax : the logarithm of the result, without its loss of digits
    softmax_backward : the gradient

    Notes
    -----
    Every result is within 3 ULP of the exact one, in float32 and float64, at any size and offset of x; results too small
    for a normal number are rounded to the nearest subnormal. A row's result depends on its values alone, to the last
    bit: not on the other rows, the memory layout, or the number of threads. A row that holds NaN or +inf, or -inf alone,
    is NaN; -inf among finite entries gives exactly 0. No warning is raised.

    The maximum is not subtracted: with N near max(x) / ln 2, exp(x) 2**-N is computed through its exponent bits, which
    spares the rounding of x - max(x).

    References
    ----------
    .. [1] J. S. Bridle, "Probabilistic interpretation of feedforward classification network outputs, with relationships
       to statistical pattern recognition", Neurocomputing, NATO ASI Series 68, pp. 227-236, 1990.

    Examples
    --------
    >>> import numpy as np
    >>> from fastact import softmax
    >>> softmax(np.array([1.0, 2.0, 3.0])).round(4)
    array([0.09  , 0.2447, 0.6652])
    >>> softmax(np.array([[1.0, 2.0], [1.0, np.inf]]), where=[[True, True], [True, False]]).round(4)
    array([[0.2689, 0.7311],
           [1.    , 0.    ]])
    """
    if where is None and dtype is None:
        result = plain(FASTACT_softmax, x, None, axis, out)
        if result is not None:
            return result
    return _arrays.along_axis("softmax", x, axis, where, out, dtype)


def log_softmax(x, axis=-1, *, where=None, out=None, dtype=None):
    r"""Logarithm of softmax.

    .. math:: y_i = x_i - \log \sum_j e^{x_j}

    Accurate where the logarithm of the rounded probability is not: a probability of 1 - 1e-20 has the logarithm -1e-20.
    :math:`\partial y_i / \partial x_j = \delta_{ij} - p_j`.

    Parameters
    ----------
    x : array_like of float16, float32, float64, integers or bools
        Scores (logits), any shape and strides. Integers and bools are computed in float64, float16 in float32.
    axis : int, tuple of int or None, default: -1
        The axis or axes along which the exponentials of the results add up to 1; None: over the whole array.
    where : array_like of bool, optional
        Entries where it is False take no part, whatever they hold, and come out as -inf. Broadcast to x.
    out : ndarray, optional
        Where the result is written: an array of x's shape. It may be x itself, or overlap it.
    dtype : {float16, float32, float64}, optional
        The type to which x is converted first, and of the result.

    Returns
    -------
    ndarray or scalar
        Log-probabilities, of x's shape; `out` if it was given.

    Raises
    ------
    TypeError
        For an unsupported type (complex, object, text, dates), a masked array, or an `out` that cannot hold the result.
    ValueError
        For an `out` or `where` of another shape, or an axis that x does not have.

    See Also
    --------
    softmax, logsumexp
    log_softmax_backward : the gradient

    Notes
    -----
    Every result is within 3 ULP of the exact one, in float32 and float64. A row that holds NaN or +inf, or -inf alone, is
    NaN; -inf among finite entries stays -inf. No warning is raised.

    Examples
    --------
    >>> import numpy as np
    >>> from fastact import log_softmax, softmax
    >>> log_softmax(np.array([50.0, 0.0])).tolist()
    [-1.9287498479639178e-22, -50.0]
    >>> np.log(softmax(np.array([50.0, 0.0]))).tolist()
    [0.0, -50.0]
    """
    if where is None and dtype is None:
        result = plain(FASTACT_log_softmax, x, None, axis, out)
        if result is not None:
            return result
    return _arrays.along_axis("log_softmax", x, axis, where, out, dtype)


def logsumexp(x, axis=None, *, keepdims=False, where=None, out=None, dtype=None):
    r"""Logarithm of the sum of exponentials, without overflow.

    .. math:: l = \log \sum_j e^{x_j}

    A smooth maximum: :math:`\max x \le l \le \max x + \log n`, and :math:`\partial l / \partial x_j` is the softmax of x.

    Parameters
    ----------
    x : array_like of float16, float32, float64, integers or bools
        Any shape and strides. Integers and bools are computed in float64, float16 in float32.
    axis : int, tuple of int or None, default: None
        The axis or axes that are summed over; None: the whole array.
    keepdims : bool, default: False
        Keep the axes that are summed over, with length 1.
    where : array_like of bool, optional
        Entries where it is False take no part, whatever they hold. Broadcast to x.
    out : ndarray, optional
        Where the result is written: an array of the result's shape.
    dtype : {float16, float32, float64}, optional
        The type to which x is converted first, and of the result.

    Returns
    -------
    ndarray or scalar
        x's shape without the axes summed over; `out` if it was given.

    Raises
    ------
    TypeError
        For an unsupported type (complex, object, text, dates), a masked array, or an `out` that cannot hold the result.
    ValueError
        For an `out` or `where` of another shape, or an axis that x does not have.

    See Also
    --------
    log_softmax
    fastact.compat.scipy.logsumexp : with weights

    Notes
    -----
    Every result is within 1.5 ULP of the exact one, in float32 and float64, counted in ULP of the larger of the result
    and the largest entry (the two cancel where the result is near 0). A row that holds NaN is NaN; +inf gives +inf; -inf
    alone, or nothing at all, gives -inf. No warning is raised.

    Examples
    --------
    >>> import numpy as np
    >>> from fastact import logsumexp
    >>> logsumexp(np.array([[1000.0, 1000.0], [0.0, -np.inf]]), axis=1).round(4).tolist()
    [1000.6931, 0.0]
    """
    if where is None and dtype is None and keepdims is False:
        result = plain(FASTACT_logsumexp, x, None, axis, out)
        if result is not None:
            return result
    return _arrays.along_axis("logsumexp", x, axis, where, out, dtype, keepdims)


def softmax_backward(grad, y, axis=-1, *, out=None):
    r"""Gradient of a loss through softmax, with respect to its input.

    .. math:: dx_i = y_i \Bigl(g_i - \sum_j g_j y_j\Bigr)

    The product of the Jacobian :math:`\operatorname{diag}(y) - y y^T`, which is symmetric, with g.

    Parameters
    ----------
    grad : array_like
        Gradient g of the loss with respect to the result of `softmax`.
    y : array_like
        The result of `softmax`. Broadcast with grad.
    axis : int, tuple of int or None, default: -1
        The axis that `softmax` was taken along.
    out : ndarray, optional
        Where the result is written. It may be grad or y itself, or overlap them.

    Returns
    -------
    ndarray or scalar
        Gradient with respect to x; `out` if it was given.

    Raises
    ------
    TypeError
        For an unsupported type (complex, object, text, dates), a masked array, or an `out` that cannot hold the result.
    ValueError
        For shapes that do not broadcast, an `out` of another shape, or an axis that the arrays do not have.

    Notes
    -----
    Every result is within 3 ULP of the exact one, counted in ULP of the larger of y g and y sum(g y), which cancel where
    the gradient crosses zero.

    Examples
    --------
    >>> import numpy as np
    >>> from fastact import softmax, softmax_backward
    >>> y = softmax(np.array([1.0, 2.0, 3.0]))
    >>> softmax_backward(np.array([0.0, 0.0, 1.0]), y).round(4)
    array([-0.0599, -0.1628,  0.2227])
    """
    result = plain(FASTACT_softmax_backward, grad, y, axis, out)
    if result is not None:
        return result
    return _arrays.gradient("softmax_backward", grad, y, axis, out)


def log_softmax_backward(grad, y, axis=-1, *, out=None):
    r"""Gradient of a loss through log_softmax, with respect to its input.

    .. math:: dx_i = g_i - e^{y_i} \sum_j g_j

    Parameters
    ----------
    grad : array_like
        Gradient g of the loss with respect to the result of `log_softmax`.
    y : array_like
        The result of `log_softmax`. Broadcast with grad.
    axis : int, tuple of int or None, default: -1
        The axis that `log_softmax` was taken along.
    out : ndarray, optional
        Where the result is written. It may be grad or y itself, or overlap them.

    Returns
    -------
    ndarray or scalar
        Gradient with respect to x; `out` if it was given.

    Raises
    ------
    TypeError
        For an unsupported type (complex, object, text, dates), a masked array, or an `out` that cannot hold the result.
    ValueError
        For shapes that do not broadcast, an `out` of another shape, or an axis that the arrays do not have.

    Notes
    -----
    Every result is within 3 ULP of the exact one, counted in ULP of the larger of g and exp(y) sum(g), which cancel where
    the gradient crosses zero.

    Examples
    --------
    The gradient of a negative log-likelihood is the probabilities minus the one-hot label:

    >>> import numpy as np
    >>> from fastact import log_softmax, log_softmax_backward
    >>> y = log_softmax(np.array([1.0, 2.0, 3.0]))
    >>> log_softmax_backward(np.array([0.0, 0.0, -1.0]), y).round(4)
    array([ 0.09  ,  0.2447, -0.3348])
    """
    result = plain(FASTACT_log_softmax_backward, grad, y, axis, out)
    if result is not None:
        return result
    return _arrays.gradient("log_softmax_backward", grad, y, axis, out)
