"""The one place that checks arrays and arguments, and hands them to the generalised ufuncs."""

from __future__ import annotations

import operator
from math import prod
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple

from fastact import _core

_FLOATS = {np.dtype(t): t for t in ("e", "f", "d")}


def along_axis(
    name: str, x: Any, axis: Any, where: Any, out: Any, dtype: Any, keepdims: Any = None, weights: Any = None
) -> Any:
    """The row function `name` of x along axis; `keepdims` is None where the result has x's shape."""
    ufunc, masked_ufunc = _core.ufuncs[name]
    if _is_foreign(x):
        return _foreign(ufunc, (x,), axis, where, out, dtype, keepdims)
    a = _array("x", x)
    char = _float_type("dtype", dtype) if dtype is not None else _computed_in("x", a.dtype)
    operands = [a]
    if weights is not None:
        operands.append(weights)
    if where is not None and where is not True:
        operands.append(_mask(where, a.shape))
        ufunc = masked_ufunc
    return _run(ufunc, operands, axis, out, char, keepdims)


def gradient(name: str, grad: Any, y: Any, axis: Any, out: Any) -> Any:
    """The backward row function `name` of grad and the forward result y."""
    ufunc, _ = _core.ufuncs[name]
    if _is_foreign(grad) or _is_foreign(y):
        return _foreign(ufunc, (grad, y), axis, None, out, None, None)
    g, a = _array("grad", grad), _array("y", y)
    char = np.result_type(_computed_in("grad", g.dtype), _computed_in("y", a.dtype)).char
    if g.shape != a.shape:
        try:
            g, a = np.broadcast_arrays(g, a, subok=True)
        except ValueError:
            raise ValueError(f"grad and y must have shapes that broadcast, got {g.shape} and {a.shape}") from None
    return _run(ufunc, [g, a], axis, out, char, None)


def _run(ufunc: np.ufunc, operands: list[np.ndarray], axis: Any, out: Any, char: str, keepdims: Any) -> Any:
    a = operands[0]
    axes = _axes(axis, a.ndim)
    reduced = tuple(1 if k in axes else size for k, size in enumerate(a.shape) if keepdims or k not in axes)
    shape = a.shape if keepdims is None else reduced
    if out is not None:
        _check_out(out, shape, char)
    signature = tuple("?" if b.dtype == bool and b is not a else char for b in (*operands,)) + (char,)
    if len(axes) == 1 and a.ndim:
        # NumPy's own machinery: casting, overlap, subclasses.
        return _call(ufunc, operands, char, out, axis=axes[0], signature=signature, **({"keepdims": True} if keepdims else {}))
    # Several axes, or none, become one last axis; `out` takes a copy of the result.
    kept = [k for k in range(a.ndim) if k not in axes]
    rest = tuple(a.shape[k] for k in kept)
    flat = [np.asarray(b).transpose(*kept, *axes).reshape(*rest, prod(a.shape[k] for k in axes)) for b in operands]
    result = _call(ufunc, flat, char, None, axis=-1, signature=signature)
    if keepdims is None:
        back = np.asarray(result).reshape(*rest, *(a.shape[k] for k in axes))
        result = back.transpose(np.argsort([*kept, *axes]))
    else:
        result = np.reshape(result, shape)
    if out is not None:
        with np.errstate(all="ignore"):
            np.copyto(out, result, casting="same_kind")
        return out
    if type(a) is not np.ndarray:
        return a.__array_wrap__(result)
    return result[()]


def _call(ufunc: np.ufunc, operands: list[np.ndarray], char: str, out: Any, **arguments: Any) -> Any:
    if out is not None:
        arguments["out"] = out
    if all(b.dtype.char == char for b in (*operands, *(() if out is None else (out,))) if b.dtype != bool):
        return ufunc(*operands, **arguments)
    with np.errstate(all="ignore"):  # what a conversion overflows to is the input's value then
        return ufunc(*operands, **arguments)


def _is_foreign(x: Any) -> bool:
    """Whether x is another library's array that takes part in NumPy's ufunc protocol."""
    return not isinstance(x, np.ndarray | np.generic) and getattr(type(x), "__array_ufunc__", None) is not None


