"""The libraries that fastact is compared with, and fastact itself: the one place that knows how to call them.

Every library is a class. A method named after a row function takes C-contiguous arrays and an axis, and returns a call
without arguments that computes it along that; the method ``NAME_out`` is the same with the result in an array made
beforehand. A library without such a function has no such method; one without a parameter ``axis`` knows only the last.

The elementwise activations and their gradients are those of the C list, and come from a table in each class: the
library's own words for each, which its method ``made`` turns into a call. In PyTorch and JAX a function that has no
entry of its own is looked for under the name it has in the list. What does not fit a table has a method, as above.
"""

# Every method is named after what it computes.
# ruff: noqa: D102

from __future__ import annotations

import importlib
import inspect
import os
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from importlib import metadata
from importlib.util import find_spec
from typing import Any, ClassVar

import numpy as np

import fastact
from fastact import _core

Array = np.ndarray[Any, Any]
Call = Callable[[], Any]
Table = Mapping[str, Any]

FUNCTIONS = (*_core.activations, *(f"{name}_backward" for name in _core.activations))
"""Every elementwise activation of the list, then their gradients."""

ROW_FUNCTIONS = ("softmax", "log_softmax", "logsumexp", "softmax_backward", "log_softmax_backward")
"""What is computed along an axis."""

_CHOSEN = {"weight": 0.25, "threshold": 0.1, "value": 0.2}


def standard(function: str) -> dict[str, float]:
    """Parameters that the libraries are compared with.

    Parameters
    ----------
    function : str
        One of `FUNCTIONS`.

    Returns
    -------
    dict
        Name -> default, or a fixed number where there is none.
    """
    parameters = _core.activations[function.removesuffix("_backward")]["parameters"]
    return {
        name: min(max(_CHOSEN.get(name, 0.25), low), high) if default is None else default
        for name, default, low, high in parameters
    }


class Peer:
    """A library, set to use so many threads."""

    name: ClassVar[str]
    modules: ClassVar[tuple[str, ...]]
    """What must be importable; the first has the version."""
    tables: ClassVar[tuple[Table, Table]] = ({}, {})
    """Members of `FUNCTIONS` -> what `made` takes, or None. The second is for a given output."""

    def __init__(self, threads: int) -> None:
        """Import the library. Where it takes no number of threads, it has one."""

    @classmethod
    def is_installed(cls) -> bool:
        """Whether the library can be imported, without importing it."""
        return all(find_spec(module) for module in cls.modules)

    @classmethod
    def installed_version(cls) -> str:
        """The library's version."""
        return str(importlib.import_module(cls.modules[0]).__version__)

    @property
    def version(self) -> str:
        """The library's version."""
        return self.installed_version()

    @classmethod
    def has(cls, function: str, *, given_output: bool = False) -> bool:
        """Whether `call` may have such a function, in a library that need not be installed."""
        return hasattr(cls, _method(function, given_output)) or cls.tables[given_output].get(function) is not None

    def made(self, function: str, entry: Any, operands: tuple[Array, ...], given_output: bool) -> Call | None:
        """A call of what an entry of `tables` stands for; None where this version of the library lacks it."""
        raise NotImplementedError

    def call(self, function: str, *operands: Array, axis: int = -1, given_output: bool = False) -> Call | None:
        """A call that computes a row function, or one of `FUNCTIONS` with its `standard` parameters.

        Parameters
        ----------
        function : str
            Its name in fastact, or in the list.
        *operands : ndarray
            Its array arguments, C-contiguous.
        axis : int, default: -1
            What a row function is taken along.
        given_output : bool, default: False
            Write into an array made beforehand, instead of a new one.

        Returns
        -------
        callable or None
            It takes no arguments and returns what `numpy.asarray` takes. None: the library has no such function, or
            not for this type or axis.
        """
        make: Callable[..., Call | None] | None = getattr(self, _method(function, given_output), None)
        if make and axis == -1:
            return make(*operands)
        if make:
            return make(*operands, axis=axis) if "axis" in inspect.signature(make).parameters else None
        entry = self.tables[given_output].get(function)
        return None if entry is None else self.made(function, entry, operands, given_output)


def _method(function: str, given_output: bool) -> str:
    return f"{function}_out" if given_output else function


def _public(function: str) -> Callable[..., Any]:
    """The public function; a variant is reached by an argument: gelu_tanh is gelu(approximate="tanh")."""
    if hasattr(fastact, function):
        return getattr(fastact, function)  # type: ignore[no-any-return]
    name = function.removesuffix("_backward")
    base, _, variant = name.rpartition("_")
    return partial(getattr(fastact, base + function[len(name) :]), approximate=variant)


def _takes_out(function: Callable[..., Any]) -> bool:
    return "out" in inspect.signature(function).parameters


