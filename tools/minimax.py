"""Fit the polynomials and tables of include/fastact/math-inl.h and activations-inl.h.

    python tools/minimax.py

prints each polynomial's coefficients as C hexadecimal constants, with the interval and the error left after rounding
(Remez exchange in mpmath, then rounding to the format), the table of the exponential's quarters, and the float32 tables
of `piecewise`. The coefficients in use of the logarithm and of Mills' ratio were fitted on nearly the same intervals,
and differ in the last digits.
"""

from __future__ import annotations

import re

import mpmath as mp
import numpy as np

mp.mp.prec = 200


def remez(target, weight, count, lo, hi, rounds=60, points=4000, tolerance="1e-6"):
    """Coefficients c of p(x) = sum c[k] x**k, k < count, that minimise max weight(x) |target(x) - p(x)|."""
    nodes = [
        (lo + hi) / 2 - (hi - lo) / 2 * mp.cos(mp.pi * (k + mp.mpf("0.3")) / (count + 0.6)) for k in range(count + 1)
    ]
    grid = [
        lo + (hi - lo) * (k + mp.mpf("0.5")) / points for k in range(points)
    ]  # a pole at 0 that cancels is never met
    wanted = [(target(x), weight(x)) for x in grid]
    for _ in range(rounds):
        system, right = mp.matrix(count + 1, count + 1), mp.matrix(count + 1, 1)
        for i, x in enumerate(nodes):
            w = weight(x)
            for k in range(count):
                system[i, k] = w * x**k
            system[i, count] = (-1) ** i
            right[i] = w * target(x)
        coefficients = list(mp.lu_solve(system, right)[:count])
        error = [w * (t - mp.polyval(coefficients[::-1], x)) for x, (t, w) in zip(grid, wanted, strict=True)]
        peaks, start = [], 0  # the largest error of each run of one sign
        for i in range(1, len(grid) + 1):
            if i == len(grid) or (error[i] > 0) != (error[start] > 0):
                peaks.append(max(range(start, i), key=lambda k: abs(error[k])))
                start = i
        while len(peaks) > count + 1:
            peaks.pop(0 if abs(error[peaks[0]]) < abs(error[peaks[-1]]) else -1)
        heights = [abs(error[i]) for i in peaks]
        if len(peaks) <= count or max(heights) < min(heights) * (1 + mp.mpf(tolerance)):
            break
        nodes = [grid[i] for i in peaks]
    return coefficients


def fit(name, target, weight, leading, count, lo, hi, real):
    """Print p(x) = leading + x (c[0] + c[1] x + ...), or p(x) = c[0] + c[1] x + ... for None.

    The fitted `count` coefficients are rounded to `real`.
    """
    lo, hi = mp.mpf(lo), mp.mpf(hi)
    if leading is None:
        exact, first = remez(target, weight, count, lo, hi), []
    else:
        exact = remez(lambda x: (target(x) - leading) / x, lambda x: weight(x) * abs(x), count, lo, hi)
        first = [mp.mpf(leading)]
    show(name, target, weight, first + exact, lo, hi, real)


def show(name, target, weight, coefficients, lo, hi, real):
    """Print a polynomial's coefficients, rounded to `real`, and the error that is left."""
    rounded = [mp.mpf(float(real(mp.nstr(c, 40)))) for c in coefficients]
    grid = [lo + (hi - lo) * (k + mp.mpf("0.5")) / 5000 for k in range(5000)]
    worst = max(weight(x) * abs(target(x) - mp.polyval(rounded[::-1], x)) for x in grid)
    error = f"degree {len(rounded) - 1}, error 2^{float(mp.log(worst, 2)):.1f}"
    print(f"{name}, {real.__name__}: [{mp.nstr(lo, 5)}, {mp.nstr(hi, 5)}], {error}")
    print("    " + ", ".join(float(c).hex() for c in rounded))


def interpolated(name, target, weight, count, lo, hi, real):
    """Print the polynomial that agrees with the target at Chebyshev's points."""
    nodes = [(lo + hi) / 2 - (hi - lo) / 2 * mp.cos(mp.pi * (k + mp.mpf("0.5")) / count) for k in range(count)]
    system = mp.matrix(count, count)
    for i, x in enumerate(nodes):
        for k in range(count):
            system[i, k] = x**k
    show(name, target, weight, list(mp.lu_solve(system, mp.matrix([target(x) for x in nodes]))), lo, hi, real)


