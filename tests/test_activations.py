"""Every activation and its gradient: accuracy, special values, arrays, errors, threads. All follow the C list."""

import inspect
import re
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial
from pathlib import Path

import activation_registry
import numpy as np
import pytest
from activation_reference import DEFINITIONS, HAS_LONGDOUBLE, MP, WIDE, exact, to_mp, ulps
from activation_registry import ACTIVATIONS, CALLS, DTYPES, GATED_CALLS, GATED_PAIRS, around, landmarks

import fastact
from fastact import _core

FORWARD = [call for call in CALLS if not call.is_gradient]
GRADIENTS = [call for call in CALLS if call.is_gradient]
#: Where no wide type is at hand the reference takes a thousand times as long.
COUNT = 4000 if HAS_LONGDOUBLE else 20

by_call = pytest.mark.parametrize("call", CALLS, ids=str)
by_dtype = pytest.mark.parametrize("dtype", DTYPES)
by_any_dtype = pytest.mark.parametrize("dtype", [*DTYPES, np.float16])


def same(got, want, message=""):
    """Bit for bit; any NaN is as good as another."""
    got, want = np.asarray(got), np.asarray(want)
    assert got.dtype == want.dtype, message
    assert got.shape == want.shape, message
    np.testing.assert_array_equal(got, want, err_msg=message)
    signs = np.signbit(got) != np.signbit(want)
    assert not np.any(signs & ~np.isnan(got)), f"{message}: zeros of another sign"


# --- accuracy -----------------------------------------------------------------------------------------------------


@cache
def inputs(dtype, count=COUNT):
    """Numbers of every size, and of both signs."""
    rng = np.random.default_rng(5)
    info = np.finfo(dtype)
    wide = 120 if dtype == np.float32 else 800
    x = np.concatenate(
        [
            rng.standard_normal(count),
            rng.normal(0, 10, count),
            rng.uniform(0, wide, count),
            np.exp(rng.uniform(np.log(float(info.smallest_subnormal)), np.log(float(info.max)), count)),
            rng.integers(1, 1000, 20) * float(info.smallest_subnormal),
            [0, info.tiny, info.eps, info.max, info.max / 2],
        ]
    ).astype(dtype)
    return np.concatenate([x, -x])


def check(call, values, got, operands, want, largest):
    errors = ulps(got, want, largest)
    if errors.max(initial=0) <= call.ulp:
        return
    at = int(np.argmax(errors))
    facts = ", ".join(f"{n} = {a[at]!r}" for n, a in zip(call.arguments, operands, strict=True))
    parameters = "".join(
        f", {p[0]} = {np.broadcast_to(v, got.shape)[at]!r}"
        for p, v in zip(call.activation.parameters, values, strict=True)
    )
    pytest.fail(
        f"{call} {got.dtype} {fastact.isa()}: {facts}{parameters}: got {got[at]!r}, want {want[at]!s}, "
        f"{errors[at]:.3f} ULP, bound {call.ulp} ({np.count_nonzero(errors > call.ulp)} of {errors.size} beyond it)",
        pytrace=False,
    )


@by_dtype
@by_call
def test_within_bound(call, dtype):
    for values in call.activation.values:
        x = np.concatenate([inputs(dtype), around(landmarks(call.activation, dtype, values), 20)])
        rng = np.random.default_rng(6)
        for grad in (1 + rng.random(x.size), rng.normal(0, 10, x.size))[: 1 + call.is_gradient]:
            operands = call.operands(x, values, grad)
            want, largest = call.exact(dtype, operands, values)
            for isa in fastact.available_isas():
                fastact.set_isa(isa)
                check(call, values, np.asarray(call(*operands, *values)), operands, want, largest)


@by_dtype
@pytest.mark.parametrize("call", GATED_CALLS, ids=str)
def test_gated_pair_within_bound(call, dtype, isa):
    rng = np.random.default_rng(20)
    x = np.concatenate([inputs(dtype), around(landmarks(call.activation, dtype, (1.0,)), 20)])
    for other in (
        rng.choice([-1, 1], x.size) * (1 + rng.random(x.size)),
        rng.normal(0, 3, x.size),
        np.exp2(rng.uniform(-20, 20, x.size)),
    ):
        values = (other.astype(dtype),)
        operands = call.operands(x, values, 1 + rng.random(x.size))
        check(call, values, call(*operands, *values), operands, *call.exact(dtype, operands, values))


@by_dtype
@pytest.mark.parametrize("pair", GATED_PAIRS, ids=str)
def test_gated_pair_special_values(pair, dtype, isa):
    x = np.array([np.nan, -np.inf, np.inf, 0.0, 1.0, 1.0], dtype)
    other = np.array([2.0, 2.0, 2.0, 0.0, np.nan, np.inf], dtype)
    with np.errstate(all="raise"):
        y = pair.forward(x, other)
        dx, d_other = pair.backward_halves(np.ones(6, dtype), x, other)
    limit = 2 if pair.name == "glu" else np.inf
    np.testing.assert_array_equal(y, np.array([np.nan, 0, limit, 0, np.nan, np.inf], dtype), err_msg=f"{pair} {isa}")
    assert np.isnan(dx[[0, 4]]).all()
    assert dx[5] == np.inf
    np.testing.assert_array_equal(d_other, pair.forward(x, np.ones(6, dtype)), err_msg=f"{pair} {isa}")


@by_dtype
def test_prelu_of_a_weight_per_entry(dtype, isa):
    forward, backward = (call for call in CALLS if call.activation.name == "prelu")
    x = inputs(dtype, 300)
    rng = np.random.default_rng(7)
    weight, grad = rng.normal(0, 2, x.size).astype(dtype), rng.standard_normal(x.size)
    for call in (forward, backward):
        operands = call.operands(x, grad=grad)
        check(call, (weight,), call(*operands, weight), operands, *call.exact(dtype, operands, (weight,)))


