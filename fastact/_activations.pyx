# cython: language_level=3, embedsignature=False
"""The activation functions and their gradients. One function each: its formula, its facts, and the call."""

import numpy as np

cimport numpy as cnp
from fastact._core cimport (
    FASTACT_celu,
    FASTACT_celu_backward,
    FASTACT_elu,
    FASTACT_elu_backward,
    FASTACT_gelu,
    FASTACT_gelu_backward,
    FASTACT_gelu_tanh,
    FASTACT_gelu_tanh_backward,
    FASTACT_hard_sigmoid,
    FASTACT_hard_sigmoid_backward,
    FASTACT_hard_swish,
    FASTACT_hard_swish_backward,
    FASTACT_hard_tanh,
    FASTACT_hard_tanh_backward,
    FASTACT_leaky_relu,
    FASTACT_leaky_relu_backward,
    FASTACT_log_sigmoid,
    FASTACT_log_sigmoid_backward,
    FASTACT_mish,
    FASTACT_mish_backward,
    FASTACT_prelu,
    FASTACT_prelu_backward,
    FASTACT_relu,
    FASTACT_relu6,
    FASTACT_relu6_backward,
    FASTACT_relu_backward,
    FASTACT_selu,
    FASTACT_selu_backward,
    FASTACT_sigmoid,
    FASTACT_sigmoid_backward,
    FASTACT_silu,
    FASTACT_silu_backward,
    FASTACT_softplus,
    FASTACT_softplus_backward,
    FASTACT_softsign,
    FASTACT_softsign_backward,
    FASTACT_swish,
    FASTACT_swish_backward,
    FASTACT_tanh,
    FASTACT_tanh_backward,
    FASTACT_threshold,
    FASTACT_threshold_backward,
    elementwise,
)

from fastact import _arrays

cnp.import_array()


def sigmoid(x, *, out=None, where=True, dtype=None):
    r"""Logistic function.

    .. math:: y = \frac{1}{1 + e^{-x}}, \qquad y' = y (1 - y)

    Smooth, increasing, between 0 and 1, with y(-x) = 1 - y(x); saturates on both sides, where the gradient vanishes.

    Parameters
    ----------
    x : array_like of float16, float32, float64, integers or bools
        Any shape and strides. Integers and bools are computed in float64, float16 in float32.
    out : ndarray, optional
        Where the result is written: an array of the result's shape. It may be x itself, or overlap it.
    where : array_like of bool, default: True
        Entries where it is False are not computed: out keeps its value there, a new array has 0. Broadcast to x.
    dtype : {float16, float32, float64}, optional
        The type to which x is converted first, and of the result.

    Returns
    -------
    ndarray or scalar
        Of x's shape; `out` if it was given.

    Raises
    ------
    TypeError
        For an unsupported type (complex, object, text, dates), a masked array, or an `out` that cannot hold the result.
    ValueError
        For an `out` or `where` of another shape.

    See Also
    --------
    sigmoid_backward : the gradient

    Notes
    -----
    Every result is within 2.5 ULP of the exact one, in float32 and float64. NaN gives NaN; no warning is raised.

    Examples
    --------
    >>> import numpy as np
    >>> from fastact import sigmoid
    >>> sigmoid(np.array([-100.0, 0.0, 2.0]))
    array([3.72007598e-44, 5.00000000e-01, 8.80797078e-01])
    """
    return elementwise(FASTACT_sigmoid, x, None, None, None, out, where, dtype)


def sigmoid_backward(grad, y, *, out=None):
    r"""Gradient of a loss through `sigmoid`.

    .. math:: dx = g \, y', \qquad y' = y (1 - y)

    Parameters
    ----------
    grad : array_like
        Gradient g of the loss with respect to the result of `sigmoid`.
    y : array_like
        The result of `sigmoid`. Broadcast with grad.
    out : ndarray, optional
        Where the result is written. It may be an operand itself, or overlap one.

    Returns
    -------
    ndarray or scalar
        Gradient with respect to x; `out` if it was given.

    Raises
    ------
    TypeError
        For an unsupported type, a masked array, or an `out` that cannot hold the result.
    ValueError
        For shapes that do not broadcast, or an `out` of another shape.

    Notes
    -----
    Every result is within 4 ULP of the exact one. NaN gives NaN.

    Examples
    --------
    >>> import numpy as np
    >>> from fastact import sigmoid, sigmoid_backward
    >>> sigmoid_backward(np.ones(2), sigmoid(np.array([-1.0, 2.0]))).round(4).tolist()
    [0.1966, 0.105]
    """
    return elementwise(FASTACT_sigmoid_backward, grad, y, None, None, out, True, None)


def tanh(x, *, out=None, where=True, dtype=None):
    r"""Hyperbolic tangent.

    .. math:: y = \frac{e^x - e^{-x}}{e^x + e^{-x}}, \qquad y' = 1 - y^2

    Smooth, odd, increasing, between -1 and 1; saturates on both sides. tanh(x) = 2 sigmoid(2 x) - 1.

    Parameters
    ----------
    x : array_like of float16, float32, float64, integers or bools
        Any shape and strides. Integers and bools are computed in float64, float16 in float32.
    out : ndarray, optional
        Where the result is written: an array of the result's shape. It may be x itself, or overlap it.
    where : array_like of bool, default: True
        Entries where it is False are not computed: out keeps its value there, a new array has 0. Broadcast to x.
    dtype : {float16, float32, float64}, optional
        The type to which x is converted first, and of the result.

    Returns
    -------
    ndarray or scalar
        Of x's shape; `out` if it was given.

    Raises
    ------
    TypeError
        For an unsupported type (complex, object, text, dates), a masked array, or an `out` that cannot hold the result.
    ValueError
        For an `out` or `where` of another shape.

    See Also
    --------
    tanh_backward : the gradient

    Notes
    -----
    Every result is within 2.5 ULP of the exact one, in float32 and float64. NaN gives NaN; no warning is raised.

    Examples
    --------
    >>> import numpy as np
    >>> from fastact import tanh
    >>> tanh(np.array([-1.0, 0.0, 0.5])).round(4).tolist()
    [-0.7616, 0.0, 0.4621]
    """
    return elementwise(FASTACT_tanh, x, None, None, None, out, where, dtype)


def tanh_backward(grad, y, *, out=None):
    r"""Gradient of a loss through `tanh`.

    .. math:: dx = g \, y', \qquad y' = 1 - y^2

    Parameters
    ----------
    grad : array_like
        Gradient g of the loss with respect to the result of `tanh`.
    y : array_like
        The result of `tanh`. Broadcast with grad.
    out : ndarray, optional
        Where the result is written. It may be an operand itself, or overlap one.

    Returns
    -------
    ndarray or scalar
        Gradient with respect to x; `out` if it was given.

    Raises
    ------
    TypeError
        For an unsupported type, a masked array, or an `out` that cannot hold the result.
    ValueError
        For shapes that do not broadcast, or an `out` of another shape.

    Notes
    -----
    Every result is within 4 ULP of the exact one. NaN gives NaN.

    Examples
    --------
    >>> import numpy as np
    >>> from fastact import tanh, tanh_backward
    >>> tanh_backward(np.ones(2), tanh(np.array([-1.0, 2.0]))).round(4).tolist()
    [0.42, 0.0707]
    """
    return elementwise(FASTACT_tanh_backward, grad, y, None, None, out, True, None)


def relu(x, *, out=None, where=True, dtype=None):
    r"""Rectified linear unit.

    .. math:: y = \max(x, 0), \qquad y' = 1 \text{ for } x > 0, \text{ else } 0

    Continuous, at least 0, linear above zero and constant below. It is ReLU that is not differentiable at zero (the gradient there is
    taken as 0) and has gradient zero for all negative inputs; texts that say so of softmax have copied it from here. A unit whose input
    stays negative learns no more.

    Parameters
    ----------
    x : array_like of float16, float32, float64, integers or bools
        Any shape and strides. Integers and bools are computed in float64, float16 in float32.
    out : ndarray, optional
        Where the result is written: an array of the result's shape. It may be x itself, or overlap it.
    where : array_like of bool, default: True
        Entries where it is False are not computed: out keeps its value there, a new array has 0. Broadcast to x.
    dtype : {float16, float32, float64}, optional
        The type to which x is converted first, and of the result.

    Returns
    -------
    ndarray or scalar
        Of x's shape; `out` if it was given.

    Raises
    ------
    TypeError
        For an unsupported type (complex, object, text, dates), a masked array, or an `out` that cannot hold the result.
    ValueError
        For an `out` or `where` of another shape.

    See Also
    --------
    relu_backward : the gradient

    Notes
    -----
    Every result is within 2.5 ULP of the exact one, in float32 and float64. NaN gives NaN; no warning is raised.

    References
    ----------
    .. [1] V. Nair and G. E. Hinton, "Rectified linear units improve restricted Boltzmann machines", ICML 2010.

    Examples
    --------
    >>> import numpy as np
    >>> from fastact import relu
    >>> relu(np.array([-1.0, 0.0, 2.0])).tolist()
    [0.0, 0.0, 2.0]
    """
    return elementwise(FASTACT_relu, x, None, None, None, out, where, dtype)


