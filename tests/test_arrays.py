"""What every function does with the arrays it is given."""

import itertools
import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import reference
import registry
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import fastact

INTEGERS = [np.dtype(t) for t in "?bBhHiIlLqQ"]
FLOATS = [np.dtype(t) for t in "efd"]
functions = pytest.mark.parametrize("function", registry.FUNCTIONS, ids=str)
forward = pytest.mark.parametrize("function", registry.FORWARD, ids=str)
entrywise = pytest.mark.parametrize("function", registry.ENTRYWISE, ids=str)
with_where = pytest.mark.parametrize("function", [f for f in registry.FUNCTIONS if f.has_where], ids=str)
shaped = pytest.mark.parametrize("function", [f for f in registry.FUNCTIONS if not f.reduces], ids=str)

AXES_3D = [0, 1, 2, -1, -2, -3, (0,), (0, 1), (1, 0), (0, 2), (2, 1), (-1, 0), (0, 1, 2), (-1, -3, -2), None]


def _scores(shape, dtype=np.float64, scale=3.0):
    return (np.random.default_rng(math.prod(shape)).standard_normal(shape) * scale).astype(dtype)


def _expected(function, operands, axis, keepdims=False):
    """The reference, over any axes, rounded to the operands' type."""
    ndim = operands[0].ndim
    axes = tuple(range(ndim)) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    axes = tuple(k % ndim for k in axes)
    last = tuple(range(ndim - len(axes), ndim))
    moved = [np.moveaxis(x, axes, last) for x in operands]
    shape = moved[0].shape
    kept = shape[: ndim - len(axes)]
    n = math.prod(shape[len(kept) :])
    want, _ = reference.exact(function.name, *(x.reshape(-1, n) for x in moved))
    if function.reduces:
        want = np.asarray(want).reshape(kept)
        return np.expand_dims(want, sorted(axes)) if keepdims else want
    return np.moveaxis(np.asarray(want).reshape(shape), last, axes)


def _assert_close(got, want, dtype):
    got, want = np.asarray(got), np.asarray(want)
    assert got.dtype == dtype
    assert got.shape == want.shape
    digits = np.finfo(dtype)
    np.testing.assert_allclose(
        got.astype(np.float64), want.astype(np.float64), rtol=8 * digits.eps, atol=max(8 * digits.eps, digits.tiny)
    )


# --- axes and shapes ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", FLOATS, ids=str)
@pytest.mark.parametrize("axis", AXES_3D, ids=str)
@functions
def test_axis(function, axis, dtype):
    operands = function.operands(_scores((4, 5, 6), dtype), axis=axis)
    for order in "CF":
        arrays = [x.copy(order) for x in operands]
        _assert_close(function(*arrays, axis=axis), _expected(function, operands, axis), dtype)


@functions
def test_numpy_integer_as_axis(function):
    operands = function.operands(_scores((4, 5)))
    np.testing.assert_array_equal(function(*operands, axis=np.int8(0)), function(*operands, axis=0))


@functions
def test_axis_by_position(function):
    operands = function.operands(_scores((4, 5)), axis=0)
    np.testing.assert_array_equal(function.public(*operands, 0), function(*operands, axis=0))


@functions
def test_default_axis(function):
    operands = function.operands(_scores((4, 5)))
    default = None if function.reduces else -1
    np.testing.assert_array_equal(function.public(*operands), function(*operands, axis=default))


@functions
def test_empty_tuple_of_axes_makes_every_entry_a_row(function):
    operands = function.operands(_scores((4, 5)), axis=())
    got = function(*operands, axis=())
    want = function(*(x[..., None] for x in operands), axis=-1).reshape(4, 5)
    np.testing.assert_array_equal(got, want)


@pytest.mark.parametrize("axis", AXES_3D, ids=str)
def test_keepdims(axis):
    x = _scores((4, 5, 6))
    for function in registry.FUNCTIONS:
        if function.reduces:
            got = function(x, axis=axis, keepdims=True)
            _assert_close(got, _expected(function, (x,), axis, keepdims=True), np.float64)
            assert np.shape(function(x, axis=axis, keepdims=False)) == np.sum(x, axis=axis).shape


