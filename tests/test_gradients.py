"""Gradients against finite differences of the forward functions, and against the Jacobians as matrices."""

import numpy as np
import pytest
import registry

import fastact

gradients = pytest.mark.parametrize("function", registry.GRADIENTS, ids=str)


def _forward(function):
    return getattr(fastact, function.name.removesuffix("_backward"))


def _jacobian(name, y):
    """dy_i / dx_j by the textbook."""
    return {
        "softmax_backward": lambda: np.diag(y) - np.outer(y, y),
        "log_softmax_backward": lambda: np.eye(len(y)) - np.exp(y),
    }[name]()


@pytest.mark.parametrize("n", [1, 2, 5, 20])
@pytest.mark.parametrize("scale", [0.0, 0.1, 1.0, 4.0])
@gradients
def test_finite_differences(function, n, scale):
    rng = np.random.default_rng(n)
    forward = _forward(function)
    x, g = rng.standard_normal(n) * scale, rng.standard_normal(n)
    got = function(g, forward(x))
    step = 1e-5
    shifted = np.eye(n) * step
    numeric = (forward(x + shifted) - forward(x - shifted)) @ g / (2 * step)
    np.testing.assert_allclose(got, numeric, rtol=1e-6, atol=1e-9)


@gradients
def test_jacobian(function):
    rng = np.random.default_rng(3)
    for n in (1, 2, 3, 10, 50):
        y = _forward(function)(rng.standard_normal(n) * 3)
        J = _jacobian(function.name, y)
        columns = function(np.eye(n), np.broadcast_to(y, (n, n)))
        np.testing.assert_allclose(columns, J, rtol=1e-13, atol=1e-15)
        g = rng.standard_normal(n)
        np.testing.assert_allclose(function(g, y), g @ J, rtol=1e-12, atol=1e-14)


def test_facts_about_softmax():
    """Its Jacobian is symmetric, positive semidefinite, of rank n - 1 and norm at most 1/2, and maps ones to 0."""
    y = fastact.softmax(np.random.default_rng(4).standard_normal(12))
    J = fastact.softmax_backward(np.eye(12), np.broadcast_to(y, (12, 12)))
    np.testing.assert_allclose(J, J.T, atol=1e-17)
    eigenvalues = np.linalg.eigvalsh(J)
    assert -1e-16 < eigenvalues[0] < 1e-15
    assert eigenvalues[1] > 1e-4
    assert eigenvalues[-1] <= 0.5
    np.testing.assert_allclose(fastact.softmax_backward(np.ones(12), y), 0, atol=1e-16)
    np.testing.assert_allclose(
        fastact.softmax_backward(np.eye(2), np.full((2, 2), 0.5)), [[0.25, -0.25], [-0.25, 0.25]]
    )


@gradients
def test_gradients_of_a_row_add_up_to_zero(function):
    """Adding a constant to a row changes none of the results."""
    rng = np.random.default_rng(5)
    for dtype, tolerance in ((np.float32, 2e-5), (np.float64, 4e-14)):
        y = _forward(function)(rng.standard_normal((20, 100)).astype(dtype))
        g = rng.standard_normal((20, 100)).astype(dtype)
        np.testing.assert_allclose(function(g, y).sum(-1, dtype=np.float64), 0, atol=tolerance)


SHAPES = [
    ((4, 5), (4, 5)),
    ((5,), (4, 5)),
    ((4, 5), (5,)),
    ((4, 1), (4, 5)),
    ((1, 5), (4, 5)),
    ((4, 1), (1, 5)),
    ((), (4, 5)),
    ((4, 5), ()),
    ((2, 1, 5), (3, 1)),
    ((1, 4, 5), (3, 1, 1)),
]


@pytest.mark.parametrize("axis", [-1, 0, (0, 1), None], ids=str)
@pytest.mark.parametrize(("first", "second"), SHAPES, ids=str)
@gradients
def test_broadcasting(function, first, second, axis):
    rng = np.random.default_rng(6)
    g, y = rng.standard_normal(first), rng.uniform(0.1, 0.9, second)
    if function.name.startswith("log_"):
        y = np.log(y)
    g_full, y_full = (x.copy() for x in np.broadcast_arrays(g, y))
    want = function(g_full, y_full, axis=axis)
    assert want.shape == g_full.shape
    np.testing.assert_array_equal(function(g, y, axis=axis), want)
    np.testing.assert_array_equal(function(np.asarray(g).tolist(), y, axis=axis), want)
    out = np.zeros(want.shape)
    assert function(g, y, axis=axis, out=out) is out
    np.testing.assert_array_equal(out, want)


@pytest.mark.parametrize("axis", [0, 1, 2, (0, 2), (1, 2), None], ids=str)
@gradients
def test_axes_against_the_jacobian(function, axis):
    rng = np.random.default_rng(7)
    x, g = rng.standard_normal((2, 3, 8)), rng.standard_normal((2, 3, 8))
    y = _forward(function)(x, axis=axis)
    got = function(g, y, axis=axis)
    axes = (0, 1, 2) if axis is None else np.atleast_1d(axis)
    last = range(-len(axes), 0)
    want = np.empty_like(got)
    moved = [np.moveaxis(a, axes, last) for a in (g, y, want)]
    for at in np.ndindex(moved[0].shape[: 3 - len(axes)]):
        row_g, row_y = moved[0][at], moved[1][at]
        moved[2][at] = (row_g.reshape(-1) @ _jacobian(function.name, row_y.reshape(-1))).reshape(row_g.shape)
    np.testing.assert_allclose(got, want, rtol=1e-12, atol=1e-14)


@gradients
def test_same_array_twice(function):
    y = np.asarray(_forward(function)(np.random.default_rng(8).standard_normal((4, 5))))
    want = function(y.copy(), y)
    np.testing.assert_array_equal(function(y, y), want)
    function(y, y, out=y)
    np.testing.assert_array_equal(y, want)


def test_chain():
    """The gradient of a cross-entropy loss is the probabilities minus the labels, by either way."""
    rng = np.random.default_rng(9)
    x, labels = rng.standard_normal((30, 7)), np.eye(7)[rng.integers(0, 7, 30)]
    p = fastact.softmax(x)
    np.testing.assert_allclose(fastact.log_softmax_backward(-labels, fastact.log_softmax(x)), p - labels, atol=1e-15)
    np.testing.assert_allclose(fastact.softmax_backward(-labels / p, p), p - labels, atol=1e-14)