def relu_backward(grad, x, *, out=None):
    r"""Gradient of a loss through `relu`.

    .. math:: dx = g \, y', \qquad y' = 1 \text{ for } x > 0, \text{ else } 0

    Parameters
    ----------
    grad : array_like
        Gradient g of the loss with respect to the result of `relu`.
    x : array_like
        The input of `relu`. Broadcast with grad.
    out : ndarray, optional
        Where the result is written. It may be an operand itself, or overlap one.

    Returns
    -------
    ndarray or scalar
        Gradient with respect to x; `out` if it was given.

    Raises
    ------
    TypeError
        For an unsupported type, a masked array, or an `out` that cannot hold the result.
    ValueError
        For shapes that do not broadcast, or an `out` of another shape.

    Notes
    -----
    Every result is within 4 ULP of the exact one. NaN gives NaN.

    Examples
    --------
    >>> import numpy as np
    >>> from fastact import relu_backward
    >>> relu_backward(np.ones(2), np.array([-1.0, 2.0])).round(4).tolist()
    [0.0, 1.0]
    """
    return elementwise(FASTACT_relu_backward, grad, x, None, None, out, True, None)


def leaky_relu(x, negative_slope=0.01, *, out=None, where=True, dtype=None):
    r"""Leaky rectified linear unit.

    .. math:: y = x \text{ for } x > 0, \text{ else } s x, \qquad y' = 1 \text{ for } x > 0, \text{ else } s

    s is the negative slope. Continuous, unbounded, with a kink at zero, where the gradient is s; it saturates nowhere.

    Parameters
    ----------
    x : array_like of float16, float32, float64, integers or bools
        Any shape and strides. Integers and bools are computed in float64, float16 in float32.
    negative_slope : float, default: 0.01
        The slope below zero.
    out : ndarray, optional
        Where the result is written: an array of the result's shape. It may be x itself, or overlap it.
    where : array_like of bool, default: True
        Entries where it is False are not computed: out keeps its value there, a new array has 0. Broadcast to x.
    dtype : {float16, float32, float64}, optional
        The type to which x is converted first, and of the result.

    Returns
    -------
    ndarray or scalar
        Of x's shape; `out` if it was given.

    Raises
    ------
    TypeError
        For an unsupported type (complex, object, text, dates), a masked array, or an `out` that cannot hold the result.
    ValueError
        For an `out` or `where` of another shape, or a parameter out of its range.

    See Also
    --------
    leaky_relu_backward : the gradient

    Notes
    -----
    Every result is within 2.5 ULP of the exact one, in float32 and float64. NaN gives NaN; no warning is raised.

    References
    ----------
    .. [1] A. L. Maas, A. Y. Hannun and A. Y. Ng, "Rectifier nonlinearities improve neural network acoustic models", ICML 2013.

    Examples
    --------
    >>> import numpy as np
    >>> from fastact import leaky_relu
    >>> leaky_relu(np.array([-1.0, 0.0, 2.0])).tolist()
    [-0.01, 0.0, 2.0]
    """
    return elementwise(FASTACT_leaky_relu, x, None, negative_slope, None, out, where, dtype)


def leaky_relu_backward(grad, x, negative_slope=0.01, *, out=None):
    r"""Gradient of a loss through `leaky_relu`.

    .. math:: dx = g \, y', \qquad y' = 1 \text{ for } x > 0, \text{ else } s

    Parameters
    ----------
    grad : array_like
        Gradient g of the loss with respect to the result of `leaky_relu`.
    x : array_like
        The input of `leaky_relu`. Broadcast with grad.
    negative_slope : float, default: 0.01
        As for `leaky_relu`.
    out : ndarray, optional
        Where the result is written. It may be an operand itself, or overlap one.

    Returns
    -------
    ndarray or scalar
        Gradient with respect to x; `out` if it was given.

    Raises
    ------
    TypeError
        For an unsupported type, a masked array, or an `out` that cannot hold the result.
    ValueError
        For shapes that do not broadcast, or an `out` of another shape, or a parameter out of its range.

    Notes
    -----
    Every result is within 4 ULP of the exact one. NaN gives NaN.

    Examples
    --------
    >>> import numpy as np
    >>> from fastact import leaky_relu_backward
    >>> leaky_relu_backward(np.ones(2), np.array([-1.0, 2.0])).round(4).tolist()
    [0.01, 1.0]
    """
    return elementwise(FASTACT_leaky_relu_backward, grad, x, negative_slope, None, out, True, None)


def elu(x, alpha=1.0, *, out=None, where=True, dtype=None):
    r"""Exponential linear unit.

    .. math:: y = x \text{ for } x > 0, \text{ else } \alpha (e^x - 1), \qquad y' = 1 \text{ for } x > 0, \text{ else } \alpha e^x

    Continuous, above -alpha for alpha > 0; smooth for alpha = 1, else with a kink at zero, where the gradient is alpha. Saturates
    below.

    Parameters
    ----------
    x : array_like of float16, float32, float64, integers or bools
        Any shape and strides. Integers and bools are computed in float64, float16 in float32.
    alpha : float, default: 1.0
        The magnitude of the limit at -inf.
    out : ndarray, optional
        Where the result is written: an array of the result's shape. It may be x itself, or overlap it.
    where : array_like of bool, default: True
        Entries where it is False are not computed: out keeps its value there, a new array has 0. Broadcast to x.
    dtype : {float16, float32, float64}, optional
        The type to which x is converted first, and of the result.

    Returns
    -------
    ndarray or scalar
        Of x's shape; `out` if it was given.

    Raises
    ------
    TypeError
        For an unsupported type (complex, object, text, dates), a masked array, or an `out` that cannot hold the result.
    ValueError
        For an `out` or `where` of another shape, or a parameter out of its range.

    See Also
    --------
    elu_backward : the gradient

    Notes
    -----
    Every result is within 2.5 ULP of the exact one, in float32 and float64. NaN gives NaN; no warning is raised.

    References
    ----------
    .. [1] D.-A. Clevert, T. Unterthiner and S. Hochreiter, "Fast and accurate deep network learning by exponential linear units
       (ELUs)", ICLR 2016.

    Examples
    --------
    >>> import numpy as np
    >>> from fastact import elu
    >>> elu(np.array([-1.0, 0.0, 2.0])).round(4).tolist()
    [-0.6321, 0.0, 2.0]
    """
    return elementwise(FASTACT_elu, x, None, alpha, None, out, where, dtype)


def elu_backward(grad, x, alpha=1.0, *, out=None):
    r"""Gradient of a loss through `elu`.

    .. math:: dx = g \, y', \qquad y' = 1 \text{ for } x > 0, \text{ else } \alpha e^x

    Parameters
    ----------
    grad : array_like
        Gradient g of the loss with respect to the result of `elu`.
    x : array_like
        The input of `elu`. Broadcast with grad.
    alpha : float, default: 1.0
        As for `elu`.
    out : ndarray, optional
        Where the result is written. It may be an operand itself, or overlap one.

    Returns
    -------
    ndarray or scalar
        Gradient with respect to x; `out` if it was given.

    Raises
    ------
    TypeError
        For an unsupported type, a masked array, or an `out` that cannot hold the result.
    ValueError
        For shapes that do not broadcast, or an `out` of another shape, or a parameter out of its range.

    Notes
    -----
    Every result is within 4 ULP of the exact one. NaN gives NaN.

    Examples
    --------
    >>> import numpy as np
    >>> from fastact import elu_backward
    >>> elu_backward(np.ones(2), np.array([-1.0, 2.0])).round(4).tolist()
    [0.3679, 1.0]
    """
    return elementwise(FASTACT_elu_backward, grad, x, alpha, None, out, True, None)


