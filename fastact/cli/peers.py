"""The libraries that fastact is compared with, and fastact itself: the one place that knows how to call them.

Every library is a class. A method named after a row function takes C-contiguous arrays and returns a call without
arguments that computes it along the last axis; the method ``NAME_out`` is the same with the result in an array made
beforehand. A library without such a function has no such method.
"""

# Every method is named after what it computes.
# ruff: noqa: D102

from __future__ import annotations

import importlib
import os
from collections.abc import Callable
from functools import partial
from importlib.util import find_spec
from typing import Any, ClassVar

import numpy as np

import fastact

Array = np.ndarray[Any, Any]
Call = Callable[[], Any]


class Peer:
    """A library, set to use so many threads."""

    name: ClassVar[str]
    modules: ClassVar[tuple[str, ...]]
    """What must be importable; the first has the version."""

    def __init__(self, threads: int) -> None:
        """Import the library. Where it takes no number of threads, it has one."""

    @classmethod
    def is_installed(cls) -> bool:
        """Whether the library can be imported, without importing it."""
        return all(find_spec(module) for module in cls.modules)

    @property
    def version(self) -> str:
        """The library's version."""
        return str(importlib.import_module(self.modules[0]).__version__)

    @classmethod
    def has(cls, function: str, *, given_output: bool = False) -> bool:
        """Whether `call` has such a function, in a library that need not be installed."""
        return hasattr(cls, _method(function, given_output))

    def call(self, function: str, *operands: Array, given_output: bool = False) -> Call | None:
        """A call that computes a row function.

        Parameters
        ----------
        function : str
            Its name in fastact.
        *operands : ndarray
            Its array arguments, C-contiguous.
        given_output : bool, default: False
            Write into an array made beforehand, instead of a new one.

        Returns
        -------
        callable or None
            It takes no arguments and returns what `numpy.asarray` takes. None: the library has no such function.
        """
        make = getattr(self, _method(function, given_output), None)
        return make(*operands) if make else None


def _method(function: str, given_output: bool) -> str:
    return f"{function}_out" if given_output else function


class Fastact(Peer):
    """fastact."""

    name = "fastact"
    modules = ("fastact",)

    def __init__(self, threads: int) -> None:
        fastact.set_num_threads(threads)

    def softmax(self, x: Array) -> Call:
        return partial(fastact.softmax, x)

    def softmax_out(self, x: Array) -> Call:
        return partial(fastact.softmax, x, out=np.empty_like(x))

    def log_softmax(self, x: Array) -> Call:
        return partial(fastact.log_softmax, x)

    def log_softmax_out(self, x: Array) -> Call:
        return partial(fastact.log_softmax, x, out=np.empty_like(x))

    def logsumexp(self, x: Array) -> Call:
        return partial(fastact.logsumexp, x, -1)

    def logsumexp_out(self, x: Array) -> Call:
        return partial(fastact.logsumexp, x, -1, out=np.empty(x.shape[:-1], x.dtype))

    def softmax_backward(self, grad: Array, y: Array) -> Call:
        return partial(fastact.softmax_backward, grad, y)

    def softmax_backward_out(self, grad: Array, y: Array) -> Call:
        return partial(fastact.softmax_backward, grad, y, out=np.empty_like(y))


class NumPy(Peer):
    """What one writes without any of the others."""

    name = "NumPy"
    modules = ("numpy",)

    def softmax(self, x: Array) -> Call:
        def call() -> Any:
            e = np.exp(x - x.max(axis=-1, keepdims=True))
            e /= e.sum(axis=-1, keepdims=True)
            return e

        return call

    def softmax_out(self, x: Array) -> Call:
        y = np.empty_like(x)

        def call() -> Array:
            np.subtract(x, x.max(axis=-1, keepdims=True), out=y)
            np.exp(y, out=y)
            np.divide(y, y.sum(axis=-1, keepdims=True), out=y)
            return y

        return call

    def log_softmax(self, x: Array) -> Call:
        def call() -> Any:
            d = x - x.max(axis=-1, keepdims=True)
            d -= np.log(np.exp(d).sum(axis=-1, keepdims=True))
            return d

        return call

    def logsumexp(self, x: Array) -> Call:
        def call() -> Any:
            m = x.max(axis=-1, keepdims=True)
            return m[..., 0] + np.log(np.exp(x - m).sum(axis=-1))

        return call

    def softmax_backward(self, grad: Array, y: Array) -> Call:
        return lambda: y * (grad - (grad * y).sum(axis=-1, keepdims=True))


class SciPy(Peer):
    """scipy.special."""

    name = "SciPy"
    modules = ("scipy",)

    def __init__(self, threads: int) -> None:
        self.special = importlib.import_module("scipy.special")

    def softmax(self, x: Array) -> Call:
        return partial(self.special.softmax, x, axis=-1)

    def log_softmax(self, x: Array) -> Call:
        return partial(self.special.log_softmax, x, axis=-1)

    def logsumexp(self, x: Array) -> Call:
        return partial(self.special.logsumexp, x, axis=-1)


class ScikitLearn(Peer):
    """sklearn.utils.extmath, which `predict_proba` uses."""

    name = "scikit-learn"
    modules = ("sklearn",)

    def __init__(self, threads: int) -> None:
        self.extmath = importlib.import_module("sklearn.utils.extmath")

    def softmax(self, x: Array) -> Call:
        return partial(self.extmath.softmax, x)