class Fastact(Peer):
    """fastact."""

    name = "fastact"
    modules = ("fastact",)
    tables = (
        {function: _public(function) for function in FUNCTIONS},
        {function: _public(function) for function in FUNCTIONS if _takes_out(_public(function))},
    )

    def __init__(self, threads: int) -> None:
        fastact.set_num_threads(threads)

    def made(self, function: str, entry: Any, operands: tuple[Array, ...], given_output: bool) -> Call:
        call = partial(entry, *operands, *standard(function).values())
        if not _takes_out(entry):
            return lambda: call()[0]  # the gradient with respect to x, before those with respect to parameters
        return partial(call, out=np.empty_like(operands[0])) if given_output else call

    def softmax(self, x: Array, axis: int = -1) -> Call:
        return partial(fastact.softmax, x, axis)

    def softmax_out(self, x: Array, axis: int = -1) -> Call:
        return partial(fastact.softmax, x, axis, out=np.empty_like(x))

    def log_softmax(self, x: Array, axis: int = -1) -> Call:
        return partial(fastact.log_softmax, x, axis)

    def log_softmax_out(self, x: Array, axis: int = -1) -> Call:
        return partial(fastact.log_softmax, x, axis, out=np.empty_like(x))

    def logsumexp(self, x: Array, axis: int = -1) -> Call:
        return partial(fastact.logsumexp, x, axis)

    def logsumexp_out(self, x: Array, axis: int = -1) -> Call:
        return partial(fastact.logsumexp, x, axis, out=_reduced(x, axis))

    def softmax_backward(self, grad: Array, y: Array, axis: int = -1) -> Call:
        return partial(fastact.softmax_backward, grad, y, axis)

    def softmax_backward_out(self, grad: Array, y: Array, axis: int = -1) -> Call:
        return partial(fastact.softmax_backward, grad, y, axis, out=np.empty_like(y))

    def log_softmax_backward(self, grad: Array, y: Array, axis: int = -1) -> Call:
        return partial(fastact.log_softmax_backward, grad, y, axis)

    def log_softmax_backward_out(self, grad: Array, y: Array, axis: int = -1) -> Call:
        return partial(fastact.log_softmax_backward, grad, y, axis, out=np.empty_like(y))


def _reduced(x: Array, axis: int) -> Array:
    """An array for one result for each row."""
    return np.empty(np.delete(x.shape, axis), x.dtype)


_SELU_SCALE = 1.0507009873554804934193349852946
_SELU_ALPHA = 1.6732632423543772848170429916717
_UFUNCS: Table = {
    "tanh": np.tanh,
    "relu": partial(np.maximum, 0),
    "softplus": partial(np.logaddexp, 0),
    "relu6": partial(np.clip, a_min=0, a_max=6),
    "hard_tanh": partial(np.clip, a_min=-1, a_max=1),
}
_FORMULAS: Table = {
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "leaky_relu": lambda x: np.where(x > 0, x, 0.01 * x),
    "prelu": lambda x: np.where(x > 0, x, 0.25 * x),
    "elu": lambda x: np.where(x > 0, x, np.expm1(np.minimum(x, 0))),
    "selu": lambda x: _SELU_SCALE * np.where(x > 0, x, _SELU_ALPHA * np.expm1(np.minimum(x, 0))),
    "celu": lambda x: np.where(x > 0, x, np.expm1(np.minimum(x, 0))),
    "silu": lambda x: x / (1 + np.exp(-x)),
    "swish": lambda x: x / (1 + np.exp(-x)),
    "softsign": lambda x: x / (1 + np.abs(x)),
    "gelu_tanh": lambda x: 0.5 * x * (1 + np.tanh(0.7978845608028654 * (x + 0.044715 * x * x * x))),
    "log_sigmoid": lambda x: -np.logaddexp(0, -x),
    "mish": lambda x: x * np.tanh(np.logaddexp(0, x)),
    "hard_sigmoid": lambda x: np.clip(x / 6 + 0.5, 0, 1),
    "hard_swish": lambda x: x * np.clip(x + 3, 0, 6) / 6,
    "threshold": lambda x: np.where(x > 0.1, x, 0.2),
    "sigmoid_backward": lambda g, y: g * y * (1 - y),
    "tanh_backward": lambda g, y: g * (1 - y * y),
    "relu_backward": lambda g, x: g * (x > 0),
    "leaky_relu_backward": lambda g, x: np.where(x > 0, g, 0.01 * g),
    "softplus_backward": lambda g, x: g / (1 + np.exp(-x)),
    "softsign_backward": lambda g, x: g / (1 + np.abs(x)) ** 2,
    "log_sigmoid_backward": lambda g, x: g / (1 + np.exp(x)),
    "relu6_backward": lambda g, x: g * ((x > 0) & (x < 6)),
    "hard_tanh_backward": lambda g, x: g * (np.abs(x) < 1),
    "threshold_backward": lambda g, x: g * (x > 0.1),
}