def selu(x, *, out=None, where=True, dtype=None):
    r"""Scaled exponential linear unit.

    .. math:: y = \lambda x \text{ for } x > 0, \text{ else } \lambda \alpha (e^x - 1), \qquad y' = \lambda \text{ for } x > 0, \text{ else } \lambda \alpha e^x

    With alpha = 1.67326... and lambda = 1.05070..., which keep mean 0 and variance 1 from layer to layer. Continuous, above -1.7581, with
    a kink at zero, where the gradient is lambda alpha. Saturates below.

    Parameters
    ----------
    x : array_like of float16, float32, float64, integers or bools
        Any shape and strides. Integers and bools are computed in float64, float16 in float32.
    out : ndarray, optional
        Where the result is written: an array of the result's shape. It may be x itself, or overlap it.
    where : array_like of bool, default: True
        Entries where it is False are not computed: out keeps its value there, a new array has 0. Broadcast to x.
    dtype : {float16, float32, float64}, optional
        The type to which x is converted first, and of the result.

    Returns
    -------
    ndarray or scalar
        Of x's shape; `out` if it was given.

    Raises
    ------
    TypeError
        For an unsupported type (complex, object, text, dates), a masked array, or an `out` that cannot hold the result.
    ValueError
        For an `out` or `where` of another shape.

    See Also
    --------
    selu_backward : the gradient

    Notes
    -----
    Every result is within 2.5 ULP of the exact one, in float32 and float64. NaN gives NaN; no warning is raised.

    References
    ----------
    .. [1] G. Klambauer, T. Unterthiner, A. Mayr and S. Hochreiter, "Self-normalizing neural networks", NeurIPS 2017.

    Examples
    --------
    >>> import numpy as np
    >>> from fastact import selu
    >>> selu(np.array([-1.0, 0.0, 2.0])).round(4).tolist()
    [-1.1113, 0.0, 2.1014]
    """
    return elementwise(FASTACT_selu, x, None, None, None, out, where, dtype)


def selu_backward(grad, x, *, out=None):
    r"""Gradient of a loss through `selu`.

    .. math:: dx = g \, y', \qquad y' = \lambda \text{ for } x > 0, \text{ else } \lambda \alpha e^x

    Parameters
    ----------
    grad : array_like
        Gradient g of the loss with respect to the result of `selu`.
    x : array_like
        The input of `selu`. Broadcast with grad.
    out : ndarray, optional
        Where the result is written. It may be an operand itself, or overlap one.

    Returns
    -------
    ndarray or scalar
        Gradient with respect to x; `out` if it was given.

    Raises
    ------
    TypeError
        For an unsupported type, a masked array, or an `out` that cannot hold the result.
    ValueError
        For shapes that do not broadcast, or an `out` of another shape.

    Notes
    -----
    Every result is within 4 ULP of the exact one. NaN gives NaN.

    Examples
    --------
    >>> import numpy as np
    >>> from fastact import selu_backward
    >>> selu_backward(np.ones(2), np.array([-1.0, 2.0])).round(4).tolist()
    [0.6468, 1.0507]
    """
    return elementwise(FASTACT_selu_backward, grad, x, None, None, out, True, None)


def celu(x, alpha=1.0, *, out=None, where=True, dtype=None):
    r"""Continuously differentiable exponential linear unit.

    .. math:: y = x \text{ for } x > 0, \text{ else } \alpha (e^{x / \alpha} - 1), \qquad y' = 1 \text{ for } x > 0, \text{ else } e^{x / \alpha}

    Continuously differentiable for every alpha, above -alpha. Saturates below.

    Parameters
    ----------
    x : array_like of float16, float32, float64, integers or bools
        Any shape and strides. Integers and bools are computed in float64, float16 in float32.
    alpha : float, default: 1.0
        Greater than 0: the magnitude of the limit at -inf, and the scale of x.
    out : ndarray, optional
        Where the result is written: an array of the result's shape. It may be x itself, or overlap it.
    where : array_like of bool, default: True
        Entries where it is False are not computed: out keeps its value there, a new array has 0. Broadcast to x.
    dtype : {float16, float32, float64}, optional
        The type to which x is converted first, and of the result.

    Returns
    -------
    ndarray or scalar
        Of x's shape; `out` if it was given.

    Raises
    ------
    TypeError
        For an unsupported type (complex, object, text, dates), a masked array, or an `out` that cannot hold the result.
    ValueError
        For an `out` or `where` of another shape, or a parameter out of its range.

    See Also
    --------
    celu_backward : the gradient

    Notes
    -----
    Every result is within 2.5 ULP of the exact one, in float32 and float64. NaN gives NaN; no warning is raised.

    References
    ----------
    .. [1] J. T. Barron, "Continuously differentiable exponential linear units", arXiv:1704.07483, 2017.

    Examples
    --------
    >>> import numpy as np
    >>> from fastact import celu
    >>> celu(np.array([-1.0, 0.0, 2.0]), alpha=0.5).round(4).tolist()
    [-0.4323, 0.0, 2.0]
    """
    return elementwise(FASTACT_celu, x, None, alpha, None, out, where, dtype)


def celu_backward(grad, x, alpha=1.0, *, out=None):
    r"""Gradient of a loss through `celu`.

    .. math:: dx = g \, y', \qquad y' = 1 \text{ for } x > 0, \text{ else } e^{x / \alpha}

    Parameters
    ----------
    grad : array_like
        Gradient g of the loss with respect to the result of `celu`.
    x : array_like
        The input of `celu`. Broadcast with grad.
    alpha : float, default: 1.0
        As for `celu`.
    out : ndarray, optional
        Where the result is written. It may be an operand itself, or overlap one.

    Returns
    -------
    ndarray or scalar
        Gradient with respect to x; `out` if it was given.

    Raises
    ------
    TypeError
        For an unsupported type, a masked array, or an `out` that cannot hold the result.
    ValueError
        For shapes that do not broadcast, or an `out` of another shape, or a parameter out of its range.

    Notes
    -----
    Every result is within 4 ULP of the exact one. NaN gives NaN.

    Examples
    --------
    >>> import numpy as np
    >>> from fastact import celu_backward
    >>> celu_backward(np.ones(2), np.array([-1.0, 2.0])).round(4).tolist()
    [0.3679, 1.0]
    """
    return elementwise(FASTACT_celu_backward, grad, x, alpha, None, out, True, None)


def silu(x, *, out=None, where=True, dtype=None):
    r"""Sigmoid linear unit, swish with beta 1.

    .. math:: y = x \sigma(x) = \frac{x}{1 + e^{-x}}, \qquad y' = \sigma(x) (1 + x (1 - \sigma(x)))

    Smooth, not monotonic: the smallest value is -0.2785 at x = -1.2785, where the gradient crosses zero. Nears x above and 0 below.

    Parameters
    ----------
    x : array_like of float16, float32, float64, integers or bools
        Any shape and strides. Integers and bools are computed in float64, float16 in float32.
    out : ndarray, optional
        Where the result is written: an array of the result's shape. It may be x itself, or overlap it.
    where : array_like of bool, default: True
        Entries where it is False are not computed: out keeps its value there, a new array has 0. Broadcast to x.
    dtype : {float16, float32, float64}, optional
        The type to which x is converted first, and of the result.

    Returns
    -------
    ndarray or scalar
        Of x's shape; `out` if it was given.

    Raises
    ------
    TypeError
        For an unsupported type (complex, object, text, dates), a masked array, or an `out` that cannot hold the result.
    ValueError
        For an `out` or `where` of another shape.

    See Also
    --------
    silu_backward : the gradient

    Notes
    -----
    Every result is within 2.5 ULP of the exact one, in float32 and float64. NaN gives NaN; no warning is raised.

    References
    ----------
    .. [1] S. Elfwing, E. Uchibe and K. Doya, "Sigmoid-weighted linear units for neural network function approximation in
       reinforcement learning", Neural Networks 107, pp. 3-11, 2018.

    Examples
    --------
    >>> import numpy as np
    >>> from fastact import silu
    >>> silu(np.array([-1.0, 0.0, 2.0])).round(4).tolist()
    [-0.2689, 0.0, 1.7616]
    """
    return elementwise(FASTACT_silu, x, None, None, None, out, where, dtype)


def silu_backward(grad, x, *, out=None):
    r"""Gradient of a loss through `silu`.

    .. math:: dx = g \, y', \qquad y' = \sigma(x) (1 + x (1 - \sigma(x)))

    Parameters
    ----------
    grad : array_like
        Gradient g of the loss with respect to the result of `silu`.
    x : array_like
        The input of `silu`. Broadcast with grad.
    out : ndarray, optional
        Where the result is written. It may be an operand itself, or overlap one.

    Returns
    -------
    ndarray or scalar
        Gradient with respect to x; `out` if it was given.

    Raises
    ------
    TypeError
        For an unsupported type, a masked array, or an `out` that cannot hold the result.
    ValueError
        For shapes that do not broadcast, or an `out` of another shape.

    Notes
    -----
    Every result is within 4 ULP of the exact one, or 2 ULP of the larger term where the derivative crosses zero.
    NaN gives NaN.

    Examples
    --------
    >>> import numpy as np
    >>> from fastact import silu_backward
    >>> silu_backward(np.ones(2), np.array([-1.0, 2.0])).round(4).tolist()
    [0.0723, 1.0908]
    """
    return elementwise(FASTACT_silu_backward, grad, x, None, None, out, True, None)


