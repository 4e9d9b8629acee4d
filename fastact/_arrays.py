"""The one place that checks arrays and arguments, and hands them to the generalised ufuncs."""

from __future__ import annotations

import operator
from math import prod
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple

from fastact import _core

_FLOATS = {np.dtype(t): t for t in ("e", "f", "d")}


def along_axis(name: str, x: Any, axis: Any, where: Any, out: Any, dtype: Any, keepdims: Any = None) -> Any:
    """The row function `name` of x along axis; `keepdims` is None where the result has x's shape."""
    ufunc = _core.ufuncs[name]
    if _is_foreign(x):
        axis = -1 if axis is None and getattr(x, "ndim", None) == 1 else axis
        if not _is_foreign_call(x, axis, where, out):
            return along_axis(name, np.asarray(x), axis, where, out, dtype, keepdims)
        char = float_type("dtype", dtype) if dtype is not None else None
        return ufunc(_foreign("x", x, char), axis=axis, **({"keepdims": True} if keepdims else {}))
    a = checked("x", x)
    char = float_type("dtype", dtype) if dtype is not None else computed_in("x", a.dtype)
    operands = [a]
    if where is not None and where is not True:
        operands.append(_mask(where, a.shape))
        ufunc = _core.masked_ufuncs[name]
    return _run(ufunc, operands, axis, out, char, keepdims)


def gradient(name: str, grad: Any, y: Any, axis: Any, out: Any) -> Any:
    """The backward row function `name` of grad and the forward result y."""
    ufunc = _core.ufuncs[name]
    if _is_foreign(grad) or _is_foreign(y):
        if not (_is_foreign_call(grad, axis, None, out) and _is_foreign_call(y, axis, None, out)):
            return gradient(name, np.asarray(grad), np.asarray(y), axis, out)
        return ufunc(_foreign("grad", grad, None), _foreign("y", y, None), axis=axis)
    g, a = checked("grad", grad), checked("y", y)
    char = np.result_type(computed_in("grad", g.dtype), computed_in("y", a.dtype)).char
    if g.shape != a.shape:
        try:
            g, a = np.broadcast_arrays(g, a, subok=True)
        except ValueError:
            raise ValueError(f"grad and y must have shapes that broadcast, got {g.shape} and {a.shape}") from None
    return _run(ufunc, [g, a], axis, out, char, None)


def elementwise(name: str, operands: dict[str, Any], parameters: int, out: Any, where: Any, dtype: Any) -> Any:
    """The activation or gradient `name` of the operands, of which the last ones are its parameters.

    Parameters of float16 arrays are float32, unless they are float16 already.
    """
    ufunc = _core.elementwise_ufuncs[name]
    names, values = list(operands), list(operands.values())
    count = len(values) - parameters
    if any(map(_is_foreign, values)):
        if where is True and out is None:
            char = float_type("dtype", dtype) if dtype is not None else None
            return ufunc(*(_foreign(n, x, char) if k < count else x for k, (n, x) in enumerate(operands.items())))
        if any(map(_is_lazy, values)):
            raise TypeError(f"{names[0]} is lazy, and takes neither where nor out: compute it first")
    arrays = [
        checked(n, x) if k < count or isinstance(x, np.ndarray) else x for k, (n, x) in enumerate(operands.items())
    ]
    chars = [computed_in(n, x.dtype) for n, x in zip(names, arrays, strict=True) if isinstance(x, np.ndarray)]
    char = float_type("dtype", dtype) if dtype is not None else np.result_type(*chars).char
    of_parameters = "f" if char == "e" and any(x.dtype.char != "e" for x in map(np.asarray, arrays[count:])) else char
    with np.errstate(all="ignore"):  # a conversion may overflow, to infinity
        arrays[count:] = [np.asarray(x, of_parameters) for x in arrays[count:]]
    line = name.removesuffix("_backward")
    rows = (_core.activations.get(line) or _core.gated_pairs[line])["parameters"]
    for (parameter, _, low, _), a in zip(rows, arrays[count:], strict=True):
        if low > -np.inf and not np.all(np.isfinite(a) & (a > 0 if low > 0 else True)):
            needed = "greater than 0" if low > 0 else "finite"
            raise ValueError(f"{parameter} must be {needed} in {np.dtype(of_parameters)}, got {operands[parameter]!r}")
    shapes = [x.shape for x in arrays]
    try:
        # NumPy's function takes no more than 32 dimensions.
        shape = shapes[0] if len({*shapes} - {()}) < 2 and shapes[0] else np.broadcast_shapes(*shapes)
    except ValueError:
        raise ValueError(f"{', '.join(names)} must have shapes that broadcast, got {shapes}") from None
    if out is not None:
        check_out(out, shape, char)
    signature = (char,) * count + (of_parameters,) * parameters + (char,)
    chosen: dict[str, Any] = {}
    if where is not True:
        chosen["where"] = _mask(where, shape)
        if out is None:
            out = np.zeros(shape, char)
            _call(ufunc, arrays, signature, out, **chosen)
            return out[()] if type(arrays[0]) is np.ndarray else arrays[0].__array_wrap__(out)
    return _call(ufunc, arrays, signature, out, **chosen)


