"""`torch.nn.functional`'s activations and `torch.nn`'s modules, with their arguments and defaults, on NumPy arrays.

What shares its memory by DLPack is accepted too, without a copy, if it is on the CPU; a PyTorch tensor gives a tensor.
Gradients are not recorded: a tensor that requires them must be detached first.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable
from typing import Any

import numpy as np

import fastact

__all__ = [
    "CELU",
    "ELU",
    "GELU",
    "GLU",
    "SELU",
    "Hardsigmoid",
    "Hardswish",
    "Hardtanh",
    "LeakyReLU",
    "LogSigmoid",
    "LogSoftmax",
    "Mish",
    "PReLU",
    "ReLU",
    "ReLU6",
    "SiLU",
    "Sigmoid",
    "Softmax",
    "Softmin",
    "Softplus",
    "Softsign",
    "Tanh",
    "Threshold",
    "celu",
    "elu",
    "gelu",
    "glu",
    "hardsigmoid",
    "hardswish",
    "hardtanh",
    "leaky_relu",
    "log_softmax",
    "logsigmoid",
    "logsumexp",
    "mish",
    "prelu",
    "relu",
    "relu6",
    "selu",
    "sigmoid",
    "silu",
    "softmax",
    "softmin",
    "softplus",
    "softsign",
    "tanh",
    "threshold",
]


def _is_tensor(x: Any) -> bool:
    """Whether x is PyTorch's: then PyTorch has been imported, and need not be."""
    return "torch" in sys.modules and isinstance(x, sys.modules["torch"].Tensor)


def _array(name: str, x: Any) -> Any:
    """X, or an array on the memory of x where it is another library's and has DLPack."""
    if isinstance(x, np.ndarray | np.generic) or not hasattr(x, "__dlpack__"):
        return x
    try:
        # Of the two ways this one can always be written to, whatever the versions, and heeds a lazy negation.
        return x.numpy() if _is_tensor(x) else np.from_dlpack(x)
    except (BufferError, RuntimeError, TypeError, ValueError) as error:
        raise TypeError(
            f"{name} must be on the CPU, of a type that NumPy has, and require no gradient, which would not be "
            f"recorded: {error}"
        ) from None


def _apply(function: Callable[..., Any], input: Any, *arguments: Any, inplace: bool = False, **options: Any) -> Any:
    """The function of an array, or of a tensor as a tensor."""
    x = _array("input", input)
    if inplace:
        if not isinstance(x, np.ndarray):
            raise TypeError(f"input must be an array or a tensor where inplace is True, got {type(input).__name__}")
        function(x, *arguments, out=x, **options)
        return input
    result = function(x, *arguments, **options)
    return sys.modules["torch"].from_numpy(np.asarray(result)) if _is_tensor(input) else result


def _along(function: Callable[..., Any], input: Any, dim: Any, dtype: Any) -> Any:
    """The function of rows, for a type that is NumPy's or PyTorch's."""
    if dim is None:
        raise TypeError("dim must be an integer, got None: which dimension is meant is not guessed here")
    if type(dtype).__module__ == "torch":
        dtype = str(dtype).removeprefix("torch.")
    return _apply(function, input, dim, dtype=dtype)


def softmax(input: Any, dim: int | None = None, dtype: Any = None) -> Any:
    """Softmax along dim, as `torch.nn.functional.softmax`; dtype is NumPy's or PyTorch's.

    Examples
    --------
    >>> from fastact.compat.torch import softmax
    >>> softmax([[1.0, 1.0]], dim=1).tolist()
    [[0.5, 0.5]]
    """
    return _along(fastact.softmax, input, dim, dtype)


def log_softmax(input: Any, dim: int | None = None, dtype: Any = None) -> Any:
    """Logarithm of softmax along dim, as `torch.nn.functional.log_softmax`; dtype is NumPy's or PyTorch's."""
    return _along(fastact.log_softmax, input, dim, dtype)


def softmin(input: Any, dim: int | None = None, dtype: Any = None) -> Any:
    """Softmax of -input along dim, as `torch.nn.functional.softmin`; dtype is NumPy's or PyTorch's."""
    return _along(fastact.softmin, input, dim, dtype)


def logsumexp(input: Any, dim: int | tuple[int, ...], keepdim: bool = False) -> Any:
    """Logarithm of the sum of exponentials along dim, as `torch.logsumexp`."""
    return _apply(fastact.logsumexp, input, dim, keepdims=keepdim)