def quarters(real, candidates):
    """Print the candidate u for which u 2**(j/4), j = 0 to 3, lie closest to numbers of the format, and their bits."""
    bits = {np.float32: 23, np.float64: 52}[real]
    powers = [mp.mpf(2) ** (mp.mpf(j) / 4) for j in range(4)]
    worst = np.zeros(len(candidates), np.longdouble)
    for power in powers[1:]:
        wide = np.longdouble(float(power)) + np.longdouble(float(power - float(power)))
        exact = candidates.astype(np.longdouble) * wide
        worst = np.maximum(worst, abs(exact.astype(real).astype(np.longdouble) / exact - 1))
    unit = mp.mpf(float(candidates[np.argmin(worst)]))
    values = np.array([float(unit * power) for power in powers], real)
    unsigned = np.uint32 if real is np.float32 else np.uint64
    table = [int(value) - (j << (bits - 2)) for j, value in enumerate(values.view(unsigned))]
    error = max(abs(mp.mpf(float(value)) / (unit * power) - 1) for value, power in zip(values, powers, strict=True))
    print(f"quarters, {real.__name__}: UNIT {float(unit).hex()}, error 2^{float(mp.log(error, 2)):.1f}")
    print("    " + ", ".join(map(hex, table)))


def rounded_best(coefficients, exact, weights, u, pinned, ends, seed):
    """float32 coefficients near the given ones, and the largest weighted error of their polynomial in u.

    Plain rounding, improved by a random search, since the roundings of the lower coefficients do not average out. Where
    it `ends` the range, its last value is the right one when rounded.
    """
    rng = np.random.default_rng(seed)

    def worst(c):
        values = np.polynomial.polynomial.polyval(u, np.asarray(c, np.longdouble))
        if ends and np.float32(values[-1]) != np.float32(exact[-1]):
            return np.inf
        return float(np.max(weights * abs(values - exact)))

    best = np.array([float(c) for c in coefficients], np.float32)
    error = worst(best)
    reach = np.array([2, 2, 2, 2] + [40] * (len(best) - 4))
    reach[:pinned] = 0
    for _ in range(6000):
        other = best + (rng.integers(-reach, reach + 1) * np.spacing(best)).astype(np.float32)
        other_error = worst(other)
        if other_error < error:
            best, error = other, other_error
    return best, error


