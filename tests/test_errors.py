"""What is refused, with which exception, naming which argument; and nothing is written when it is."""

import re

import numpy as np
import pytest
import registry

import fastact

functions = pytest.mark.parametrize("function", registry.FUNCTIONS, ids=str)
forward = pytest.mark.parametrize("function", registry.FORWARD, ids=str)
with_where = pytest.mark.parametrize("function", [f for f in registry.FUNCTIONS if f.has_where], ids=str)

UNTOUCHED = 7.0

REFUSED = [
    np.zeros((2, 3), np.complex64),
    np.zeros((2, 3), np.complex128),
    np.zeros((2, 3), object),
    np.zeros((2, 3), "U3"),
    np.zeros((2, 3), "S3"),
    np.zeros((2, 3), "V8"),
    np.zeros((2, 3), "datetime64[ns]"),
    np.zeros((2, 3), "timedelta64[s]"),
    np.zeros((2, 3), [("a", "f8"), ("b", "f8")]),
    np.zeros((2, 3), np.dtypes.StringDType()),
]
if np.dtype(np.longdouble) != np.dtype(np.float64):
    REFUSED.append(np.zeros((2, 3), np.longdouble))


def _good(function, shape=(2, 3)):
    return [np.full(shape, 0.25) for _ in function.arguments]


def _result_shape(function):
    return (2,) if function.reduces else (2, 3)


def _refuses(error, match, function, *operands, **options):
    """The call fails, leaves a fitting `out` alone, and fails alike on the fast path and off it."""
    out = np.full(_result_shape(function), UNTOUCHED)
    options.setdefault("out", out)
    with pytest.raises(error, match=match):
        function(*operands, **options)
    assert np.all(out == UNTOUCHED), "written before the error"


@pytest.mark.parametrize("x", REFUSED, ids=lambda x: str(x.dtype))
@functions
def test_type_of_input(function, x):
    name = re.escape("StringDType" if x.dtype.char == "T" else str(x.dtype))
    for k, argument in enumerate(function.arguments):
        operands = _good(function)
        operands[k] = x
        for axis in (-1, 0) if not function.reduces else (-1,):
            _refuses(TypeError, rf"\b{argument}\b.*{name}", function, *operands, axis=axis)


@functions
def test_lists_of_refused_types(function):
    for x in ([1j, 2], ["a", "b"], [None, 1.0], "text", None, [{}, 1], object()):
        with pytest.raises(TypeError, match=r"\b(x|grad)\b"):
            function(*[x] * len(function.arguments))


@functions
def test_ragged_list(function):
    with pytest.raises(ValueError, match="inhomogeneous"):
        function(*[[[1, 2], [3]]] * len(function.arguments))


@functions
def test_masked_array(function):
    for k, argument in enumerate(function.arguments):
        operands = _good(function)
        operands[k] = np.ma.masked_array(operands[k], operands[k] > 0)
        _refuses(TypeError, rf"{argument}.*where=", function, *operands)
    with pytest.raises(TypeError, match="where="):
        function(*[np.ma.masked_array([1, 2, 3])] * len(function.arguments))


@pytest.mark.parametrize("axis", [2, -3, 100, (0, 2), (-3,)], ids=str)
@functions
def test_axis_out_of_range(function, axis):
    _refuses(np.exceptions.AxisError, "axis", function, *_good(function), axis=axis)


@functions
def test_axis_beyond_any_integer(function):
    for axis in (2**31, -(2**31) - 1, 2**63, -(2**63) - 1, 2**70):
        _refuses((ValueError, OverflowError), None, function, *_good(function), axis=axis)


@pytest.mark.parametrize("axis", [1.0, 0.5, "0", "last", (0, 1.0), [0], np.float64(1), 1j, (None,), ((0,),)], ids=repr)
@functions
def test_axis_of_another_type(function, axis):
    _refuses(TypeError, "axis", function, *_good(function), axis=axis)


@functions
def test_axis_given_twice(function):
    for axis in ((0, 0), (1, -1), (0, 1, 0)):
        _refuses(ValueError, "axis", function, *_good(function), axis=axis)


@functions
def test_axis_of_zero_dimensions(function):
    for x in (1.0, np.array(1.0), np.float32(1)):
        for axis in (1, -2, (0, 1)):
            with pytest.raises(np.exceptions.AxisError):
                function(*[x] * len(function.arguments), axis=axis)


@functions
def test_out_of_wrong_shape(function):
    for shape in ((3, 2), (2, 4), (1, 2, 3), (6,), (1, 3), (), (2, 1), (3,), (1,)):
        for dtype in (np.float64, np.float32):
            out = np.full(shape, UNTOUCHED, dtype)
            _refuses(ValueError, r"\bout\b.*shape", function, *_good(function), out=out)
            assert np.all(out == UNTOUCHED)


def test_out_of_wrong_shape_with_keepdims():
    for function in registry.FORWARD:
        if function.reduces:
            _refuses(ValueError, r"\bout\b", function, np.zeros((2, 3)), out=np.zeros(2), keepdims=True)
            _refuses(ValueError, r"\bout\b", function, np.zeros((2, 3)), out=np.zeros((2, 1)))