def sigmoid(input: Any) -> Any:
    """Logistic function, as `torch.sigmoid`."""
    return _apply(fastact.sigmoid, input)


def tanh(input: Any) -> Any:
    """Hyperbolic tangent, as `torch.tanh`."""
    return _apply(fastact.tanh, input)


def relu(input: Any, inplace: bool = False) -> Any:
    """Rectified linear unit, as `torch.nn.functional.relu`.

    Examples
    --------
    >>> from fastact.compat.torch import relu
    >>> relu([-1.0, 2.0]).tolist()
    [0.0, 2.0]
    """
    return _apply(fastact.relu, input, inplace=inplace)


def relu6(input: Any, inplace: bool = False) -> Any:
    """ReLU that ends at 6, as `torch.nn.functional.relu6`."""
    return _apply(fastact.relu6, input, inplace=inplace)


def leaky_relu(input: Any, negative_slope: float = 0.01, inplace: bool = False) -> Any:
    """Leaky ReLU, as `torch.nn.functional.leaky_relu`."""
    return _apply(fastact.leaky_relu, input, negative_slope, inplace=inplace)


def _prelu(x: Any, weight: Any) -> Any:
    w = np.asanyarray(weight)
    dtype = getattr(x, "dtype", None)
    # PyTorch wants one type of both; that of input decides.
    options: dict[str, Any] = {"dtype": dtype if getattr(dtype, "kind", None) == "f" else None}
    if w.size == 1:
        return fastact.prelu(x, w.reshape(()), **options)
    if np.ndim(x) < 2:
        raise ValueError(f"weight must be one number for an input of {np.ndim(x)} dimensions, got shape {w.shape}")
    return fastact.prelu(x, w, axis=1, **options)


def prelu(input: Any, weight: Any) -> Any:
    """Leaky ReLU with learned slopes, one for each channel (dimension 1) or one, as `torch.nn.functional.prelu`."""
    return _apply(_prelu, input, _array("weight", weight))


def elu(input: Any, alpha: float = 1.0, inplace: bool = False) -> Any:
    """Exponential linear unit, as `torch.nn.functional.elu`."""
    return _apply(fastact.elu, input, alpha, inplace=inplace)


def selu(input: Any, inplace: bool = False) -> Any:
    """Scaled exponential linear unit, as `torch.nn.functional.selu`."""
    return _apply(fastact.selu, input, inplace=inplace)


def celu(input: Any, alpha: float = 1.0, inplace: bool = False) -> Any:
    """Continuously differentiable exponential linear unit, as `torch.nn.functional.celu`."""
    return _apply(fastact.celu, input, alpha, inplace=inplace)


def gelu(input: Any, approximate: str = "none") -> Any:
    """Gaussian error linear unit, as `torch.nn.functional.gelu`."""
    return _apply(fastact.gelu, input, approximate)


def silu(input: Any, inplace: bool = False) -> Any:
    """Sigmoid linear unit, as `torch.nn.functional.silu`."""
    return _apply(fastact.silu, input, inplace=inplace)


def mish(input: Any, inplace: bool = False) -> Any:
    """Mish, as `torch.nn.functional.mish`."""
    return _apply(fastact.mish, input, inplace=inplace)


def _softplus(x: Any, beta: float, threshold: float) -> Any:
    y = np.asarray(fastact.softplus(x, beta))
    with np.errstate(all="ignore"):
        np.copyto(y, x, where=np.asarray(x) * y.dtype.type(beta) > threshold)
    return y[()]


def softplus(input: Any, beta: float = 1.0, threshold: float = 20.0) -> Any:
    """Softplus, and input itself where beta input exceeds the threshold, as `torch.nn.functional.softplus`."""
    return _apply(_softplus, input, beta, threshold)


def softsign(input: Any) -> Any:
    """Softsign, as `torch.nn.functional.softsign`."""
    return _apply(fastact.softsign, input)


def logsigmoid(input: Any) -> Any:
    """Logarithm of the sigmoid, as `torch.nn.functional.logsigmoid`."""
    return _apply(fastact.log_sigmoid, input)


def hardtanh(input: Any, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False) -> Any:
    """Identity between two limits, as `torch.nn.functional.hardtanh`."""
    return _apply(fastact.hard_tanh, input, min_val, max_val, inplace=inplace)