class NumPy(Peer):
    """What one writes without any of the others."""

    name = "NumPy"
    modules = ("numpy",)
    tables = ({**_UFUNCS, **_FORMULAS}, _UFUNCS)

    def made(self, function: str, entry: Any, operands: tuple[Array, ...], given_output: bool) -> Call:
        return partial(entry, *operands, **({"out": np.empty_like(operands[0])} if given_output else {}))

    def softmax(self, x: Array, axis: int = -1) -> Call:
        def call() -> Any:
            e = np.exp(x - x.max(axis=axis, keepdims=True))
            e /= e.sum(axis=axis, keepdims=True)
            return e

        return call

    def softmax_out(self, x: Array, axis: int = -1) -> Call:
        y = np.empty_like(x)

        def call() -> Array:
            np.subtract(x, x.max(axis=axis, keepdims=True), out=y)
            np.exp(y, out=y)
            np.divide(y, y.sum(axis=axis, keepdims=True), out=y)
            return y

        return call

    def log_softmax(self, x: Array, axis: int = -1) -> Call:
        def call() -> Any:
            d = x - x.max(axis=axis, keepdims=True)
            d -= np.log(np.exp(d).sum(axis=axis, keepdims=True))
            return d

        return call

    def logsumexp(self, x: Array, axis: int = -1) -> Call:
        def call() -> Any:
            m = x.max(axis=axis, keepdims=True)
            return m.squeeze(axis) + np.log(np.exp(x - m).sum(axis=axis))

        return call

    def softmax_backward(self, grad: Array, y: Array, axis: int = -1) -> Call:
        return lambda: y * (grad - (grad * y).sum(axis=axis, keepdims=True))

    def log_softmax_backward(self, grad: Array, y: Array, axis: int = -1) -> Call:
        return lambda: grad - np.exp(y) * grad.sum(axis=axis, keepdims=True)


_SPECIAL: Table = {"sigmoid": "expit", "log_sigmoid": "log_expit", "softplus": "softplus"}


class SciPy(Peer):
    """scipy.special."""

    name = "SciPy"
    modules = ("scipy",)
    tables = (_SPECIAL, _SPECIAL)

    def __init__(self, threads: int) -> None:
        self.special = importlib.import_module("scipy.special")

    def made(self, function: str, entry: Any, operands: tuple[Array, ...], given_output: bool) -> Call | None:
        ufunc = getattr(self.special, entry, None)
        if ufunc is None:
            return None
        return partial(ufunc, *operands, **({"out": np.empty_like(operands[0])} if given_output else {}))

    def softmax(self, x: Array, axis: int = -1) -> Call:
        return partial(self.special.softmax, x, axis=axis)

    def log_softmax(self, x: Array, axis: int = -1) -> Call:
        return partial(self.special.log_softmax, x, axis=axis)

    def logsumexp(self, x: Array, axis: int = -1) -> Call:
        return partial(self.special.logsumexp, x, axis=axis)


class ScikitLearn(Peer):
    """sklearn.utils.extmath, which `predict_proba` uses."""

    name = "scikit-learn"
    modules = ("sklearn",)

    def __init__(self, threads: int) -> None:
        self.extmath = importlib.import_module("sklearn.utils.extmath")

    def softmax(self, x: Array) -> Call | None:
        return partial(self.extmath.softmax, x) if x.ndim == 2 else None


# Operator of torch.ops.aten, and arguments that the list does not give. Functions that only call another one are
# entered as that: unlike their own, its out= writes to the array directly.
_SELU = {"alpha": _SELU_ALPHA, "scale": _SELU_SCALE, "input_scale": 1}
_ELU_BACKWARD = {"scale": 1, "input_scale": 1, "is_result": False}
_ATEN: Table = {
    **{function: (function, {}) for function in FUNCTIONS},
    "relu": ("clamp_min", {"min": 0}),
    "relu_backward": ("threshold_backward", {"threshold": 0}),
    "leaky_relu_backward": ("leaky_relu_backward", {"self_is_result": False}),
    "prelu": None,
    "elu_backward": ("elu_backward", _ELU_BACKWARD),
    "selu": ("elu", _SELU),
    "selu_backward": ("elu_backward", {**_ELU_BACKWARD, **_SELU}),
    "celu": ("elu", {}),
    "celu_backward": ("elu_backward", _ELU_BACKWARD),
    "swish": ("silu", {}),
    "swish_backward": ("silu_backward", {}),
    "softplus_backward": ("softplus_backward", {"threshold": 20}),
    "softsign": None,
    "softsign_backward": None,
    "gelu_tanh": ("gelu", {"approximate": "tanh"}),
    "gelu_tanh_backward": ("gelu_backward", {"approximate": "tanh"}),
    "prelu_backward": None,
    "relu6": ("hardtanh", {"min_val": 0, "max_val": 6}),
    "relu6_backward": ("hardtanh_backward", {"min_val": 0, "max_val": 6}),
    "hard_tanh": ("hardtanh", {}),
    "hard_tanh_backward": ("hardtanh_backward", {}),
    "hard_sigmoid": ("hardsigmoid", {}),
    "hard_sigmoid_backward": ("hardsigmoid_backward", {}),
    "hard_swish": ("hardswish", {}),
    "hard_swish_backward": ("hardswish_backward", {}),
}