@pytest.mark.parametrize("axis", [-1, 0, None], ids=str)
@functions
def test_zero_dimensions(function, axis):
    for dtype in FLOATS:
        for scalar in (dtype.type(2.5), np.array(2.5, dtype)):
            operands = function.operands(scalar, axis=axis)
            got = function(*operands, axis=axis)
            want, _ = reference.exact(function.name, *(np.atleast_1d(x) for x in operands))
            assert np.shape(got) == ()
            assert type(got) is dtype.type
            assert got == pytest.approx(float(np.asarray(want).item()), rel=1e-3 if dtype.itemsize == 2 else 1e-6)


@pytest.mark.parametrize("shape", [(0,), (3, 0), (0, 3), (2, 0, 4)], ids=str)
@functions
def test_empty(function, shape, isa):
    for dtype, step in itertools.product(FLOATS, ("C", 2, 4, 8)):
        for axis in (*range(len(shape)), -1, None, tuple(range(len(shape)))):
            x = np.zeros(shape, dtype)
            if step != "C":  # strides that an array without entries may have: those of columns
                x = np.lib.stride_tricks.as_strided(x, strides=(step,) * len(shape))
            got = function(*[x] * len(function.arguments), axis=axis)
            if function.reduces:
                assert np.shape(got) == np.sum(x, axis=axis).shape
                assert np.all(np.isneginf(got))
            else:
                assert got.shape == shape
            assert got.dtype == dtype


@functions
def test_many_dimensions(function):
    operands = function.operands(_scores((1, 2, 1, 3, 1, 2, 2, 1, 2)), axis=3)
    for axis in (3, (1, 3), (0, 8, 5)):
        _assert_close(function(*operands, axis=axis), _expected(function, operands, axis), np.float64)


@functions
def test_as_many_dimensions_as_numpy_has(function):
    x = _scores((1,) * 60 + (2, 3, 1, 2))
    operands = function.operands(x)
    _assert_close(function(*operands, axis=61), _expected(function, operands, 61), np.float64)


@settings(max_examples=60, deadline=None, derandomize=True, database=None)
@given(data=st.data())
@functions
def test_any_shape_axis_type_and_strides(function, data):
    dtype = data.draw(st.sampled_from(FLOATS))
    shape = data.draw(hnp.array_shapes(min_dims=1, max_dims=4, max_side=9))
    axes = st.integers(-len(shape), len(shape) - 1)
    distinct = st.sets(st.integers(0, len(shape) - 1), min_size=1).map(tuple)
    axis = data.draw(st.one_of(axes, distinct, st.none()))
    order = data.draw(st.permutations(range(len(shape))))
    steps = data.draw(st.tuples(*[st.sampled_from([1, 2, -1, -3])] * len(shape)))
    swapped = data.draw(st.booleans())
    operands = function.operands(_scores(shape, dtype), axis=axis)
    arrays = []
    for x in operands:
        room = np.zeros([shape[k] * abs(steps[k]) for k in order], dtype.newbyteorder() if swapped else dtype)
        view = room.transpose(np.argsort(order))[tuple(slice(None, None, step) for step in steps)]
        view[...] = x
        arrays.append(view)
    _assert_close(function(*arrays, axis=axis), _expected(function, operands, axis), dtype)


# --- types --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", INTEGERS, ids=str)
@functions
def test_integers_and_bools_are_computed_in_float64(function, dtype):
    top = 1 if dtype.kind == "b" else np.iinfo(dtype).max
    values = np.array([[0, 1, 0], [top, top, 0], [1, 1, 1]], dtype)
    if dtype.kind == "i":
        values[0, 2] = np.iinfo(dtype).min
    for axis in (0, -1, None):
        got = function(*[values] * len(function.arguments), axis=axis)
        want = function(*[values.astype(np.float64)] * len(function.arguments), axis=axis)
        assert got.dtype == np.float64
        np.testing.assert_array_equal(got, want)


