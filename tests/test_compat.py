"""The signatures of SciPy and scikit-learn: the same arguments give the same results, special values included."""

import inspect

import numpy as np
import pytest
import reference

import fastact
from fastact.compat import scipy as ours
from fastact.compat import sklearn as ours_sklearn

special = pytest.importorskip("scipy.special")

FUNCTIONS = ("softmax", "log_softmax", "logsumexp")
functions = pytest.mark.parametrize("name", FUNCTIONS)


def _close(got, want, rtol=1e-13, atol=1e-14):
    assert np.shape(got) == np.shape(want)
    np.testing.assert_allclose(got, want, rtol=rtol, atol=atol)


def _scores(*shape):
    return np.random.default_rng(len(shape)).standard_normal(shape) * 5


def _quietly(function, *arguments, **options):
    """SciPy's result; it warns where fastact does not."""
    with np.errstate(all="ignore"):
        return function(*arguments, **options)


def test_names():
    assert {*FUNCTIONS, *ELEMENTWISE} == set(ours.__all__)
    assert sorted(ours.__all__) == ours.__all__


@functions
def test_signature(name):
    """SciPy's names, order and defaults."""

    def arguments(function):
        return [(p.name, p.default) for p in inspect.signature(function).parameters.values()]

    got = arguments(getattr(ours, name))
    if name == "logsumexp":
        assert got == [
            ("a", inspect.Parameter.empty),
            ("axis", None),
            ("b", None),
            ("keepdims", False),
            ("return_sign", False),
        ]
    else:
        assert got == arguments(getattr(special, name)) == [("x", inspect.Parameter.empty), ("axis", None)]


@pytest.mark.parametrize("axis", [None, 0, 1, 2, -1, (0, 1), (2, 0), (0, 1, 2)], ids=str)
@functions
def test_axis(name, axis):
    x = _scores(3, 4, 5)
    _close(getattr(ours, name)(x, axis), getattr(special, name)(x, axis))
    _close(getattr(ours, name)(x, axis=axis), getattr(special, name)(x, axis=axis))


@functions
def test_default_axis(name):
    x = _scores(3, 4)
    _close(getattr(ours, name)(x), getattr(special, name)(x))
    _close(getattr(ours, name)(x.tolist()), getattr(special, name)(x.tolist()))


@functions
def test_float32(name):
    x = _scores(3, 40).astype(np.float32)
    got = getattr(ours, name)(x, axis=1)
    assert got.dtype == np.float32
    _close(got, getattr(special, name)(x, axis=1), rtol=1e-5, atol=1e-6)


@functions
def test_scalars(name):
    for x in (2.5, np.float64(-3), np.array(1.5), 4):
        got = getattr(ours, name)(x)
        _close(got, getattr(special, name)(x))
        assert type(got) is np.float64


@functions
def test_integers(name):
    x = np.array([[1, 2, 100], [0, -100, 7]], np.int64)
    _close(getattr(ours, name)(x, axis=1), getattr(special, name)(x.astype(float), axis=1))
    small = np.array([127, -128, 0], np.int8)
    _close(getattr(ours, name)(small), getattr(special, name)(small.astype(float)))


INFINITE = [
    [-np.inf, 0.0, 1.0],
    [-np.inf, -np.inf, 1.0],
    [np.nan, 0.0, 1.0],
    [np.nan, np.inf, -np.inf],
]


@pytest.mark.parametrize("x", INFINITE, ids=str)
@functions
def test_special_values(name, x):
    _close(getattr(ours, name)(x), _quietly(getattr(special, name), x))


@pytest.mark.parametrize(
    "x", [[np.inf, 0.0], [-np.inf, -np.inf], [np.inf, np.inf], [np.inf, -np.inf], [-np.inf]], ids=str
)
def test_special_values_of_logsumexp(x):
    _close(ours.logsumexp(x), _quietly(special.logsumexp, x))
    for got, want in zip(
        ours.logsumexp(x, return_sign=True), _quietly(special.logsumexp, x, return_sign=True), strict=True
    ):
        _close(got, want)


@pytest.mark.parametrize("keepdims", [False, True])
@pytest.mark.parametrize("axis", [None, 0, -1, (0, 2)], ids=str)
@pytest.mark.parametrize("shape", [(3, 4, 5), (5,), (4, 1), (1, 1, 1), ()], ids=str)
def test_weights(shape, axis, keepdims):
    a = _scores(3, 4, 5)
    b = np.random.default_rng(1).uniform(0.1, 2, shape)
    options = {"axis": axis, "keepdims": keepdims}
    _close(ours.logsumexp(a, b=b, **options), special.logsumexp(a, b=b, **options), rtol=1e-12)
    for sign in (1, -1):
        got = ours.logsumexp(a, b=sign * b, return_sign=True, **options)
        want = special.logsumexp(a, b=sign * b, return_sign=True, **options)
        assert isinstance(got, tuple)
        for g, w in zip(got, want, strict=True):
            _close(g, w, rtol=1e-12)


