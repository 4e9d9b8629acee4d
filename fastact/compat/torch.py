"""`torch.nn.functional`'s activations and `torch.nn`'s modules, with their arguments and defaults, on NumPy arrays.

PyTorch tensors on the CPU are accepted too, without a copy, and give tensors. Gradients are not recorded: a tensor that
requires them must be detached first.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import fastact


def _apply(function: Callable[..., Any], input: Any, *arguments: Any, inplace: bool = False, **options: Any) -> Any:
    """The function of an array, or of a tensor as a tensor."""
    if (
        not hasattr(input, "__dlpack__")
        or isinstance(input, np.ndarray | np.generic)
        or not hasattr(input, "requires_grad")
    ):
        if inplace:
            options["out"] = input
        return function(input, *arguments, **options)
    if input.requires_grad:
        raise RuntimeError("input requires a gradient, which would not be recorded: pass input.detach()")
    if input.device.type != "cpu":
        raise TypeError(f"input must be on the CPU, got a tensor on {input.device}")
    import torch

    x = input.numpy()  # shares the tensor's memory, and can be written to
    result = function(x, *arguments, **(options | {"out": x} if inplace else options))
    return input if inplace else torch.from_numpy(np.asarray(result))


def _check_dim(dim: Any) -> int:
    if dim is None:
        raise TypeError("dim must be an integer, got None: which dimension is meant is not guessed here")
    return int(dim)


def softmax(input: Any, dim: int, dtype: Any = None) -> Any:
    """Softmax along dim, as `torch.nn.functional.softmax`; dtype is a NumPy type.

    Examples
    --------
    >>> from fastact.compat.torch import softmax
    >>> softmax([[1.0, 1.0]], dim=1).tolist()
    [[0.5, 0.5]]
    """
    return _apply(fastact.softmax, input, _check_dim(dim), dtype=dtype)


def log_softmax(input: Any, dim: int, dtype: Any = None) -> Any:
    """Logarithm of softmax along dim, as `torch.nn.functional.log_softmax`; dtype is a NumPy type."""
    return _apply(fastact.log_softmax, input, _check_dim(dim), dtype=dtype)


def softmin(input: Any, dim: int, dtype: Any = None) -> Any:
    """Softmax of -input along dim, as `torch.nn.functional.softmin`; dtype is a NumPy type."""
    return _apply(fastact.softmin, input, _check_dim(dim), dtype=dtype)


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


def prelu(input: Any, weight: Any) -> Any:
    """Leaky ReLU with learned slopes, one for each channel (dimension 1) or one, as `torch.nn.functional.prelu`."""
    w = weight.detach().numpy() if hasattr(weight, "detach") else np.asarray(weight)
    ndim = input.ndim if hasattr(input, "ndim") else np.ndim(input)
    if w.size == 1:
        return _apply(fastact.prelu, input, w.reshape(()))
    return _apply(fastact.prelu, input, w, axis=1 if ndim > 1 else 0)


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
    """A function with its arguments: `_defaults` names them, as the `torch.nn` class does."""

    _function: Callable[..., Any]
    _defaults: dict[str, Any] = {}  # noqa: RUF012

    def __init__(self, *arguments: Any, **named: Any) -> None:
        names = list(self._defaults)
        if len(arguments) > len(names):
            raise TypeError(f"{type(self).__name__} takes {len(names)} arguments, got {len(arguments)}")
        given = dict(zip(names, arguments, strict=False))
        for name, value in named.items():
            if name not in names or name in given:
                raise TypeError(f"{type(self).__name__} got {name} twice, or does not take it; it takes {names}")
            given[name] = value
        missing = [n for n in names if n not in given and self._defaults[n] is ...]
        if missing:
            raise TypeError(f"{type(self).__name__} needs {', '.join(missing)}")
        self.__dict__.update(self._defaults | given)

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


def _module(name: str, function: Callable[..., Any], **defaults: Any) -> Any:
    documentation = f"`{function.__name__}` as a callable object with the arguments of `torch.nn.{name}`."
    body = {
        "_function": staticmethod(function),
        "_defaults": defaults,
        "__doc__": documentation,
        "__module__": __name__,
    }
    return type(name, (_Module,), body)


Softmax = _module("Softmax", softmax, dim=None)
LogSoftmax = _module("LogSoftmax", log_softmax, dim=None)
Softmin = _module("Softmin", softmin, dim=None)
Sigmoid = _module("Sigmoid", sigmoid)
Tanh = _module("Tanh", tanh)
ReLU = _module("ReLU", relu, inplace=False)
ReLU6 = _module("ReLU6", relu6, inplace=False)
LeakyReLU = _module("LeakyReLU", leaky_relu, negative_slope=0.01, inplace=False)
ELU = _module("ELU", elu, alpha=1.0, inplace=False)
SELU = _module("SELU", selu, inplace=False)
CELU = _module("CELU", celu, alpha=1.0, inplace=False)
SiLU = _module("SiLU", silu, inplace=False)
Mish = _module("Mish", mish, inplace=False)
GELU = _module("GELU", gelu, approximate="none")
Softplus = _module("Softplus", softplus, beta=1.0, threshold=20.0)
Softsign = _module("Softsign", softsign)
LogSigmoid = _module("LogSigmoid", logsigmoid)
Hardtanh = _module("Hardtanh", hardtanh, min_val=-1.0, max_val=1.0, inplace=False)
Hardsigmoid = _module("Hardsigmoid", hardsigmoid, inplace=False)
Hardswish = _module("Hardswish", hardswish, inplace=False)
Threshold = _module("Threshold", threshold, threshold=..., value=..., inplace=False)
GLU = _module("GLU", glu, dim=-1)


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
        dtype = np.dtype(str(getattr(input, "dtype", "float64")).removeprefix("torch."))
        return prelu(input, self.weight.astype(dtype) if dtype.kind == "f" else self.weight)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PReLU) and np.array_equal(self.weight, other.weight)

    def __hash__(self) -> int:
        return hash((PReLU, self.num_parameters))

    def __repr__(self) -> str:
        return f"PReLU(num_parameters={self.num_parameters})"
