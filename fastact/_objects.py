"""Activations as objects: a name and its parameters, to be called, compared, stored."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np

from fastact import _activations, _core, _rows, _softmax

#: Functions of whole rows: name -> (forward, backward or None where the gradient is 0, what it needs)
_ROWS: dict[str, tuple[Callable[..., Any], Callable[..., Any] | None, str]] = {
    "softmax": (_softmax.softmax, _softmax.softmax_backward, "y"),
    "log_softmax": (_softmax.log_softmax, _softmax.log_softmax_backward, "y"),
    "softmin": (_rows.softmin, _rows.softmin_backward, "y"),
    "hardmax": (_rows.hardmax, None, ""),
}
_APPROXIMATIONS = ("none", "tanh")


def names() -> list[str]:
    """Return the names that `get` knows, in alphabetical order.

    Examples
    --------
    >>> import fastact
    >>> fastact.names()[:3]
    ['celu', 'elu', 'gelu']
    """
    return sorted({*_core.activations, *_ROWS} - {"gelu_tanh", "prelu"})


def _parameters(name: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """All parameters of the activation, those not given with their defaults."""
    if name in _ROWS:
        known: dict[str, Any] = {"axis": -1}
    elif name == "gelu":
        known = {"approximate": "none"}
    else:
        known = {parameter[0]: parameter[1] for parameter in _core.activations[name]["parameters"]}
    for parameter in given:
        if parameter not in known:
            takes = ", ".join(known) or "no parameter"
            raise TypeError(f"{name} takes {takes}, got {parameter}")
    values = {**known, **given}
    for parameter, value in values.items():
        if value is None and name not in _ROWS:
            raise TypeError(f"{name} needs a value for {parameter}")
    if name == "gelu" and values["approximate"] not in _APPROXIMATIONS:
        raise ValueError(f"approximate must be 'none' or 'tanh', got {values['approximate']!r}")
    for parameter, _, low, high in () if name in _ROWS or name == "gelu" else _core.activations[name]["parameters"]:
        try:
            number = float(values[parameter])
        except (TypeError, ValueError):
            raise TypeError(f"{parameter} must be a number, got {values[parameter]!r}") from None
        if not low <= number <= high:
            raise ValueError(
                f"{parameter} must be {'greater than 0' if low > 0 else 'finite'}, got {values[parameter]!r}"
            )
        values[parameter] = number
    return values


class Activation:
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

    __slots__ = ("_arguments", "_backward", "_forward", "_needs", "name", "parameters")

    name: str
    parameters: Mapping[str, Any]
    _arguments: tuple[Any, ...]
    _forward: Callable[..., Any]
    _backward: Callable[..., Any] | None
    _needs: str

    def __init__(self, name: str, **parameters: Any) -> None:
        if not isinstance(name, str):
            raise TypeError(f"name must be a string, got {name!r}")
        if name not in names():
            near = difflib.get_close_matches(name.lower(), names(), 3, 0.5)
            hint = f"; did you mean {' or '.join(map(repr, near))}?" if near else f"; there are {', '.join(names())}"
            raise ValueError(f"name {name!r} is no activation{hint}")
        values = _parameters(name, parameters)
        if name in _ROWS:
            forward, backward, needs = _ROWS[name]
        else:
            forward, backward = getattr(_activations, name), getattr(_activations, f"{name}_backward")
            needs = _core.activations[name]["needs"]
        for slot, value in {
            "name": name,
            "parameters": MappingProxyType(values),
            "_arguments": tuple(values.values()),
            "_forward": forward,
            "_backward": backward,
            "_needs": needs,
        }.items():
            object.__setattr__(self, slot, value)

    def __setattr__(self, attribute: str, value: Any) -> None:
        raise AttributeError(f"an Activation does not change: make another one to set {attribute}")

    def __delattr__(self, attribute: str) -> None:
        raise AttributeError(f"an Activation does not change: {attribute} stays")

    def __call__(self, x: Any, out: Any = None) -> Any:
        """The activation of x."""
        return self._forward(x, *self._arguments, out=out)

    def backward(self, grad: Any, x: Any = None, y: Any = None, out: Any = None) -> Any:
        """Return the gradient of a loss with respect to x, given that with respect to the result.

        Parameters
        ----------
        grad : array_like
            Gradient with respect to the result.
        x, y : array_like, optional
            The input and the result. Each activation needs one of them and says which if it is missing.
        out : ndarray, optional
            Where the result is written.

        Returns
        -------
        ndarray or scalar
            Gradient with respect to x; `out` if it was given.

        Raises
        ------
        TypeError
            If what it needs is missing.
        """
        if self._backward is None:
            return np.multiply(grad, 0, out=out)
        operand = x if self._needs == "x" else y
        if operand is None:
            what = "x, the input" if self._needs == "x" else "y, the result"
            raise TypeError(f"the gradient of {self.name} needs {what}: act.backward(grad, {self._needs}=...)")
        return self._backward(grad, operand, *self._arguments, out=out)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Activation):
            return NotImplemented
        return self.name == other.name and dict(self.parameters) == dict(other.parameters)

    def __hash__(self) -> int:
        return hash((self.name, self._arguments))

    def _given(self) -> dict[str, Any]:
        """The parameters that differ from their defaults, or have none."""
        missing = object()
        standard = {} if self.name == "threshold" else _parameters(self.name, {})
        return {k: v for k, v in self.parameters.items() if standard.get(k, missing) != v}

    def __repr__(self) -> str:
        return f"get({', '.join([repr(self.name), *(f'{k}={v!r}' for k, v in self._given().items())])})"

    def __reduce__(self) -> tuple[Any, ...]:
        return _make, (self.name, dict(self.parameters))

    def __copy__(self) -> Activation:
        return self

    def __deepcopy__(self, memo: Any) -> Activation:
        return self


def _make(name: str, parameters: dict[str, Any]) -> Activation:
    return Activation(name, **parameters)


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