@pytest.mark.skipif(not HAS_LONGDOUBLE, reason="no type wider than float64")
@pytest.mark.parametrize(("dtype", "wide", "bits"), [(np.float32, np.float64, -43), (np.float64, np.longdouble, -60)])
@pytest.mark.parametrize("call", CALLS + GATED_CALLS, ids=str)
def test_references_agree(call, dtype, wide, bits):
    """The fast references lose less than 2**-20 ULP of a float32 and 2**-8 ULP of a float64 against the definitions."""
    smallest = MP.mpf(float(np.finfo(dtype).smallest_subnormal)) * MP.ldexp(1, bits + np.finfo(dtype).nmant)
    for values in call.activation.values:
        x = np.concatenate([inputs(dtype, 5), around(landmarks(call.activation, dtype, values), 1)])
        operands = call.operands(x, values, 1 + np.random.default_rng(8).random(x.size))
        want, largest = call.exact(dtype, operands, values, wide=None)
        for got, true in zip(call.exact(dtype, operands, values, wide=wide), (want, largest), strict=True):
            for k, value in enumerate(to_mp(got)):
                error = abs(value - true[k]) / max(abs(largest[k]) * MP.ldexp(1, bits), smallest)
                assert error < 1, f"{call} {values}: {x[k]!r}, {value} for {true[k]}, {float(error)} of the tolerance"


@by_dtype
@pytest.mark.parametrize("activation", ACTIVATIONS, ids=str)
def test_tails_keep_their_sign(activation, dtype, isa):
    """No result has the sign opposite to the exact one's, however small."""
    for values in activation.values:
        x = np.concatenate([inputs(dtype, 500), around(landmarks(activation, dtype, values), 20)])
        got, want = activation.forward(x, *values), exact(activation.name, dtype, x, values)[0]
        wrong = np.sign(got.astype(float)) * np.sign(want) < 0
        assert not wrong.any(), f"{activation} {values}: {x[wrong][:5]}"


def test_known_values():
    assert fastact.gelu(np.float32(-6)) == pytest.approx(-5.9195254e-09, rel=2e-7)
    assert fastact.softplus(-40.0) == pytest.approx(4.248354255291589e-18, rel=1e-15)
    assert fastact.sigmoid(np.float32(-100)) == np.float32(3.72e-44)
    assert fastact.mish(1.0) == pytest.approx(0.8650983882673103, rel=1e-15)
    assert fastact.selu(1.0) == 1.0507009873554805


# --- special values -----------------------------------------------------------------------------------------------


def limits(activation, dtype, values, grad=None):
    """The limits at -inf and inf: what the reference has at the ends of a wider range than the type's."""
    ends = np.array([-1, 1], dtype) * np.finfo(dtype).max
    y = exact(activation.name, dtype, ends, values, grad)[0]
    with np.errstate(all="ignore"):
        return np.where(np.abs(y.astype(float)) > 1e30, np.sign(y).astype(float) * np.inf, y.astype(float)).astype(
            dtype
        )


@by_dtype
@pytest.mark.parametrize("activation", ACTIVATIONS, ids=str)
def test_special_values(activation, dtype, isa):
    x = np.array([np.nan, -np.inf, np.inf, 0.0, -0.0], dtype)
    for values in activation.values:
        message = f"{activation} {dtype.__name__} {isa} {values}"
        with np.errstate(all="raise"):
            got = activation.forward(x, *values)
            many = activation.forward(np.repeat(x, 33), *values)
        assert np.isnan(got[0]), message
        np.testing.assert_array_equal(got[1:3], limits(activation, dtype, values), err_msg=message)
        want = exact(activation.name, dtype, x[3:], values)[0].astype(dtype)
        np.testing.assert_array_equal(got[3:], want, err_msg=message)
        same(many, np.repeat(got, 33), message)


@by_dtype
@pytest.mark.parametrize("activation", ACTIVATIONS, ids=str)
def test_special_values_of_gradients(activation, dtype, isa):
    x = np.array([np.nan, -np.inf, np.inf, 0.0, -0.0], dtype)
    for values in activation.values:
        message = f"{activation}_backward {dtype.__name__} {isa} {values}"
        operand = activation.forward(x, *values) if activation.needs == "y" else x
        with np.errstate(all="raise"):
            got = activation.backward(np.full(5, 3, dtype), operand, *values)
            many = activation.backward(np.full(165, 3, dtype), np.repeat(operand, 33), *values)
            of_nan = activation.backward(np.full(5, np.nan, dtype), np.full(5, 0.5, dtype), *values)
        assert np.isnan(got[0]), message
        if activation.needs == "x":
            np.testing.assert_array_equal(got[1:3], limits(activation, dtype, values, 3), err_msg=message)
        else:
            np.testing.assert_array_equal(got[1:3], 0, err_msg=message)
        want = exact(activation.name, dtype, operand[3:], values, np.full(2, 3))[0].astype(dtype)
        assert np.all(ulps(got[3:], want, want) <= activation.backward_ulp), message
        same(many, np.repeat(got, 33), message)
        slope = exact(activation.name, dtype, 0.5, values, 1)[0]
        assert np.all(np.isnan(of_nan)) or slope == 0, message


@pytest.mark.parametrize("name", ["silu", "swish", "gelu", "gelu_tanh", "mish"])
@by_dtype
def test_minus_infinity_gives_minus_zero(name, dtype, isa):
    activation = next(a for a in ACTIVATIONS if a.name == name)
    got = activation.forward(np.full(40, -np.inf, dtype))
    assert np.all(got == 0)
    assert np.all(np.signbit(got))