@functions
def test_float16_is_computed_in_float32(function):
    operands = function.operands(_scores((7, 300), np.float16))
    got = function(*operands)
    assert got.dtype == np.float16
    np.testing.assert_array_equal(got, function(*(x.astype(np.float32) for x in operands)).astype(np.float16))


def test_every_float16():
    """All values there are: the conversion in the kernels is NumPy's."""
    every = np.arange(65536, dtype=np.uint16).view(np.float16)
    with np.errstate(over="ignore"):
        for function in registry.FORWARD:
            for isa in fastact.available_isas():
                fastact.set_isa(isa)
                got = function(np.stack([every, np.zeros_like(every)], -1))
                want = function(np.stack([every, np.zeros_like(every)], -1).astype(np.float32)).astype(np.float16)
                np.testing.assert_array_equal(got, want, err_msg=f"{function} {isa}")


@functions
def test_float16_subnormals_and_overflow(function):
    x = np.array([[0, -10, -11, -14, -16.5, -17, -18], [65504, -65504, 0, 1, 2, 3, 4]], np.float16)
    operands = function.operands(x)
    if function.is_gradient:
        operands = np.full_like(x, 65504), operands[1]
    got = function(*operands)
    with np.errstate(over="ignore"):
        want = function(*(a.astype(np.float32) for a in operands)).astype(np.float16)
    np.testing.assert_array_equal(got, want)


@pytest.mark.parametrize("first", [*FLOATS, np.dtype("i1")], ids=str)
@pytest.mark.parametrize("second", [*FLOATS, np.dtype("i4")], ids=str)
@pytest.mark.parametrize("function", registry.GRADIENTS, ids=str)
def test_gradients_of_two_types(function, first, second):
    g, y = np.array([1.0, -2.0, 3.0]).astype(first), np.array([0.25, 0.5, 0.25]).astype(second)
    kinds = [np.float64 if d.kind == "i" else d for d in (first, second)]
    wide = np.result_type(*kinds)
    got = function(g, y)
    assert got.dtype == wide
    np.testing.assert_array_equal(got, function(g.astype(wide), y.astype(wide)))


@functions
def test_native_type_of_byte_swapped_input(function):
    for dtype in FLOATS:
        operands = function.operands(_scores((3, 4), dtype))
        got = function(*(x.astype(dtype.newbyteorder()) for x in operands))
        assert got.dtype.isnative
        np.testing.assert_array_equal(got, function(*operands))


@functions
def test_lists_and_python_scalars(function):
    several = len(function.arguments)
    got = function(*[[[1, 2.5], [3, 4]]] * several)
    np.testing.assert_array_equal(got, function(*[np.array([[1, 2.5], [3, 4]])] * several))
    np.testing.assert_array_equal(function(*[(1, 2)] * several), function(*[np.array([1.0, 2.0])] * several))
    for scalar in (1, 1.5, True):
        assert type(function(*[scalar] * several)) is np.float64


@functions
def test_read_only_input(function):
    operands = function.operands(_scores((3, 4)))
    for x in operands:
        x.flags.writeable = False
    before = [x.copy() for x in operands]
    function(*operands)
    for x, y in zip(operands, before, strict=True):
        np.testing.assert_array_equal(x, y)


@pytest.mark.parametrize("target", FLOATS, ids=str)
@pytest.mark.parametrize("source", [*FLOATS, *INTEGERS], ids=str)
@forward
def test_dtype(function, source, target):
    x = np.array([[0, 1, 1], [1, 0, 0]]).astype(source)
    for name in (target, target.type, target.name, target.newbyteorder()):
        for axis in (-1, 0, None):
            got = function(x, axis=axis, dtype=name)
            assert got.dtype == target
            np.testing.assert_array_equal(got, function(x.astype(target), axis=axis))


@forward
def test_dtype_converts_before_anything_else(function):
    x = _scores((5, 20)) * 1.1
    np.testing.assert_array_equal(function(x, dtype=np.float32), function(x.astype(np.float32)))
    # What is too large for the type is infinite in it.
    got = function(np.array([1e300, 1.0]), dtype=np.float32)
    np.testing.assert_array_equal(got, function(np.array([np.inf, 1], np.float32)))