def swish(x, beta=1.0, *, out=None, where=True, dtype=None):
    r"""Swish: x, gated by its own sigmoid.

    .. math:: y = x \sigma(\beta x) = \frac{x}{1 + e^{-\beta x}}, \qquad y' = \sigma(\beta x) (1 + \beta x (1 - \sigma(\beta x)))

    Smooth, not monotonic. silu is swish with beta 1.

    Parameters
    ----------
    x : array_like of float16, float32, float64, integers or bools
        Any shape and strides. Integers and bools are computed in float64, float16 in float32.
    beta : float, default: 1.0
        How steep the gate is: 0 gives x / 2, a large one nears ReLU.
    out : ndarray, optional
        Where the result is written: an array of the result's shape. It may be x itself, or overlap it.
    where : array_like of bool, default: True
        Entries where it is False are not computed: out keeps its value there, a new array has 0. Broadcast to x.
    dtype : {float16, float32, float64}, optional
        The type to which x is converted first, and of the result.

    Returns
    -------
    ndarray or scalar
        Of x's shape; `out` if it was given.

    Raises
    ------
    TypeError
        For an unsupported type (complex, object, text, dates), a masked array, or an `out` that cannot hold the result.
    ValueError
        For an `out` or `where` of another shape, or a parameter out of its range.

    See Also
    --------
    swish_backward : the gradient

    Notes
    -----
    Every result is within 2.5 ULP of the exact one, in float32 and float64. NaN gives NaN; no warning is raised.

    References
    ----------
    .. [1] P. Ramachandran, B. Zoph and Q. V. Le, "Searching for activation functions", arXiv:1710.05941, 2017.

    Examples
    --------
    >>> import numpy as np
    >>> from fastact import swish
    >>> swish(np.array([-1.0, 0.0, 2.0]), beta=2.0).round(4).tolist()
    [-0.1192, 0.0, 1.964]
    """
    if type(beta) is float and beta == 1:
        return elementwise(FASTACT_silu, x, None, None, None, out, where, dtype)
    return elementwise(FASTACT_swish, x, None, beta, None, out, where, dtype)


def swish_backward(grad, x, beta=1.0, *, out=None):
    r"""Gradient of a loss through `swish`.

    .. math:: dx = g \, y', \qquad y' = \sigma(\beta x) (1 + \beta x (1 - \sigma(\beta x)))

    Parameters
    ----------
    grad : array_like
        Gradient g of the loss with respect to the result of `swish`.
    x : array_like
        The input of `swish`. Broadcast with grad.
    beta : float, default: 1.0
        As for `swish`.
    out : ndarray, optional
        Where the result is written. It may be an operand itself, or overlap one.

    Returns
    -------
    ndarray or scalar
        Gradient with respect to x; `out` if it was given.

    Raises
    ------
    TypeError
        For an unsupported type, a masked array, or an `out` that cannot hold the result.
    ValueError
        For shapes that do not broadcast, or an `out` of another shape, or a parameter out of its range.

    Notes
    -----
    Every result is within 4 ULP of the exact one, or 2 ULP of the larger term where the derivative crosses zero.
    NaN gives NaN.

    Examples
    --------
    >>> import numpy as np
    >>> from fastact import swish_backward
    >>> swish_backward(np.ones(2), np.array([-1.0, 2.0])).round(4).tolist()
    [0.0723, 1.0908]
    """
    if type(beta) is float and beta == 1:
        return elementwise(FASTACT_silu_backward, grad, x, None, None, out, True, None)
    return elementwise(FASTACT_swish_backward, grad, x, beta, None, out, True, None)


def softplus(x, beta=1.0, *, out=None, where=True, dtype=None):
    r"""Softplus, a smooth ReLU.

    .. math:: y = \frac{1}{\beta} \log(1 + e^{\beta x}), \qquad y' = \sigma(\beta x)

    Smooth, increasing, positive. Computed without a threshold: large x give x, and small ones keep all digits of exp(beta x) / beta.

    Parameters
    ----------
    x : array_like of float16, float32, float64, integers or bools
        Any shape and strides. Integers and bools are computed in float64, float16 in float32.
    beta : float, default: 1.0
        Greater than 0: how sharp the bend is.
    out : ndarray, optional
        Where the result is written: an array of the result's shape. It may be x itself, or overlap it.
    where : array_like of bool, default: True
        Entries where it is False are not computed: out keeps its value there, a new array has 0. Broadcast to x.
    dtype : {float16, float32, float64}, optional
        The type to which x is converted first, and of the result.

    Returns
    -------
    ndarray or scalar
        Of x's shape; `out` if it was given.

    Raises
    ------
    TypeError
        For an unsupported type (complex, object, text, dates), a masked array, or an `out` that cannot hold the result.
    ValueError
        For an `out` or `where` of another shape, or a parameter out of its range.

    See Also
    --------
    softplus_backward : the gradient

    Notes
    -----
    Every result is within 2.5 ULP of the exact one, in float32 and float64. NaN gives NaN; no warning is raised.

    References
    ----------
    .. [1] C. Dugas, Y. Bengio, F. Belisle, C. Nadeau and R. Garcia, "Incorporating second-order functional knowledge for better
       option pricing", NeurIPS 2000.

    Examples
    --------
    >>> import numpy as np
    >>> from fastact import softplus
    >>> softplus(np.array([-40.0, 0.0, 2.0])).tolist()
    [4.248354255291589e-18, 0.6931471805599453, 2.1269280110429727]
    """
    return elementwise(FASTACT_softplus, x, None, beta, None, out, where, dtype)


def softplus_backward(grad, x, beta=1.0, *, out=None):
    r"""Gradient of a loss through `softplus`.

    .. math:: dx = g \, y', \qquad y' = \sigma(\beta x)

    Parameters
    ----------
    grad : array_like
        Gradient g of the loss with respect to the result of `softplus`.
    x : array_like
        The input of `softplus`. Broadcast with grad.
    beta : float, default: 1.0
        As for `softplus`.
    out : ndarray, optional
        Where the result is written. It may be an operand itself, or overlap one.

    Returns
    -------
    ndarray or scalar
        Gradient with respect to x; `out` if it was given.

    Raises
    ------
    TypeError
        For an unsupported type, a masked array, or an `out` that cannot hold the result.
    ValueError
        For shapes that do not broadcast, or an `out` of another shape, or a parameter out of its range.

    Notes
    -----
    Every result is within 4 ULP of the exact one. NaN gives NaN.

    Examples
    --------
    >>> import numpy as np
    >>> from fastact import softplus_backward
    >>> softplus_backward(np.ones(2), np.array([-1.0, 2.0])).round(4).tolist()
    [0.2689, 0.8808]
    """
    return elementwise(FASTACT_softplus_backward, grad, x, beta, None, out, True, None)


def softsign(x, *, out=None, where=True, dtype=None):
    r"""Softsign.

    .. math:: y = \frac{x}{1 + |x|}, \qquad y' = \frac{1}{(1 + |x|)^2}

    Odd, increasing, between -1 and 1, once continuously differentiable; saturates like 1 / x, more slowly than tanh.

    Parameters
    ----------
    x : array_like of float16, float32, float64, integers or bools
        Any shape and strides. Integers and bools are computed in float64, float16 in float32.
    out : ndarray, optional
        Where the result is written: an array of the result's shape. It may be x itself, or overlap it.
    where : array_like of bool, default: True
        Entries where it is False are not computed: out keeps its value there, a new array has 0. Broadcast to x.
    dtype : {float16, float32, float64}, optional
        The type to which x is converted first, and of the result.

    Returns
    -------
    ndarray or scalar
        Of x's shape; `out` if it was given.

    Raises
    ------
    TypeError
        For an unsupported type (complex, object, text, dates), a masked array, or an `out` that cannot hold the result.
    ValueError
        For an `out` or `where` of another shape.

    See Also
    --------
    softsign_backward : the gradient

    Notes
    -----
    Every result is within 2.5 ULP of the exact one, in float32 and float64. NaN gives NaN; no warning is raised.

    Examples
    --------
    >>> import numpy as np
    >>> from fastact import softsign
    >>> softsign(np.array([-1.0, 0.0, 3.0])).tolist()
    [-0.5, 0.0, 0.75]
    """
    return elementwise(FASTACT_softsign, x, None, None, None, out, where, dtype)