def hardsigmoid(input: Any, inplace: bool = False) -> Any:
    """Piecewise linear sigmoid, as `torch.nn.functional.hardsigmoid`."""
    return _apply(fastact.hard_sigmoid, input, inplace=inplace)


def hardswish(input: Any, inplace: bool = False) -> Any:
    """Piecewise quadratic swish, as `torch.nn.functional.hardswish`."""
    return _apply(fastact.hard_swish, input, inplace=inplace)


def threshold(input: Any, threshold: float, value: float, inplace: bool = False) -> Any:
    """Identity above a threshold, as `torch.nn.functional.threshold`."""
    return _apply(fastact.threshold, input, threshold, value, inplace=inplace)


def glu(input: Any, dim: int = -1) -> Any:
    """Gated linear unit, as `torch.nn.functional.glu`."""
    return _apply(fastact.glu, input, dim)


class _Module:
    """A function with its arguments, which are the object's attributes."""

    _function: Callable[..., Any]

    def forward(self, input: Any) -> Any:
        """Return the module's function of the input."""
        return type(self)._function(input, **self.__dict__)

    def __call__(self, input: Any) -> Any:
        return self.forward(input)

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and self.__dict__ == other.__dict__

    def __hash__(self) -> int:
        return hash((type(self), *self.__dict__.values()))

    def __repr__(self) -> str:
        shown = {k: v for k, v in self.__dict__.items() if not (k == "inplace" and v is False)}
        return f"{type(self).__name__}({', '.join(f'{k}={v!r}' for k, v in shown.items())})"


def _module(name: str, function: Callable[..., Any]) -> Any:
    """The class of that name. Its constructor takes what the function takes beside the input."""
    given = [
        p for p in inspect.signature(function, eval_str=True).parameters.values() if p.name not in ("input", "dtype")
    ]
    signature = inspect.Signature(given)

    def init(self: _Module, *arguments: Any, **named: Any) -> None:
        try:
            bound = signature.bind(*arguments, **named)
        except TypeError as error:
            raise TypeError(f"{name}{signature}: {error}") from None
        bound.apply_defaults()
        self.__dict__.update(bound.arguments)

    receiver = inspect.Parameter("self", inspect.Parameter.POSITIONAL_OR_KEYWORD)
    init.__dict__["__signature__"] = signature.replace(parameters=[receiver, *given])
    body = {
        "__init__": init,
        "_function": staticmethod(function),
        "__doc__": f"`{function.__name__}` as a callable object with the arguments of `torch.nn.{name}`.",
    }
    return type(name, (_Module,), body)


Softmax = _module("Softmax", softmax)
LogSoftmax = _module("LogSoftmax", log_softmax)
Softmin = _module("Softmin", softmin)
Sigmoid = _module("Sigmoid", sigmoid)
Tanh = _module("Tanh", tanh)
ReLU = _module("ReLU", relu)
ReLU6 = _module("ReLU6", relu6)
LeakyReLU = _module("LeakyReLU", leaky_relu)
ELU = _module("ELU", elu)
SELU = _module("SELU", selu)
CELU = _module("CELU", celu)
SiLU = _module("SiLU", silu)
Mish = _module("Mish", mish)
GELU = _module("GELU", gelu)
Softplus = _module("Softplus", softplus)
Softsign = _module("Softsign", softsign)
LogSigmoid = _module("LogSigmoid", logsigmoid)
Hardtanh = _module("Hardtanh", hardtanh)
Hardsigmoid = _module("Hardsigmoid", hardsigmoid)
Hardswish = _module("Hardswish", hardswish)
Threshold = _module("Threshold", threshold)
GLU = _module("GLU", glu)


class PReLU(_Module):
    """`prelu` with a weight array of its own, with the arguments of `torch.nn.PReLU`.

    Examples
    --------
    >>> from fastact.compat.torch import PReLU
    >>> PReLU()([-4.0, 2.0]).tolist()
    [-1.0, 2.0]
    """

    def __init__(self, num_parameters: int = 1, init: float = 0.25) -> None:
        self.num_parameters = num_parameters
        self.weight = np.full(num_parameters, init)

    def forward(self, input: Any) -> Any:
        """Return prelu of the input with the module's weight."""
        return prelu(input, self.weight)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PReLU) and np.array_equal(self.weight, other.weight)

    def __hash__(self) -> int:
        return hash((PReLU, self.num_parameters))

    def __repr__(self) -> str:
        return f"PReLU(num_parameters={self.num_parameters})"