# --- out ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("axis", [-1, 0, 1, (0, 2), None], ids=str)
@functions
def test_out(function, axis):
    for dtype in FLOATS:
        operands = function.operands(_scores((4, 5, 6), dtype), axis=axis)
        want = np.asarray(function(*operands, axis=axis))
        for order in "CF":
            out = np.full(want.shape, np.nan, dtype, order=order)
            assert function(*operands, axis=axis, out=out) is out
            np.testing.assert_array_equal(out, want)
        room = np.full([2 * n + 1 for n in want.shape], 7, dtype)
        out = room[(*(slice(1, None, 2) for _ in want.shape), ...)]
        assert function(*operands, axis=axis, out=out) is out
        np.testing.assert_array_equal(out, want)
        assert np.count_nonzero(room != 7) <= want.size, "wrote between the entries"


@functions
def test_out_of_zero_dimensions(function):
    operands = function.operands(np.float64(1.5))
    out = np.zeros(())
    assert function(*operands, axis=None, out=out) is out
    assert out == function(*operands, axis=None)


@pytest.mark.parametrize("axis", [-1, 0, None], ids=str)
@functions
def test_out_of_another_type(function, axis):
    """As for NumPy's ufuncs, of the same kind: computed in the input's type, converted when it is stored."""
    for source, target in itertools.permutations(FLOATS, 2):
        operands = function.operands(_scores((4, 5), source), axis=axis)
        want = np.asarray(function(*operands, axis=axis))
        out = np.zeros(want.shape, target)
        function(*operands, axis=axis, out=out)
        np.testing.assert_array_equal(out, want.astype(target))
        out = np.zeros(want.shape, source.newbyteorder())
        function(*operands, axis=axis, out=out)
        np.testing.assert_array_equal(out, want)


@pytest.mark.parametrize("axis", [-1, 0, (0, 1), None], ids=str)
@shaped
def test_in_place(function, axis):
    for dtype in FLOATS:
        for k in range(len(function.arguments)):
            operands = function.operands(_scores((40, 50), dtype), axis=axis)
            want = function(*operands, axis=axis)
            assert function(*operands, axis=axis, out=operands[k]) is operands[k]
            np.testing.assert_array_equal(operands[k], want)


@pytest.mark.parametrize("axis", [-1, 0, None], ids=str)
@shaped
def test_out_overlaps(function, axis):
    """Entries are never overwritten before they are read."""
    views = {
        "later": (lambda room: room[:-3, :40], lambda room: room[3:, :40]),
        "earlier": (lambda room: room[3:, :40], lambda room: room[:-3, :40]),
        "right": (lambda room: room[:, :-1], lambda room: room[:, 1:]),
        "reversed": (lambda room: room, lambda room: room[::-1]),
        "mirrored": (lambda room: room, lambda room: room[:, ::-1]),
        "transposed": (lambda room: room, lambda room: room.T),
        "by half a row": (
            lambda room: room.reshape(-1)[: 40 * 50].reshape(40, 50),
            lambda room: room.reshape(-1)[25 : 25 + 40 * 50].reshape(40, 50),
        ),
    }
    for dtype in FLOATS:
        for name, (source, target) in views.items():
            for k in range(len(function.arguments)):
                room = _scores((50, 50), dtype)
                operands = [x.copy() for x in function.operands(source(room).copy(), axis=axis)]
                want = function(*operands, axis=axis)
                source(room)[...] = operands[k]
                operands[k] = source(room)
                out = target(room)
                assert function(*operands, axis=axis, out=out) is out
                np.testing.assert_array_equal(out, want, err_msg=f"{name} {dtype} operand {k}")


@forward
def test_out_of_a_reduction_overlaps(function):
    if not function.reduces:
        pytest.skip("results in a value for every entry")
    x = _scores((50, 50))
    for axis, view in itertools.product(
        (-1, 0), (lambda room: room[0], lambda room: room[:, 3], lambda room: room[-1], lambda room: room[::-1, 0])
    ):
        room = x.copy()
        assert function(room, axis=axis, out=view(room)).shape == (50,)
        np.testing.assert_array_equal(view(room), function(x, axis=axis))