def softsign_backward(grad, x, *, out=None):
    r"""Gradient of a loss through `softsign`.

    .. math:: dx = g \, y', \qquad y' = \frac{1}{(1 + |x|)^2}

    Parameters
    ----------
    grad : array_like
        Gradient g of the loss with respect to the result of `softsign`.
    x : array_like
        The input of `softsign`. Broadcast with grad.
    out : ndarray, optional
        Where the result is written. It may be an operand itself, or overlap one.

    Returns
    -------
    ndarray or scalar
        Gradient with respect to x; `out` if it was given.

    Raises
    ------
    TypeError
        For an unsupported type, a masked array, or an `out` that cannot hold the result.
    ValueError
        For shapes that do not broadcast, or an `out` of another shape.

    Notes
    -----
    Every result is within 4 ULP of the exact one. NaN gives NaN.

    Examples
    --------
    >>> import numpy as np
    >>> from fastact import softsign_backward
    >>> softsign_backward(np.ones(2), np.array([-1.0, 2.0])).round(4).tolist()
    [0.25, 0.1111]
    """
    return elementwise(FASTACT_softsign_backward, grad, x, None, None, out, True, None)


def log_sigmoid(x, *, out=None, where=True, dtype=None):
    r"""Logarithm of the sigmoid.

    .. math:: y = -\log(1 + e^{-x}), \qquad y' = \sigma(-x)

    Smooth, increasing, negative. Nears x below and -exp(-x) above, with all digits.

    Parameters
    ----------
    x : array_like of float16, float32, float64, integers or bools
        Any shape and strides. Integers and bools are computed in float64, float16 in float32.
    out : ndarray, optional
        Where the result is written: an array of the result's shape. It may be x itself, or overlap it.
    where : array_like of bool, default: True
        Entries where it is False are not computed: out keeps its value there, a new array has 0. Broadcast to x.
    dtype : {float16, float32, float64}, optional
        The type to which x is converted first, and of the result.

    Returns
    -------
    ndarray or scalar
        Of x's shape; `out` if it was given.

    Raises
    ------
    TypeError
        For an unsupported type (complex, object, text, dates), a masked array, or an `out` that cannot hold the result.
    ValueError
        For an `out` or `where` of another shape.

    See Also
    --------
    log_sigmoid_backward : the gradient

    Notes
    -----
    Every result is within 2.5 ULP of the exact one, in float32 and float64. NaN gives NaN; no warning is raised.

    Examples
    --------
    >>> import numpy as np
    >>> from fastact import log_sigmoid
    >>> log_sigmoid(np.array([-800.0, 0.0, 40.0])).tolist()
    [-800.0, -0.6931471805599453, -4.248354255291589e-18]
    """
    return elementwise(FASTACT_log_sigmoid, x, None, None, None, out, where, dtype)


def log_sigmoid_backward(grad, x, *, out=None):
    r"""Gradient of a loss through `log_sigmoid`.

    .. math:: dx = g \, y', \qquad y' = \sigma(-x)

    Parameters
    ----------
    grad : array_like
        Gradient g of the loss with respect to the result of `log_sigmoid`.
    x : array_like
        The input of `log_sigmoid`. Broadcast with grad.
    out : ndarray, optional
        Where the result is written. It may be an operand itself, or overlap one.

    Returns
    -------
    ndarray or scalar
        Gradient with respect to x; `out` if it was given.

    Raises
    ------
    TypeError
        For an unsupported type, a masked array, or an `out` that cannot hold the result.
    ValueError
        For shapes that do not broadcast, or an `out` of another shape.

    Notes
    -----
    Every result is within 4 ULP of the exact one. NaN gives NaN.

    Examples
    --------
    >>> import numpy as np
    >>> from fastact import log_sigmoid_backward
    >>> log_sigmoid_backward(np.ones(2), np.array([-1.0, 2.0])).round(4).tolist()
    [0.7311, 0.1192]
    """
    return elementwise(FASTACT_log_sigmoid_backward, grad, x, None, None, out, True, None)


def mish(x, *, out=None, where=True, dtype=None):
    r"""Mish.

    .. math:: y = x \tanh(\log(1 + e^x)), \qquad y' = t + x \sigma(x) (1 - t^2), \quad t = \tanh(\log(1 + e^x))

    Smooth, not monotonic: the smallest value is -0.3088 at x = -1.1924, where the gradient crosses zero. Nears x above and 0 below.

    Parameters
    ----------
    x : array_like of float16, float32, float64, integers or bools
        Any shape and strides. Integers and bools are computed in float64, float16 in float32.
    out : ndarray, optional
        Where the result is written: an array of the result's shape. It may be x itself, or overlap it.
    where : array_like of bool, default: True
        Entries where it is False are not computed: out keeps its value there, a new array has 0. Broadcast to x.
    dtype : {float16, float32, float64}, optional
        The type to which x is converted first, and of the result.

    Returns
    -------
    ndarray or scalar
        Of x's shape; `out` if it was given.

    Raises
    ------
    TypeError
        For an unsupported type (complex, object, text, dates), a masked array, or an `out` that cannot hold the result.
    ValueError
        For an `out` or `where` of another shape.

    See Also
    --------
    mish_backward : the gradient

    Notes
    -----
    Every result is within 3.5 ULP of the exact one, in float32 and float64. NaN gives NaN; no warning is raised.

    References
    ----------
    .. [1] D. Misra, "Mish: a self regularized non-monotonic activation function", BMVC 2020.

    Examples
    --------
    >>> import numpy as np
    >>> from fastact import mish
    >>> mish(np.array([-1.0, 0.0, 2.0])).round(4).tolist()
    [-0.3034, 0.0, 1.944]
    """
    return elementwise(FASTACT_mish, x, None, None, None, out, where, dtype)


def mish_backward(grad, x, *, out=None):
    r"""Gradient of a loss through `mish`.

    .. math:: dx = g \, y', \qquad y' = t + x \sigma(x) (1 - t^2), \quad t = \tanh(\log(1 + e^x))

    Parameters
    ----------
    grad : array_like
        Gradient g of the loss with respect to the result of `mish`.
    x : array_like
        The input of `mish`. Broadcast with grad.
    out : ndarray, optional
        Where the result is written. It may be an operand itself, or overlap one.

    Returns
    -------
    ndarray or scalar
        Gradient with respect to x; `out` if it was given.

    Raises
    ------
    TypeError
        For an unsupported type, a masked array, or an `out` that cannot hold the result.
    ValueError
        For shapes that do not broadcast, or an `out` of another shape.

    Notes
    -----
    Every result is within 4 ULP of the exact one, or 2 ULP of the larger term where the derivative crosses zero.
    NaN gives NaN.

    Examples
    --------
    >>> import numpy as np
    >>> from fastact import mish_backward
    >>> mish_backward(np.ones(2), np.array([-1.0, 2.0])).round(4).tolist()
    [0.0592, 1.0693]
    """
    return elementwise(FASTACT_mish_backward, grad, x, None, None, out, True, None)


def relu6(x, *, out=None, where=True, dtype=None):
    r"""ReLU that ends at 6.

    .. math:: y = \min(\max(x, 0), 6), \qquad y' = 1 \text{ for } 0 < x < 6, \text{ else } 0

    Continuous, between 0 and 6, with kinks at both, where the gradient is 0.

    Parameters
    ----------
    x : array_like of float16, float32, float64, integers or bools
        Any shape and strides. Integers and bools are computed in float64, float16 in float32.
    out : ndarray, optional
        Where the result is written: an array of the result's shape. It may be x itself, or overlap it.
    where : array_like of bool, default: True
        Entries where it is False are not computed: out keeps its value there, a new array has 0. Broadcast to x.
    dtype : {float16, float32, float64}, optional
        The type to which x is converted first, and of the result.

    Returns
    -------
    ndarray or scalar
        Of x's shape; `out` if it was given.

    Raises
    ------
    TypeError
        For an unsupported type (complex, object, text, dates), a masked array, or an `out` that cannot hold the result.
    ValueError
        For an `out` or `where` of another shape.

    See Also
    --------
    relu6_backward : the gradient

    Notes
    -----
    Every result is within 2.5 ULP of the exact one, in float32 and float64. NaN gives NaN; no warning is raised.

    Examples
    --------
    >>> import numpy as np
    >>> from fastact import relu6
    >>> relu6(np.array([-1.0, 2.0, 8.0])).tolist()
    [0.0, 2.0, 6.0]
    """
    return elementwise(FASTACT_relu6, x, None, None, None, out, where, dtype)


