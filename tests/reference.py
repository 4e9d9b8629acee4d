"""High-precision references: for each function of the C list, the exact result and what its ULP are counted in.

A reference is written once and works on arrays of numpy.longdouble, where that is wider than float64, or of mpmath
numbers. It takes the floating-point type of the function's entries and operands whose last axis is the row.
"""

import mpmath
import numpy as np

MP = mpmath.mp.clone()
MP.prec = 300

HAS_LONGDOUBLE = np.finfo(np.longdouble).nmant >= 63

#: name -> function(dtype, *operands) -> (exact result, the value whose spacing is the unit of the error bound)
REFERENCES = {}

_to_mp = np.frompyfunc(lambda a: MP.mpf(float(a)), 1, 1)
_mp_exp = np.frompyfunc(MP.exp, 1, 1)
_mp_log1p = np.frompyfunc(MP.log1p, 1, 1)
_mp_log = np.frompyfunc(MP.log, 1, 1)


def reference(function):
    REFERENCES[function.__name__] = function
    return function


def is_slow(dtype):
    """Whether only mpmath is wide enough for this type, at some microseconds an operation."""
    return dtype == np.float64 and not HAS_LONGDOUBLE


def exact(name, *operands, multiprecision=None):
    """The reference of one function: (exact result, the value whose spacing is the unit), both in a wider type."""
    dtype = np.result_type(*operands)
    if is_slow(dtype) if multiprecision is None else multiprecision:
        wide = [np.asarray(_to_mp(x), dtype=object) for x in operands]
    else:
        wide = [np.asarray(x).astype(np.longdouble) for x in operands]
    with np.errstate(all="ignore"):
        return REFERENCES[name](dtype, *wide)


def ulps(got, want, unit):
    """The distance of floating-point results from the exact ones, in spacings of the float nearest to unit."""
    got, want = np.asarray(got), np.asarray(want)
    with np.errstate(all="ignore"):
        spacing = np.spacing(np.abs(np.asarray(unit).astype(got.dtype)))
        if want.dtype == object:
            wide, spacing = _to_mp(got), _to_mp(spacing)
        else:
            wide = got.astype(np.longdouble)
        distance = (np.abs(wide - want) / spacing).astype(np.float64)
        same = (wide == want) | (np.isnan(got) & (want != want))
        return np.where(same, 0, np.where(np.isnan(distance), np.inf, distance))


@reference
def softmax(dtype, x):
    _, e, rest = _exponentials(x)
    p = e / (1 + rest)
    return p, p


@reference
def log_softmax(dtype, x):
    m, _, rest = _exponentials(x)
    difference, rounded = _two_sum(x, -m)
    result = difference - (_log1p(rest) - rounded)
    return result, result


@reference
def logsumexp(dtype, x):
    m, _, rest = _exponentials(x)
    result = (m + _log1p(rest))[..., 0]
    if dtype == np.float64:
        return result, np.maximum(np.abs(result), np.abs(m[..., 0]))
    cancels = np.abs(result) < 1e-6 * np.abs(m[..., 0])
    if x.dtype != object and cancels.any():
        # What longdouble loses here would show in a float32.
        result[cancels] = REFERENCES["logsumexp"](dtype, _to_mp(x[cancels]))[0].astype(np.float64)
    return result, result


@reference
def logsumexp_weighted(dtype, x, b):
    m, e, _ = _exponentials(x)
    total, _ = _sum(np.stack([f * h for f in _halves(e) for h in _halves(b)], -1).reshape(*x.shape[:-1], -1))
    log = (_mp_log if x.dtype == object else np.log)(np.abs(total))
    result = np.stack([m[..., 0] + log[..., 0], np.sign(total)[..., 0]], -1)
    return result, result


@reference
def softmax_backward(dtype, g, y):
    # The products of halves are exact, so nothing is lost where they cancel.
    high, low = _sum(np.stack([a * b for a in _halves(g) for b in _halves(y)], -1).reshape(*y.shape[:-1], -1))
    return y * ((g - high) - low), np.maximum(np.abs(y * g), np.abs(y * high))


@reference
def log_softmax_backward(dtype, g, y):
    high, low = _sum(g)
    p = (_mp_exp if y.dtype == object else np.exp)(y)
    return (g - p * high) - p * low, np.maximum(np.abs(g), np.abs(p * high))


def _exponentials(x):
    """The rows' maximum m, all exp(x - m), and their sum without the maximum's own term, which hides the others."""
    at = np.expand_dims(np.argmax(x, -1), -1)
    m = np.take_along_axis(x, at, -1)
    difference, rounded = _two_sum(x, -m)
    e = (_mp_exp if x.dtype == object else np.exp)(difference)
    e = e + e * rounded
    others = e.copy()
    np.put_along_axis(others, at, x.dtype.type(0) if x.dtype != object else MP.mpf(0), -1)
    return m, e, _sum(others)[0]


def _two_sum(a, b):
    """The sum a + b, and what its rounding took."""
    s = a + b
    if s.dtype == object:
        return s, MP.mpf(0)
    part = s - a
    rounded = (a - (s - part)) + (b - part)
    return s, np.where(np.isfinite(s), rounded, 0)


def _sum(a):
    """The sum along the last axis, as a value and what its rounding took; the axis stays."""
    if a.dtype == object:
        return np.asarray(a.sum(-1, keepdims=True), dtype=object), MP.mpf(0)
    high, low = a, np.zeros_like(a)
    while high.shape[-1] > 1:
        half = high.shape[-1] // 2
        s, rounded = _two_sum(high[..., :half], high[..., half : 2 * half])
        low = np.concatenate([low[..., :half] + low[..., half : 2 * half] + rounded, low[..., 2 * half :]], -1)
        high = np.concatenate([s, high[..., 2 * half :]], -1)
    return _two_sum(high, low)


def _halves(a):
    """An unevaluated sum that equals a, of parts whose products with each other are exact in longdouble."""
    if a.dtype == object:
        return (a,)
    high = a.astype(np.float32).astype(np.longdouble)
    return high, a - high


def _log1p(a):
    return (_mp_log1p if a.dtype == object else np.log1p)(a)