@by_dtype
@by_call
def test_no_warning(call, dtype, isa):
    info = np.finfo(dtype)
    ends = [info.max, info.max / 2, info.tiny, info.smallest_subnormal, np.inf, np.nan, 0]
    x = np.concatenate([np.array(ends, dtype), inputs(dtype, 40)])
    for values in call.activation.values:
        with np.errstate(all="ignore"):
            operands = call.operands(x, values)
        with np.errstate(all="raise"):
            call(*operands, *values)


def test_the_standard_hard_sigmoid_has_kinks_at_3(isa):
    for dtype in DTYPES:
        ends = np.array([-3, np.nextafter(dtype(-3), dtype(0)), 3], dtype)
        np.testing.assert_array_equal(fastact.hard_sigmoid(ends[[0, 2]]), [0, 1])
        assert fastact.hard_sigmoid(ends[1:2]) == pytest.approx((float(ends[1]) + 3) / 6, rel=1e-6)
        np.testing.assert_array_equal(
            fastact.hard_sigmoid_backward(np.ones(3, dtype), ends), dtype([0, dtype(1) / 6, 0])
        )


def test_extreme_parameters(isa):
    """The product with the parameter is as exact for the largest numbers as for others."""
    x = np.array([-5.166786714853404e305, -2.1082969007453143e300])
    beta = np.array([8.797316905001643e-304, 1.297841279061375e-298])
    for call in CALLS:
        if str(call) in ("swish", "swish_backward", "softplus", "softplus_backward"):
            operands = call.operands(x, grad=np.ones(2))
            check(call, (beta,), call(*operands, beta), operands, *call.exact(np.float64, operands, (beta,)))
    assert fastact.softplus(np.array([-np.inf]), 5e-324) == 0


def test_gradients_at_kinks(isa):
    one, zero, two = np.ones(1), np.zeros(1), np.ones(2)
    assert fastact.relu_backward(one, zero) == 0
    assert fastact.leaky_relu_backward(one, zero, 0.3) == 0.3
    assert fastact.prelu_backward(one, zero, 0.3)[0] == 0.3
    assert fastact.elu_backward(one, zero, 0.3) == 0.3
    assert fastact.selu_backward(one, zero) == pytest.approx(1.7580993408473766)
    assert fastact.celu_backward(one, zero, 0.3) == 1
    assert fastact.relu6_backward(two, np.array([0.0, 6.0])).tolist() == [0, 0]
    assert fastact.hard_tanh_backward(two, np.array([-1.0, 1.0])).tolist() == [0, 0]
    assert fastact.hard_swish_backward(two, np.array([-3.0, 3.0])).tolist() == [0, 1]
    assert fastact.hard_sigmoid_backward(two, np.array([-2.0, 2.0]), 0.25, 0.5).tolist() == [0, 0]
    assert fastact.threshold_backward(one, one, 1.0, 0.0) == 0


# --- arrays -------------------------------------------------------------------------------------------------------


@by_any_dtype
@by_call
def test_every_length(call, dtype, isa):
    values = call.activation.some_values
    x = (np.random.default_rng(6).standard_normal(131) * 40).astype(dtype)
    x[::17] = [0, np.inf, -np.inf, np.nan, -0.0, np.finfo(dtype).max, np.finfo(dtype).smallest_subnormal, -100]
    operands = call.operands(x, values)
    alone = np.array([call(*(a[i : i + 1] for a in operands), *values)[0] for i in range(131)])
    for n in range(131):
        got = call(*(a[:n] for a in operands), *values)
        same(got, alone[:n], f"{call} {dtype.__name__} {isa}, n = {n}")


@by_dtype
@by_call
def test_instruction_sets_give_the_same_bits(call, dtype):
    isas = [isa for isa in fastact.available_isas() if isa != "baseline"]
    if len(isas) < 2:
        pytest.skip("one instruction set")
    for values in call.activation.values:
        fastact.set_isa(isas[0])
        operands = call.operands(inputs(dtype, 1000), values)
        want = call(*operands, *values)
        for isa in isas[1:]:
            fastact.set_isa(isa)
            same(call(*operands, *values), want, f"{call} {dtype.__name__} {values}, {isas[0]} and {isa}")


def misaligned(a):
    room = np.empty(a.nbytes + 1, np.uint8)
    b = room[1:].view(a.dtype).reshape(a.shape)
    b[...] = a
    return b


LAYOUTS = {
    "fortran": np.asfortranarray,
    "every other column": lambda a: np.repeat(a, 2, axis=1)[:, ::2],
    "every other row": lambda a: np.repeat(a, 2, axis=0)[1::2],
    "backwards": lambda a: a[::-1, ::-1].copy()[::-1, ::-1],
    "misaligned": misaligned,
    "byte-swapped": lambda a: a.astype(a.dtype.newbyteorder()),
}


@by_any_dtype
@by_call
def test_layouts_give_the_same_bits(call, dtype):
    values = call.activation.some_values
    operands = call.operands((np.random.default_rng(7).standard_normal((23, 37)) * 40).astype(dtype), values)
    want = call(*operands, *values)
    for layout, place in LAYOUTS.items():
        placed = [place(a) for a in operands]
        same(call(*placed, *values), want, f"{call} {dtype.__name__}, {layout}")
        same(call(placed[0], *operands[1:], *values), want, f"{call} {dtype.__name__}, first {layout}")
        if call.takes_out:
            out = place(np.zeros_like(want))
            assert call(*operands, *values, out=out) is out
            same(out.astype(dtype), want, f"{call} {dtype.__name__}, out {layout}")
    for a in operands:
        a.flags.writeable = False
    same(call(*operands, *values), want, f"{call} {dtype.__name__}, read-only")
    same(call(*(a[3:4, 5] for a in operands), *values), want[3:4, 5])
    got = call(*(a[3, 5] for a in operands), *values)
    assert np.ndim(got) == 0
    same(got, want[3, 5], f"{call} {dtype.__name__}, scalar")
    for shape in ((0,), (3, 0), (0, 3)):
        assert call(*(np.empty(shape, dtype) for _ in operands), *values).shape == shape