def relu6_backward(grad, x, *, out=None):
    r"""Gradient of a loss through `relu6`.

    .. math:: dx = g \, y', \qquad y' = 1 \text{ for } 0 < x < 6, \text{ else } 0

    Parameters
    ----------
    grad : array_like
        Gradient g of the loss with respect to the result of `relu6`.
    x : array_like
        The input of `relu6`. Broadcast with grad.
    out : ndarray, optional
        Where the result is written. It may be an operand itself, or overlap one.

    Returns
    -------
    ndarray or scalar
        Gradient with respect to x; `out` if it was given.

    Raises
    ------
    TypeError
        For an unsupported type, a masked array, or an `out` that cannot hold the result.
    ValueError
        For shapes that do not broadcast, or an `out` of another shape.

    Notes
    -----
    Every result is within 4 ULP of the exact one. NaN gives NaN.

    Examples
    --------
    >>> import numpy as np
    >>> from fastact import relu6_backward
    >>> relu6_backward(np.ones(2), np.array([-1.0, 2.0])).round(4).tolist()
    [0.0, 1.0]
    """
    return elementwise(FASTACT_relu6_backward, grad, x, None, None, out, True, None)


cdef int check_limits(min_val, max_val) except -1:
    if type(min_val) is float and type(max_val) is float and min_val <= max_val:
        return 0  # as a rule; what follows costs more than the call
    numbers = int, float, np.integer, np.floating
    if isinstance(min_val, numbers) and isinstance(max_val, numbers) and max_val < min_val < np.inf:
        raise ValueError(f"max_val must be at least min_val, got {max_val!r} and {min_val!r}")


def hard_tanh(x, min_val=-1.0, max_val=1.0, *, out=None, where=True, dtype=None):
    r"""Identity between two limits.

    .. math:: y = \min(\max(x, \mathrm{min\_val}), \mathrm{max\_val}), \qquad y' = 1 \text{ strictly between the limits, else } 0

    Continuous, piecewise linear, with kinks at the limits, where the gradient is 0.

    Parameters
    ----------
    x : array_like of float16, float32, float64, integers or bools
        Any shape and strides. Integers and bools are computed in float64, float16 in float32.
    min_val : float, default: -1.0
        The smallest result.
    max_val : float, default: 1.0
        The largest result.
    out : ndarray, optional
        Where the result is written: an array of the result's shape. It may be x itself, or overlap it.
    where : array_like of bool, default: True
        Entries where it is False are not computed: out keeps its value there, a new array has 0. Broadcast to x.
    dtype : {float16, float32, float64}, optional
        The type to which x is converted first, and of the result.

    Returns
    -------
    ndarray or scalar
        Of x's shape; `out` if it was given.

    Raises
    ------
    TypeError
        For an unsupported type (complex, object, text, dates), a masked array, or an `out` that cannot hold the result.
    ValueError
        For an `out` or `where` of another shape, or a parameter out of its range.

    See Also
    --------
    hard_tanh_backward : the gradient

    Notes
    -----
    Every result is within 2.5 ULP of the exact one, in float32 and float64. NaN gives NaN; no warning is raised.

    Examples
    --------
    >>> import numpy as np
    >>> from fastact import hard_tanh
    >>> hard_tanh(np.array([-3.0, 0.5, 3.0])).tolist()
    [-1.0, 0.5, 1.0]
    """
    check_limits(min_val, max_val)
    return elementwise(FASTACT_hard_tanh, x, None, min_val, max_val, out, where, dtype)


def hard_tanh_backward(grad, x, min_val=-1.0, max_val=1.0, *, out=None):
    r"""Gradient of a loss through `hard_tanh`.

    .. math:: dx = g \, y', \qquad y' = 1 \text{ strictly between the limits, else } 0

    Parameters
    ----------
    grad : array_like
        Gradient g of the loss with respect to the result of `hard_tanh`.
    x : array_like
        The input of `hard_tanh`. Broadcast with grad.
    min_val : float, default: -1.0
        As for `hard_tanh`.
    max_val : float, default: 1.0
        As for `hard_tanh`.
    out : ndarray, optional
        Where the result is written. It may be an operand itself, or overlap one.

    Returns
    -------
    ndarray or scalar
        Gradient with respect to x; `out` if it was given.

    Raises
    ------
    TypeError
        For an unsupported type, a masked array, or an `out` that cannot hold the result.
    ValueError
        For shapes that do not broadcast, or an `out` of another shape, or a parameter out of its range.

    Notes
    -----
    Every result is within 4 ULP of the exact one. NaN gives NaN.

    Examples
    --------
    >>> import numpy as np
    >>> from fastact import hard_tanh_backward
    >>> hard_tanh_backward(np.ones(2), np.array([-1.0, 2.0])).round(4).tolist()
    [0.0, 0.0]
    """
    check_limits(min_val, max_val)
    return elementwise(FASTACT_hard_tanh_backward, grad, x, min_val, max_val, out, True, None)


def hard_sigmoid(x, alpha=1.0 / 6, beta=0.5, *, out=None, where=True, dtype=None):
    r"""Piecewise linear sigmoid.

    .. math:: y = \min(\max(\alpha x + \beta, 0), 1), \qquad y' = \alpha \text{ for } 0 < \alpha x + \beta < 1, \text{ else } 0

    Continuous, between 0 and 1, with kinks at both, where the gradient is 0. The defaults are PyTorch's; ONNX has alpha 0.2.

    Parameters
    ----------
    x : array_like of float16, float32, float64, integers or bools
        Any shape and strides. Integers and bools are computed in float64, float16 in float32.
    alpha : float, default: 1/6
        The slope.
    beta : float, default: 0.5
        The value at 0.
    out : ndarray, optional
        Where the result is written: an array of the result's shape. It may be x itself, or overlap it.
    where : array_like of bool, default: True
        Entries where it is False are not computed: out keeps its value there, a new array has 0. Broadcast to x.
    dtype : {float16, float32, float64}, optional
        The type to which x is converted first, and of the result.

    Returns
    -------
    ndarray or scalar
        Of x's shape; `out` if it was given.

    Raises
    ------
    TypeError
        For an unsupported type (complex, object, text, dates), a masked array, or an `out` that cannot hold the result.
    ValueError
        For an `out` or `where` of another shape, or a parameter out of its range.

    See Also
    --------
    hard_sigmoid_backward : the gradient

    Notes
    -----
    Every result is within 2.5 ULP of the exact one, in float32 and float64. NaN gives NaN; no warning is raised.

    Examples
    --------
    >>> import numpy as np
    >>> from fastact import hard_sigmoid
    >>> hard_sigmoid(np.array([-4.0, 0.0, 1.5])).tolist()
    [0.0, 0.5, 0.75]
    """
    return elementwise(FASTACT_hard_sigmoid, x, None, alpha, beta, out, where, dtype)


def hard_sigmoid_backward(grad, x, alpha=1.0 / 6, beta=0.5, *, out=None):
    r"""Gradient of a loss through `hard_sigmoid`.

    .. math:: dx = g \, y', \qquad y' = \alpha \text{ for } 0 < \alpha x + \beta < 1, \text{ else } 0

    Parameters
    ----------
    grad : array_like
        Gradient g of the loss with respect to the result of `hard_sigmoid`.
    x : array_like
        The input of `hard_sigmoid`. Broadcast with grad.
    alpha : float, default: 1/6
        As for `hard_sigmoid`.
    beta : float, default: 0.5
        As for `hard_sigmoid`.
    out : ndarray, optional
        Where the result is written. It may be an operand itself, or overlap one.

    Returns
    -------
    ndarray or scalar
        Gradient with respect to x; `out` if it was given.

    Raises
    ------
    TypeError
        For an unsupported type, a masked array, or an `out` that cannot hold the result.
    ValueError
        For shapes that do not broadcast, or an `out` of another shape, or a parameter out of its range.

    Notes
    -----
    Every result is within 4 ULP of the exact one. NaN gives NaN.

    Examples
    --------
    >>> import numpy as np
    >>> from fastact import hard_sigmoid_backward
    >>> hard_sigmoid_backward(np.ones(2), np.array([-1.0, 2.0])).round(4).tolist()
    [0.1667, 0.1667]
    """
    return elementwise(FASTACT_hard_sigmoid_backward, grad, x, alpha, beta, out, True, None)