class PyTorch(Peer):
    """torch, on tensors that share the arrays' memory."""

    name = "PyTorch"
    modules = ("torch",)
    tables = (_ATEN, _ATEN)

    def __init__(self, threads: int) -> None:
        self.torch = importlib.import_module("torch")
        self.torch.set_num_threads(threads)

    def made(self, function: str, entry: Any, operands: tuple[Array, ...], given_output: bool) -> Call | None:
        operator = getattr(self.torch.ops.aten, entry[0], None)
        overloads = ("out", "grad_input") if given_output else ("default",)
        overload = next((getattr(operator, name) for name in overloads if hasattr(operator, name)), None)
        if overload is None:
            return None
        tensors = [self.torch.from_numpy(a) for a in operands]
        if given_output:
            tensors.append(self.torch.empty_like(tensors[0]))
        # Where torch itself has the function, it takes the same arguments a microsecond faster.
        bindings = (self.torch, self.torch._C._nn) if len(operands) == 1 else ()
        binding = next((getattr(module, entry[0]) for module in bindings if hasattr(module, entry[0])), overload)
        given = {**standard(function), **entry[1]}
        left = iter(tensors)
        by_position, by_name = [], {}
        for argument in overload._schema.arguments:  # the input is not always the first, nor are all parameters known
            is_tensor = str(argument.type) == "Tensor"
            value = next(left) if is_tensor else given.get(argument.name, argument.default_value)
            if argument.kwarg_only:
                by_name[argument.name] = value
            else:
                by_position.append(value)
        return partial(binding, *by_position, **by_name)

    def softsign(self, x: Array) -> Call:
        return partial(self.torch.nn.functional.softsign, self.torch.from_numpy(x))

    def prelu(self, x: Array) -> Call:
        t = self.torch.from_numpy(x)
        return partial(self.torch.prelu, t, t.new_full((1,), standard("prelu")["weight"]))

    def prelu_backward(self, grad: Array, x: Array) -> Call:
        g, t = self.torch.from_numpy(grad), self.torch.from_numpy(x)
        weight = t.new_full((1,), standard("prelu")["weight"])

        def call() -> Any:
            dx, dweight = self.torch.ops.aten._prelu_kernel_backward.default(g, t, weight)
            dweight.sum()  # as autograd does for a single weight; fastact computes that too
            return dx

        return call

    def log_sigmoid_backward(self, grad: Array, x: Array) -> Call:
        # PyTorch's forward leaves it these exponentials: it gets for nothing what the others compute.
        g, t, buffer = (self.torch.from_numpy(a) for a in (grad, x, np.exp(-np.abs(x))))
        return partial(self.torch.ops.aten.log_sigmoid_backward.default, g, t, buffer)

    def log_sigmoid_backward_out(self, grad: Array, x: Array) -> Call:
        g, t, buffer = (self.torch.from_numpy(a) for a in (grad, x, np.exp(-np.abs(x))))
        y = self.torch.empty_like(t)
        return partial(self.torch.ops.aten.log_sigmoid_backward.grad_input, g, t, buffer, grad_input=y)

    def softmax(self, x: Array, axis: int = -1) -> Call:
        return partial(self.torch.softmax, self.torch.from_numpy(x), axis)

    def softmax_out(self, x: Array, axis: int = -1) -> Call:
        t = self.torch.from_numpy(x)
        return partial(self.torch.softmax, t, axis, out=self.torch.empty_like(t))

    def log_softmax(self, x: Array, axis: int = -1) -> Call:
        return partial(self.torch.log_softmax, self.torch.from_numpy(x), axis)

    def log_softmax_out(self, x: Array, axis: int = -1) -> Call:
        t = self.torch.from_numpy(x)
        return partial(self.torch.log_softmax, t, axis, out=self.torch.empty_like(t))

    def logsumexp(self, x: Array, axis: int = -1) -> Call:
        return partial(self.torch.logsumexp, self.torch.from_numpy(x), axis)

    def logsumexp_out(self, x: Array, axis: int = -1) -> Call:
        out = self.torch.from_numpy(_reduced(x, axis))
        return partial(self.torch.logsumexp, self.torch.from_numpy(x), axis, out=out)

    def softmax_backward(self, grad: Array, y: Array, axis: int = -1) -> Call:
        return self._backward("_softmax_backward_data", grad, y, axis)

    def softmax_backward_out(self, grad: Array, y: Array, axis: int = -1) -> Call:
        return self._backward("_softmax_backward_data", grad, y, axis, "grad_input")

    def log_softmax_backward(self, grad: Array, y: Array, axis: int = -1) -> Call:
        return self._backward("_log_softmax_backward_data", grad, y, axis)

    def log_softmax_backward_out(self, grad: Array, y: Array, axis: int = -1) -> Call:
        return self._backward("_log_softmax_backward_data", grad, y, axis, "out")

    def _backward(self, name: str, grad: Array, y: Array, axis: int, out: str | None = None) -> Call:
        operator = getattr(self.torch.ops.aten, name)
        g, t = self.torch.from_numpy(grad), self.torch.from_numpy(y)
        if out is None:
            return partial(operator.default, g, t, axis, t.dtype)
        return partial(operator.out, g, t, axis, t.dtype, **{out: self.torch.empty_like(t)})


