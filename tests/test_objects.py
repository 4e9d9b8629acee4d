"""Activations as objects: they compute what the functions do, and can be compared, stored and cloned."""

import copy
import inspect
import pickle
import re
from fractions import Fraction

import numpy as np
import pytest
from activation_registry import ACTIVATIONS

import fastact
from fastact import Activation, get, names

#: Parameters beside the defaults, and those of functions that have no defaults. A table of the tests' own for the
#: functions of rows; the values of the others follow the C list.
ROWS = ("softmax", "log_softmax", "softmin", "hardmax")
VARIANTS = {name: [{"axis": 0}, {"axis": (0, 1)}, {"axis": None}] for name in ROWS}
for activation in ACTIVATIONS:
    if activation.public_name != "prelu":
        keys = [p[0] for p in activation.parameters]
        found = [dict(zip(keys, values, strict=True)) | activation.variant for values in activation.values]
        VARIANTS.setdefault(activation.public_name, []).extend(v for v in found if v)
CASES = [(name, {}) for name in VARIANTS if name != "threshold"]
CASES += [(name, given) for name, rows in VARIANTS.items() for given in rows]

by_case = pytest.mark.parametrize(("name", "given"), CASES, ids=[f"{name}-{given}" for name, given in CASES])
by_name = pytest.mark.parametrize("name", VARIANTS)
#: One object of each name.
SOME = {name: dict(CASES)[name] for name in VARIANTS}


def same(got, want, message=""):
    assert np.asarray(got).dtype == np.asarray(want).dtype, message
    np.testing.assert_array_equal(got, want, err_msg=message)
    np.testing.assert_array_equal(np.signbit(got), np.signbit(want), err_msg=message)


def scores(dtype=np.float64):
    return (np.random.default_rng(1).standard_normal((5, 7)) * 4).astype(dtype)


def parameters_of(name):
    return list(VARIANTS[name][0]) if VARIANTS[name] else []


def needed(name):
    """Which of the forward's arrays the gradient takes: the public function tells."""
    backward = getattr(fastact, f"{name}_backward", None)
    return list(inspect.signature(backward).parameters)[1] if backward else None


def test_names_follow_the_functions():
    """All functions with a gradient but prelu, whose weight has one of its own, and those that change the shape."""
    assert names() == sorted(VARIANTS)
    with_gradient = {name.removesuffix("_backward") for name in fastact.__all__ if name.endswith("_backward")}
    others = {"prelu", "maxout", "glu", "swiglu", "geglu"}
    assert {*with_gradient, "hardmax"} - set(names()) == others


# --- values -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@by_case
def test_call(name, given, dtype):
    x = scores(dtype)
    act = get(name, **given)
    want = getattr(fastact, name)(x, **given)
    same(act(x), want)
    out = np.empty_like(x)
    assert act(x, out=out) is out
    same(out, want)
    same(act(x.tolist()), getattr(fastact, name)(x.tolist(), **given))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@by_case
def test_backward(name, given, dtype):
    x = scores(dtype)
    act = get(name, **given)
    y, grad = act(x), np.random.default_rng(2).standard_normal(x.shape).astype(dtype)
    forward = {"x": x, "y": y}
    if needs := needed(name):
        want = getattr(fastact, f"{name}_backward")(grad, forward[needs], **given)
    else:
        want = np.zeros_like(grad)
    for operands in (forward, {needs: forward[needs]} if needs else {}):
        same(act.backward(grad, **operands), want, f"{sorted(operands)}")
    out = np.empty_like(x)
    assert act.backward(grad, **forward, out=out) is out
    same(out, want)


@by_name
def test_backward_says_what_is_missing(name):
    act, grad = get(name, **SOME[name]), np.ones(3)
    needs = needed(name)
    if needs is None:
        act.backward(grad)
        return
    other = {"x": "y", "y": "x"}[needs]
    for operands in ({}, {other: grad}):
        with pytest.raises(TypeError, match=rf"{name}\b.*\b{needs}\b.*backward\(grad, {needs}="):
            act.backward(grad, **operands)