def hard_swish(x, *, out=None, where=True, dtype=None):
    r"""Piecewise quadratic swish.

    .. math:: y = \frac{x \min(\max(x + 3, 0), 6)}{6}, \qquad y' = \frac{2 x + 3}{6} \text{ for } -3 < x < 3, \; 0 \text{ below}, 1 \text{ above}

    Continuous, 0 below -3 and x above 3, with kinks there, where the gradient is 0 and 1.

    Parameters
    ----------
    x : array_like of float16, float32, float64, integers or bools
        Any shape and strides. Integers and bools are computed in float64, float16 in float32.
    out : ndarray, optional
        Where the result is written: an array of the result's shape. It may be x itself, or overlap it.
    where : array_like of bool, default: True
        Entries where it is False are not computed: out keeps its value there, a new array has 0. Broadcast to x.
    dtype : {float16, float32, float64}, optional
        The type to which x is converted first, and of the result.

    Returns
    -------
    ndarray or scalar
        Of x's shape; `out` if it was given.

    Raises
    ------
    TypeError
        For an unsupported type (complex, object, text, dates), a masked array, or an `out` that cannot hold the result.
    ValueError
        For an `out` or `where` of another shape.

    See Also
    --------
    hard_swish_backward : the gradient

    Notes
    -----
    Every result is within 2.5 ULP of the exact one, in float32 and float64. NaN gives NaN; no warning is raised.

    References
    ----------
    .. [1] A. Howard et al., "Searching for MobileNetV3", ICCV 2019.

    Examples
    --------
    >>> import numpy as np
    >>> from fastact import hard_swish
    >>> hard_swish(np.array([-4.0, -1.5, 1.5])).tolist()
    [-0.0, -0.375, 1.125]
    """
    return elementwise(FASTACT_hard_swish, x, None, None, None, out, where, dtype)


def hard_swish_backward(grad, x, *, out=None):
    r"""Gradient of a loss through `hard_swish`.

    .. math:: dx = g \, y', \qquad y' = \frac{2 x + 3}{6} \text{ for } -3 < x < 3, \; 0 \text{ below}, 1 \text{ above}

    Parameters
    ----------
    grad : array_like
        Gradient g of the loss with respect to the result of `hard_swish`.
    x : array_like
        The input of `hard_swish`. Broadcast with grad.
    out : ndarray, optional
        Where the result is written. It may be an operand itself, or overlap one.

    Returns
    -------
    ndarray or scalar
        Gradient with respect to x; `out` if it was given.

    Raises
    ------
    TypeError
        For an unsupported type, a masked array, or an `out` that cannot hold the result.
    ValueError
        For shapes that do not broadcast, or an `out` of another shape.

    Notes
    -----
    Every result is within 4 ULP of the exact one. NaN gives NaN.

    Examples
    --------
    >>> import numpy as np
    >>> from fastact import hard_swish_backward
    >>> hard_swish_backward(np.ones(2), np.array([-1.0, 2.0])).round(4).tolist()
    [0.1667, 1.1667]
    """
    return elementwise(FASTACT_hard_swish_backward, grad, x, None, None, out, True, None)


def threshold(x, threshold, value, *, out=None, where=True, dtype=None):
    r"""Identity above a threshold.

    .. math:: y = x \text{ for } x > t, \text{ else } v, \qquad y' = 1 \text{ for } x > t, \text{ else } 0

    t is the threshold and v the value; there is a jump at t unless they are equal.

    Parameters
    ----------
    x : array_like of float16, float32, float64, integers or bools
        Any shape and strides. Integers and bools are computed in float64, float16 in float32.
    threshold : float
        Up to here the result is `value`.
    value : float
        The result up to the threshold.
    out : ndarray, optional
        Where the result is written: an array of the result's shape. It may be x itself, or overlap it.
    where : array_like of bool, default: True
        Entries where it is False are not computed: out keeps its value there, a new array has 0. Broadcast to x.
    dtype : {float16, float32, float64}, optional
        The type to which x is converted first, and of the result.

    Returns
    -------
    ndarray or scalar
        Of x's shape; `out` if it was given.

    Raises
    ------
    TypeError
        For an unsupported type (complex, object, text, dates), a masked array, or an `out` that cannot hold the result.
    ValueError
        For an `out` or `where` of another shape, or a parameter out of its range.

    See Also
    --------
    threshold_backward : the gradient

    Notes
    -----
    Every result is within 2.5 ULP of the exact one, in float32 and float64. NaN gives NaN; no warning is raised.

    Examples
    --------
    >>> import numpy as np
    >>> from fastact import threshold
    >>> threshold(np.array([-1.0, 0.5, 2.0]), 1.0, 0.0).tolist()
    [0.0, 0.0, 2.0]
    """
    return elementwise(FASTACT_threshold, x, None, threshold, value, out, where, dtype)


def threshold_backward(grad, x, threshold, value, *, out=None):
    r"""Gradient of a loss through `threshold`.

    .. math:: dx = g \, y', \qquad y' = 1 \text{ for } x > t, \text{ else } 0

    Parameters
    ----------
    grad : array_like
        Gradient g of the loss with respect to the result of `threshold`.
    x : array_like
        The input of `threshold`. Broadcast with grad.
    threshold : float
        As for `threshold`.
    value : float
        As for `threshold`.
    out : ndarray, optional
        Where the result is written. It may be an operand itself, or overlap one.

    Returns
    -------
    ndarray or scalar
        Gradient with respect to x; `out` if it was given.

    Raises
    ------
    TypeError
        For an unsupported type, a masked array, or an `out` that cannot hold the result.
    ValueError
        For shapes that do not broadcast, or an `out` of another shape, or a parameter out of its range.

    Notes
    -----
    Every result is within 4 ULP of the exact one. NaN gives NaN.

    Examples
    --------
    >>> import numpy as np
    >>> from fastact import threshold_backward
    >>> threshold_backward(np.ones(2), np.array([-1.0, 2.0]), 1.0, 0.0).round(4).tolist()
    [0.0, 1.0]
    """
    return elementwise(FASTACT_threshold_backward, grad, x, threshold, value, out, True, None)


cpdef bint _is_exact(approximate) except -1:
    """Whether gelu is meant to be exact: what its argument `approximate` says."""
    if approximate not in ("none", "tanh"):
        raise ValueError(f"approximate must be 'none' or 'tanh', got {approximate!r}")
    return approximate == "none"


def gelu(x, approximate="none", *, out=None, where=True, dtype=None):
    r"""Gaussian error linear unit.

    .. math:: y = x \Phi(x), \qquad y' = \Phi(x) + x \varphi(x)

    with the normal distribution's function and density. Smooth, not monotonic: the smallest value is -0.1700 at x = -0.7518, where
    the gradient crosses zero. Nears x above and 0 below, where all digits are kept: gelu(-6) is -5.9e-9. The approximation is
    :math:`x (1 + \tanh(\sqrt{2/\pi} (x + 0.044715 x^3))) / 2`.

    Parameters
    ----------
    x : array_like of float16, float32, float64, integers or bools
        Any shape and strides. Integers and bools are computed in float64, float16 in float32.
    approximate : {"none", "tanh"}, default: "none"
        The function itself, or the approximation with tanh.
    out : ndarray, optional
        Where the result is written: an array of the result's shape. It may be x itself, or overlap it.
    where : array_like of bool, default: True
        Entries where it is False are not computed: out keeps its value there, a new array has 0. Broadcast to x.
    dtype : {float16, float32, float64}, optional
        The type to which x is converted first, and of the result.

    Returns
    -------
    ndarray or scalar
        Of x's shape; `out` if it was given.

    Raises
    ------
    TypeError
        For an unsupported type (complex, object, text, dates), a masked array, or an `out` that cannot hold the result.
    ValueError
        For an `out` or `where` of another shape, or an unknown `approximate`.

    See Also
    --------
    gelu_backward : the gradient

    Notes
    -----
    Every result is within 3.5 ULP of the exact one, in float32 and float64; that of the approximation within 2.5 ULP of its own
    formula. NaN gives NaN; no warning is raised.

    References
    ----------
    .. [1] D. Hendrycks and K. Gimpel, "Gaussian error linear units (GELUs)", arXiv:1606.08415, 2016.

    Examples
    --------
    >>> import numpy as np
    >>> from fastact import gelu
    >>> gelu(np.array([-6.0, 0.0, 2.0])).tolist()
    [-5.919525870226189e-09, 0.0, 1.9544997361036416]
    """
    cdef int function = FASTACT_gelu if _is_exact(approximate) else FASTACT_gelu_tanh
    return elementwise(function, x, None, None, None, out, where, dtype)


