"""High-precision references of the elementwise activations: for each name of the list, the function and its derivative.

Each is written twice. DEFINITIONS has the textbook's formula, for one mpmath number at a time. WIDE has formulas for
arrays of a wider type, at a thousandth of the time: in numpy.longdouble they lose less than 2**-8 ULP of a float64, in
float64 less than 2**-20 ULP of a float32; a test holds both against the definitions. A derivative is a tuple of terms
that are to be added: where they cancel, the error bound of a gradient counts in ULP of the largest of them. Parameters
are taken as the type under test holds them.
"""

from functools import cache

import mpmath
import numpy as np
from scipy import special

MP = mpmath.mp.clone()
MP.prec = 400

LONG = np.longdouble
HAS_LONGDOUBLE = np.finfo(LONG).nmant >= 63


def _normal(x):
    """The normal distribution's function; mpmath's erfc overflows for large numbers."""
    return MP.erfc(-x / MP.sqrt(2)) / 2 if abs(x) < 10000 else MP.mpf(x > 0)


SELU_LAMBDA = "1.0507009873554804934193349852946"
SELU_ALPHA = "1.6732632423543772848170429916717"
GELU_CUBIC = "0.044715"


def exact(name, dtype, x, values=(), grad=None, wide=LONG if HAS_LONGDOUBLE else None):
    """The exact result for operands of a type, and the largest of the terms it is a sum of.

    Without a gradient that of the function itself; with one that of its gradient, where x is whatever that takes. Both
    come in the wider type, or as mpmath numbers for None.
    """
    x, *values = (np.asarray(a, dtype) for a in (x, *values))
    meant = name == "hard_sigmoid" and np.all(values[0] == np.asarray(1 / 6, dtype)) and np.all(values[1] == 0.5)
    with np.errstate(all="ignore"):
        if wide is None:
            forward, derivative = SIXTH_DEFINITION if meant else DEFINITIONS[name]
            x, *values = map(to_mp, (x, *values))
        else:
            forward, derivative = SIXTH_WIDE if meant else WIDE[name]
            x, *values = (a.astype(wide) for a in (x, *values))
        if grad is None:
            y = np.frompyfunc(forward, 1 + len(values), 1)(x, *values) if wide is None else forward(x, *values)
            return np.asarray(y), np.asarray(y)
        g = to_mp(np.asarray(grad, dtype)) if wide is None else np.asarray(grad, dtype).astype(wide)
        if wide is None:
            terms = np.frompyfunc(derivative, 1 + len(values), 1)(x, *values)
            total, largest = np.frompyfunc(lambda t: (MP.fsum(t), max(map(abs, t))), 1, 2)(terms)
        else:
            terms = derivative(x, *values)
            total, largest = sum(terms), np.maximum.reduce([np.abs(t) for t in np.broadcast_arrays(*terms)])
        return np.asarray(g * total), np.asarray(g * largest)


def to_mp(a):
    """The same numbers as an object array of mpmath's."""
    mantissa, exponent = np.frexp(np.asarray(a))
    high = mantissa.astype(np.float64)
    low = (mantissa - high).astype(np.float64)
    parts = np.frompyfunc(lambda h, m, e: MP.ldexp(MP.mpf(h) + MP.mpf(m), int(e)), 3, 1)
    return np.asarray(parts(high, low, exponent), dtype=object)


def spacing(a, dtype):
    """The distance of the floats of a type that lie around a, of a wider type."""
    info = np.finfo(dtype)
    # Its exponent alone. A wider number may have been rounded up to a power of two: a step back is on the safe side.
    a = a if a.dtype == np.float64 else np.nextafter(np.abs(a).astype(np.float64), 0)
    power = (a.view(np.int64) & 0x7FF0000000000000).view(np.float64)
    last = 2.0**-info.nmant
    return np.minimum(np.maximum(power * last, info.smallest_subnormal), 2.0 ** (info.maxexp - 1) * last)


def unit(want, largest, dtype):
    """The unit of the last place of exact results.

    Where a result is a sum of terms the largest of which has a place more than twice as high, it is half of that: a
    bound of 4 ULP then allows 2 ULP of the largest term.
    """
    return np.maximum(spacing(want, dtype), spacing(largest, dtype) / 2)


