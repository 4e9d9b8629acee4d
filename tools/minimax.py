"""Fit the polynomials of include/fastact/math-inl.h: Remez exchange in mpmath, then rounding to the format.

    python tools/minimax.py

prints each polynomial's coefficients as C hexadecimal constants, with the interval and the error left after rounding.
"""

from __future__ import annotations

import mpmath as mp
import numpy as np

mp.mp.prec = 200


def remez(target, weight, count, lo, hi, rounds=60):
    """Coefficients c of p(x) = sum c[k] x**k, k < count, that minimise max weight(x) |target(x) - p(x)|."""
    nodes = [
        (lo + hi) / 2 - (hi - lo) / 2 * mp.cos(mp.pi * (k + mp.mpf("0.3")) / (count + 0.6)) for k in range(count + 1)
    ]
    grid = [lo + (hi - lo) * (k + mp.mpf("0.5")) / 4000 for k in range(4000)]  # a pole at 0 that cancels is never met
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
        if len(peaks) <= count or max(heights) < min(heights) * (1 + mp.mpf(10) ** -6):
            break
        nodes = [grid[i] for i in peaks]
    return coefficients


def fit(name, target, weight, leading, count, lo, hi, real):
    """Print p(x) = leading + x (c[0] + c[1] x + ...), the fitted `count` coefficients rounded to `real`."""
    lo, hi = mp.mpf(lo), mp.mpf(hi)
    exact = remez(lambda x: (target(x) - leading) / x, lambda x: weight(x) * abs(x), count, lo, hi)
    rounded = [mp.mpf(leading)] + [mp.mpf(float(real(mp.nstr(c, 40)))) for c in exact]
    grid = [lo + (hi - lo) * (k + mp.mpf("0.5")) / 5000 for k in range(5000)]
    worst = max(weight(x) * abs(target(x) - mp.polyval(rounded[::-1], x)) for x in grid)
    print(f"{name}, {real.__name__}: [{lo}, {hi}], degree {count}, error 2^{float(mp.log(worst, 2)):.1f}")
    print("    " + ", ".join(float(c).hex() for c in rounded))


if __name__ == "__main__":
    # exp(r) = 1 + r q(r): an error of q counts as a relative error of exp.
    q, relative = lambda r: mp.expm1(r) / r, lambda r: abs(r) * mp.exp(-r)
    fit("q", q, relative, 1, 5, "-0.351", "0.351", np.float32)  # wider: n is chosen from a rounded product
    fit("q", q, relative, 1, 10, "-0.3467", "0.3467", np.float64)