def weighted_logsumexp(a: Any, b: Any, axis: Any, keepdims: bool) -> tuple[Any, Any]:
    """Log |sum of b exp(a)| and the sign of the sum, along axis."""
    ufunc = _core.masked_ufuncs["logsumexp_weighted"]
    x, weights = checked("a", a), checked("b", b)
    char = np.result_type(computed_in("a", x.dtype), computed_in("b", weights.dtype)).char
    try:
        x, weights = np.broadcast_arrays(x, weights)
    except ValueError:
        raise ValueError(f"a and b must have shapes that broadcast, got {x.shape} and {weights.shape}") from None
    axes = axes_of(axis, x.ndim)
    shape = _reduced(x.shape, axes, keepdims)
    flat = [_last_axis(operand, axes) for operand in (x, weights, weights != 0)]
    result = _call(ufunc, flat, (char, char, "?", char), None)
    return result[..., 0].reshape(shape)[()], result[..., 1].reshape(shape)[()]


def _reduced(shape: tuple[int, ...], axes: tuple[int, ...], keepdims: bool) -> tuple[int, ...]:
    """The shape with the axes gone, or of length 1."""
    return tuple(1 if k in axes else size for k, size in enumerate(shape) if keepdims or k not in axes)


def _last_axis(a: np.ndarray, axes: tuple[int, ...]) -> np.ndarray:
    """The axes moved to the end, in their order, and made one."""
    kept = [k for k in range(a.ndim) if k not in axes]
    return np.asarray(a).transpose(*kept, *axes).reshape(*(a.shape[k] for k in kept), prod(a.shape[k] for k in axes))


def _run(ufunc: np.ufunc, operands: list[np.ndarray], axis: Any, out: Any, char: str, keepdims: Any) -> Any:
    a = operands[0]
    axes = axes_of(axis, a.ndim)
    shape = a.shape if keepdims is None else _reduced(a.shape, axes, keepdims)
    if out is not None:
        check_out(out, shape, char)
    signature = (char,) * (ufunc.nin + 1)
    if "?" in ufunc.types[0]:
        signature = (*signature[:-2], "?", char)
    if len(axes) == 1 and a.ndim:
        if out is None and keepdims is None and type(a) is np.ndarray:
            out = np.empty_like(a, char)  # in the input's order; a generalised ufunc would put the axis last
        # NumPy's own machinery: casting, overlap, subclasses.
        kept = {"keepdims": True} if keepdims else {}
        return _call(ufunc, operands, signature, out, axis=axes[0], **kept)
    # Several axes, or none, become one last axis; `out` takes a copy of the result.
    result = _call(ufunc, [_last_axis(b, axes) for b in operands], signature, None, axis=-1)
    if keepdims is None:
        order = [*(k for k in range(a.ndim) if k not in axes), *axes]
        result = np.reshape(result, [a.shape[k] for k in order]).transpose(np.argsort(order))
    else:
        result = np.reshape(result, shape)
    if out is not None:
        with np.errstate(all="ignore"):
            np.copyto(out, result, casting="same_kind")
        return out
    if type(a) is not np.ndarray:
        return a.__array_wrap__(np.asarray(result))
    return result[()]