def ulps(got, want, largest):
    """The distance of floating-point results from exact ones, in units of the last place.

    Infinity counts as the number that would follow the largest.
    """
    got, want, largest = np.asarray(got), np.asarray(want), np.asarray(largest)
    info = np.finfo(got.dtype)
    with np.errstate(all="ignore"):
        if want.dtype == object:
            units = to_mp(unit(*(np.asarray(a.astype(np.float64), LONG) for a in (want, largest)), got.dtype))
            top = MP.ldexp(1, info.maxexp)
            wide = to_mp(np.nan_to_num(got, posinf=0, neginf=0))
            wide = np.where(np.isinf(got), np.sign(np.where(np.isnan(got), 0, got)).astype(int) * top, wide)
            wide = np.where(np.isnan(got), MP.nan, wide)
            want = np.frompyfunc(lambda w: w if w != w else max(-top, min(top, w)), 1, 1)(want)
        else:
            units = unit(want, largest, got.dtype)
            top = want.dtype.type(2) ** info.maxexp
            wide, want = np.clip(got.astype(want.dtype), -top, top), np.clip(want, -top, top)
        distance = (np.abs(wide - want) / units).astype(np.float64)
        same = (wide == want) | (np.isnan(got) & (want != want))
        return np.where(same, 0.0, np.where(np.isnan(distance), np.inf, distance))


# --- the definitions ----------------------------------------------------------------------------------------------


def _sigma(x):
    return 1 / (1 + MP.exp(-x))


def _gate_terms(x, z, v):
    """The terms of (x sigma(z))', with v = x z'."""
    return _sigma(z), v * _sigma(z) * _sigma(-z)


def _clip(x, low, high):
    return min(max(x, low), high)


def _gelu_argument(x):
    """Z of (1 + tanh(z / 2)) / 2 = sigma(z), and x z'."""
    root, c = MP.sqrt(8 / MP.pi), MP.mpf(GELU_CUBIC)
    return root * (x + c * x**3), root * (x + 3 * c * x**3)


def _mish_derivative(x):
    t = MP.tanh(MP.log1p(MP.exp(x)))
    return t, x * (1 - t) * (1 + t) * _sigma(x)


def _leaky(x, slope):
    return x if x > 0 else slope * x


def _leaky_derivative(x, slope):
    return (MP.one if x > 0 else slope,)


def _selu(c, x):
    return MP.mpf(SELU_LAMBDA) * (c if x > 0 else MP.mpf(SELU_ALPHA) * c)


def _hard_sigmoid_derivative(x, alpha, beta):
    return (alpha if 0 < alpha * x + beta < 1 else MP.zero,)


#: hard_sigmoid with beta 1/2: the alpha nearest to 1/6 stands for 1/6.
SIXTH_DEFINITION = (
    lambda x, a, b: _clip(x + 3, 0, 6) / 6,
    lambda x, a, b: (MP.mpf(1) / 6 if -3 < x < 3 else MP.zero,),
)
SIXTH_WIDE = (
    lambda x, a, b: np.clip(x + 3, 0, 6) / 6,
    lambda x, a, b: (np.where((x > -3) & (x < 3), x.dtype.type(1) / 6, 0),),
)


def _hard_swish_derivative(x):
    return (MP.zero if x <= -3 else (2 * x + 3) / 6 if x < 3 else MP.one,)