@pytest.mark.parametrize("call", [call for call in CALLS if call.takes_out], ids=str)
def test_out(call):
    values = call.activation.some_values
    operands = call.operands(np.random.default_rng(8).standard_normal((9, 50)), values)
    want = call(*operands, *values)
    for k in range(len(operands)):
        given = [a.copy() for a in operands]
        assert call(*given, *values, out=given[k]) is given[k]
        same(given[k], want, f"{call} in place of operand {k}")
        for ahead in (True, False):
            long = np.concatenate([np.zeros(7), operands[k].ravel(), np.zeros(7)])
            target = (long[14:] if ahead else long[:-14]).reshape(9, 50)
            shifted = [long[7:-7].reshape(9, 50) if j == k else a for j, a in enumerate(operands)]
            call(*shifted, *values, out=target)
            same(target, want, f"{call}, out overlaps operand {k}")
        square = np.resize(operands[k], (21, 21)).copy()
        other = [np.resize(a, (21, 21)) for a in operands]
        result = call(*other, *values)
        call(*(square.T if j == k else a for j, a in enumerate(other)), *values, out=square)
        expected = call(*(a.T if j == k else a for j, a in enumerate(other)), *values)
        same(square, expected, f"{call}, out is operand {k} transposed")
        assert result.shape == expected.shape
    wide = np.zeros((9, 60))
    call(*operands, *values, out=wide[:, 3:53])
    same(wide[:, 3:53], want)
    assert not wide[:, :3].any()
    assert not wide[:, 53:].any()
    narrow = np.empty((9, 50), np.float32)
    assert call(*operands, *values, out=narrow) is narrow
    same(narrow, want.astype(np.float32))
    for bad, error in (
        (np.empty((9, 49)), ValueError),
        (np.empty((1, 9, 50)), ValueError),
        (np.empty((9, 50), int), TypeError),
        ([1.0], TypeError),
    ):
        with pytest.raises(error, match="out"):
            call(*operands, *values, out=bad)
    read_only = np.empty((9, 50))
    read_only.flags.writeable = False
    with pytest.raises(ValueError, match="read-only"):
        call(*operands, *values, out=read_only)


@pytest.mark.parametrize("call", FORWARD, ids=str)
def test_where(call, isa):
    for values in call.activation.values[:2]:
        for dtype in (np.float16, *DTYPES):
            f = partial(call, dtype=None)
            x = np.random.default_rng(9).standard_normal((40, 3)).astype(dtype)
            mask = x > 0.2
            want = f(x, *values)
            same(f(x, *values, where=mask), np.where(mask, want, dtype(0)), f"{call} where")
            out = np.full(x.shape, 7, dtype)
            assert f(x, *values, where=mask, out=out) is out
            same(out, np.where(mask, want, dtype(7)), f"{call} where, out")
            row = np.array([True, False, True])
            same(f(x, *values, where=row), np.where(row, want, dtype(0)), f"{call} where, broadcast")
            same(f(x, *values, where=False), np.zeros_like(x))
            inside = x.copy()
            f(inside, *values, where=mask, out=inside)
            same(inside, np.where(mask, want, x), f"{call} where, in place")
    with pytest.raises(ValueError, match="where"):
        call(x, *values, where=np.ones(7, bool))


@pytest.mark.parametrize("call", FORWARD, ids=str)
def test_dtype(call):
    values = call.activation.some_values
    x = np.random.default_rng(10).standard_normal(70) * 3
    for given in (x, x.astype(np.float32), x.astype(np.float16), np.arange(-35, 35)):
        for dtype in (np.float64, np.float32, np.float16, "f4", ">f8"):
            native = np.dtype(dtype).newbyteorder("=")
            want = call(given.astype(native), *values)
            same(call(given, *values, dtype=dtype), want, f"{call} {given.dtype} as {dtype}")
    for bad in (np.int32, complex, object, "no type"):
        with pytest.raises(TypeError, match="dtype"):
            call(x, *values, dtype=bad)


@by_call
def test_float16(call, isa):
    """Computed in float32, and rounded once."""
    x = np.arange(2**16, dtype=np.uint16).view(np.float16)
    values = [np.float16(v) for v in call.activation.some_values]
    with np.errstate(all="ignore"):
        operands = call.operands(x, values)
        want = np.asarray(call(*(a.astype(np.float32) for a in operands), *values)).astype(np.float16)
    with np.errstate(all="raise"):
        got = call(*operands, *values)
    same(got, want, f"{call} float16 {isa}")


@pytest.mark.parametrize("call", [call for call in CALLS if call.activation.parameters], ids=str)
def test_parameters_of_float16(call, isa):
    """They are not rounded to float16, however they and the array are given."""
    x = np.arange(2**16, dtype=np.uint16).view(np.float16)
    for values in call.activation.values:
        with np.errstate(all="ignore"):
            operands = call.operands(x, values)
            wide = [a.astype(np.float32) for a in operands]
            want = np.asarray(call(*wide, *values)).astype(np.float16)
            rounded = [np.full(x.shape, v, np.float16) for v in values]
            want_rounded = np.asarray(call(*wide, *(v.astype(np.float32) for v in rounded))).astype(np.float16)
        with np.errstate(all="raise"):
            same(call(*operands, *values), want, f"{call} {values} {isa}")
            same(call(*(a[::-3] for a in operands), *values), want[::-3], f"{call} {values} {isa}, strided")
            same(call(*(a[:1] for a in operands), *values), want[:1], f"{call} {values} {isa}, one entry")
            same(call(*operands, *rounded), want_rounded, f"{call} {values} {isa}, one for each entry")
    for value in (np.nan, np.inf, 1e39):
        for k, (_, _, low, _) in enumerate(call.activation.parameters):
            if low > -np.inf:
                bad = [*call.activation.some_values]
                bad[k] = value
                with pytest.raises(ValueError, match="must be"):
                    call(*operands, *bad)


