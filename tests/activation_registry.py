"""The elementwise activations that the tests go through: what the C list names, nothing is named here.

A new activation arrives with its line in the C list, its public functions, and its reference in
activation_reference.py.
"""

import inspect
from dataclasses import dataclass
from functools import cached_property, lru_cache, partial

import numpy as np
from activation_reference import exact
from registry import DTYPES

import fastact
from fastact import _core

__all__ = [
    "ACTIVATIONS",
    "CALLS",
    "DTYPES",
    "GATED_CALLS",
    "GATED_PAIRS",
    "Activation",
    "Call",
    "around",
    "landmarks",
    "public_functions",
]


@dataclass(frozen=True)
class Activation:
    """One line of the C list."""

    name: str
    #: (name, default or None, smallest and largest value)
    parameters: tuple[tuple[str, float | None, float, float], ...]
    needs: str
    ulp: float
    backward_ulp: float

    def __str__(self):
        return self.name

    @property
    def public_name(self):
        """A variant of another function is reached by that one's argument: gelu_tanh is gelu(approximate="tanh")."""
        return self.name if hasattr(fastact, self.name) else self.name.rpartition("_")[0]

    @property
    def variant(self):
        return {} if hasattr(fastact, self.name) else {"approximate": self.name.rpartition("_")[2]}

    @cached_property
    def forward(self):
        return partial(getattr(fastact, self.public_name), **self.variant)

    @cached_property
    def public_backward(self):
        return partial(getattr(fastact, f"{self.public_name}_backward"), **self.variant)

    @cached_property
    def takes_out(self):
        """Whether the gradient is one array, and may be written to another."""
        return "out" in inspect.signature(self.public_backward).parameters

    def backward(self, grad, x, *values, **options):
        """The gradient with respect to x."""
        result = self.public_backward(grad, x, *values, **options)
        return result if self.takes_out else result[0]

    @property
    def ufunc(self):
        return _core.elementwise_ufuncs[self.name]

    @property
    def backward_ufunc(self):
        return _core.elementwise_ufuncs[f"{self.name}_backward"]

    @property
    def values(self):
        """Values of the parameters: the defaults, and what else may be given."""
        if not self.parameters:
            return [()]
        rows = [(1.7, 0.3), (40.0, 0.9), (0.004, 2.5), (-0.7, 0.45), (0.0, 0.6)]
        defaults = [p[1] for p in self.parameters]
        count = len(defaults)
        rows = [defaults] * (None not in defaults) + [row[:count] for row in rows]
        rows = [sorted(row) for row in rows] if self.name == "hard_tanh" else rows  # from a limit to a higher one
        return [tuple(row) for row in rows if all(p[2] <= v <= p[3] for p, v in zip(self.parameters, row, strict=True))]

    @property
    def some_values(self):
        return self.values[0]


ACTIVATIONS = [Activation(name, **row) for name, row in _core.activations.items()]


class GatedPair(Activation):
    """A line of the list of gated pairs: a function of x and another array, publicly of the two as halves of one."""

    def joined(self, x, other):
        x, other = np.broadcast_arrays(x, np.asarray(other, np.asarray(x).dtype))
        return np.concatenate([other, x] if self.public_name == "glu" else [x, other], axis=-1)

    @cached_property
    def forward(self):
        function = super().forward
        return lambda x, other: function(self.joined(x, other))

    def backward_halves(self, grad, x, other):
        """The gradients with respect to x and to the other array."""
        halves = np.split(self.public_backward(grad, self.joined(x, other)), 2, axis=-1)
        return halves[::-1] if self.public_name == "glu" else halves

    def backward(self, grad, x, other):
        return self.backward_halves(grad, x, other)[0]


GATED_PAIRS = [GatedPair(name, **row) for name, row in _core.gated_pairs.items()]


