"""What is installed: names, versions, types."""

import ast
import importlib
import inspect
import tomllib
from importlib import metadata, resources
from pathlib import Path

import pytest

import fastact

SOURCE = Path(__file__).parents[1]
in_source = pytest.mark.skipif(not (SOURCE / "pyproject.toml").exists(), reason="not in a source tree")


def _stub(module):
    """The parsed stub beside a module, or None."""
    package, _, name = module.rpartition(".")
    file = (
        resources.files(module if module == "fastact" else package)
        / f"{'__init__' if module == 'fastact' else name}.pyi"
    )
    return ast.parse(file.read_text(encoding="utf-8")) if file.is_file() else None


def _typed_names(tree):
    names = {}
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names[node.name] = node
        elif isinstance(node, ast.ImportFrom | ast.Import):
            names |= {alias.asname or alias.name: node for alias in node.names}
        elif isinstance(node, ast.AnnAssign):
            names[node.target.id] = node
        elif isinstance(node, ast.Assign):
            names |= {target.id: node for target in node.targets}
    return names


def test_names():
    assert sorted(fastact.__all__) == fastact.__all__
    assert len(set(fastact.__all__)) == len(fastact.__all__)
    public = {
        name
        for name, value in vars(fastact).items()
        if not name.startswith("_") and not inspect.ismodule(value) and getattr(value, "__module__", "") != "__future__"
    }
    assert public == set(fastact.__all__) - {"__version__"}


def test_star_import():
    namespace = {}
    exec("from fastact import *", namespace)
    assert set(fastact.__all__) <= namespace.keys()


@in_source
def test_version():
    project = tomllib.loads((SOURCE / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["version"] == fastact.__version__ == metadata.version("fastact")


def test_numpy_is_the_only_dependency():
    needed = [r for r in metadata.requires("fastact") if "extra ==" not in r]
    assert [r.split(">")[0] for r in needed] == ["numpy"]


def test_marked_as_typed():
    assert (resources.files("fastact") / "py.typed").is_file()


@pytest.mark.parametrize("name", ["fastact._softmax", "fastact._core"])
def test_compiled_module_has_a_stub(name):
    tree = _stub(name)
    assert tree is not None, f"{name} is compiled and has no stub"
    typed = _typed_names(tree)
    module = importlib.import_module(name)
    for public in set(fastact.__all__) & vars(module).keys():
        assert public in typed
    for public, node in typed.items():
        if isinstance(node, ast.FunctionDef) and not public.startswith("_"):
            given = node.args
            names = [a.arg for a in (*given.posonlyargs, *given.args, *given.kwonlyargs)]
            assert names == list(inspect.signature(getattr(module, public)).parameters), public


def test_show_config(capsys):
    assert fastact.show_config() is None
    printed = capsys.readouterr().out
    facts = fastact.show_config(mode="dicts")
    for name, fact in facts.items():
        assert name in printed
        assert (", ".join(fact) if isinstance(fact, list) else str(fact)) in printed
    assert facts["fastact"] == fastact.__version__
    assert facts["instruction set"] == fastact.isa()
    assert tuple(facts["available instruction sets"]) == fastact.available_isas()


def test_import_needs_numpy_alone():
    """No optional dependency is loaded, or needed, to import the package."""
    import subprocess
    import sys

    code = "import sys, fastact; print(*sorted({m.split('.')[0] for m in sys.modules}))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert "numpy" in loaded
    assert not {"scipy", "sklearn", "rich", "matplotlib", "torch", "pandas", "threadpoolctl"} & set(loaded)