class TorchCompile(PyTorch):
    """torch.compile of PyTorch's functions. It takes a C++ compiler seconds for each shape and type."""

    name = "torch.compile"
    tables = ({}, {})

    def __init__(self, threads: int) -> None:
        os.environ.setdefault("TORCHINDUCTOR_COMPILE_THREADS", "1")  # no processes of its own beside what is timed
        super().__init__(threads)

    @classmethod
    def has(cls, function: str, *, given_output: bool = False) -> bool:
        return not given_output and function in ("softmax", "log_softmax", "logsumexp", "gelu", "silu")

    def call(self, function: str, *operands: Array, axis: int = -1, given_output: bool = False) -> Call | None:
        if not self.has(function, given_output=given_output):
            return None
        name = getattr(self.torch, function, None) or getattr(self.torch.nn.functional, function)
        rows = {} if function in FUNCTIONS else {"dim": axis}
        (t,) = (self.torch.from_numpy(a) for a in operands)
        return partial(self.torch.compile(lambda t: name(t, **rows), dynamic=False), t)


# Operator, version of the operator set, attributes, inputs after x.
_ONNX: Table = {
    "sigmoid": ("Sigmoid", 13, {}, ()),
    "tanh": ("Tanh", 13, {}, ()),
    "relu": ("Relu", 13, {}, ()),
    "leaky_relu": ("LeakyRelu", 13, {"alpha": 0.01}, ()),
    "prelu": ("PRelu", 13, {}, (0.25,)),
    "elu": ("Elu", 13, {}, ()),
    "selu": ("Selu", 13, {}, ()),
    "celu": ("Celu", 13, {}, ()),
    "silu": ("Swish", 24, {}, ()),
    "swish": ("Swish", 24, {}, ()),
    "softplus": ("Softplus", 13, {}, ()),
    "softsign": ("Softsign", 13, {}, ()),
    "gelu": ("Gelu", 20, {}, ()),
    "gelu_tanh": ("Gelu", 20, {"approximate": "tanh"}, ()),
    "mish": ("Mish", 18, {}, ()),
    "relu6": ("Clip", 13, {}, (0, 6)),
    "hard_tanh": ("Clip", 13, {}, (-1, 1)),
    "hard_sigmoid": ("HardSigmoid", 13, {"alpha": 1 / 6, "beta": 0.5}, ()),
    "hard_swish": ("HardSwish", 14, {}, ()),
}


class OnnxRuntime(Peer):
    """onnxruntime, with a model of one node."""

    name = "ONNX Runtime"
    modules = ("onnxruntime", "onnx")
    tables = (_ONNX, _ONNX)

    def __init__(self, threads: int) -> None:
        self.onnxruntime = importlib.import_module("onnxruntime")
        self.onnx = importlib.import_module("onnx")
        self.options = self.onnxruntime.SessionOptions()
        self.options.intra_op_num_threads = threads
        self.options.inter_op_num_threads = 1

    def session(
        self, operator: str, x: Array, opset: int = 13, rest: Sequence[float] = (), **attributes: object
    ) -> Any:
        """An inference session of one operator, from x to y; the rest of its inputs is constant."""
        helper = self.onnx.helper
        element = helper.np_dtype_to_tensor_dtype(x.dtype)
        constants = [helper.make_tensor(f"c{k}", element, (), [value]) for k, value in enumerate(rest)]
        node = helper.make_node(operator, ["x", *(c.name for c in constants)], ["y"], **attributes)
        ends = [helper.make_tensor_value_info(name, element, None) for name in "xy"]
        graph = helper.make_graph([node], operator, ends[:1], ends[1:], constants)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)
        return self.onnxruntime.InferenceSession(
            model.SerializeToString(), self.options, providers=["CPUExecutionProvider"]
        )

    def allocating(self, session: Any, x: Array) -> Call:
        return lambda: session.run(None, {"x": x})[0]

    def bound(self, session: Any, x: Array, y: Array) -> Call:
        binding = session.io_binding()
        binding.bind_input("x", "cpu", 0, x.dtype, x.shape, x.ctypes.data)
        binding.bind_output("y", "cpu", 0, y.dtype, y.shape, y.ctypes.data)

        def call(x: Array = x) -> Array:  # the binding holds bare pointers: this keeps the arrays alive
            session.run_with_iobinding(binding)
            return y

        return call

    def made(self, function: str, entry: Any, operands: tuple[Array, ...], given_output: bool) -> Call | None:
        operator, opset, attributes, rest = entry
        (x,) = operands
        errors = importlib.import_module("onnxruntime.capi.onnxruntime_pybind11_state")
        try:
            session = self.session(operator, x, opset, rest, **attributes)
        except (errors.NotImplemented, errors.InvalidGraph, errors.Fail):
            return None  # no kernel for the type, a type that the operator does not have, or an operator too new
        return self.bound(session, x, np.empty_like(x)) if given_output else self.allocating(session, x)

    def softmax(self, x: Array, axis: int = -1) -> Call:
        return self.allocating(self.session("Softmax", x, axis=axis), x)

    def softmax_out(self, x: Array, axis: int = -1) -> Call:
        return self.bound(self.session("Softmax", x, axis=axis), x, np.empty_like(x))

    def log_softmax(self, x: Array, axis: int = -1) -> Call:
        return self.allocating(self.session("LogSoftmax", x, axis=axis), x)

    def log_softmax_out(self, x: Array, axis: int = -1) -> Call:
        return self.bound(self.session("LogSoftmax", x, axis=axis), x, np.empty_like(x))

    def logsumexp(self, x: Array, axis: int = -1) -> Call:
        return self.allocating(self.session("ReduceLogSumExp", x, axes=[axis], keepdims=0), x)

    def logsumexp_out(self, x: Array, axis: int = -1) -> Call:
        return self.bound(self.session("ReduceLogSumExp", x, axes=[axis], keepdims=0), x, _reduced(x, axis))