@dataclass(frozen=True)
class Call:
    """An activation or its gradient: what most tests are run on."""

    activation: Activation
    is_gradient: bool

    def __str__(self):
        return f"{self.activation.name}{'_backward' * self.is_gradient}"

    @property
    def ulp(self):
        return self.activation.backward_ulp if self.is_gradient else self.activation.ulp

    @property
    def ufunc(self):
        return self.activation.backward_ufunc if self.is_gradient else self.activation.ufunc

    @property
    def arguments(self):
        """The names of the array arguments, as error messages have to name them."""
        return ("grad", self.activation.needs) if self.is_gradient else ("x",)

    @property
    def takes_out(self):
        return not self.is_gradient or self.activation.takes_out

    @property
    def public(self):
        return self.activation.public_backward if self.is_gradient else self.activation.forward

    def __call__(self, *operands, **options):
        """On arrays and then parameters; one array."""
        return (self.activation.backward if self.is_gradient else self.activation.forward)(*operands, **options)

    def operands(self, x, values=(), grad=None):
        """What the function takes, made from x: x itself, or a gradient and x or the result of it."""
        if not self.is_gradient:
            return (x,)
        if grad is None:
            grad = np.random.default_rng(np.size(x)).standard_normal(np.shape(x))
        grad = np.asarray(grad).astype(np.asarray(x).dtype)
        return grad, np.asarray(self.activation.forward(x, *values)) if self.activation.needs == "y" else x

    def exact(self, dtype, operands, values, **options):
        *grad, x = operands
        return exact(self.activation.name, dtype, x, values, *grad, **options)


CALLS = [Call(activation, is_gradient) for activation in ACTIVATIONS for is_gradient in (False, True)]
GATED_CALLS = [Call(pair, is_gradient) for pair in GATED_PAIRS for is_gradient in (False, True)]


def _ordinals(x):
    """Integers in the order of the floats; neighbours differ by one, and the zeros are one."""
    bits = x.view(f"i{x.itemsize}")
    return np.where(bits < 0, np.iinfo(bits.dtype).min - bits, bits)


def _floats(ordinals, dtype):
    lowest = np.iinfo(ordinals.dtype).min
    return np.where(ordinals < 0, lowest - ordinals, ordinals).view(dtype)


def _kind(activation, x, values):
    """A number for every entry that changes where the function or its derivative changes in nature.

    The first and the last entry are the ends of the range.
    """
    dtype = x.dtype
    tiny = np.finfo(dtype).tiny
    kind = np.zeros(x.shape, int)
    with np.errstate(all="ignore"):
        results = [exact(activation.name, dtype, x, values)[0].astype(dtype)]
        if activation.needs == "x":
            results.append(exact(activation.name, dtype, x, values, np.ones_like(x))[0].astype(dtype))
    for y in results:
        for fact in (np.sign(y), np.abs(y) < tiny, np.isinf(y), y == x, y == y[0], y == y[-1], np.abs(y) < 1e-5):
            kind = kind * 3 + fact.astype(int)
    return kind


@lru_cache(maxsize=8)
def landmarks(activation, dtype, values):
    """Where something happens: kinks, roots, thresholds, the ends of the range, each with its neighbours.

    Found by bisection between the entries of a grid over all floats.
    """
    info = np.finfo(dtype)
    sizes = np.exp(np.linspace(np.log(float(info.smallest_subnormal)), np.log(float(info.max)), 1500))
    grid = np.sort(np.concatenate([sizes, -sizes, [0], np.linspace(-900, 900, 1601)])).astype(dtype)
    low, high = _ordinals(grid[:-1]), _ordinals(grid[1:])
    kinds = _kind(activation, grid, values)
    changes = kinds[:-1] != kinds[1:]
    low, high, below = low[changes], high[changes], kinds[:-1][changes]
    for _ in range(8 * np.dtype(dtype).itemsize):
        middle = low // 2 + high // 2 + (low % 2 + high % 2) // 2
        inner = np.concatenate([grid[:1], _floats(middle, dtype), grid[-1:]])
        same = _kind(activation, inner, values)[1:-1] == below
        low, high = np.where(same, middle, low), np.where(same, high, middle)
    return _floats(high, dtype)


def around(points, count):
    """The floats next to each of the points."""
    ordinals = _ordinals(points)[:, None] + np.arange(-count, count + 1)
    x = _floats(ordinals.reshape(-1), points.dtype)
    return x[np.isfinite(x)]


def public_functions():
    """The public names that compute an elementwise activation or its gradient."""
    return {call.activation.public_name + "_backward" * call.is_gradient for call in CALLS}
