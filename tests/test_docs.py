"""The examples in the docstrings and in the README give what they say."""

import doctest
import importlib
import inspect
import pkgutil
import re
from pathlib import Path

import numpy as np
import pytest
import registry

import fastact

README = Path(__file__).parents[1] / "README.md"
SECTIONS = (
    "Parameters",
    "Attributes",
    "Returns",
    "Yields",
    "Raises",
    "See Also",
    "Notes",
    "References",
    "Examples",
)


def _modules():
    names = [fastact.__name__]
    names += [m.name for m in pkgutil.walk_packages(fastact.__path__, "fastact.") if not m.name.endswith("__main__")]
    return sorted(names)


def _public(module):
    return getattr(module, "__all__", [n for n in vars(module) if not n.startswith("_")])


def _documented():
    """(name, docstring) of every public object and of the modules themselves."""
    seen = {}
    for name in _modules():
        try:
            module = importlib.import_module(name)
        except ModuleNotFoundError as error:  # an optional dependency
            if error.name.split(".")[0] == "fastact":
                raise
            continue
        seen[name] = module.__doc__
        for attribute in _public(module):
            value = getattr(module, attribute)
            if callable(value) and (getattr(value, "__module__", None) or "").startswith("fastact"):
                seen[f"{value.__module__}.{attribute}"] = inspect.getdoc(value)
                if inspect.isclass(value):
                    for method, function in vars(value).items():
                        if not method.startswith("_") and inspect.getdoc(function):
                            seen[f"{value.__module__}.{attribute}.{method}"] = inspect.getdoc(function)
    return seen


def _run(name, text):
    test = doctest.DocTestParser().get_doctest(text, {"__name__": "__main__"}, name, None, 0)
    report = []
    with np.printoptions():
        doctest.DocTestRunner(optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE).run(test, out=report.append)
    if report:
        pytest.fail("".join(report), pytrace=False)
    return len(test.examples)


DOCUMENTED = _documented()


@pytest.mark.parametrize("name", DOCUMENTED)
def test_docstring(name):
    text = DOCUMENTED[name]
    assert text, "no docstring"
    _run(name, text)


@pytest.mark.parametrize("name", fastact.__all__)
def test_sections_and_example(name):
    value = getattr(fastact, name)
    if not callable(value):
        pytest.skip("no function")
    if name in registry.public_functions():
        assert ">>>" in inspect.getdoc(value)
    for heading in re.findall(r"^(\w[\w ]*)\n-+$", inspect.getdoc(value), re.M):
        assert heading in SECTIONS


@pytest.mark.parametrize("name", fastact.__all__)
def test_every_parameter_is_documented(name):
    value = getattr(fastact, name)
    if not callable(value):
        pytest.skip("no function")
    section = re.search(r"^Parameters\n-+\n(.*?)(?:\n\n\w[\w ]*\n-+\n|\Z)", inspect.getdoc(value), re.M | re.S)
    entries = re.findall(r"^\*{0,2}(\w.*?)(?: : .*)?$", section[1], re.M) if section else []
    documented = [name for entry in entries for name in entry.split(", ")]
    assert documented == list(inspect.signature(value).parameters)


@pytest.mark.skipif(not README.exists(), reason="not in a source tree")
def test_readme_names_every_function():
    text = README.read_text(encoding="utf-8")
    computing = ("fastact._activations", "fastact._rows", "fastact._softmax")
    functions = {n for n in fastact.__all__ if getattr(getattr(fastact, n), "__module__", "") in computing}
    assert not {name for name in functions if f"`{name.removesuffix('_backward')}`" not in text}


def _blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", README.read_text(encoding="utf-8"), re.S)


@pytest.mark.skipif(not README.exists(), reason="not in a source tree")
def test_readme():
    blocks = _blocks("(?:python|pycon)")
    assert blocks, "the README shows no Python"
    namespace = {}
    for k, block in enumerate(blocks):
        if ">>>" in block:
            assert _run(f"README.md, block {k}", block)
        else:
            exec(compile(block, f"README.md, block {k}", "exec"), namespace)