# Name in jax.nn and keywords, or a function of jax.numpy and x. A gradient is that of the function, compiled.
_JAX: Table = {
    **{name: (name, {}) for name in _core.activations},
    "prelu": ("leaky_relu", {"negative_slope": 0.25}),
    "softsign": ("soft_sign", {}),
    "gelu": ("gelu", {"approximate": False}),
    "gelu_tanh": ("gelu", {"approximate": True}),
    "threshold": lambda jnp, x: jnp.where(x > 0.1, x, 0.2),
}


class Jax(Peer):
    """jax.nn, compiled, on arrays of its own."""

    name = "JAX"
    modules = ("jax", "jaxlib")
    tables = (
        {
            **_JAX,
            **{f"{name}_backward": entry for name, entry in _JAX.items() if _core.activations[name]["needs"] == "x"},
        },
        {},
    )

    def __init__(self, threads: int) -> None:
        # Read when JAX is first imported: the size of its thread pool, and whether one operation may use it.
        os.environ["NPROC"] = str(threads)
        if threads == 1:
            flags = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
            os.environ["XLA_FLAGS"] = f"{os.environ.get('XLA_FLAGS', '')} {flags}".strip()
        self.jax = importlib.import_module("jax")
        self.jax.config.update("jax_platforms", "cpu")
        self.jax.config.update("jax_enable_x64", True)

    def compiled(self, function: Callable[..., Any], *operands: Array) -> Call:
        compiled = self.jax.jit(function)
        arrays = [self.jax.numpy.asarray(a) for a in operands]
        return lambda: compiled(*arrays).block_until_ready()

    def made(self, function: str, entry: Any, operands: tuple[Array, ...], given_output: bool) -> Call | None:
        if callable(entry):
            forward = partial(entry, self.jax.numpy)
        elif hasattr(self.jax.nn, entry[0]):
            forward = partial(getattr(self.jax.nn, entry[0]), **entry[1])
        else:
            return None
        if len(operands) == 1:
            return self.compiled(forward, *operands)
        return self.compiled(lambda g, x: self.jax.vjp(forward, x)[1](g)[0], *operands)

    def sigmoid_backward(self, grad: Array, y: Array) -> Call:
        return self.compiled(lambda g, y: g * y * (1 - y), grad, y)

    def tanh_backward(self, grad: Array, y: Array) -> Call:
        return self.compiled(lambda g, y: g * (1 - y * y), grad, y)

    def prelu_backward(self, grad: Array, x: Array) -> Call:
        compiled = self.jax.jit(lambda g, x, w: self.jax.vjp(self.jax.nn.leaky_relu, x, w)[1](g))
        arrays = [self.jax.numpy.asarray(a) for a in (grad, x, np.asarray(standard("prelu")["weight"], x.dtype))]
        return lambda: compiled(*arrays)[0].block_until_ready()  # with the weight's gradient, as fastact's

    def softmax(self, x: Array, axis: int = -1) -> Call:
        return self.compiled(partial(self.jax.nn.softmax, axis=axis), x)

    def log_softmax(self, x: Array, axis: int = -1) -> Call:
        return self.compiled(partial(self.jax.nn.log_softmax, axis=axis), x)

    def logsumexp(self, x: Array, axis: int = -1) -> Call:
        return self.compiled(partial(self.jax.nn.logsumexp, axis=axis), x)

    def softmax_backward(self, grad: Array, y: Array, axis: int = -1) -> Call:
        return self.compiled(lambda g, y: y * (g - (g * y).sum(axis=axis, keepdims=True)), grad, y)

    def log_softmax_backward(self, grad: Array, y: Array, axis: int = -1) -> Call:
        return self.compiled(lambda g, y: g - self.jax.numpy.exp(y) * g.sum(axis=axis, keepdims=True), grad, y)