def test_arguments_by_position():
    a, b = _scores(3, 4), np.ones((3, 4))
    for got, want in zip(ours.logsumexp(a, 1, b, True, True), special.logsumexp(a, 1, b, True, True), strict=True):
        _close(got, want)


def test_weights_of_both_signs():
    rng = np.random.default_rng(2)
    a, b = rng.standard_normal((200, 20)) * 3, rng.standard_normal((200, 20))
    got, sign = ours.logsumexp(a, axis=1, b=b, return_sign=True)
    want, _ = reference.exact("logsumexp_weighted", a, b)
    np.testing.assert_array_equal(sign, want[:, 1])
    np.testing.assert_allclose(got, want[:, 0].astype(float), rtol=1e-11, atol=1e-11)
    assert {-1.0, 1.0} == set(sign)
    # Without the sign, the logarithm of a negative sum is NaN.
    np.testing.assert_array_equal(np.isnan(ours.logsumexp(a, axis=1, b=b)), sign < 0)
    _close(ours.logsumexp(a, axis=1, b=b), _quietly(special.logsumexp, a, axis=1, b=b), rtol=1e-9, atol=1e-9)


def test_long_rows_of_weights():
    rng = np.random.default_rng(3)
    a, b = rng.standard_normal(200_000), rng.uniform(-1, 2, 200_000)
    fastact.set_num_threads(7)
    got = ours.logsumexp(a, b=b, return_sign=True)
    fastact.set_num_threads(1)
    assert ours.logsumexp(a, b=b, return_sign=True) == got
    want = special.logsumexp(a, b=b, return_sign=True)
    _close(got, want, rtol=1e-11)


def test_weight_of_zero_takes_no_part():
    for hidden in (np.inf, -np.inf, 1e300, np.nan):
        a, b = np.array([1.0, hidden, 2.0]), np.array([1.0, 0.0, 3.0])
        assert ours.logsumexp(a, b=b) == pytest.approx(np.log(np.e + 3 * np.e**2), rel=1e-14)
        if not np.isnan(hidden):
            _close(ours.logsumexp(a, b=b), _quietly(special.logsumexp, a, b=b))


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ([1.0, 1.0], [1.0, -1.0]),
        ([1.0, 2.0], [0.0, 0.0]),
        ([np.inf, 1.0], [1.0, 1.0]),
        ([np.inf, 1.0], [-1.0, 1.0]),
        ([np.inf, np.inf], [1.0, 2.0]),
        ([np.inf, np.inf], [-1.0, -2.0]),
        ([np.inf, np.inf], [1.0, -1.0]),
        ([-np.inf, -np.inf], [1.0, -1.0]),
        ([-np.inf, 1.0], [5.0, -1.0]),
        ([-np.inf, 1.0], [-5.0, 1.0]),
        ([-np.inf, 0.0], [1e300, 1e-280]),
        ([np.nan, 1.0], [1.0, 1.0]),
        ([1.0, 1.0], [np.nan, 1.0]),
        ([1.0, 1.0], [np.inf, 1.0]),
        ([1.0, 1.0], [-np.inf, 1.0]),
        ([1000.0, 1000.0], [1.0, 1.0]),
        ([-1000.0, -1000.0], [1.0, -0.5]),
    ],
    ids=str,
)
def test_special_values_of_weights(a, b):
    """SciPy's results, sign included."""
    got = ours.logsumexp(a, b=b, return_sign=True)
    want = _quietly(special.logsumexp, a, b=b, return_sign=True)
    for g, w in zip(got, want, strict=True):
        _close(g, w)
    _close(ours.logsumexp(a, b=b), _quietly(special.logsumexp, a, b=b))


def test_sign_without_weights():
    for x in (_scores(3, 4), np.full((3, 4), -np.inf), np.zeros((3, 4), np.float32)):
        got, sign = ours.logsumexp(x, axis=1, return_sign=True)
        want, want_sign = _quietly(special.logsumexp, x, axis=1, return_sign=True)
        _close(got, want)
        np.testing.assert_array_equal(sign, want_sign)
        assert got.dtype == sign.dtype == x.dtype


def test_weights_of_other_types():
    a = np.array([1.0, 2.0, 3.0], np.float32)
    for b, dtype in (([1, 2, 3], np.float64), (np.float32([1, 2, 3]), np.float32), (np.bool_([1, 0, 1]), np.float64)):
        got = ours.logsumexp(a, b=b)
        assert got.dtype == dtype
        _close(got, special.logsumexp(a.astype(float), b=np.asarray(b, float)), rtol=1e-6)