@by_call
def test_other_types(call):
    values = call.activation.some_values
    for x in (
        np.arange(-5, 5, dtype=np.int8),
        np.arange(10, dtype=np.uint64),
        np.arange(-5, 5, dtype=">i4"),
        np.array([True, False]),
    ):
        count = len(call.arguments)
        got = call(*[x] * count, *values)
        same(got, call(*[x.astype(np.float64)] * count, *values), f"{call} {x.dtype}")
    single = call(*[1.5] * len(call.arguments), *values)
    assert np.ndim(single) == 0
    assert single.dtype == np.float64
    same(single, call(*[np.array([1.5])] * len(call.arguments), *values)[0])
    same(
        call(*[[1.0, 2.0]] * len(call.arguments), *values), call(*[np.array([1.0, 2.0])] * len(call.arguments), *values)
    )


@pytest.mark.parametrize("call", GRADIENTS, ids=str)
def test_gradient_broadcasts_and_promotes(call):
    values = call.activation.some_values
    rng = np.random.default_rng(11)
    grad, x = rng.standard_normal((4, 1, 5)), rng.random((3, 1))
    want = call(*(a.copy() for a in np.broadcast_arrays(grad, x)), *values)
    same(call(grad, x, *values), want)
    same(call(1.0, x, *values), call(np.ones_like(x), x, *values))
    mixed = call(grad.astype(np.float32), x, *values)
    assert mixed.dtype == np.float64
    with pytest.raises(ValueError, match="grad"):
        call(np.ones(3), np.ones(2), *values)


def test_prelu_weight_along_an_axis():
    rng = np.random.default_rng(12)
    x, w, g = rng.standard_normal((4, 3, 5)), rng.standard_normal(3), rng.standard_normal((4, 3, 5))
    columns = w[:, None]
    same(fastact.prelu(x, w, axis=1), np.where(x > 0, x, columns * x))
    same(fastact.prelu(x, w, axis=-2), np.where(x > 0, x, columns * x))
    same(fastact.prelu(x, columns), np.where(x > 0, x, columns * x))
    sums = np.where(x > 0, 0, g * x)
    for weight, axis, dimensions in ((w, 1, (0, 2)), (columns, None, (0, 2)), (0.25, None, None), (x * 0.1, None, ())):
        broadcast = columns if axis is not None else weight
        dx, dw = fastact.prelu_backward(g, x, weight, axis=axis)
        same(dx, np.where(x > 0, g, broadcast * g))
        assert np.shape(dw) == np.shape(weight)
        np.testing.assert_allclose(dw, sums.sum(dimensions).reshape(np.shape(weight)), rtol=1e-13)
    single = [a.astype(np.float32) for a in (g, x, w)]
    dx, dw = fastact.prelu_backward(*single, axis=1)
    assert dx.dtype == dw.dtype == np.float32
    with pytest.raises(ValueError, match="weight"):
        fastact.prelu(x, np.ones(4), axis=1)
    with pytest.raises(ValueError, match="weight"):
        fastact.prelu(x, np.ones((3, 1)), axis=1)
    with pytest.raises(ValueError, match="weight"):
        fastact.prelu_backward(g, x, np.ones(4))


def test_prelu_weight_gradient_of_positive_entries_is_0():
    _, dw = fastact.prelu_backward(np.array([np.inf, 1.0, 2.0]), np.array([3.0, np.inf, -1.0]), 0.25)
    assert dw == -2
    _, dw = fastact.prelu_backward(np.ones(2), np.array([np.nan, 1.0]), 0.25)
    assert np.isnan(dw)


def test_prelu_weight_gradient_is_summed_in_float64():
    x = np.full(2**20 + 3, -1, np.float32)
    grad = np.full(x.shape, 0.1, np.float32)
    _, dw = fastact.prelu_backward(grad, x, np.float32(0.25))
    assert np.float32(dw) == np.float32(-float(np.float32(0.1)) * x.size)


def test_subclasses_and_other_libraries():
    class Sub(np.ndarray):
        pass

    x = np.linspace(-1, 1, 5).view(Sub)
    assert type(fastact.relu(x, where=x > 0)) is Sub
    for call in CALLS:
        assert type(call(*[x] * len(call.arguments), *call.activation.some_values)) is Sub, call
    da = pytest.importorskip("dask.array")
    lazy = fastact.gelu(da.from_array(np.linspace(-1, 1, 10), chunks=3))
    same(lazy.compute(), fastact.gelu(np.linspace(-1, 1, 10)))


# --- errors -------------------------------------------------------------------------------------------------------


@by_call
def test_errors_name_the_argument(call):
    values = call.activation.some_values
    good = [np.ones(3)] * len(call.arguments)
    for k, name in enumerate(call.arguments):
        for bad in (
            np.ones(3, complex),
            np.array(["a"] * 3),
            np.ones(3, object),
            np.ones(3, "m8[s]"),
            np.ones(3, "M8[s]"),
            np.ones(3, np.longdouble),
            1j,
            "a",
            None,
        ):
            if HAS_LONGDOUBLE or np.asarray(bad).dtype != np.float64:
                with pytest.raises(TypeError, match=rf"^{name}\b"):
                    call(*good[:k], bad, *good[k + 1 :], *values)
        with pytest.raises(TypeError, match=rf"^{name} is a masked array.*where="):
            call(*good[:k], np.ma.ones(3), *good[k + 1 :], *values)