class PyTorch(Peer):
    """torch, on tensors that share the arrays' memory."""

    name = "PyTorch"
    modules = ("torch",)

    def __init__(self, threads: int) -> None:
        self.torch = importlib.import_module("torch")
        self.torch.set_num_threads(threads)

    def softmax(self, x: Array) -> Call:
        return partial(self.torch.softmax, self.torch.from_numpy(x), -1)

    def softmax_out(self, x: Array) -> Call:
        t = self.torch.from_numpy(x)
        return partial(self.torch.softmax, t, -1, out=self.torch.empty_like(t))

    def log_softmax(self, x: Array) -> Call:
        return partial(self.torch.log_softmax, self.torch.from_numpy(x), -1)

    def log_softmax_out(self, x: Array) -> Call:
        t = self.torch.from_numpy(x)
        return partial(self.torch.log_softmax, t, -1, out=self.torch.empty_like(t))

    def logsumexp(self, x: Array) -> Call:
        return partial(self.torch.logsumexp, self.torch.from_numpy(x), -1)

    def logsumexp_out(self, x: Array) -> Call:
        t = self.torch.from_numpy(x)
        return partial(self.torch.logsumexp, t, -1, out=t.new_empty(t.shape[:-1]))

    def softmax_backward(self, grad: Array, y: Array) -> Call:
        g, t = self.torch.from_numpy(grad), self.torch.from_numpy(y)
        return partial(self.torch.ops.aten._softmax_backward_data.default, g, t, -1, t.dtype)


class OnnxRuntime(Peer):
    """onnxruntime, with a model of one node."""

    name = "ONNX Runtime"
    modules = ("onnxruntime", "onnx")

    def __init__(self, threads: int) -> None:
        self.onnxruntime = importlib.import_module("onnxruntime")
        self.onnx = importlib.import_module("onnx")
        self.options = self.onnxruntime.SessionOptions()
        self.options.intra_op_num_threads = threads
        self.options.inter_op_num_threads = 1

    def session(self, operator: str, x: Array, **attributes: object) -> Any:
        """An inference session of one operator, from x to y."""
        helper = self.onnx.helper
        element = helper.np_dtype_to_tensor_dtype(x.dtype)
        node = helper.make_node(operator, ["x"], ["y"], **attributes)
        ends = [helper.make_tensor_value_info(name, element, None) for name in "xy"]
        graph = helper.make_graph([node], operator, ends[:1], ends[1:])
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
        return self.onnxruntime.InferenceSession(
            model.SerializeToString(), self.options, providers=["CPUExecutionProvider"]
        )

    def allocating(self, operator: str, x: Array, **attributes: object) -> Call:
        session = self.session(operator, x, **attributes)
        return lambda: session.run(None, {"x": x})[0]

    def bound(self, operator: str, x: Array, **attributes: object) -> Call:
        session, y = self.session(operator, x, **attributes), np.empty_like(x)
        binding = session.io_binding()
        binding.bind_input("x", "cpu", 0, x.dtype, x.shape, x.ctypes.data)
        binding.bind_output("y", "cpu", 0, y.dtype, y.shape, y.ctypes.data)

        def call(x: Array = x) -> Array:  # the binding holds bare pointers: this keeps the arrays alive
            session.run_with_iobinding(binding)
            return y

        return call

    def softmax(self, x: Array) -> Call:
        return self.allocating("Softmax", x, axis=-1)

    def softmax_out(self, x: Array) -> Call:
        return self.bound("Softmax", x, axis=-1)

    def log_softmax(self, x: Array) -> Call:
        return self.allocating("LogSoftmax", x, axis=-1)

    def log_softmax_out(self, x: Array) -> Call:
        return self.bound("LogSoftmax", x, axis=-1)

    def logsumexp(self, x: Array) -> Call:
        return self.allocating("ReduceLogSumExp", x, axes=[-1], keepdims=0)


class Jax(Peer):
    """jax.nn, compiled, on arrays of its own."""

    name = "JAX"
    modules = ("jax", "jaxlib")

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

    def softmax(self, x: Array) -> Call:
        return self.compiled(self.jax.nn.softmax, x)

    def log_softmax(self, x: Array) -> Call:
        return self.compiled(self.jax.nn.log_softmax, x)

    def logsumexp(self, x: Array) -> Call:
        return self.compiled(partial(self.jax.nn.logsumexp, axis=-1), x)

    def softmax_backward(self, grad: Array, y: Array) -> Call:
        return self.compiled(lambda g, y: y * (g - (g * y).sum(axis=-1, keepdims=True)), grad, y)


PEERS: tuple[type[Peer], ...] = (Fastact, NumPy, SciPy, ScikitLearn, PyTorch, OnnxRuntime, Jax)


def installed(threads: int = 1) -> list[Peer]:
    """Every library of `PEERS` that is installed, fastact first.

    Parameters
    ----------
    threads : int, default: 1
        How many threads each may use. JAX takes it when it is first imported, and then no more.

    Returns
    -------
    list of Peer
        In the order of `PEERS`.
    """
    return [peer(threads) for peer in PEERS if peer.is_installed()]
