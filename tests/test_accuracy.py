"""Every result of every function within its error bound, on every instruction set, against extended precision."""

from functools import lru_cache

import numpy as np
import pytest
import reference
import registry
from rows import KINDS

import fastact


@lru_cache(maxsize=2)
def _case(function, dtype, kind):
    """Operands, exact results and units; shared by the instruction sets, for the reference takes the time."""
    fastact.set_isa(fastact.available_isas()[0])
    x = KINDS[kind](np.random.default_rng(list(map(ord, kind))), dtype)
    if reference.is_slow(np.dtype(dtype)):
        x = x[:20, :2000]
    operands = function.operands(x)
    return operands, *reference.exact(function.name, *operands)


def check(function, dtype, kind, got, operands, want, unit):
    errors = reference.ulps(got, want, unit)
    if errors.max(initial=0) <= function.ulp:
        return
    at = np.unravel_index(np.argmax(errors), errors.shape)
    entry = at[: operands[0].ndim - 1] if function.reduces else at
    inputs = ", ".join(
        f"{name} = {x[entry]!r}" if not function.reduces else f"{name} = {x[entry][:8].tolist()} (n = {x.shape[-1]})"
        for name, x in zip(function.arguments, operands, strict=True)
    )
    pytest.fail(
        f"{function} {np.dtype(dtype)} {fastact.isa()}, rows {kind}, index {tuple(map(int, at))}: {inputs}, "
        f"got {got[at]!r}, want {want[at]!s}: {errors[at]:.3f} ULP, bound {function.ulp} "
        f"({np.count_nonzero(~(errors <= function.ulp))} of {errors.size} beyond it)",
        pytrace=False,
    )


# The instruction sets change fastest, for they share a case.
@pytest.mark.parametrize("isa", fastact.available_isas(), indirect=True)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dtype", registry.DTYPES)
@pytest.mark.parametrize("function", registry.FUNCTIONS, ids=str)
def test_within_bound(function, dtype, kind, isa):
    operands, want, unit = _case(function, dtype, kind)
    fastact.set_isa(isa)
    check(function, dtype, kind, function(*operands), operands, want, unit)


@pytest.mark.parametrize("dtype", registry.DTYPES)
@pytest.mark.parametrize("function", registry.FUNCTIONS, ids=str)
def test_within_bound_at_every_length(function, dtype, isa):
    rng = np.random.default_rng(1)
    for n in range(1, 131):
        operands = function.operands((rng.standard_normal((8, n)) * 4).astype(dtype))
        check(function, dtype, f"of {n}", function(*operands), operands, *reference.exact(function.name, *operands))


@pytest.mark.parametrize("dtype", registry.DTYPES)
@pytest.mark.parametrize("function", registry.GRADIENTS, ids=str)
def test_gradients_that_cancel(function, dtype, isa):
    """The sum over the row is nearly 0, or far larger than the entries."""
    rng = np.random.default_rng(2)
    x = rng.standard_normal((100, 257)).astype(dtype)
    _, y = function.operands(x)
    g = rng.standard_normal(x.shape)
    for kind, grad in {
        "sum 0": np.concatenate([g, -g], -1)[:, : x.shape[-1]],
        "one-hot": (np.arange(257) == rng.integers(0, 257, (100, 1))) * -1.0,
        "large": g * 1e20,
        "constant": np.ones_like(g),
    }.items():
        operands = grad.astype(dtype), y
        check(function, dtype, kind, function(*operands), operands, *reference.exact(function.name, *operands))


@pytest.mark.parametrize("dtype", registry.DTYPES)
@pytest.mark.parametrize("function", registry.FORWARD, ids=str)
def test_within_bound_where(function, dtype, isa):
    if not function.has_where:
        pytest.skip("takes no where")
    rng = np.random.default_rng(3)
    for n in (1, 2, 10, 33, 1000):
        x = (rng.standard_normal((40, n)) * 4).astype(dtype)
        where = rng.random(x.shape) < 0.5
        got = function(x, where=where)
        for r in range(len(x)):
            kept = x[r, where[r]]
            if kept.size:
                result = got[r] if function.reduces else got[r, where[r]]
                want = reference.exact(function.name, kept)
                check(function, dtype, f"of {n}, {kept.size} kept", np.asarray(result), (kept,), *want)


def test_logarithm_of_a_probability_near_one():
    for dtype in registry.DTYPES:
        got = fastact.log_softmax(np.array([np.log(1e20), 0], dtype))
        assert got[0] == pytest.approx(-1e-20, rel=1e-5)


@pytest.mark.parametrize("dtype", registry.DTYPES)
@pytest.mark.parametrize("function", registry.LISTED, ids=str)
@pytest.mark.skipif(not reference.HAS_LONGDOUBLE, reason="longdouble is no wider than float64 here")
def test_longdouble_is_wide_enough(function, dtype):
    """The references in longdouble agree with 300 bits to a small part of a ULP."""
    rng = np.random.default_rng(4)
    rows = [
        rng.standard_normal((3, 2)) * 3,
        rng.standard_normal((4, 40)) * 30,
        rng.uniform(-740, 0, (4, 30)),
        np.array([[80.5, 0.1, -7.3], [1e-30, -700.125, 3.0], [3e4, 3e4 - 1e-3, -3e4]]),
    ]
    for x in rows:
        x = x.astype(dtype)
        operands = function.operands(x) if function.is_gradient else (x, rng.standard_normal(x.shape).astype(dtype))
        operands = operands[: function.ufunc.nin]
        near, _ = reference.exact(function.name, *operands, multiprecision=False)
        want, unit = reference.exact(function.name, *operands, multiprecision=True)
        part = np.abs(np.vectorize(lambda a: reference.MP.mpf(str(a)), otypes=[object])(near) - want)
        spacing = np.spacing(np.abs(unit.astype(dtype))).astype(np.float64)
        assert np.max(part.astype(np.float64) / spacing) < 0.01, (function.name, dtype)