@by_call
def test_errors_name_the_parameter(call):
    good = [np.ones(3)] * len(call.arguments)
    for k, (name, default, low, _) in enumerate(call.activation.parameters):
        if default is None:  # has to be given
            with pytest.raises(TypeError):
                call(*good, *call.activation.some_values[:k])
        if name == "weight":
            continue
        bad = [(np.nan, ValueError), (np.inf, ValueError), (-np.inf, ValueError)]
        bad += [("a", TypeError), (None, TypeError), (1j, TypeError), ([1.0, 2.0], TypeError)]
        bad += [(0, ValueError), (-1, ValueError)] if low > 0 else []
        for value, error in bad:
            values = list(call.activation.some_values)
            values[k] = value
            with pytest.raises(error, match=rf"^{name} must be"):
                call(*good, *values)
            with pytest.raises(error, match=rf"^{name} must be"):
                call(*good, *values[:k], **{name: value}, **named(call, k + 1))


def named(call, first):
    """The parameters from the first one on, as keywords."""
    rows = list(zip(call.activation.parameters, call.activation.some_values, strict=True))
    return {row[0]: value for row, value in rows[first:]}


@pytest.mark.parametrize(
    "value",
    [
        np.complex128(1),
        np.array("0.5"),
        np.datetime64(1, "s"),
        np.timedelta64(1, "s"),
        np.array(1, object),
        np.ma.masked,
    ],
    ids=repr,
)
def test_a_parameter_is_a_number(value):
    for f, name in ((fastact.elu, "alpha"), (fastact.prelu, "weight"), (fastact.softplus, "beta")):
        with pytest.raises(TypeError, match=rf"^{name}\b"):
            f(np.ones(3), value)


def test_many_dimensions():
    x = np.arange(-3, 3).reshape((6,) + (1,) * 50)
    for function in (fastact.gelu, fastact.relu):
        same(function(x).ravel(), function(x.ravel()))


@by_call
def test_parameters_by_keyword(call):
    x = np.linspace(0.1, 0.9, 7)
    operands = [x] * len(call.arguments)
    same(call(*operands, **named(call, 0)), call(*operands, *call.activation.some_values))
    with pytest.raises(TypeError):
        call(*operands, no_such_parameter=1)
    if None not in [p[1] for p in call.activation.parameters]:
        same(call(*operands), call(*operands, *call.activation.some_values))


def test_swish_of_1_is_silu(isa):
    for dtype in DTYPES:
        x = inputs(dtype, 500)
        g = np.random.default_rng(21).standard_normal(x.size).astype(dtype)
        same(fastact.silu(x), fastact.swish(x, np.ones(x.size, dtype)), f"swish {isa}")
        same(fastact.swish(x), fastact.silu(x))
        same(fastact.silu_backward(g, x), fastact.swish_backward(g, x, np.ones(x.size, dtype)), f"swish_backward {isa}")
        same(fastact.swish_backward(g, x), fastact.silu_backward(g, x))


def test_approximate():
    x = np.linspace(-3, 3, 7)
    same(fastact.gelu(x), fastact.gelu(x, "none"))
    assert np.any(fastact.gelu(x, "tanh") != fastact.gelu(x))
    for bad in ("erf", None, 1):
        with pytest.raises((TypeError, ValueError), match="approximate"):
            fastact.gelu(x, bad)
        with pytest.raises((TypeError, ValueError), match="approximate"):
            fastact.gelu_backward(x, x, bad)


# --- threads ------------------------------------------------------------------------------------------------------


@by_any_dtype
@by_call
def test_threads_give_the_same_bits(call, dtype):
    values = call.activation.some_values
    operands = call.operands((np.random.default_rng(13).standard_normal(300_001) * 5).astype(dtype), values)
    fastact.set_num_threads(1)
    want = call(*operands, *values)
    for count in (2, 3, 7):
        fastact.set_num_threads(count)
        same(call(*operands, *values), want, f"{call}, {count} threads")
    with ThreadPoolExecutor(3) as pool:
        for got in pool.map(lambda _: call(*operands, *values), range(3)):
            same(got, want, f"{call} in a pool")


# --- gradients ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("call", GRADIENTS, ids=str)
def test_gradient_is_the_derivative(call):
    """Against central differences, away from the kinks."""
    activation, h = call.activation, 1e-5
    for values in activation.values:
        x = np.linspace(-9, 9, 1201) + 1e-3
        up, here, down = (np.asarray(activation.forward(x + step, *values)) for step in (h, 0, -h))
        left, right = (here - down) / h, (up - here) / h
        scale = max((max(abs(v), 1 / abs(v)) for v in values if v), default=1)
        smooth = np.abs(right - left) < 1e-3 * max(1, scale)
        assert np.count_nonzero(smooth) > 1100
        got = call(np.full(x.shape, 2.0), here if activation.needs == "y" else x, *values)
        want = left + right
        # an error of h**2, and one of a rounding over h
        close = np.abs(got - want) <= 1e-6 * np.abs(want) + 1e-9 * max(1, scale) ** 3 + 1e-10 * np.abs(here)
        assert close[smooth].all(), f"{call} {values}: {x[smooth & ~close][:5]}"


def numeric(f, x, g):
    """The gradient of sum(g f(x)) by central differences."""
    dx, h = np.empty_like(x), 1e-6
    for i in np.ndindex(x.shape):
        up, down = x.copy(), x.copy()
        up[i] += h
        down[i] -= h
        dx[i] = np.sum(g * (f(up) - f(down))) / (2 * h)
    return dx