# --- where --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("axis", [-1, 0, (0, 1), None], ids=str)
@with_where
def test_where(function, axis):
    rng = np.random.default_rng(7)
    for dtype in FLOATS:
        x = _scores((6, 9), dtype)
        where = rng.random(x.shape) < 0.6
        where[0] = where[:, 0] = True
        x[~where] = rng.choice([np.nan, np.inf, -np.inf, 1], np.count_nonzero(~where))
        got = function(x, axis=axis, where=where)
        if axis in (None, (0, 1)):
            got, rows, masks = [np.asarray(got).reshape(-1)], [x.reshape(-1)], [where.reshape(-1)]
        else:
            rows, masks = (x, where) if axis == -1 else (x.T, where.T)
            got = got if axis == -1 or function.reduces else got.T
        for result, row, mask in zip(got, rows, masks, strict=True):
            want, _ = reference.exact(function.name, row[mask])
            _assert_close(np.atleast_1d(result if function.reduces else result[mask]), np.atleast_1d(want), dtype)
            if not function.reduces:
                np.testing.assert_array_equal(result[~mask], EMPTY[function.name])


@with_where
def test_where_broadcasts(function):
    x = _scores((4, 5, 6))
    for where in (
        np.array([True, False, True, True, False, True]),
        np.arange(5)[:, None] > 1,
        np.arange(4)[:, None, None] > 1,
        np.array([[[True]]]),
        np.array(False),
        [True, False, True, True, True, True],
        False,
        np.False_,
    ):
        for axis in (0, 1, -1, (0, 2), None):
            got = function(x, axis=axis, where=where)
            np.testing.assert_array_equal(got, function(x, axis=axis, where=np.broadcast_to(where, x.shape).copy()))


@with_where
def test_where_with_out(function):
    x = _scores((6, 9))
    where = np.random.default_rng(8).random(x.shape) < 0.6
    for axis in (-1, 0, None):
        want = np.asarray(function(x, axis=axis, where=where))
        out = np.full(want.shape, 7.0)
        assert function(x, axis=axis, where=where, out=out) is out
        np.testing.assert_array_equal(out, want)
        if not function.reduces:
            again = x.copy()
            function(again, axis=axis, where=where, out=again)
            np.testing.assert_array_equal(again, want)


@with_where
def test_where_with_dtype(function):
    x = np.arange(12).reshape(3, 4)
    where = x % 5 != 0
    got = function(x, where=where, dtype=np.float32)
    assert got.dtype == np.float32
    np.testing.assert_array_equal(got, function(x.astype(np.float32), where=where))


def test_where_may_be_the_memory_of_out():
    room = np.zeros((4, 8))
    where = room.view(bool)[:, :8]
    where[:, ::2] = True
    x = _scores((4, 8))
    for function in registry.FORWARD:
        if not function.reduces:
            want = function(x, where=where.copy())
            memory = room.copy()
            function(x, where=memory.view(bool)[:, :8], out=memory)
            np.testing.assert_array_equal(memory, want)


# --- special values -----------------------------------------------------------------------------------------------

EMPTY = {"softmax": 0.0, "log_softmax": -np.inf, "logsumexp": -np.inf}
#: What a row results in that holds, besides finite entries, the value of the key.
SPECIAL = {
    "softmax": {np.nan: np.nan, np.inf: np.nan, "all -inf": np.nan, "some -inf": 0.0},
    "log_softmax": {np.nan: np.nan, np.inf: np.nan, "all -inf": np.nan, "some -inf": -np.inf},
    "logsumexp": {np.nan: np.nan, np.inf: np.inf, "all -inf": -np.inf},
}


def test_the_table_of_special_values_is_complete():
    assert SPECIAL.keys() == EMPTY.keys() == {f.name for f in registry.FORWARD}