def pieces(name, target, weight, degree, shift, end, from_middle=True):
    """Print the table of `piecewise`: for each quarter of an octave of a + shift a polynomial from there."""
    parts, count = 4, 16
    rows, errors = np.zeros((degree + 1, count), np.float32), []
    first = int(np.frexp(shift)[1] - 1) * parts + int((np.frexp(shift)[0] * 2 - 1) * parts)  # where a = 0 lies
    for part in range(first, first + count):
        octave = 2.0 ** (part // parts)
        low = octave * (1 + part % parts / parts) - shift
        centre, high = low + octave / parts / 2 * from_middle, min(low + octave / parts, end)
        column = (127 * parts + part) % count  # the last bits of the exponent and the first of the mantissa
        if low >= end:
            rows[0, column] = float(target(mp.mpf(end)))
            continue
        low = max(low, 0.0)
        pinned = centre == 0 and target(mp.mpf(0)) == 0  # the constant term is 0, and the error relative
        lo, hi = mp.mpf(low - centre) + (mp.mpf("1e-6") if pinned else 0), mp.mpf(high - centre)
        at = mp.mpf(centre)
        fitted = remez(
            (lambda u, at=at: target(at + u) / u) if pinned else (lambda u, at=at: target(at + u)),
            (lambda u, at=at: abs(u) * weight(at + u)) if pinned else (lambda u, at=at: weight(at + u)),
            degree + (not pinned), lo, hi, points=400, tolerance="0.02",
        )  # fmt: skip
        grid = [lo + (hi - lo) * k / 200 for k in range(201)]
        values = [target(at + u) for u in grid]
        exact = np.array([np.longdouble(float(v)) + np.longdouble(float(v - mp.mpf(float(v)))) for v in values])
        weights = np.array([float(weight(at + u)) for u in grid])
        coefficients = [mp.mpf(0), *fitted] if pinned else fitted
        u = np.array([float(v) for v in grid], np.longdouble)
        rows[:, column], error = rounded_best(coefficients, exact, weights, u, int(pinned), high == end, part % count)
        errors.append(error)

    print(f"{name}: shift {shift}, degree {degree}, to {end}, error 2^{np.log2(max(errors)):.2f}")
    for polynomial in rows.T:
        numbers = [re.sub(r"\.?0*p", "p", float(c).hex()) + "f" if c else "0" for c in polynomial]
        print("    ROW(" + ", ".join(numbers) + ") \\")


def mills(a):
    """Mills' ratio of the normal distribution, over sqrt(2 pi)."""
    return mp.erfc(a / mp.sqrt(2)) * mp.exp(a * a / 2) / 2


if __name__ == "__main__":
    # UNIT exp(r) for |r| <= ln(2)/8 must stay below 2, and near it.
    quarters(np.float32, np.arange(int(1.80 * 2**23), int(1.83 * 2**23)) / 2**23)
    quarters(np.float64, 1.80 + 0.03 * np.random.default_rng(0).random(10_000_000))
    # exp(r) = 1 + r q(r): an error of q counts as a relative error of exp. The intervals exceed ln(2)/8 and ln(2)/2,
    # as n comes from a rounded product.
    q, relative = lambda r: mp.expm1(r) / r, lambda r: abs(r) * mp.exp(-r)
    fit("q", q, relative, 1, 3, "-0.0888", "0.0888", np.float32)
    fit("q", q, relative, 1, 7, "-0.0867", "0.0867", np.float64)
    fit("q", q, relative, 1, 5, "-0.351", "0.351", np.float32)
    fit("q", q, relative, 1, 10, "-0.3467", "0.3467", np.float64)
    # expm1(r) = r + r**2 h(r) and log((1 + s) / (1 - s)) = 2 s + s**3 l(s**2)
    h, expm1_part = lambda r: (mp.expm1(r) - r) / r**2, lambda r: r**2 / abs(mp.expm1(r))
    fit("h", h, expm1_part, 0.5, 3, "-0.0888", "0.0888", np.float32)
    fit("h", h, expm1_part, 0.5, 7, "-0.0867", "0.0867", np.float64)

    def log_ratio(z):
        s = mp.sqrt(z)
        return mp.log((1 + s) / (1 - s))

    log_tail, log_part = lambda z: (log_ratio(z) - 2 * mp.sqrt(z)) / z**1.5, lambda z: z**1.5 / log_ratio(z)
    fit("l", log_tail, log_part, None, 4, "1e-9", "0.02945", np.float32)
    fit("l", log_tail, log_part, None, 7, "1e-9", "0.02945", np.float64)
    # Mills' ratio as t m(t - centre), t = 1 / (1 + a / 4.5)
    centre, scale = mp.mpf("0.5615234375"), mp.mpf("4.5")

    def mills_of_t(u):
        t = u + centre
        return mills(scale / t - scale) / t

    lowest = 1 / (1 + 54 / scale) - centre
    interpolated("mills", mills_of_t, lambda u: 1 / mills_of_t(u), 24, lowest, 1 - centre, np.float64)
    # gelu: a T / E and (T - a phi) / E, less the exponential's factor. The second's error counts in its larger term.
    unit, density = mp.mpf(float.fromhex("0x1.d38d72p+0")), 1 / mp.sqrt(2 * mp.pi)

    def larger_term(a):
        return max(mills(a), a * density)

    pieces("tanh", mp.tanh, lambda a: 1 / mp.tanh(a), 5, 0.625, 9.02, from_middle=False)
    pieces("gelu", lambda a: a * mills(a) / unit, lambda a: unit / (a * mills(a)), 5, 1.125, 13)
    pieces("gelu_slope", lambda a: (mills(a) - a * density) / unit, lambda a: unit / larger_term(a), 5, 1, 13)