# What has no constant but whole numbers, which leave float32 as it is.
_NUMEXPR: Table = {
    "sigmoid": "1 / (1 + exp(-x))",
    "tanh": "tanh(x)",
    "relu": "where(x > 0, x, 0)",
    "elu": "where(x > 0, x, expm1(x))",
    "celu": "where(x > 0, x, expm1(x))",
    "silu": "x / (1 + exp(-x))",
    "swish": "x / (1 + exp(-x))",
    "softplus": "where(x > 0, x, 0) + log1p(exp(-abs(x)))",
    "softsign": "x / (1 + abs(x))",
    "log_sigmoid": "where(x < 0, x, 0) - log1p(exp(-abs(x)))",
    "mish": "x * tanh(where(x > 0, x, 0) + log1p(exp(-abs(x))))",
    "relu6": "where(x < 0, 0, where(x > 6, 6, x))",
    "hard_tanh": "where(x < -1, -1, where(x > 1, 1, x))",
    "hard_sigmoid": "where(x < -3, 0, where(x > 3, 1, (x + 3) / 6))",
    "hard_swish": "x * where(x < -3, 0, where(x > 3, 6, x + 3)) / 6",
    "sigmoid_backward": "g * x * (1 - x)",
    "tanh_backward": "g * (1 - x * x)",
    "relu_backward": "where(x > 0, g, 0)",
    "softplus_backward": "g / (1 + exp(-x))",
    "softsign_backward": "g / (1 + abs(x)) ** 2",
    "log_sigmoid_backward": "g / (1 + exp(x))",
}


class NumExpr(Peer):
    """numexpr, with NumPy for what is taken over rows."""

    name = "numexpr"
    modules = ("numexpr",)
    tables = (_NUMEXPR, _NUMEXPR)

    def __init__(self, threads: int) -> None:
        self.numexpr = importlib.import_module("numexpr")
        self.numexpr.set_num_threads(threads)

    def evaluate(self, expression: str, *, out: Array | None = None, **arrays: Array) -> Any:
        # As everyone calls it: the compiled expression is found in numexpr's own cache.
        return self.numexpr.evaluate(expression, arrays, {}, out=out)

    def call(self, function: str, *operands: Array, axis: int = -1, given_output: bool = False) -> Call | None:
        if operands[0].dtype == np.float16:
            return None
        return super().call(function, *operands, axis=axis, given_output=given_output)

    def made(self, function: str, entry: Any, operands: tuple[Array, ...], given_output: bool) -> Call:
        arrays = dict(zip("gx" if len(operands) == 2 else "x", operands, strict=True))
        return partial(self.evaluate, entry, out=np.empty_like(operands[0]) if given_output else None, **arrays)

    def softmax(self, x: Array, axis: int = -1) -> Call:
        return partial(self._softmax, x, axis)

    def softmax_out(self, x: Array, axis: int = -1) -> Call:
        return partial(self._softmax, x, axis, np.empty_like(x))

    def _softmax(self, x: Array, axis: int, out: Array | None = None) -> Any:
        e = self.evaluate("exp(x - m)", x=x, m=x.max(axis=axis, keepdims=True), out=out)
        e /= e.sum(axis=axis, keepdims=True)
        return e

    def log_softmax(self, x: Array, axis: int = -1) -> Call:
        def call() -> Any:
            m = x.max(axis=axis, keepdims=True)
            s = self.evaluate("exp(x - m)", x=x, m=m).sum(axis=axis, keepdims=True)
            return self.evaluate("x - m - log(s)", x=x, m=m, s=s)

        return call

    def logsumexp(self, x: Array, axis: int = -1) -> Call:
        def call() -> Any:
            m = x.max(axis=axis, keepdims=True)
            s = self.evaluate("exp(x - m)", x=x, m=m).sum(axis=axis, keepdims=True)
            return (m + np.log(s)).squeeze(axis)

        return call

    def softmax_backward(self, grad: Array, y: Array, axis: int = -1) -> Call:
        def call() -> Any:
            s = self.evaluate("g * y", g=grad, y=y).sum(axis=axis, keepdims=True)
            return self.evaluate("y * (g - s)", g=grad, y=y, s=s)

        return call

    def log_softmax_backward(self, grad: Array, y: Array, axis: int = -1) -> Call:
        def call() -> Any:
            return self.evaluate("g - exp(y) * s", g=grad, y=y, s=grad.sum(axis=axis, keepdims=True))

        return call


