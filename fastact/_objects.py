"""Activations as objects: a name and its parameters, to be called, compared, stored."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType
from typing import Any

import numpy as np

from fastact import _activations, _arrays, _core, _rows, _softmax


def _hardmax_backward(grad: Any, x: Any = None, axis: Any = -1, *, out: Any = None) -> Any:
    """Zero, of grad's shape and type: hardmax is constant wherever it has a gradient."""
    # As relu's at 0, which is 0 for any grad; float16 leaves the type to grad.
    return _activations.relu_backward(grad, np.float16(0), out=out)


#: name -> (forward, backward). Both take the activation's parameters after the arrays, and then out=. A variant of
#: another function (gelu_tanh) is reached by that one's parameter; prelu's weight is learned: it has a gradient too.
_FUNCTIONS: dict[str, tuple[Callable[..., Any], Callable[..., Any]]] = {
    name: (getattr(_activations, name), getattr(_activations, f"{name}_backward"))
    for name in _core.activations
    if hasattr(_activations, name) and name != "prelu"
} | {
    "softmax": (_softmax.softmax, _softmax.softmax_backward),
    "log_softmax": (_softmax.log_softmax, _softmax.log_softmax_backward),
    "softmin": (_rows.softmin, _rows.softmin_backward),
    "hardmax": (_rows.hardmax, _hardmax_backward),
}
#: name -> number in the core, of the elementwise functions and gradients
_NUMBERS = {name: number for number, name in enumerate(_core.elementwise_ufuncs)}
_MAX_DIMENSIONS = 64


def names() -> list[str]:
    """Return the names that `get` knows, in alphabetical order.

    They are the functions whose result has the shape of their one input and whose parameters are not learned.

    Examples
    --------
    >>> import fastact
    >>> fastact.names()[:3]
    ['celu', 'elu', 'gelu']
    """
    return sorted(_FUNCTIONS)


def _positional(function: Callable[..., Any]) -> list[inspect.Parameter]:
    return [p for p in inspect.signature(function).parameters.values() if p.kind is p.POSITIONAL_OR_KEYWORD]


def _plain(value: Any) -> Any:
    """A Python value for one of NumPy, so that it can be hashed, and its repr be evaluated."""
    if isinstance(value, tuple):
        return tuple(map(_plain, value))
    return value.item() if isinstance(value, np.generic | np.ndarray) and value.size == 1 else value


def _parameters(name: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """All parameters of the activation, those not given with their defaults, as the function itself accepts them."""
    forward, _ = _FUNCTIONS[name]
    known = _positional(forward)[1:]
    try:
        bound = inspect.Signature(known).bind(**given)
    except TypeError as error:
        takes = ", ".join(p.name for p in known) or "no parameter"
        raise TypeError(f"{name} takes {takes}: {error}") from None
    bound.apply_defaults()
    values = {parameter: _plain(value) for parameter, value in bound.arguments.items()}
    if "axis" in values:  # what it has to fit is known at the call
        _arrays.axes_of(values["axis"], _MAX_DIMENSIONS)
    else:
        forward(np.zeros(1), **values)
        values = {parameter: v if isinstance(v, str) else float(v) for parameter, v in values.items()}
    return values


class _CallSignature:
    """The signature of an Activation's compiled call, which `inspect` misses; the class has its constructor's."""

    def __get__(self, act: Activation | None, owner: type) -> inspect.Signature:
        if act is None:
            raise AttributeError("__signature__")
        return inspect.signature(lambda x, out=None: None)


class Activation(_core.Call):
    """An activation function with its parameters: callable, with its gradient.

    Made by `get`. It does not change, compares by value, can be hashed and pickled, and `sklearn.base.clone` takes it
    for a parameter of an estimator.

    Parameters
    ----------
    name : str
        One of `names`.
    **parameters
        The activation's own; see the function of that name.

    Attributes
    ----------
    name : str
        The activation's name.
    parameters : mapping
        All its parameters, with their values.

    Examples
    --------
    >>> import numpy as np
    >>> from fastact import get
    >>> act = get("leaky_relu", negative_slope=0.5)
    >>> act(np.array([-1.0, 2.0])).tolist()
    [-0.5, 2.0]
    >>> act.backward(np.ones(2), x=np.array([-1.0, 2.0])).tolist()
    [0.5, 1.0]
    >>> act
    get('leaky_relu', negative_slope=0.5)
    """

    __slots__ = ()
    __signature__ = _CallSignature()

    def __init__(self, name: str, **parameters: Any) -> None:
        if not isinstance(name, str):
            raise TypeError(f"name must be a string, got {name!r}")
        if name not in _FUNCTIONS:
            near = difflib.get_close_matches(name.lower(), names(), 3, 0.5)
            hint = f"; did you mean {' or '.join(map(repr, near))}?" if near else f"; there are {', '.join(names())}"
            raise ValueError(f"name {name!r} is no activation{hint}")
        values = _parameters(name, parameters)
        forward, backward = _FUNCTIONS[name]
        operand = _positional(backward)[1]
        needs = operand.name if operand.default is operand.empty else None
        number = _NUMBERS.get("gelu_tanh" if values.get("approximate") == "tanh" else name, -1)
        super().__init__(str(name), MappingProxyType(values), forward, backward, needs, number)

    def __setattr__(self, attribute: str, value: Any) -> None:
        raise AttributeError(f"an Activation does not change: make another one to set {attribute}")

    def __delattr__(self, attribute: str) -> None:
        raise AttributeError(f"an Activation does not change: {attribute} stays")

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Activation):
            return NotImplemented
        return self.name == other.name and dict(self.parameters) == dict(other.parameters)

    def __hash__(self) -> int:
        return hash((self.name, *self.parameters.values()))

    def __repr__(self) -> str:
        defaults = {p.name: p.default for p in _positional(self._forward)}
        shown = [f"{k}={v!r}" for k, v in self.parameters.items() if v != defaults[k]]
        return f"get({', '.join([repr(self.name), *shown])})"

    def __reduce__(self) -> tuple[Any, ...]:
        return partial(Activation, self.name, **self.parameters), ()


def get(name: str | Activation, **parameters: Any) -> Activation:
    """Return the activation of that name as an object.

    Parameters
    ----------
    name : str or Activation
        One of `names`; an Activation is returned as it is.
    **parameters
        The activation's own; see the function of that name.

    Returns
    -------
    Activation
        Callable, with its gradient.

    Raises
    ------
    ValueError
        For an unknown name, with the nearest ones suggested, or a parameter out of its range.
    TypeError
        For a parameter that the activation does not have.

    Examples
    --------
    >>> import numpy as np
    >>> from fastact import get
    >>> get("elu", alpha=0.5)(np.array([-1.0, 2.0])).round(4).tolist()
    [-0.3161, 2.0]
    """
    if isinstance(name, Activation):
        if parameters:
            raise TypeError(f"an Activation has its parameters, got {', '.join(parameters)} besides")
        return name
    return Activation(name, **parameters)