@pytest.mark.parametrize("options", [{}, {"approximate": "tanh"}], ids=["", "tanh"])
@pytest.mark.parametrize("name", ["glu", "swiglu", "geglu"])
def test_gated(name, options):
    if options and name != "geglu":
        pytest.skip("geglu's argument")
    f, backward = partial(getattr(fastact, name), **options), partial(getattr(fastact, f"{name}_backward"), **options)
    x = np.random.default_rng(14).standard_normal((4, 3, 6))
    for axis in (-1, 0, 2, -3):
        a, b = np.split(x, 2, axis)
        want = {
            "glu": lambda a, b: a * fastact.sigmoid(b),
            "swiglu": lambda a, b: fastact.silu(a) * b,
            "geglu": lambda a, b: fastact.gelu(a, **options) * b,
        }[name](a, b)
        y = f(x, axis)
        np.testing.assert_allclose(y, want, rtol=1e-15)
        out = np.empty_like(y)
        assert f(x, axis, out=out) is out
        same(out, y)
        g = np.random.default_rng(15).standard_normal(y.shape)
        dx = backward(g, x, axis)
        assert dx.shape == x.shape
        inside = x.copy()
        assert backward(g, inside, axis, out=inside) is inside
        same(inside, dx)
        same(backward(1.0, x, axis), backward(np.ones_like(y), x, axis))
        np.testing.assert_allclose(dx, numeric(partial(f, axis=axis), x, g), rtol=1e-6, atol=1e-8)
    single = x.astype(np.float32)
    assert f(single).dtype == backward(f(single), single).dtype == np.float32
    assert f(x.astype(np.float16)).dtype == np.float16
    assert f(np.arange(6)).dtype == np.float64
    for odd in (3, 1):
        with pytest.raises(ValueError, match=rf"\b{odd}\b"):
            f(np.ones(odd))
        with pytest.raises(ValueError, match=rf"\b{odd}\b"):
            backward(np.ones(odd), np.ones(odd))
    with pytest.raises(TypeError, match="x"):
        f(np.ones(4, complex))
    with pytest.raises(TypeError, match="masked"):
        f(np.ma.ones(4))


def test_softmin():
    x = np.random.default_rng(16).standard_normal((3, 6))
    for axis in (-1, 0, None):
        y = fastact.softmin(x, axis)
        same(y, fastact.softmax(-x, axis))
        g = np.random.default_rng(17).standard_normal(y.shape)
        got = fastact.softmin_backward(g, y, axis)
        np.testing.assert_allclose(got, numeric(partial(fastact.softmin, axis=axis), x, g), rtol=1e-6, atol=1e-8)
    mask = x < 1
    same(fastact.softmin(x, where=mask), fastact.softmax(-x, where=mask))
    same(fastact.softmin(x, dtype=np.float32), fastact.softmax(-x.astype(np.float32)))
    same(fastact.softmin(np.arange(4, dtype=np.uint8)), fastact.softmax(-np.arange(4.0)))
    out = x.copy()
    assert fastact.softmin(out, out=out) is out
    same(out, fastact.softmax(-x))
    with pytest.raises(TypeError, match="x"):
        fastact.softmin(np.ones(3, complex))


def test_hardmax():
    x = np.array([[1.0, 5.0, 4.0, 2.0, 7.0, 7.0], [0.0, -1.0, np.nan, 3.0, 2.0, 1.0]])
    y = fastact.hardmax(x)
    same(y[0], np.array([0.0, 0, 0, 0, 1, 0]))
    assert np.isnan(y[1]).all()
    same(fastact.hardmax(x.T, 0), y.T)
    same(fastact.hardmax(x[:1], axis=None), y[:1])
    same(fastact.hardmax(np.full(3, -np.inf)), np.array([1.0, 0, 0]))
    assert fastact.hardmax(x, dtype=np.float32).dtype == np.float32
    assert fastact.hardmax(x.astype(np.float16)).dtype == np.float16
    assert fastact.hardmax(np.arange(3)).dtype == np.float64
    out = x.copy()
    assert fastact.hardmax(out, out=out) is out
    same(out, y)
    with pytest.raises(TypeError, match="x"):
        fastact.hardmax(np.ones(3, complex))


def test_maxout():
    x = np.array([[1.0, 5.0, 4.0, 2.0, 7.0, 7.0], [0.0, -1.0, np.nan, 3.0, 2.0, 1.0]])
    y, index = fastact.maxout(x, 3, return_index=True)
    same(y, np.array([[5, 7], [np.nan, 3]]))
    np.testing.assert_array_equal(index, [[1, 1], [2, 0]])
    same(fastact.maxout(x, 3), y)
    same(fastact.maxout(x.T, 3, axis=0), y.T)
    same(fastact.maxout(x, 1), x)
    g = np.array([[10.0, 20.0], [30.0, 40.0]])
    dx = fastact.maxout_backward(g, index, 3)
    same(dx, np.array([[0.0, 10, 0, 0, 20, 0], [0, 0, 30, 40, 0, 0]]))
    same(fastact.maxout_backward(g.T.copy(), index.T, 3, axis=0), dx.T)
    x = np.random.default_rng(18).standard_normal((4, 6, 2))
    y, index = fastact.maxout(x, 2, axis=1, return_index=True)
    g = np.random.default_rng(19).standard_normal(y.shape)
    want = numeric(lambda a: fastact.maxout(a, 2, axis=1), x, g)
    np.testing.assert_allclose(fastact.maxout_backward(g, index, 2, axis=1), want, rtol=1e-6, atol=1e-8)
    assert fastact.maxout(x.astype(np.float32), 2).dtype == np.float32
    with pytest.raises(ValueError, match=r"\b4\b.*\b6\b|\b6\b.*\b4\b"):
        fastact.maxout(x, 4, axis=1)
    for bad, error in ((0, ValueError), (-1, ValueError), (1.5, TypeError)):
        with pytest.raises(error, match="num_pieces"):
            fastact.maxout(x, bad)
    with pytest.raises(TypeError, match="x"):
        fastact.maxout(np.ones(4, complex), 2)