def _values_at(n):
    return sorted({0, n // 2, n - 1})


@pytest.mark.parametrize("dtype", FLOATS, ids=str)
@pytest.mark.parametrize("n", [1, 2, 3, 10, 17, 64, 130, 1000, 20000])
@forward
def test_special_values(function, n, dtype, isa):
    table = SPECIAL[function.name]
    plain = _scores((3, n), dtype)

    def check(x, want, what):
        for array, axis in ((x, -1), (x.T.copy(), 0), (x[:, ::-1], -1)):
            got = function(array, axis=axis)
            got = got if function.reduces or axis == -1 else got.T
            np.testing.assert_array_equal(np.asarray(got)[1], want, err_msg=f"{what}, {dtype} {isa}")
            assert np.all(np.isfinite(np.asarray(got)[[0, 2]])), "the rows beside it"

    for value in (np.nan, np.inf):
        for at in _values_at(n):
            x = plain.copy()
            x[1, at] = value
            want = table[value] if function.reduces else np.full(n, table[value])
            check(x, want, f"{value} at {at}")
    x = plain.copy()
    x[1] = -np.inf
    check(x, table["all -inf"], "all -inf")
    for at in _values_at(n):
        for first, second in ((np.inf, np.nan), (np.nan, -np.inf)):
            x = plain.copy()
            x[1, 0], x[1, at] = first, second
            if at:
                check(x, np.nan, f"{first}, and {second} at {at}")
    x = plain.copy()
    x[1] = np.inf
    check(x, table[np.inf], "all inf")


@pytest.mark.parametrize("dtype", FLOATS, ids=str)
@forward
def test_some_minus_infinity(function, dtype, isa):
    for n in (2, 3, 17, 130, 1000, 20000):
        x = _scores((3, n), dtype)
        infinite = np.random.default_rng(n).random(n) < 0.5
        infinite[0], infinite[-1] = True, False
        x[:, infinite] = -np.inf
        got = np.asarray(function(x))
        want, _ = reference.exact(function.name, np.delete(x, infinite, axis=1))
        if function.reduces:
            _assert_close(got, want, dtype)
        else:
            np.testing.assert_array_equal(got[:, infinite], SPECIAL[function.name]["some -inf"])
            assert not np.any(np.signbit(got[:, infinite]) & (got[:, infinite] == 0)), "-0"
            _assert_close(got[:, ~infinite], want, dtype)


@pytest.mark.parametrize("dtype", FLOATS, ids=str)
@with_where
def test_where_all_false(function, dtype, isa):
    for n in (1, 3, 17, 1000, 20000):
        x = _scores((3, n), dtype)
        where = np.ones((3, n), bool)
        where[1] = False
        for value in (1, np.nan, np.inf, -np.inf):
            x[1] = value
            got = np.asarray(function(x, where=where))
            np.testing.assert_array_equal(got[1], EMPTY[function.name])
            np.testing.assert_array_equal(got[[0, 2]], np.asarray(function(x))[[0, 2]])


@with_where
def test_where_all_false_in_a_long_row(function):
    fastact.set_num_threads(2)
    got = function(np.full(200_000, np.nan), where=np.zeros(200_000, bool))
    np.testing.assert_array_equal(got, EMPTY[function.name])


@functions
def test_gradient_special_values(function, isa):
    if not function.is_gradient:
        pytest.skip("a gradient's row")
    for dtype in registry.DTYPES:
        for n in (1, 3, 17, 1000):
            g, y = function.operands(_scores((3, n), dtype))
            g[1, n // 2] = np.nan
            got = function(g, y)
            assert np.isnan(got[1, n // 2])
            assert np.all(np.isfinite(got[[0, 2]]))
        # A probability of 0 (its logarithm: -inf) passes its own gradient on as the formula says.
        g, x = np.array([1, 2, 3], dtype), np.array([0, -np.inf, 1], dtype)
        y = function.operands(x)[1]
        assert function(g, y)[1] == (0 if function.name.startswith("softmax") else 2)


@pytest.mark.parametrize("dtype", FLOATS, ids=str)
@functions
def test_no_flags(function, dtype):
    """Not even where NumPy is asked to raise for every floating-point event."""
    x = _scores((5, 40), dtype, scale=30)
    x[1, 3], x[2, 3], x[3, 3], x[4] = np.nan, np.inf, -np.inf, -np.inf
    operands = [np.random.default_rng(9).standard_normal(x.shape).astype(dtype), x] if function.is_gradient else [x]
    with np.errstate(all="raise"):
        for axis in (-1, 0, (0, 1), None):
            function(*operands, axis=axis)
            function(*(a[:, ::2] for a in operands), axis=axis)
            if function.has_where:
                function(*operands, axis=axis, where=np.arange(40) > 3)


@functions
def test_flags_raised_before_are_kept_apart(function):
    """A call neither hides nor invents what NumPy reports of its own operations around it."""
    operands = function.operands(_scores((5, 40), scale=300))
    with np.errstate(all="raise"):
        function(*operands, axis=0)
        np.add(1.0, 2.0)
        with pytest.raises(FloatingPointError):
            np.divide(1.0, 0.0)


# --- kinds of arrays ----------------------------------------------------------------------------------------------


class Labelled(np.ndarray):
    """A subclass, as libraries of units and labels make them."""


@functions
def test_subclass(function):
    for axis in (-1, 0, (0, 1), None):
        operands = function.operands(_scores((4, 5)), axis=axis)
        got = function(*(x.view(Labelled) for x in operands), axis=axis)
        np.testing.assert_array_equal(np.asarray(got), function(*operands, axis=axis))
        if np.ndim(got):
            assert type(got) is Labelled


@functions
def test_memory_map(function, tmp_path):
    operands = function.operands(_scores((4, 5), np.float32))
    maps = []
    for k, x in enumerate(operands):
        np.save(tmp_path / f"{k}.npy", x)
        maps.append(np.load(tmp_path / f"{k}.npy", mmap_mode="r"))
    np.testing.assert_array_equal(np.asarray(function(*maps)), function(*operands))


@functions
def test_array_interface(function):
    class Wrapped:
        def __init__(self, x):
            self.x = x

        def __array__(self, dtype=None, copy=None):
            return self.x

    operands = function.operands(_scores((4, 5)))
    np.testing.assert_array_equal(function(*map(Wrapped, operands)), function(*operands))


@functions
def test_array_ufunc_takes_over(function):
    class Recorder:
        dtype = np.dtype(np.float64)
        shape = (2, 3)
        ndim = 2

        def __array_ufunc__(self, ufunc, method, *operands, **options):
            return ufunc.__name__, method, options.get("axis")

    for axis in (-1, 0):
        got = function(*[Recorder() for _ in function.arguments], axis=axis)
        assert got == (function.name, "__call__", axis)


@functions
def test_pandas(function):
    pd = pytest.importorskip("pandas")
    for dtype in (np.float64, np.float32):
        operands = function.operands(_scores((4, 3), dtype))
        frames = [pd.DataFrame(x, index=list("wxyz"), columns=list("abc")) for x in operands]
        for axis in (-1, 0, 1):
            got = function(*frames, axis=axis)
            np.testing.assert_array_equal(np.asarray(got), function(*operands, axis=axis))
            if not function.reduces:
                pd.testing.assert_index_equal(got.index, frames[0].index)
                pd.testing.assert_index_equal(got.columns, frames[0].columns)
        got = function(*(frame["a"] for frame in frames))
        np.testing.assert_array_equal(np.asarray(got), function(*(x[:, 0] for x in operands)))
        if not function.reduces:
            assert isinstance(got, pd.Series)


@pytest.mark.parametrize("dtype", ["i1", "u2", "i8", "?"])
@forward
def test_pandas_integers(function, dtype):
    pd = pytest.importorskip("pandas")
    x = np.array([[1, 0, 1], [0, 1, 1]]).astype(dtype)
    for got, want in (
        (function(pd.DataFrame(x)), function(x)),
        (function(pd.Series(x[0])), function(x[0])),
    ):
        assert np.asarray(got).dtype == np.float64
        np.testing.assert_array_equal(np.asarray(got), want)


@functions
def test_dask(function):
    da = pytest.importorskip("dask.array")
    operands = function.operands(_scores((20, 30)))
    lazy = [da.from_array(x, chunks=(5, 30)) for x in operands]
    got = function(*lazy)
    assert isinstance(got, da.Array), "computed at once"
    np.testing.assert_array_equal(got.compute(), function(*operands))
    if not function.is_gradient:
        whole = da.from_array((operands[0] * 10).astype(np.int8), chunks=(5, 30))
        assert function(whole).compute().dtype == np.float64
        assert function(lazy[0], dtype=np.float32).compute().dtype == np.float32


@functions
def test_dask_is_never_computed_silently(function):
    da = pytest.importorskip("dask.array")

    def fail(block):
        raise AssertionError("computed")

    lazy = da.zeros((4, 6), chunks=(2, 6)).map_blocks(fail, meta=np.zeros((0, 0)))
    operands = [lazy] * len(function.arguments)
    for options in ({"axis": None}, {"axis": (0, 1)}, {"axis": -1, "out": np.zeros((4, 6))}):
        with pytest.raises(TypeError):
            function(*operands, **options)
    if function.has_where:
        with pytest.raises(TypeError):
            function(*operands, where=np.ones((4, 6), bool))
        with pytest.raises(TypeError, match="where"):
            function(np.zeros((4, 6)), where=lazy.astype(bool))


@functions
def test_xarray(function):
    xr = pytest.importorskip("xarray")
    operands = function.operands(_scores((4, 3)))
    arrays = [xr.DataArray(x, dims=("row", "class"), coords={"row": list("wxyz")}) for x in operands]
    got = xr.apply_ufunc(
        function.public,
        *arrays,
        input_core_dims=[["class"]] * len(arrays),
        output_core_dims=[[] if function.reduces else ["class"]],
        kwargs={"axis": -1},
    )
    np.testing.assert_array_equal(got.values, function(*operands))
    assert list(got.coords["row"].values) == list("wxyz")


GUARDED = """
import ctypes, mmap, sys
import numpy as np
import fastact, registry

protect = ctypes.CDLL(None).mprotect
protect.argtypes = ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int

def guarded(x, at_end):
    '''A copy of x between pages that cannot be touched.'''
    page = mmap.PAGESIZE
    room = -(-x.nbytes // page) * page
    region = mmap.mmap(-1, room + 2 * page)
    address = np.frombuffer(region, np.uint8).ctypes.data
    assert protect(address, page, 0) == 0 and protect(address + page + room, page, 0) == 0
    copy = np.frombuffer(region, x.dtype, x.size, page + (room - x.nbytes if at_end else 0)).reshape(x.shape)
    copy[...] = x
    return copy

rng = np.random.default_rng(0)
for isa in fastact.available_isas():
    fastact.set_isa(isa)
    for function in registry.FUNCTIONS:
        for dtype in (np.float16, np.float32, np.float64):
            for n in (1, 2, 3, 7, 8, 15, 16, 17, 23, 25, 33, 47, 63, 65, 71, 100, 113, 127, 130, 201, 8193, 8201):
                for rows in (1, 2, 17) if n < 8000 else (1, 3):
                    for at_end in (False, True):
                        print(function, dtype.__name__, isa, (rows, n), at_end, flush=True)
                        operands = function.operands(rng.normal(size=(rows, n)).astype(dtype))
                        function(*(guarded(x, at_end) for x in operands), axis=-1)
                        function(*(guarded(np.ascontiguousarray(x.T), at_end) for x in operands), axis=0)
print("done")
"""


@pytest.mark.skipif(sys.platform != "linux", reason="mprotect")
def test_nothing_is_read_beyond_arrays():
    ran = subprocess.run(
        [sys.executable, "-c", GUARDED], cwd=Path(__file__).parent, capture_output=True, text=True, timeout=300
    )
    assert ran.stdout.endswith("done\n"), [*ran.stdout.splitlines()[-1:], ran.stderr, ran.returncode]