#: name -> (function, terms of its derivative by x, or by x as a function of y where the gradient takes y)
DEFINITIONS = {
    "sigmoid": (_sigma, lambda y: (y * (1 - y),)),
    "tanh": (MP.tanh, lambda y: (1 - y * y,)),
    "relu": (lambda x: max(x, MP.zero), lambda x: (MP.mpf(x > 0),)),
    "leaky_relu": (_leaky, _leaky_derivative),
    "prelu": (_leaky, _leaky_derivative),
    "elu": (lambda x, a: x if x > 0 else a * MP.expm1(x), lambda x, a: (MP.one if x > 0 else a * MP.exp(x),)),
    "selu": (
        lambda x: _selu(x if x > 0 else MP.expm1(x), x),
        lambda x: (_selu(MP.one if x > 0 else MP.exp(x), x),),
    ),
    "celu": (lambda x, a: x if x > 0 else a * MP.expm1(x / a), lambda x, a: (MP.one if x > 0 else MP.exp(x / a),)),
    "silu": (lambda x: x * _sigma(x), lambda x: _gate_terms(x, x, x)),
    "swish": (lambda x, b: x * _sigma(b * x), lambda x, b: _gate_terms(x, b * x, b * x)),
    "softplus": (lambda x, b: MP.log1p(MP.exp(b * x)) / b, lambda x, b: (_sigma(b * x),)),
    "softsign": (lambda x: x / (1 + abs(x)), lambda x: (1 / (1 + abs(x)) ** 2,)),
    "gelu": (
        lambda x: x * _normal(x),
        lambda x: (_normal(x), x * MP.exp(-x * x / 2) / MP.sqrt(2 * MP.pi)),
    ),
    "gelu_tanh": (lambda x: x * _sigma(_gelu_argument(x)[0]), lambda x: _gate_terms(x, *_gelu_argument(x))),
    "log_sigmoid": (lambda x: -MP.log1p(MP.exp(-x)), lambda x: (_sigma(-x),)),
    "mish": (lambda x: x * MP.tanh(MP.log1p(MP.exp(x))), _mish_derivative),
    "relu6": (lambda x: _clip(x, 0, 6), lambda x: (MP.mpf(0 < x < 6),)),
    "hard_tanh": (_clip, lambda x, low, high: (MP.mpf(low < x < high),)),
    "hard_sigmoid": (lambda x, a, b: _clip(a * x + b, 0, 1), _hard_sigmoid_derivative),
    "hard_swish": (lambda x: x * _clip(x + 3, 0, 6) / 6, _hard_swish_derivative),
    "threshold": (lambda x, t, v: x if x > t else v, lambda x, t, v: (MP.mpf(x > t),)),
}


# --- the same in a wider type -------------------------------------------------------------------------------------
# What goes into an exponential is an unevaluated sum of two numbers, for the error of its argument counts as a relative
# one of the result.


def _split(a):
    """Two parts of 32 bits each."""
    c = a * 4294967297.0  # 2**32 + 1
    high = c - (c - a)
    return high, a - high


def _product(a, b):
    high = a * b
    (a1, a2), (b1, b2) = _split(a), _split(b)
    return high, ((a1 * b1 - high) + a1 * b2 + a2 * b1) + a2 * b2


def _sum(a, b):
    s = a + b
    part = s - a
    return s, (a - (s - part)) + (b - part)


def _quotient(a, b):
    q = a / b
    high, low = _product(q, b)
    return q, ((a - high) - low) / b


def _exp(z):
    high, low = z
    return np.exp(high) * (1 + np.where(np.abs(high) < 20000, low, 0))


def _minus(z):
    return -z[0], -z[1]


def _wide_gate(z):
    """sigma(z) and sigma(-z)"""
    positive = z[0] >= 0
    e = _exp(tuple(np.where(positive, -part, part) for part in z))
    small, large = e / (1 + e), 1 / (1 + e)
    return np.where(positive, large, small), np.where(positive, small, large)


def _wide_softplus(z):
    e = _exp(tuple(np.where(z[0] >= 0, -part, part) for part in z))
    return np.maximum(z[0], 0) + np.where(z[0] > 0, z[1], 0) + np.log1p(e)


def _one(x):
    return x, np.zeros_like(x)


GELU_A = MP.sqrt(8 / MP.pi)
GELU_B = GELU_A * MP.mpf(GELU_CUBIC)
DENSITY = 1 / MP.sqrt(2 * MP.pi)
LAMBDA = MP.mpf(SELU_LAMBDA)
LAMBDA_ALPHA = LAMBDA * MP.mpf(SELU_ALPHA)