@pytest.mark.parametrize("dtype", [np.float16, *DTYPES])
def test_maxout_of_all_kinds(dtype):
    """The first of the largest entries, the first NaN before all, wherever the axis lies."""
    rng = np.random.default_rng(20)
    special = np.array([0, -0.0, np.inf, -np.inf, np.nan, -np.nan, 1, -1, np.finfo(dtype).smallest_subnormal], dtype)
    for pieces in (1, 2, 3, 5, 17):
        for groups in (0, 1, 3, 4, 9):
            x = rng.choice([*special, *rng.standard_normal(9).astype(dtype)], (6, groups * pieces, 3)).astype(dtype)
            split = x.reshape(6, groups, pieces, 3)
            index = split.argmax(2)
            y = np.take_along_axis(split, index[:, :, None], 2)[:, :, 0]
            g = rng.standard_normal(y.shape).astype(dtype)
            dx = np.where(index[:, :, None] == np.arange(pieces)[:, None], g[:, :, None], dtype(0)).reshape(x.shape)
            for axis in range(3):
                a, want, number = (np.moveaxis(b, 1, axis) for b in (x, y, index))
                for b in (a, a.copy(), np.flip(np.flip(a).copy())):
                    got, found = fastact.maxout(b, pieces, axis, return_index=True)
                    alone = fastact.maxout(b, pieces, axis)
                    assert got.tobytes() == alone.tobytes() == want.tobytes(), (pieces, groups, axis)
                    np.testing.assert_array_equal(found, number)
                for kind in (np.int64, np.uint8, np.uint64):
                    back = fastact.maxout_backward(np.moveaxis(g, 1, axis), number.astype(kind), pieces, axis)
                    same(back, np.moveaxis(dx, 1, axis))


# --- other libraries ----------------------------------------------------------------------------------------------


def test_agrees_with_scipy():
    special = pytest.importorskip("scipy.special")
    x = np.concatenate([np.linspace(-700, 700, 5001), np.linspace(-30, 30, 5001)])
    np.testing.assert_allclose(fastact.sigmoid(x), special.expit(x), rtol=1e-13)
    np.testing.assert_allclose(fastact.log_sigmoid(x), special.log_expit(x), rtol=1e-13)
    np.testing.assert_allclose(fastact.gelu(x), x * special.ndtr(x), rtol=1e-12, atol=1e-300)


TORCH = {
    "sigmoid": "sigmoid",
    "tanh": "tanh",
    "relu": "relu",
    "leaky_relu": "leaky_relu",
    "elu": "elu",
    "selu": "selu",
    "celu": "celu",
    "silu": "silu",
    "softplus": "softplus",
    "softsign": "softsign",
    "gelu": "gelu",
    "log_sigmoid": "logsigmoid",
    "mish": "mish",
    "relu6": "relu6",
    "hard_tanh": "hardtanh",
    "hard_sigmoid": "hardsigmoid",
    "hard_swish": "hardswish",
    "threshold": "threshold",
}


@pytest.mark.parametrize("name", TORCH)
def test_agrees_with_torch(name):
    torch = pytest.importorskip("torch")
    activation = next(a for a in ACTIVATIONS if a.name == name)
    # PyTorch's hard functions are of their own at the kinks' floats; its softplus turns linear above 20.
    x = np.linspace(-12, 12, 999)
    t = torch.from_numpy(x.copy()).requires_grad_()
    values = [p[1] for p in activation.parameters]
    values = (1.7, 0.3) if None in values else ()
    y = getattr(torch.nn.functional, TORCH[name])(t, *values)
    y.sum().backward()
    ours = activation.forward(x, *values)
    np.testing.assert_allclose(ours, y.detach().numpy(), rtol=1e-7, atol=1e-8)
    dx = activation.backward(np.ones_like(x), ours if activation.needs == "y" else x, *values)
    np.testing.assert_allclose(dx, t.grad.numpy(), rtol=1e-7, atol=1e-8)


# --- the list -----------------------------------------------------------------------------------------------------


def test_references_follow_the_list():
    assert set(DEFINITIONS) == set(WIDE) == {*_core.activations, *_core.gated_pairs}
    assert set(_core.elementwise_ufuncs) == {str(call) for call in CALLS + GATED_CALLS}


def test_public_functions_follow_the_list():
    public = {
        name for name in fastact.__all__ if getattr(getattr(fastact, name), "__module__", "") == "fastact._activations"
    }
    assert public == activation_registry.public_functions()
    stub = Path(fastact.__file__).with_name("_activations.pyi").read_text(encoding="utf-8")
    assert public == set(re.findall(r"^def ([a-z]\w*)\(", stub, re.M))


@by_call
def test_ufunc(call):
    ufunc = call.ufunc
    assert ufunc.__name__ == str(call)
    assert ufunc.nin == len(call.arguments) + len(call.activation.parameters)
    assert ufunc.nout == 1
    assert {t.split("->")[1] for t in ufunc.types} == set("efd")
    x = np.linspace(-3, 3, 50, dtype=np.float32)
    values = [np.float32(v) for v in call.activation.some_values]
    operands = call.operands(x, values)
    same(ufunc(*operands, *values), call(*operands, *values))


@by_call
def test_signature(call):
    """Arrays and parameters first, in the order of the list, and the rest by keyword."""
    activation, function = call.activation, call.public.func
    parameters = inspect.signature(function).parameters
    positional = [n for n, p in parameters.items() if p.kind is not p.KEYWORD_ONLY]
    given = [p[0] for p in activation.parameters] or (["approximate"] if "gelu" in activation.name else [])
    assert positional == [*call.arguments, *given]
    for name, default, *_ in activation.parameters:
        assert parameters[name].default == (inspect.Parameter.empty if default is None else default)
    options = [n for n in parameters if n not in positional]
    if call.is_gradient:
        assert options == (["out"] if activation.takes_out else ["axis"])
    else:
        assert [n for n in options if n != "axis"] == ["out", "where", "dtype"]
    assert f"within {call.ulp:g} ULP" in " ".join(function.__doc__.split())