def test_gradient_of_hardmax():
    """Zero whatever flows in, of the type that other gradients have."""
    act = get("hardmax")
    for dtype in (np.float16, np.float32, np.float64):
        grad = np.array([[np.nan, np.inf], [-np.inf, -2]], dtype)
        same(act.backward(grad), np.zeros((2, 2), dtype))
    same(act.backward([1, -2]), np.zeros(2))
    same(act.backward(np.int8([1, -2])), np.zeros(2))
    assert np.ndim(act.backward(3.0)) == 0
    with pytest.raises(TypeError, match="grad"):
        act.backward(np.ones(2, complex))
    with pytest.raises(ValueError, match="out"):
        act.backward(np.ones(2), out=np.ones(3))


def test_signatures():
    act = get("elu", alpha=0.5)
    assert str(inspect.signature(act)) == "(x, out=None)"
    assert str(inspect.signature(act.backward)) == "(grad, x=None, y=None, out=None)"
    assert list(inspect.signature(Activation).parameters) == ["name", "parameters"]
    for call in (lambda: act(), lambda: act(1, 2, 3), lambda: act(1, axis=0), lambda: act.backward()):
        with pytest.raises(TypeError, match="argument"):
            call()


# --- values as objects --------------------------------------------------------------------------------------------


@by_case
def test_copies_are_equal(name, given):
    act = get(name, **given)
    copies = [pickle.loads(pickle.dumps(act, protocol)) for protocol in range(pickle.HIGHEST_PROTOCOL + 1)]
    copies += [copy.copy(act), copy.deepcopy(act), get(act), eval(repr(act), {"get": get})]
    copies += [get(act.name, **act.parameters), Activation(name, **given)]
    for other in copies:
        assert type(other) is Activation
        assert other == act
        assert hash(other) == hash(act)
        assert repr(other) == repr(act)
        assert (other.name, dict(other.parameters)) == (name, dict(act.parameters))
        same(other(scores()), act(scores()))
    assert list(act.parameters) == parameters_of(name)
    assert given.items() <= act.parameters.items()


def test_all_differ():
    objects = [get(name, **given) for name, given in CASES]
    distinct = {(act.name, *act.parameters.items()) for act in objects}
    assert len(set(objects)) == len(distinct) == len(set(map(repr, objects)))
    for k, act in enumerate(objects):
        for other in objects[:k]:
            assert (act == other) == ((act.name, act.parameters) == (other.name, other.parameters)), (act, other)


@by_case
def test_equality_is_of_values(name, given):
    act = get(name, **given)
    for other in (name, repr(act), getattr(fastact, name), None, (name, dict(act.parameters)), dict(act.parameters)):
        assert act != other
    for convert in (np.float64, np.array, Fraction):
        if all(isinstance(v, float) for v in given.values()):
            other = get(name, **{k: convert(v) for k, v in given.items()})
            assert other == act
            assert hash(other) == hash(act)
            assert repr(other) == repr(act)


@pytest.mark.parametrize(
    ("one", "another"),
    [
        ({"alpha": 1}, {}),
        ({"alpha": 1}, {"alpha": 1.0}),
        ({"alpha": 2}, {"alpha": np.int8(2)}),
        ({"alpha": True}, {"alpha": 1.0}),
    ],
)
def test_numbers_of_any_type_are_equal(one, another):
    one, another = get("elu", **one), get("elu", **another)
    assert (one, hash(one), repr(one)) == (another, hash(another), repr(another))


def test_axes_of_any_type_are_equal():
    for axis in (np.int64(1), np.array(1)):
        assert repr(get("softmax", axis=axis)) == "get('softmax', axis=1)"
    assert repr(get("softmax", axis=(np.int64(0), 1))) == "get('softmax', axis=(0, 1))"


def test_repr():
    shown = {
        "get('relu')": get("relu"),
        "get('elu')": get("elu", alpha=1),
        "get('elu', alpha=0.5)": get("elu", alpha=0.5),
        "get('gelu', approximate='tanh')": get("gelu", approximate="tanh"),
        "get('softmax', axis=None)": get("softmax", axis=None),
        "get('threshold', threshold=1.0, value=0.0)": get("threshold", threshold=1, value=0),
    }
    for want, act in shown.items():
        assert repr(act) == want