def test_weights_that_do_not_fit():
    with pytest.raises(ValueError, match="b"):
        ours.logsumexp(np.zeros((2, 3)), b=np.ones(4))
    for b in (np.ones(3, complex), np.array(["a", "b", "c"]), np.ma.ones(3)):
        with pytest.raises(TypeError, match=r"\bb\b"):
            ours.logsumexp(np.zeros(3), b=b)
    with pytest.raises(TypeError):
        ours.logsumexp(np.zeros(3, complex))


def test_weights_broadcast_the_exponents():
    a, b = _scores(3, 1), np.random.default_rng(4).uniform(0.1, 2, (3, 4))
    for axis in (None, 0, 1):
        _close(ours.logsumexp(a, axis=axis, b=b), special.logsumexp(a, axis=axis, b=b))


def test_empty():
    assert ours.logsumexp([]) == -np.inf
    assert ours.softmax(np.zeros((0, 3)), axis=1).shape == (0, 3)
    np.testing.assert_array_equal(ours.logsumexp(np.zeros((3, 0)), axis=1), [-np.inf] * 3)
    np.testing.assert_array_equal(ours.logsumexp(np.zeros((3, 0)), axis=1, b=np.zeros((3, 0))), [-np.inf] * 3)


# --- SciPy's elementwise functions ----------------------------------------------------------------------------------

ELEMENTWISE = ("expit", "log_expit", "softplus")
elementwise = pytest.mark.parametrize("name", ELEMENTWISE)


def _theirs(name):
    return getattr(special, name, None) or pytest.skip(f"this SciPy has no {name}")


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@elementwise
def test_elementwise(name, dtype):
    theirs = _theirs(name)
    ends = [0, -0.0, 1e-30, -1e-30, 1e30, -1e30, np.inf, -np.inf, np.nan]
    x = np.concatenate([np.linspace(-80, 80, 991), ends]).astype(dtype)
    x = np.stack([x, x[::-1]])
    for given in (x, x.T, x[:, ::3], x[0, 0]):
        got, want = getattr(ours, name)(given), _quietly(theirs, given)
        assert got.dtype == want.dtype == dtype
        assert type(got) is type(want)
        _close(got, want, rtol=1e-13 if dtype == np.float64 else 1e-5, atol=0)


@elementwise
def test_elementwise_of_other_types(name):
    theirs = _theirs(name)
    for x in (np.arange(-5, 6), np.arange(250, dtype=np.uint8), np.array([True, False]), [1.5, -2], 3, 0.5, True):
        got = getattr(ours, name)(x)
        assert got.dtype == np.float64  # SciPy computes small integers in float32
        _close(got, theirs(np.asarray(x, float)))


@elementwise
def test_elementwise_out(name):
    theirs = _theirs(name)
    want = theirs(_scores(3, 4))
    for x in (_scores(3, 4), np.asfortranarray(_scores(3, 4))):
        out = np.empty_like(x)
        assert getattr(ours, name)(x, out=out) is out
        _close(out, want)
        out = np.empty_like(x)
        assert getattr(ours, name)(x, out) is out
        _close(out, want)
        assert getattr(ours, name)(x, out=x) is x
        _close(x, want)
    with pytest.raises(ValueError, match="out"):
        getattr(ours, name)(x, out=np.empty(5))


# --- scikit-learn -------------------------------------------------------------------------------------------------


def test_sklearn_signature():
    extmath = pytest.importorskip("sklearn.utils.extmath")
    theirs = inspect.signature(extmath.softmax).parameters
    mine = inspect.signature(ours_sklearn.softmax).parameters
    assert [(p.name, p.default) for p in theirs.values()] == [(p.name, p.default) for p in mine.values()]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("copy", [True, False])
def test_sklearn_softmax(copy, order, dtype):
    extmath = pytest.importorskip("sklearn.utils.extmath")
    x = np.array(_scores(30, 7), dtype, order=order)
    before = x.copy()
    want = extmath.softmax(x.copy(), copy=True)
    got = ours_sklearn.softmax(x, copy=copy)
    assert got.dtype == dtype
    tolerance = 4 * np.finfo(dtype).eps
    _close(got, want, rtol=4 * tolerance, atol=tolerance)
    if copy:
        np.testing.assert_array_equal(x, before)
    else:
        assert got is x


def test_sklearn_default_copies():
    x = _scores(3, 4)
    before = x.copy()
    assert ours_sklearn.softmax(x) is not x
    np.testing.assert_array_equal(x, before)


def test_sklearn_lists_and_errors():
    np.testing.assert_array_equal(ours_sklearn.softmax([[0, 0]]), [[0.5, 0.5]])
    for x in (np.zeros(3), np.zeros((1, 2, 3)), 1.0):
        with pytest.raises(ValueError, match="X"):
            ours_sklearn.softmax(x)
    for x in (np.zeros((2, 2), int), [[0.0, 1.0]]):
        with pytest.raises(TypeError):
            ours_sklearn.softmax(x, copy=False)