@pytest.mark.parametrize("dtype", ["i4", "u8", "?", "U4", "M8[s]"])
@functions
def test_out_of_unsafe_type(function, dtype):
    for axis in (-1, 0, None):
        shape = function(*_good(function), axis=axis).shape
        out = np.zeros(shape, dtype)
        before = out.copy()
        with pytest.raises(TypeError, match=r"\bout\b"):
            function(*_good(function), axis=axis, out=out)
        np.testing.assert_array_equal(out, before)


@functions
def test_out_read_only(function):
    for axis in (-1, 0, None):
        out = np.full(np.shape(function(*_good(function), axis=axis)), UNTOUCHED)
        out.flags.writeable = False
        with pytest.raises(ValueError, match=r"\bout\b"):
            function(*_good(function), axis=axis, out=out)
        assert np.all(out == UNTOUCHED)


@functions
def test_out_broadcast(function):
    """An array whose entries share memory is read-only unless forced: NumPy's own rule."""
    out = np.broadcast_to(np.zeros(1), _result_shape(function))
    with pytest.raises(ValueError, match=r"\bout\b"):
        function(*_good(function), out=out)


@functions
def test_out_no_array(function):
    for out in ([0.0, 0.0], 1.0, "out", (np.zeros(_result_shape(function)),), np.ma.zeros(_result_shape(function))):
        with pytest.raises(TypeError, match=r"\bout\b"):
            function(*_good(function), out=out)


@with_where
def test_where_of_another_type(function):
    for where in ([1, 0, 1], np.ones((2, 3)), np.ones((2, 3), int), 1, "yes", np.ones((2, 3), object), [None] * 3):
        _refuses(TypeError, r"\bwhere\b", function, np.zeros((2, 3)), where=where)


@with_where
def test_where_of_another_shape(function):
    for shape in ((2,), (3, 3), (1, 2, 3), (2, 3, 1), (0,), (4,)):
        _refuses(ValueError, r"\bwhere\b", function, np.zeros((2, 3)), where=np.ones(shape, bool))


@with_where
def test_where_masked_array(function):
    _refuses(TypeError, r"\bwhere\b", function, np.zeros((2, 3)), where=np.ma.ones((2, 3), bool))


@pytest.mark.parametrize("function", [f for f in registry.FUNCTIONS if not f.has_where], ids=str)
def test_where_not_taken(function):
    with pytest.raises(TypeError, match="where"):
        function(*_good(function), where=True)


@forward
def test_dtype(function):
    for dtype in (int, bool, complex, object, "U3", "M8[s]", "no type", 3, [("a", "f8")], np.int8):
        _refuses(TypeError, r"\bdtype\b", function, np.zeros((2, 3)), dtype=dtype)


@pytest.mark.parametrize("function", registry.GRADIENTS, ids=str)
def test_gradient_shapes(function):
    for first, second in (((2, 3), (3, 2)), ((2, 3), (4,)), ((2,), (3,)), ((2, 0), (2, 3))):
        with pytest.raises(ValueError, match=r"\bgrad and y\b"):
            function(np.zeros(first), np.zeros(second))


@functions
def test_arguments(function):
    operands = _good(function)
    with pytest.raises(TypeError):
        function.public()
    with pytest.raises(TypeError):
        function.public(*operands, -1, None)
    with pytest.raises(TypeError, match="keyword"):
        function(*operands, nonsense=1)


@functions
def test_no_argument_is_ignored_on_the_fast_path(function):
    """A wrong argument is refused though the array is plain, and though it has no entries."""
    for shape in ((2, 3), (0, 3), (2, 0), (0,)):
        operands = [np.zeros(shape, np.float32) for _ in function.arguments]
        with pytest.raises(ValueError, match="out"):
            function(*operands, out=np.zeros((5, 5, 5), np.float32))
        with pytest.raises(np.exceptions.AxisError):
            function(*operands, axis=7)
        if function.has_where:
            with pytest.raises(TypeError, match="where"):
                function(*operands, where="no mask")
        if not function.is_gradient:
            with pytest.raises(TypeError, match="dtype"):
                function(*operands, dtype="no type")


def test_errors_leave_the_functions_usable():
    for function in registry.FUNCTIONS:
        want = np.asarray(function(*_good(function)))
        with pytest.raises(TypeError):
            function(*["text"] * len(function.arguments))
        np.testing.assert_array_equal(function(*_good(function)), want)


def test_instruction_sets():
    assert fastact.isa() in fastact.available_isas()
    with pytest.raises(ValueError, match="avx1024"):
        fastact.set_isa("avx1024")
    with pytest.raises(TypeError):
        fastact.set_isa(None)
    assert fastact.isa() in fastact.available_isas()


def test_show_config():
    with pytest.raises(ValueError, match="mode"):
        fastact.show_config(mode="yaml")