def _foreign(
    ufunc: np.ufunc, operands: tuple[Any, ...], axis: Any, where: Any, out: Any, dtype: Any, keepdims: Any
) -> Any:
    kind = type(operands[0]).__name__
    dimensions = getattr(operands[0], "ndim", None)
    if axis is None and dimensions == 1:
        axis = -1
    if where is not None or out is not None or not isinstance(axis, int) or isinstance(axis, bool):
        if hasattr(operands[0], "__dask_graph__"):
            raise TypeError(
                f"a {kind} takes an integer axis, and neither where nor out; compute it or rechunk and map over its blocks"
            )
        arrays = [np.asarray(x) for x in operands]
        if len(arrays) == 2:
            return gradient(ufunc.__name__, *arrays, axis, out)
        return along_axis(ufunc.__name__, arrays[0], axis, where, out, dtype, keepdims)
    arguments: dict[str, Any] = {"axis": axis}
    if keepdims:
        arguments["keepdims"] = True
    types = [_computed_in("x", np.dtype(x.dtype)) for x in operands if hasattr(x, "dtype")]
    if dtype is not None:
        arguments["dtype"] = _float_type("dtype", dtype)
    elif types and any(np.dtype(x.dtype).kind in "biu" for x in operands if hasattr(x, "dtype")):
        arguments["dtype"] = np.result_type(*types)
    return ufunc(*operands, **arguments)


def _array(name: str, x: Any) -> np.ndarray:
    if isinstance(x, np.ma.MaskedArray):
        raise TypeError(f"{name} is a masked array, whose mask would be lost: pass {name}.data and where=~{name}.mask")
    if hasattr(x, "__dask_graph__"):
        raise TypeError(f"{name} is a {type(x).__name__}: compute it first")
    return np.asanyarray(x)


def _computed_in(name: str, dtype: np.dtype) -> str:
    """The type that the kernels compute an array's entries in, and return."""
    char = _FLOATS.get(dtype.newbyteorder("="))
    if char is not None:
        return char
    if dtype.kind in "biu":
        return "d"
    raise TypeError(f"{name} must hold float16, float32, float64, integers or bools, got {dtype}")


def _float_type(name: str, dtype: Any) -> str:
    try:
        char = _FLOATS.get(np.dtype(dtype).newbyteorder("="))
    except TypeError:
        char = None
    if char is None:
        raise TypeError(f"{name} must be float16, float32 or float64, got {dtype!r}")
    return char


def _axes(axis: Any, ndim: int) -> tuple[int, ...]:
    """Axis as a tuple of axes in increasing order; a 0-d array is taken as a row of one entry."""
    if axis is None:
        return tuple(range(ndim))
    try:
        given = tuple(map(operator.index, axis)) if isinstance(axis, tuple) else (operator.index(axis),)
    except TypeError:
        raise TypeError(f"axis must be an integer, a tuple of integers or None, got {axis!r}") from None
    if ndim == 0 and all(k in (0, -1) for k in given):
        return ()
    return tuple(sorted(normalize_axis_tuple(given, ndim, "axis")))


def _mask(where: Any, shape: tuple[int, ...]) -> np.ndarray:
    mask = np.asarray(_array("where", where))
    if mask.dtype != bool:
        raise TypeError(f"where must hold bools, got {mask.dtype}")
    try:
        return np.broadcast_to(mask, shape)
    except ValueError:
        raise ValueError(f"where must have a shape that broadcasts to {shape}, got {mask.shape}") from None


def _check_out(out: Any, shape: tuple[int, ...], char: str) -> None:
    if not isinstance(out, np.ndarray) or isinstance(out, np.ma.MaskedArray):
        raise TypeError(f"out must be an ndarray, got {type(out).__name__}")
    if out.shape != shape:
        raise ValueError(f"out must have shape {shape}, got {out.shape}")
    if not np.can_cast(char, out.dtype, "same_kind"):
        raise TypeError(f"out must be able to hold {np.dtype(char)}, got {out.dtype}")
    if not out.flags.writeable:
        raise ValueError("out must be writeable, got a read-only array")
