"""`pytest bench`: row functions and activations beside those of the libraries that are installed, grouped by case.

Every case asserts that the result is right before it is timed. To compare with an earlier run, save it:

    pytest bench --benchmark-save=before
    pytest bench --benchmark-compare --benchmark-group-by=fullname
"""

from functools import lru_cache
from itertools import product

import numpy as np
import pytest
from references import CALLS

from fastact.cli.bench import (
    DTYPES,
    ELEMENTWISE_SHAPE,
    ELEMENTWISE_TOLERANCES,
    MODES,
    SHAPES,
    agrees,
    logits,
    operands,
)
from fastact.cli.measure import reference
from fastact.cli.peers import REPORTED, Copy, standard

pytestmark = pytest.mark.benchmark(max_time=0.2, min_rounds=5, warmup=True, warmup_iterations=1)

SHAPES_OF = {
    "softmax": SHAPES,
    "log_softmax": ((1024, 10), (128, 1000)),
    "logsumexp": ((1024, 10), (128, 1000)),
    "softmax_backward": ((1024, 10), (128, 1000)),
}


def group_of(function, shape, dtype, mode):
    return f"{function} {shape[0]}x{shape[1]} {dtype} {mode}"


def cases(function, shapes):
    for shape, dtype, mode, peer in product(shapes, DTYPES, MODES, REPORTED):
        if peer.has(str(function), given_output=mode == "given output"):
            name = f"{group_of(function, shape, dtype, mode)} {peer.name}".replace(" ", "-")
            yield pytest.param(function, shape, dtype, mode, peer.name, id=name)


@pytest.mark.parametrize(
    ("function", "shape", "dtype", "mode", "name"),
    [case for function, shapes in SHAPES_OF.items() for case in cases(function, shapes)],
)
def test_row_function(benchmark, installed_peers, function, shape, dtype, mode, name):
    if name not in installed_peers:
        pytest.skip(f"{name} is not installed")
    arrays = (logits(shape, dtype),)
    if function == "softmax_backward":
        arrays = (arrays[0][:, ::-1].copy(), reference("softmax", *arrays).astype(dtype))
    call = installed_peers[name].call(function, *arrays, given_output=mode == "given output")
    assert agrees(call(), reference(function, *arrays, dtype=np.float64), dtype)
    benchmark.group = group_of(function, shape, dtype, mode)
    benchmark(call)


@lru_cache(maxsize=1)  # the libraries of a case follow one another
def elementwise(listed, shape, dtype):
    """Operands, and the exact result."""
    function = str(listed)
    arrays = operands(function, logits(shape, dtype))
    # In float64, whose rounding is far below the tolerance: a wider type takes a second.
    return arrays, listed.exact(dtype, arrays, tuple(standard(function).values()), wide=np.float64)[0]


@pytest.mark.parametrize(
    ("listed", "shape", "dtype", "mode", "name"),
    [case for listed in CALLS for case in cases(listed, (ELEMENTWISE_SHAPE,))],
)
def test_activation(benchmark, installed_peers, listed, shape, dtype, mode, name):
    if name not in installed_peers:
        pytest.skip(f"{name} is not installed")
    arrays, expected = elementwise(listed, shape, dtype)
    call = installed_peers[name].call(str(listed), *arrays, given_output=mode == "given output")
    if call is None:
        pytest.skip(f"this version of {name} has no {listed} of {dtype}, {mode}")
    assert agrees(call(), expected, dtype, ELEMENTWISE_TOLERANCES)
    benchmark.group = group_of(listed, shape, dtype, mode)
    benchmark(call)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("listed", CALLS, ids=str)
def test_copy(benchmark, listed, dtype, mode):
    """The yardstick for what memory costs, in every group of an activation."""
    if mode == "given output" and not listed.takes_out:
        pytest.skip(f"{listed} takes no output")
    arrays, _ = elementwise(listed, ELEMENTWISE_SHAPE, dtype)
    call = Copy(1).call(str(listed), *arrays, given_output=mode == "given output")
    assert np.array_equal(call(), arrays[-1])
    benchmark.group = group_of(listed, ELEMENTWISE_SHAPE, dtype, mode)
    benchmark(call)


@pytest.mark.parametrize("dtype", DTYPES)
def test_exp(benchmark, dtype):
    """The yardstick for the cost of a call: one of NumPy's ufuncs, beside softmax of the same array."""
    x = logits((1, 10), dtype)
    y = np.empty_like(x)
    assert agrees(np.exp(x, out=y), np.exp(x.astype(np.float64)), dtype)
    benchmark.group = f"softmax 1x10 {dtype} given output"
    benchmark(lambda: np.exp(x, out=y))
