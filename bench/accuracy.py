"""The accuracy report: `python bench/accuracy.py` prints the largest error of every installed library, in ULP.

The reference is computed in numpy.longdouble. The unit is the last place of the exact result. Where the result can be
near 0 because two terms cancel, it is that of the larger one: of result and largest entry for logsumexp in float64, of
the two terms of the difference for softmax_backward. Results below the smallest normal number count in the spacing of
subnormal ones; `flush` says that a library makes them 0, and is left out of the number beside it. The exit code is 1
where fastact exceeds its bound.
"""

import sys

import numpy as np

from fastact._core import error_bounds
from fastact.cli.measure import EXTENDED, reference, ulps
from fastact.cli.peers import installed
from fastact.cli.table import show

SHORT = {"scikit-learn": "sklearn", "ONNX Runtime": "ONNX RT"}


def row_kinds():
    """Name -> rows as float64."""
    rng = np.random.default_rng(0)

    def nearly_one_hot(n):
        x = rng.normal(0, 1, (64, n))
        x[:, n // 2] += rng.uniform(10, 60, 64)
        return x

    return {
        "N(0,1)": rng.normal(0, 1, (256, 1000)),
        "N(0,3)": rng.normal(0, 3, (256, 1000)),
        "N(0,30)": rng.normal(0, 30, (256, 1000)),
        "U(-80,0)": rng.uniform(-80, 0, (256, 1000)),
        "N(0,3) + 3e4": rng.normal(0, 3, (256, 1000)) + 3e4,
        "N(0,3) - 3e4": rng.normal(0, 3, (256, 1000)) - 3e4,
        "N(0,3) - 9e5": rng.normal(0, 3, (256, 1000)) - 9e5,
        "2 classes": rng.normal(0, 5, (100_000, 2)),
        "3 classes": rng.normal(0, 5, (60_000, 3)),
        "10 classes": rng.normal(0, 5, (20_000, 10)),
        "128k classes": rng.normal(0, 3, (3, 128 * 1024)),
        "a million equal": np.full((1, 1_000_000), 0.1),
        "nearly one-hot": nearly_one_hot(100),
    }


def operands(function, x):
    """The function's array arguments, made of rows x."""
    if function != "softmax_backward":
        return (x,)
    grad = np.random.default_rng(1).normal(0, 1, x.shape).astype(x.dtype)
    return grad, reference("softmax", x).astype(x.dtype)


def unit(function, exact, first, *others):
    """The values whose last place is the unit."""
    if function == "logsumexp" and first.dtype == np.float64:
        return np.maximum(np.abs(exact), np.abs(first.max(axis=-1)))
    if function == "softmax_backward":
        y = others[0].astype(np.longdouble)
        return np.maximum(np.abs(y * first), np.abs(y * (y * first).sum(axis=-1, keepdims=True)))
    return exact


def worst(call, exact, units):
    """The largest error as text, and as a number."""
    result = np.asarray(call())
    errors = ulps(result, exact, units)
    flushed = (result == 0) & (np.abs(exact) < np.finfo(result.dtype).smallest_normal) & (errors > 1)
    rest = float(errors[~flushed].max())
    text = f"{rest:.2f}" if rest < 100 else f"{rest:.0f}" if rest < 1e5 else f"{rest:.0e}"
    return text + " flush" * bool(flushed.any()), float(errors.max())


def main():
    peers = installed()
    dtypes = [np.float32, np.float64] if EXTENDED else [np.float32]
    print("Largest error in ULP: " + ", ".join(f"{peer.name} {peer.version}" for peer in peers) + "\n")
    exceeded = []
    for function in ("softmax", "log_softmax", "logsumexp", "softmax_backward"):
        for dtype in dtypes:
            rows = []
            for kind, wide in row_kinds().items():
                arrays = operands(function, wide.astype(dtype))
                exact = reference(function, *arrays)
                calls = {peer.name: peer.call(function, *arrays) for peer in peers}
                calls = {name: call for name, call in calls.items() if call}
                found = {name: worst(call, exact, unit(function, exact, *arrays)) for name, call in calls.items()}
                if found["fastact"][1] > error_bounds[function]:
                    exceeded.append(f"{function} {dtype.__name__} {kind}: {found['fastact'][1]:.2f}")
                rows.append([kind, *(text for text, _ in found.values())])
            title = f"{function}, {dtype.__name__} (bound {error_bounds[function]:g})"
            show(title, ["rows", *(SHORT.get(name, name) for name in found)], rows)
    print(
        "fastact exceeds its bound: " + "; ".join(exceeded) if exceeded else "fastact is within its bounds everywhere."
    )
    return bool(exceeded)


if __name__ == "__main__":
    sys.exit(main())