def gelu_backward(grad, x, approximate="none", *, out=None):
    r"""Gradient of a loss through `gelu`.

    .. math:: dx = g \, y', \qquad y' = \Phi(x) + x \varphi(x)

    or the derivative of the approximation.

    Parameters
    ----------
    grad : array_like
        Gradient g of the loss with respect to the result of `gelu`.
    x : array_like
        The input of `gelu`. Broadcast with grad.
    approximate : {"none", "tanh"}, default: "none"
        As for `gelu`.
    out : ndarray, optional
        Where the result is written. It may be an operand itself, or overlap one.

    Returns
    -------
    ndarray or scalar
        Gradient with respect to x; `out` if it was given.

    Raises
    ------
    TypeError
        For an unsupported type, a masked array, or an `out` that cannot hold the result.
    ValueError
        For shapes that do not broadcast, or an `out` of another shape, or an unknown `approximate`.

    Notes
    -----
    Every result is within 4 ULP of the exact one (the approximation's of its own formula), or 2 ULP of the larger term where
    the derivative crosses zero. NaN gives NaN.

    Examples
    --------
    >>> import numpy as np
    >>> from fastact import gelu_backward
    >>> gelu_backward(np.ones(2), np.array([-1.0, 2.0])).round(4).tolist()
    [-0.0833, 1.0852]
    """
    cdef int function = FASTACT_gelu_backward if _is_exact(approximate) else FASTACT_gelu_tanh_backward
    return elementwise(function, grad, x, None, None, out, True, None)


def _weight(weight, x, axis):
    """A weight of one axis, along that axis of x."""
    w = _arrays.checked("weight", weight)
    if axis is None or w.ndim == 0:
        return w
    ndim = np.ndim(x)
    (k,) = _arrays.axes_of(axis, ndim)
    if w.ndim != 1 or w.shape[0] not in (1, np.shape(x)[k]):
        raise ValueError(f"weight must have shape ({np.shape(x)[k]},) to lie along axis {axis}, got {w.shape}")
    return w.reshape(-1, *[1] * (ndim - 1 - k))


def prelu(x, weight, *, axis=None, out=None, where=True, dtype=None):
    r"""Parametric rectified linear unit: a leaky ReLU whose slope is learned.

    .. math:: y = x \text{ for } x > 0, \text{ else } w x

    Continuous, with a kink at zero, where the gradient is w.

    Parameters
    ----------
    x : array_like of float16, float32, float64, integers or bools
        Any shape and strides. Integers and bools are computed in float64, float16 in float32.
    weight : array_like
        The slope below zero. Broadcast with x.
    axis : int, optional
        The axis of x along which a one-dimensional weight lies (1 in PyTorch); without it NumPy's broadcasting holds.
    out : ndarray, optional
        Where the result is written: an array of the result's shape. It may be x itself, or overlap it.
    where : array_like of bool, default: True
        Entries where it is False are not computed: out keeps its value there, a new array has 0. Broadcast to x.
    dtype : {float16, float32, float64}, optional
        The type to which x is converted first, and of the result.

    Returns
    -------
    ndarray or scalar
        Of x's shape; `out` if it was given.

    Raises
    ------
    TypeError
        For an unsupported type (complex, object, text, dates), a masked array, or an `out` that cannot hold the result.
    ValueError
        For an `out` or `where` of another shape, or a weight that does not fit x.

    See Also
    --------
    prelu_backward : the gradients

    Notes
    -----
    Every result is within 2.5 ULP of the exact one, in float32 and float64. NaN gives NaN; no warning is raised.

    References
    ----------
    .. [1] K. He, X. Zhang, S. Ren and J. Sun, "Delving deep into rectifiers: surpassing human-level performance on ImageNet
       classification", ICCV 2015.

    Examples
    --------
    >>> import numpy as np
    >>> from fastact import prelu
    >>> prelu(np.array([[-1.0, 2.0], [-3.0, -4.0]]), np.array([0.1, 0.5]), axis=0).tolist()
    [[-0.1, 2.0], [-1.5, -2.0]]
    """
    return elementwise(FASTACT_prelu, x, None, _weight(weight, x, axis), None, out, where, dtype)


def prelu_backward(grad, x, weight, *, axis=None):
    r"""Gradients of a loss through `prelu`, with respect to x and to the weight.

    .. math:: dx = g \text{ for } x > 0, \text{ else } w g; \qquad dw = \sum_{x \le 0} g x

    The sum is over the entries that share a weight.

    Parameters
    ----------
    grad : array_like
        Gradient g of the loss with respect to the result of `prelu`.
    x : array_like
        The input of `prelu`.
    weight : array_like
        Its weight.
    axis : int, optional
        As for `prelu`.

    Returns
    -------
    dx : ndarray or scalar
        Gradient with respect to x.
    dweight : ndarray or scalar
        Gradient with respect to the weight, of its shape, summed in float64.

    Raises
    ------
    TypeError
        For an unsupported type, or a masked array.
    ValueError
        For shapes that do not broadcast.

    Notes
    -----
    dx is within 4 ULP of the exact one. NaN gives NaN.

    Examples
    --------
    >>> import numpy as np
    >>> from fastact import prelu_backward
    >>> dx, dweight = prelu_backward(np.ones(3), np.array([-1.0, -2.0, 3.0]), 0.25)
    >>> dx.tolist(), float(dweight)
    ([0.25, 0.25, 1.0], -3.0)
    """
    w = _weight(weight, x, axis)
    dx = elementwise(FASTACT_prelu_backward, grad, x, w, None, None, True, None)
    g, a = np.asarray(grad), np.asarray(x)
    with np.errstate(all="ignore"):
        if a.dtype == np.float16 == g.dtype:  # which NumPy reads slowly: once each
            g, a = g.astype(np.float32), a.astype(np.float32)
        if w.size == 1 and g.shape == a.shape and g.dtype == a.dtype and a.dtype in (np.float32, np.float64) and (
                cnp.PyArray_ISCARRAY_RO(g) and cnp.PyArray_ISCARRAY_RO(a)):
            return dx, np.full(np.shape(weight), slope_gradient(g, a), np.asarray(dx).dtype)[()]
        terms = np.multiply(g, np.minimum(a, 0), dtype=np.float64)
        terms = terms.reshape((1,) * (w.ndim - terms.ndim) + terms.shape)
        kept = (1,) * (terms.ndim - w.ndim) + w.shape
        axes = tuple(k for k in range(terms.ndim) if kept[k] == 1)
        summed = terms.sum(axis=axes, keepdims=True)
        if not np.isfinite(summed).all():  # an infinite gradient times the 0 of a positive entry counts as 0
            summed = np.where(a > 0, 0, terms).sum(axis=axes, keepdims=True)
        dweight = np.broadcast_to(summed, kept).reshape(np.shape(weight))
        return dx, dweight.astype(np.asarray(dx).dtype)[()]


ctypedef fused real:
    float
    double


cdef inline double slope_term(double g, double x) noexcept nogil:
    return 0 if x > 0 else g * x


cdef double slope_sum(const real *g, const real *x, Py_ssize_t n) noexcept nogil:
    """The weight's gradient in NumPy's order of adding, with no array of terms: halves down to 128, and eight sums side by side."""
    cdef double s[8]
    cdef double total
    cdef Py_ssize_t i, k, half
    if n < 8:
        total = 0
        for i in range(n):
            total += slope_term(g[i], x[i])
        return total
    if n > 128:
        half = n // 2 - n // 2 % 8
        return slope_sum(g, x, half) + slope_sum(g + half, x + half, n - half)
    for k in range(8):
        s[k] = slope_term(g[k], x[k])
    for i in range(8, n - n % 8, 8):
        for k in range(8):
            s[k] += slope_term(g[i + k], x[i + k])
    total = ((s[0] + s[1]) + (s[2] + s[3])) + ((s[4] + s[5]) + (s[6] + s[7]))
    for i in range(n - n % 8, n):
        total += slope_term(g[i], x[i])
    return total


cdef double slope_gradient(cnp.ndarray g, cnp.ndarray x):
    cdef Py_ssize_t n = cnp.PyArray_SIZE(x)
    cdef int single = cnp.PyArray_TYPE(x) == cnp.NPY_FLOAT32
    cdef const void *g_data = cnp.PyArray_DATA(g)
    cdef const void *x_data = cnp.PyArray_DATA(x)
    with nogil:
        if single:
            return slope_sum(<const float *>g_data, <const float *>x_data, n)
        return slope_sum(<const double *>g_data, <const double *>x_data, n)
