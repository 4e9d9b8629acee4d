"""The C list, the public functions, the references and the stubs speak of the same functions."""

import inspect

import numpy as np
import pytest
import registry
from reference import REFERENCES
from rows import KINDS

from fastact import _core


def test_references_follow_the_list():
    assert set(REFERENCES) == set(_core.ufuncs)


def test_bounds_follow_the_list():
    assert set(_core.error_bounds) == set(_core.ufuncs)
    assert set(_core.masked_ufuncs) <= set(_core.ufuncs)
    assert all(bound > 0 for bound in _core.error_bounds.values())


def test_public_functions_follow_the_list():
    assert registry.public_functions() == {f.name for f in registry.FUNCTIONS}


@pytest.mark.parametrize("function", registry.LISTED, ids=str)
def test_ufunc(function):
    for ufunc, name, nin in (
        (function.ufunc, function.name, function.ufunc.nin),
        (function.masked_ufunc, f"{function.name}_where", function.ufunc.nin + 1),
    ):
        if ufunc is not None:
            assert ufunc.__name__ == name
            assert ufunc.nin == nin
            assert ufunc.nout == 1
            assert {t.split("->")[1] for t in ufunc.types} == set("efd")


@pytest.mark.parametrize("function", registry.FUNCTIONS, ids=str)
def test_signature(function):
    """Array arguments first, axis by position, and the rest by keyword."""
    parameters = inspect.signature(function.public).parameters
    options = ["axis", *(["keepdims"] if function.reduces else []), *(["where"] if function.has_where else []), "out"]
    options += [] if function.is_gradient else ["dtype"]
    assert list(parameters) == [*function.arguments, *options]
    for name, parameter in parameters.items():
        by_keyword = name not in (*function.arguments, "axis")
        assert (parameter.kind is parameter.KEYWORD_ONLY) == by_keyword
        assert (parameter.default is parameter.empty) == (name in function.arguments)


@pytest.mark.parametrize("function", registry.FUNCTIONS, ids=str)
def test_documented_bound(function):
    """The docstring states the bound of the list."""
    assert f"within {function.ulp:g} ULP" in " ".join(function.public.__doc__.split())


@pytest.mark.parametrize("dtype", registry.DTYPES)
@pytest.mark.parametrize("kind", KINDS)
def test_rows_are_of_the_type(kind, dtype):
    x = KINDS[kind](np.random.default_rng(0), dtype)
    assert x.dtype == dtype
    assert x.ndim == 2
    assert np.all(np.isfinite(x) | np.isneginf(x))
