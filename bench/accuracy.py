"""The accuracy report: `python bench/accuracy.py` prints the largest error of every installed library, in ULP.

The reference is computed in numpy.longdouble; that of activations is the tests' own. The unit is the last place of the
exact result. Where the result can be near 0 because two terms cancel, it is that of the larger one: of result and
largest entry for logsumexp in float64, of the two terms of the difference for softmax_backward; half that of the larger
term for the gradient of an activation. Results below the smallest normal number count in the spacing of subnormal ones;
`flush` says that a library makes them 0, and is left out of the number beside it. The exit code is 1 where fastact
exceeds its bound.
"""

import sys
from itertools import product

import numpy as np
from references import CALLS, samples
from references import ulps as elementwise_ulps

from fastact._core import error_bounds
from fastact.cli.measure import EXTENDED, reference, ulps
from fastact.cli.peers import installed, standard
from fastact.cli.table import show

COUNT = 200_000
"""How many numbers an activation is computed of."""

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


def number_kinds(listed, dtype, values):
    """Name -> inputs of an activation, of both signs."""
    return {
        "N(0,3)": np.random.default_rng(0).normal(0, 3, COUNT).astype(dtype),
        # Also around kinks, roots and thresholds: the worst is most often found there.
        "all sizes": samples(listed, dtype, values, 0, COUNT),
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


def largest(result, exact, errors):
    """The largest error where a result was not flushed to 0, and whether one was."""
    flushed = (result == 0) & (np.abs(exact) < np.finfo(result.dtype).smallest_normal) & (errors > 1)
    return float(errors[~flushed].max()), bool(flushed.any())


def worst(result, exact, errors):
    """The largest error as text, and as a number."""
    rest, flushed = largest(result, exact, errors)
    text = f"{rest:.2f}" if rest < 100 else f"{rest:.0f}" if rest < 1e5 else f"{rest:.0e}"
    return text + " flush" * flushed, float(errors.max())


def row_functions(peers, dtypes):
    """Print their tables; where fastact exceeds its bound."""
    exceeded = []
    for function in ("softmax", "log_softmax", "logsumexp", "softmax_backward"):
        for dtype in dtypes:
            rows = []
            for kind, wide in row_kinds().items():
                arrays = operands(function, wide.astype(dtype))
                exact = reference(function, *arrays)
                units = unit(function, exact, *arrays)
                found = {}
                for peer in peers:
                    if call := peer.call(function, *arrays):
                        result = np.asarray(call())
                        found[peer.name] = worst(result, exact, ulps(result, exact, units))
                if found["fastact"][1] > error_bounds[function]:
                    exceeded.append(f"{function} {dtype.__name__} {kind}: {found['fastact'][1]:.2f}")
                rows.append([kind, *(text for text, _ in found.values())])
            title = f"{function}, {dtype.__name__} (bound {error_bounds[function]:g})"
            show(title, ["rows", *(SHORT.get(name, name) for name in found)], rows)
    return exceeded


def activations(peers, dtypes):
    """Print their tables; where fastact exceeds its bound."""
    exceeded = []
    for are_gradients, dtype in product((False, True), dtypes):
        rows = {}
        for listed in (call for call in CALLS if call.is_gradient == are_gradients):
            values = tuple(standard(str(listed)).values())
            for kind, x in number_kinds(listed, dtype, values).items():
                arrays = listed.operands(x, values, 1 + np.random.default_rng(1).random(x.size))
                exact, largest = listed.exact(dtype, arrays, values)
                found = dict.fromkeys((peer.name for peer in peers), ("", 0))
                for peer in peers:
                    if call := peer.call(str(listed), *arrays):
                        with np.errstate(all="ignore"):
                            result = np.asarray(call())
                        found[peer.name] = worst(result, exact, elementwise_ulps(result, exact, largest))
                if not found["fastact"][1] <= listed.ulp:
                    exceeded.append(f"{listed} {dtype.__name__} {kind}: {found['fastact'][1]:.2f}")
                cells = (text for text, _ in found.values())
                rows.setdefault(kind, []).append([str(listed), f"{listed.ulp:g}", *cells])
        header = ["function", "bound", *(SHORT.get(peer.name, peer.name) for peer in peers)]
        for kind, table in rows.items():
            used = [k for k, column in enumerate(zip(*table, strict=True)) if any(column)]
            title = f"{'gradients' if are_gradients else 'activations'}, {dtype.__name__}, {kind}"
            show(title, [header[k] for k in used], [[row[k] for k in used] for row in table])
    return exceeded


def main():
    peers = installed()
    dtypes = [np.float32, np.float64] if EXTENDED else [np.float32]
    print("Largest error in ULP: " + ", ".join(f"{peer.name} {peer.version}" for peer in peers) + "\n")
    exceeded = row_functions(peers, dtypes) + activations(peers, dtypes)
    print(
        "fastact exceeds its bound: " + "; ".join(exceeded) if exceeded else "fastact is within its bounds everywhere."
    )
    return bool(exceeded)


if __name__ == "__main__":
    sys.exit(main())
