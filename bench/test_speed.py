"""`pytest bench`: the row functions beside those of the libraries that are installed, grouped by shape and type.

Every case asserts that the result is right before it is timed. To compare with an earlier run, save it:

    pytest bench --benchmark-save=before
    pytest bench --benchmark-compare
"""

from itertools import product

import numpy as np
import pytest

from fastact.cli.bench import DTYPES, MODES, SHAPES, agrees, logits
from fastact.cli.measure import reference
from fastact.cli.peers import PEERS

pytestmark = pytest.mark.benchmark(max_time=0.2, min_rounds=5, warmup=True, warmup_iterations=1)

SHAPES_OF = {
    "softmax": SHAPES,
    "log_softmax": ((1024, 10), (128, 1000)),
    "logsumexp": ((1024, 10), (128, 1000)),
    "softmax_backward": ((1024, 10), (128, 1000)),
}


def cases():
    for function, shapes in SHAPES_OF.items():
        for shape, dtype, mode, peer in product(shapes, DTYPES, MODES, PEERS):
            if peer.has(function, given_output=mode == "given output"):
                group = f"{function} {shape[0]}x{shape[1]} {dtype} {mode}"
                yield pytest.param(function, shape, dtype, mode, peer.name, id=f"{group} {peer.name}".replace(" ", "-"))


@pytest.mark.parametrize(("function", "shape", "dtype", "mode", "name"), list(cases()))
def test_row_function(benchmark, installed_peers, function, shape, dtype, mode, name):
    if name not in installed_peers:
        pytest.skip(f"{name} is not installed")
    operands = (logits(shape, dtype),)
    if function == "softmax_backward":
        operands = (operands[0][:, ::-1].copy(), reference("softmax", *operands).astype(dtype))
    call = installed_peers[name].call(function, *operands, given_output=mode == "given output")
    assert agrees(call(), reference(function, *operands, dtype=np.float64), dtype)
    benchmark.group = f"{function} {shape[0]}x{shape[1]} {dtype} {mode}"
    benchmark(call)


@pytest.mark.parametrize("dtype", DTYPES)
def test_exp(benchmark, dtype):
    """The yardstick for the cost of a call: one of NumPy's ufuncs, beside softmax of the same array."""
    x = logits((1, 10), dtype)
    y = np.empty_like(x)
    assert agrees(np.exp(x, out=y), np.exp(x.astype(np.float64)), dtype)
    benchmark.group = f"softmax 1x10 {dtype} given output"
    benchmark(lambda: np.exp(x, out=y))