class Numba(Peer):
    """numba.njit of loops over rows, with prange for more than one thread."""

    name = "Numba"
    modules = ("numba",)

    def __init__(self, threads: int) -> None:
        self.numba = numba = importlib.import_module("numba")
        numba.set_num_threads(min(threads, numba.config.NUMBA_NUM_THREADS))
        prange = numba.prange

        def softmax(x: Array, y: Array) -> None:
            for i in prange(x.shape[0]):
                m = x[i, 0]
                for j in range(x.shape[1]):
                    m = max(m, x[i, j])
                s = x.dtype.type(0)
                for j in range(x.shape[1]):
                    y[i, j] = np.exp(x[i, j] - m)
                    s += y[i, j]
                for j in range(x.shape[1]):
                    y[i, j] /= s

        def logsumexp(x: Array, y: Array) -> None:
            for i in prange(x.shape[0]):
                m = x[i, 0]
                for j in range(x.shape[1]):
                    m = max(m, x[i, j])
                s = x.dtype.type(0)
                for j in range(x.shape[1]):
                    s += np.exp(x[i, j] - m)
                y[i] = m + np.log(s)

        def log_softmax(x: Array, y: Array) -> None:
            for i in prange(x.shape[0]):
                m = x[i, 0]
                for j in range(x.shape[1]):
                    m = max(m, x[i, j])
                s = x.dtype.type(0)
                for j in range(x.shape[1]):
                    s += np.exp(x[i, j] - m)
                t = np.log(s)
                for j in range(x.shape[1]):
                    y[i, j] = (x[i, j] - m) - t

        def softmax_backward(g: Array, y: Array, dx: Array) -> None:
            for i in prange(y.shape[0]):
                s = y.dtype.type(0)
                for j in range(y.shape[1]):
                    s += g[i, j] * y[i, j]
                for j in range(y.shape[1]):
                    dx[i, j] = y[i, j] * (g[i, j] - s)

        def log_softmax_backward(g: Array, y: Array, dx: Array) -> None:
            for i in prange(y.shape[0]):
                s = y.dtype.type(0)
                for j in range(y.shape[1]):
                    s += g[i, j]
                for j in range(y.shape[1]):
                    dx[i, j] = g[i, j] - np.exp(y[i, j]) * s

        loops = (softmax, log_softmax, logsumexp, softmax_backward, log_softmax_backward)
        self.loops = {loop.__name__: numba.njit(loop, parallel=threads > 1) for loop in loops}

    @classmethod
    def has(cls, function: str, *, given_output: bool = False) -> bool:
        return function in ROW_FUNCTIONS

    def call(self, function: str, *operands: Array, axis: int = -1, given_output: bool = False) -> Call | None:
        x = operands[0]
        if function not in self.loops or axis != -1 or x.dtype == np.float16:
            return None
        loop, rows = self.loops[function], [a.reshape(-1, a.shape[-1]) for a in operands]
        shape = x.shape[:-1] if function == "logsumexp" else x.shape
        flat = rows[0].shape[: 1 if function == "logsumexp" else 2]

        def call() -> Array:
            y = np.empty(shape, x.dtype)
            loop(*rows, y.reshape(flat))
            return y

        y = np.empty(shape, x.dtype)
        to = y.reshape(flat)

        def call_out() -> Array:
            loop(*rows, to)
            return y

        return call_out if given_output else call


# Its gelu is left out: an approximation that float64 does not better.
_THINC: Table = {
    "sigmoid": "sigmoid",
    "relu": "relu",
    "relu6": "relu_k",
    "silu": "swish",
    "swish": "swish",
    "mish": "mish",
    "gelu_tanh": "gelu_approx",
    "hard_tanh": "hard_tanh",
    "hard_swish": "hard_swish_mobilenet",
}


class Thinc(Peer):
    """thinc.api.NumpyOps."""

    name = "thinc"
    modules = ("thinc",)
    tables = (_THINC, {})

    def __init__(self, threads: int) -> None:
        self.ops = importlib.import_module("thinc.api").NumpyOps()

    @classmethod
    def installed_version(cls) -> str:
        return metadata.version("thinc")

    def made(self, function: str, entry: Any, operands: tuple[Array, ...], given_output: bool) -> Call:
        return partial(getattr(self.ops, entry), *operands)

    def softmax(self, x: Array, axis: int = -1) -> Call:
        return partial(self.ops.softmax, x, axis=axis)


class Copy(Peer):
    """The yardstick: a copy of the last operand, whatever is asked for. It is not one of `PEERS`."""

    name = "copy"
    modules = ("numpy",)
    tables = (dict.fromkeys(FUNCTIONS, "copy"), dict.fromkeys(FUNCTIONS, "copy"))

    def made(self, function: str, entry: Any, operands: tuple[Array, ...], given_output: bool) -> Call:
        x = operands[-1]
        if not given_output:
            return x.copy
        y = np.empty_like(x)

        def call() -> Array:
            np.copyto(y, x)
            return y

        return call


PEERS: tuple[type[Peer], ...] = (Fastact, NumPy, SciPy, ScikitLearn, PyTorch, OnnxRuntime, Jax)
"""What `fastact bench` shows."""
REPORTED: tuple[type[Peer], ...] = (*PEERS, NumExpr, Numba, Thinc)
"""What the report and the benchmarks have. `TorchCompile` is in neither: it can be asked for a few cases only."""


def installed(threads: int = 1, among: Sequence[type[Peer]] | None = None) -> list[Peer]:
    """Every library of `PEERS` that is installed, fastact first.

    Parameters
    ----------
    threads : int, default: 1
        How many threads each may use. JAX takes it when it is first imported, and then no more.
    among : sequence of Peer classes, default: PEERS
        The libraries.

    Returns
    -------
    list of Peer
        In that order.
    """
    return [peer(threads) for peer in (PEERS if among is None else among) if peer.is_installed()]