def test_does_not_change():
    act = get("elu", alpha=0.5)
    for attribute in ("name", "parameters", "alpha", "_arguments", "anything"):
        with pytest.raises(AttributeError, match=attribute):
            setattr(act, attribute, 1)
        with pytest.raises(AttributeError, match=attribute):
            delattr(act, attribute)
    with pytest.raises(TypeError):
        act.parameters["alpha"] = 1.0
    assert act == get("elu", alpha=0.5)


def test_parameter_of_an_estimator():
    base = pytest.importorskip("sklearn.base")

    class Estimator(base.BaseEstimator):
        def __init__(self, activation=None):
            self.activation = activation

    for name, given in CASES:
        act = get(name, **given)
        estimator = Estimator(act)
        assert estimator.get_params()["activation"] is act
        clone = base.clone(estimator)  # raises where a constructor or a copy changes the parameter
        assert clone.activation == act
        assert base.clone(clone).get_params() == estimator.get_params()
        assert repr(act) in re.sub(r"\s+", " ", repr(estimator))
        assert estimator.set_params(activation=get("relu")).activation == get("relu")
        assert clone.activation == act


# --- errors -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("Gelu", "gelu"),
        ("GELU", "gelu"),
        ("leakyrelu", "leaky_relu"),
        ("LeakyReLU", "leaky_relu"),
        ("softmx", "softmax"),
        ("logsoftmax", "log_softmax"),
        ("hardtanh", "hard_tanh"),
        ("hard-swish", "hard_swish"),
        ("ReLU6", "relu6"),
        ("sigmod", "sigmoid"),
    ],
)
def test_unknown_names_suggest_the_nearest(name, meant):
    with pytest.raises(ValueError, match=rf"'{name}'.*did you mean '{meant}'"):
        get(name)


def test_unknown_names_without_a_near_one():
    for name in ("", "xyzzy"):
        with pytest.raises(ValueError, match=re.escape(", ".join(names()))):
            get(name)
    for name in ("prelu", "maxout", "glu", "gelu_tanh", "logsumexp", "relu_backward", "get"):
        with pytest.raises(ValueError, match=f"'{name}'"):
            get(name)
    for name in (None, 1, ["relu"], fastact.relu):
        with pytest.raises(TypeError, match=r"^name must be a string"):
            get(name)


@by_name
def test_unknown_parameters(name):
    """The error says which one, and which there are."""
    known = ", ".join(parameters_of(name)) or "no parameter"
    for unknown in ("slope", "out", "where", "dtype", "x"):
        with pytest.raises(TypeError, match=rf"^{name} takes {known}: .*'{unknown}'"):
            get(name, **SOME[name], **{unknown: 1})


def test_missing_parameters():
    with pytest.raises(TypeError, match=r"^threshold takes threshold, value: .*'threshold'"):
        get("threshold")
    with pytest.raises(TypeError, match="'value'"):
        get("threshold", threshold=1)


@by_name
def test_wrong_parameters(name):
    """As the function itself has it, but when the object is made."""
    for parameter in parameters_of(name):
        for value in ("a", "0.5", 1j, [1, 2], np.nan, 1.5j, {}, None):
            if parameter == "axis" and value is None:
                continue
            with pytest.raises((TypeError, ValueError), match=rf"^{parameter}\b") as of_object:
                get(name, **{**SOME[name], parameter: value})
            with pytest.raises(of_object.type, match=rf"^{parameter}\b"):
                getattr(fastact, name)(np.zeros(1), **{**SOME[name], parameter: value})


def test_parameters_out_of_range():
    for name, given, parameter in (
        ("celu", {"alpha": 0}, "alpha"),
        ("softplus", {"beta": -1}, "beta"),
        ("elu", {"alpha": 10**400}, "alpha"),
        ("hard_tanh", {"min_val": 2, "max_val": 1}, "max_val"),
        ("gelu", {"approximate": "erf"}, "approximate"),
        ("softmax", {"axis": 64}, "axis"),
        ("softmax", {"axis": (0, 0)}, "axis"),
    ):
        with pytest.raises(ValueError, match=rf"\b{parameter}\b"):
            get(name, **given)


def test_an_activation_has_its_parameters():
    act = get("elu", alpha=0.5)
    assert get(act) is act
    with pytest.raises(TypeError, match="alpha"):
        get(act, alpha=1)