@cache
def _constant(c, dtype):
    """A number in two parts of a type."""
    parts = [float(c), float(c - float(c))]
    high = dtype.type(parts[0]) + dtype.type(parts[1])
    rest = c - MP.mpf(float(high)) - MP.mpf(float(high - dtype.type(float(high))))
    return high, dtype.type(float(rest))


def _wide_gelu_argument(x):
    a, b = _constant(GELU_A, x.dtype), _constant(GELU_B, x.dtype)
    w = _product(x, x)
    u, u_low = _product(b[0], w[0])
    u_low = u_low + b[0] * w[1] + b[1] * w[0]
    s, s_low = _sum(a[0], u)
    z, z_low = _product(x, s)
    return (z, z_low + x * (s_low + u_low + a[1])), x * (a[0] + 3 * u)


MILLS_STEP, MILLS_END, MILLS_ORDER = 8, 56, 17


@cache
def _mills_table():
    """Taylor coefficients of R(a) = Phi(-a) exp(a**2 / 2) about multiples of 1/8, from R' = a R - 1 / sqrt(2 pi)."""
    rows = []
    for k in range(MILLS_STEP * MILLS_END + 1):
        a = MP.mpf(k) / MILLS_STEP
        c = [MP.erfc(a / MP.sqrt(2)) * MP.exp(a * a / 2) / 2]
        c.append(a * c[0] - 1 / MP.sqrt(2 * MP.pi))
        for n in range(1, MILLS_ORDER):
            c.append((a * c[n] + c[n - 1]) / (n + 1))
        rows.append([_constant(value, np.dtype(LONG))[0] for value in c])
    return np.array(rows, LONG)


def _upper_tail(a):
    """Phi(-a) and exp(-a**2 / 2) for a >= 0"""
    high, low = _product(a, a)
    e = _exp((-high / 2, -low / 2))
    if a.dtype == np.float64:
        return e * special.erfcx(a / np.sqrt(2)) / 2, e
    a = np.minimum(a, MILLS_END)
    k = np.rint(a * MILLS_STEP).astype(int)
    c, h = _mills_table()[k], a - np.asarray(k, LONG) / MILLS_STEP
    r = c[..., -1]
    for n in range(MILLS_ORDER - 1, -1, -1):
        r = r * h + c[..., n]
    return e * r, e


def _wide_gelu(x):
    tail, _ = _upper_tail(np.abs(x))
    return x * np.where(x < 0, tail, 1 - tail)


def _wide_gelu_derivative(x):
    tail, e = _upper_tail(np.abs(x))
    return np.where(x < 0, tail, 1 - tail), x * e * _constant(DENSITY, x.dtype)[0]


def _wide_mish_parts(x):
    """n / d = tanh(log1p(exp(x))), and e, of which both are polynomials"""
    e = np.exp(-np.abs(x))
    n = np.where(x < 0, e * (e + 2), 1 + 2 * e)
    return n, n + np.where(x < 0, 2, 2 * e * e), e


def _wide_mish(x):
    n, d, _ = _wide_mish_parts(x)
    return x * (n / d)


def _wide_mish_derivative(x):
    n, d, e = _wide_mish_parts(x)
    return n / d, x * np.where(x < 0, 4 * e, 4 * e * e) * (1 + e) / (d * d)


def _wide_leaky(x, slope):
    return np.where(x > 0, x, slope * x)


def _wide_leaky_derivative(x, slope):
    return (np.where(x > 0, 1, slope),)


def _wide_hard_sigmoid(x, alpha, beta):
    high, low = _product(alpha, x)
    return np.clip((high + beta) + low, 0, 1)


def _wide_hard_sigmoid_derivative(x, alpha, beta):
    y = _wide_hard_sigmoid(x, alpha, beta)
    return (np.where((y > 0) & (y < 1), alpha, 0),)


def _at_most_zero(x):
    return np.minimum(x, 0)


def _wide_selu(c, x):
    return c * np.where(x > 0, _constant(LAMBDA, x.dtype)[0], _constant(LAMBDA_ALPHA, x.dtype)[0])


def _gated(x, z, v):
    s, t = _wide_gate(z)
    return s, v * s * t