def _call(ufunc: np.ufunc, operands: list[np.ndarray], signature: tuple[str, ...], out: Any, **arguments: Any) -> Any:
    if out is not None:
        arguments["out"] = out
    arrays = operands if out is None else [*operands, out]
    if all(b.dtype.char == char for b, char in zip(arrays, signature, strict=False)):
        return ufunc(*operands, signature=signature, **arguments)
    with np.errstate(all="ignore"):  # a conversion may overflow, to infinity
        return ufunc(*operands, signature=signature, **arguments)


def _is_foreign(x: Any) -> bool:
    """Whether x is another library's array that takes part in NumPy's ufunc protocol."""
    return not isinstance(x, np.ndarray | np.generic) and getattr(type(x), "__array_ufunc__", None) is not None


def _is_lazy(x: Any) -> bool:
    """Whether x would be computed, all of it, by a conversion to an ndarray."""
    graph = getattr(x, "__dask_graph__", None)
    return graph is not None and graph() is not None


def _is_foreign_call(x: Any, axis: Any, where: Any, out: Any) -> bool:
    """Whether the ufunc protocol can carry the call; if not, x must become an ndarray, unless that costs a lot."""
    if where is None and out is None and isinstance(axis, int):
        return True
    if _is_lazy(x):
        raise TypeError(f"a {type(x).__name__} takes an integer axis, and neither where nor out: compute it first")
    return False


def _foreign(name: str, x: Any, char: str | None) -> Any:
    """X in a type that the kernels have; a ufunc would take int8 for float16."""
    dtype = np.dtype(x.dtype) if hasattr(x, "dtype") else np.asarray(x).dtype
    wanted = np.dtype(char or computed_in(name, dtype))
    return x if dtype == wanted else x.astype(wanted)


def checked(name: str, x: Any) -> np.ndarray:
    """X as an array; TypeError for what would be lost or computed on the way."""
    if isinstance(x, np.ma.MaskedArray):
        raise TypeError(f"{name} is a masked array, whose mask would be lost: pass {name}.data and where=~{name}.mask")
    if _is_lazy(x):
        raise TypeError(f"{name} is a {type(x).__name__}: compute it first")
    return np.asanyarray(x)


def computed_in(name: str, dtype: np.dtype) -> str:
    """The type that the kernels compute an array's entries in, and return."""
    if dtype.kind in "biu":
        return "d"
    char = _FLOATS.get(dtype.newbyteorder("=")) if dtype.kind == "f" else None
    if char is not None:
        return char
    raise TypeError(f"{name} must hold float16, float32, float64, integers or bools, got {dtype}")


def float_type(name: str, dtype: Any) -> str:
    """The character of a type that the kernels return."""
    try:
        char = _FLOATS.get(np.dtype(dtype).newbyteorder("="))
    except TypeError:
        char = None
    if char is None:
        raise TypeError(f"{name} must be float16, float32 or float64, got {dtype!r}")
    return char


def axes_of(axis: Any, ndim: int) -> tuple[int, ...]:
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
    mask = np.asarray(checked("where", where))
    if mask.dtype != bool:
        raise TypeError(f"where must hold bools, got {mask.dtype}")
    try:
        return np.broadcast_to(mask, shape)
    except ValueError:
        raise ValueError(f"where must have a shape that broadcasts to {shape}, got {mask.shape}") from None


def check_out(out: Any, shape: tuple[int, ...], char: str) -> None:
    """Raise unless a result of that shape and type can be written to out."""
    if not isinstance(out, np.ndarray) or isinstance(out, np.ma.MaskedArray):
        raise TypeError(f"out must be an ndarray, got {type(out).__name__}")
    if out.shape != shape:
        raise ValueError(f"out must have shape {shape}, got {out.shape}")
    if out.dtype.kind not in "fc":
        raise TypeError(f"out must be able to hold {np.dtype(char)}, got {out.dtype}")
    if not out.flags.writeable:
        raise ValueError("out must be writeable, got a read-only array")
