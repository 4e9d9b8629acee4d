"""The functions that the tests go through: what the C list names, nothing is named here.

A new function arrives with its line in the C list, its public function, and its reference in reference.py.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from reference import REFERENCES

import fastact
from fastact import _core

DTYPES = (np.float32, np.float64)


@dataclass(frozen=True)
class Function:
    """One function of the C list."""

    name: str
    ufunc: np.ufunc
    masked_ufunc: np.ufunc | None
    ulp: float

    def __str__(self):
        return self.name

    @property
    def is_gradient(self):
        return self.name.endswith("_backward")

    @property
    def reduces(self):
        """Whether a row results in one value."""
        return self.ufunc.signature.endswith("->()")

    @property
    def has_where(self):
        return self.masked_ufunc is not None

    @property
    def arguments(self):
        """The names of the array arguments, as error messages have to name them."""
        return ("grad", "y") if self.is_gradient else ("x",)

    @cached_property
    def public(self):
        return getattr(fastact, self.name)

    def __call__(self, *operands, axis=-1, **options):
        return self.public(*operands, axis=axis, **options)

    def exact(self, *operands):
        return REFERENCES[self.name](*operands)

    def operands(self, x, axis=-1):
        """What the function takes, made from scores x: x itself, or a gradient and the forward function's result."""
        if not self.is_gradient:
            return (x,)
        y = np.asarray(getattr(fastact, self.name.removesuffix("_backward"))(x, axis=axis))
        rng = np.random.default_rng(x.size)
        return rng.standard_normal(x.shape).astype(y.dtype), y


LISTED = [
    Function(name, ufunc, _core.masked_ufuncs.get(name), _core.error_bounds[name])
    for name, ufunc in _core.ufuncs.items()
]
#: Those with a bound are public; the others serve fastact.compat.
FUNCTIONS = [f for f in LISTED if np.isfinite(f.ulp)]
FORWARD = [f for f in FUNCTIONS if not f.is_gradient]
GRADIENTS = [f for f in FUNCTIONS if f.is_gradient]
ENTRYWISE = [f for f in FORWARD if not f.reduces]


def public_functions():
    """The public functions of whole rows that have a kernel of their own."""
    return {name for name in fastact.__all__ if getattr(getattr(fastact, name), "__module__", "") == "fastact._softmax"}