WIDE = {
    "sigmoid": (lambda x: _wide_gate(_one(x))[0], lambda y: (y * (1 - y),)),
    "tanh": (np.tanh, lambda y: ((1 - y) * (1 + y),)),
    "relu": (lambda x: np.maximum(x, 0), lambda x: (np.where(x > 0, np.ones_like(x), 0),)),
    "leaky_relu": (_wide_leaky, _wide_leaky_derivative),
    "prelu": (_wide_leaky, _wide_leaky_derivative),
    "elu": (
        lambda x, a: np.where(x > 0, x, a * np.expm1(_at_most_zero(x))),
        lambda x, a: (np.where(x > 0, 1, a * np.exp(_at_most_zero(x))),),
    ),
    "selu": (
        lambda x: _wide_selu(np.where(x > 0, x, np.expm1(_at_most_zero(x))), x),
        lambda x: (_wide_selu(np.where(x > 0, 1, np.exp(_at_most_zero(x))), x),),
    ),
    "celu": (
        lambda x, a: np.where(x > 0, x, a * np.expm1(_at_most_zero(x) / a)),
        lambda x, a: (np.where(x > 0, 1, _exp(_quotient(_at_most_zero(x), a))),),
    ),
    "silu": (lambda x: x * _wide_gate(_one(x))[0], lambda x: _gated(x, _one(x), x)),
    "swish": (lambda x, b: x * _wide_gate(_product(b, x))[0], lambda x, b: _gated(x, _product(b, x), b * x)),
    "softplus": (lambda x, b: _wide_softplus(_product(b, x)) / b, lambda x, b: (_wide_gate(_product(b, x))[0],)),
    "softsign": (lambda x: x / (1 + np.abs(x)), lambda x: (1 / (1 + np.abs(x)) ** 2,)),
    "gelu": (_wide_gelu, _wide_gelu_derivative),
    "gelu_tanh": (
        lambda x: x * _wide_gate(_wide_gelu_argument(x)[0])[0],
        lambda x: _gated(x, *_wide_gelu_argument(x)),
    ),
    "log_sigmoid": (lambda x: -_wide_softplus(_one(-x)), lambda x: (_wide_gate(_one(-x))[0],)),
    "mish": (_wide_mish, _wide_mish_derivative),
    "relu6": (lambda x: np.clip(x, 0, 6), lambda x: (np.where((x > 0) & (x < 6), np.ones_like(x), 0),)),
    "hard_tanh": (
        lambda x, low, high: np.minimum(np.maximum(x, low), high),
        lambda x, low, high: (np.where((x > low) & (x < high), np.ones_like(x), 0),),
    ),
    "hard_sigmoid": (_wide_hard_sigmoid, _wide_hard_sigmoid_derivative),
    "hard_swish": (
        lambda x: x * np.clip(x + 3, 0, 6) / 6,
        lambda x: (np.where(x <= -3, 0, np.where(x < 3, (2 * np.clip(x, -3, 3) + 3) / 6, 1)),),
    ),
    "threshold": (
        lambda x, t, v: np.where(x > t, x, v),
        lambda x, t, v: (np.where(x > t, np.ones_like(x), 0),),
    ),
}


# --- the gated pairs: an activation of x times another array --------------------------------------------------------


def _times(functions):
    forward, derivative = functions
    return lambda x, p: p * forward(x), lambda x, p: tuple(p * term for term in derivative(x))


#: name -> the activation of the gate
GATES = {"glu": "sigmoid", "swiglu": "silu", "geglu": "gelu", "geglu_tanh": "gelu_tanh"}
# The sigmoid's own gradient takes its result.
_BY_X = {
    "sigmoid": (
        (_sigma, lambda x: (_sigma(x) * _sigma(-x),)),
        (WIDE["sigmoid"][0], lambda x: (np.multiply(*_wide_gate(_one(x))),)),
    )
}
for _name, _gate in GATES.items():
    _definition, _fast = _BY_X.get(_gate, (DEFINITIONS[_gate], WIDE[_gate]))
    DEFINITIONS[_name], WIDE[_name] = _times(_definition), _times(_fast)
