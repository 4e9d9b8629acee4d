"""The report: what is read off the measurements, and what is measured at all."""

import json
from pathlib import Path

import numpy as np
import pytest

from fastact.cli import peers
from fastact.cli.bench import ALONE, MODES, calls, logits

BENCH = Path(__file__).parents[1] / "bench"
pytestmark = pytest.mark.skipif(not BENCH.exists(), reason="not in a source tree")


@pytest.fixture
def document(monkeypatch):
    pytest.importorskip("matplotlib")
    monkeypatch.syspath_prepend(str(BENCH))
    import document

    return document


@pytest.fixture
def report(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCH))
    import report

    return report


def record(function="softmax", shape=(128, 1000), dtype="float32", mode=MODES[0], threads=1, axis=-1, **times):
    case = {"function": function, "shape": list(shape), "axis": axis, "dtype": dtype, "mode": mode, "threads": threads}
    return {**case, "times": {"fastact": 1e-4, "copy": 5e-5} | times, "refused": [f"X: {function} is wrong"]}


def content():
    rows = [
        record(dtype=dtype, mode=mode, NumPy=2e-4, SciPy=3e-4) for dtype in ("float32", "float64") for mode in MODES
    ]
    return {
        "about": {
            "date": "2026-11-25",
            "processor": "a processor",
            "config": {},
            "versions": {"NumPy": "2.4"},
            "absent": ["thinc"],
            "quick": False,
        },
        "sections": {
            "cases": [*rows, record(shape=(1000, 300), axis=0, NumPy=5e-5), record(dtype="float16", NumPy=8e-5)],
            "lengths": [record(shape=(1 << (18 - k), 1 << k), NumPy=2e-4) for k in (1, 17)],
            "limits": [{"dtype": "float32", "bandwidth": 2e10, "copy": 4e-10, "arithmetic": 3e-10, "row": 2048}],
            "latency": [{"shape": [1, 10], "dtype": "float32", "times": {"numpy.exp(x)": 5e-7}}],
            "scaling": [record(NumPy=1e-3), record(threads=2, NumPy=5e-4, **{ALONE: 1.5e-4})],
            "idle": [
                {"name": "fastact", "shape": [128, 1000], "gap": gap, "median": 1e-4, "cpu": 2e-4} for gap in (0, 1)
            ],
            "batches": [record(shape=shape, NumPy=2e-4) for shape in ((512, 2), (1, 1024))],
            "elementwise": [record("relu", NumPy=2e-4), record("relu_backward", mode=MODES[1], NumPy=2e-4)],
            "accuracy": [record(NumPy=2e-4) | {"errors": {"fastact": 1.5, "NumPy": 70.0}}],
        },
    }


def test_document(document, tmp_path):
    document.write(content(), tmp_path)
    text = (tmp_path / "benchmarks.md").read_text(encoding="utf-8")
    lines = text.splitlines()
    assert "Not installed, and left out: thinc" in text.replace("\n", " ")
    for title in ("Summary", "Row functions", "Row length", "Latency of a call", "Threads", "Calls after a pause"):
        assert f"## {title}" in lines
    for title in ("Batches and axes", "Elementwise functions", "Accuracy beside speed", "Every loss", "Left out"):
        assert f"## {title}" in lines
    # Compared with the fastest of the others, never with a copy; a loss is bold, and listed with the others.
    assert "| softmax | float64 | allocating | 2.00 | 1 | 0 |" in lines
    assert "| softmax | float32 | allocating | 1.00 | 2 | **1** |" in lines
    lost = text.partition("## Every loss")[2]
    assert "2 of the 14 cases above" in lost
    assert lost.index("1000 x 300, axis 0") < lost.index("float16")
    assert "**0.50**" in lost
    assert "| relu | 0.781 | 1.56 (NumPy) | 2.00 | 2.00 |" in lines
    assert "| softmax | float32 | 128 x 1000 | 2 | 100 | 1.50 | 500 (NumPy) | 5.00 |" in lines
    assert "- X: softmax is wrong" in lines
    for name in {line.partition("(")[2].rstrip(")") for line in lines if line.startswith("![")}:
        assert (tmp_path / name).read_bytes().startswith(b"\x89PNG")
    tables = [line.count("|") for line in lines if line.startswith("|")]
    assert all(n > 2 for n in tables)


def test_document_of_a_part(document, tmp_path):
    """A section that could not be measured is left out, and the others are written."""
    part = content()
    for name in ("cases", "elementwise", "limits"):
        del part["sections"][name]
    document.write(part, tmp_path)
    text = (tmp_path / "benchmarks.md").read_text(encoding="utf-8")
    assert "## Row length" in text
    assert "## Row functions" not in text


def test_store(report):
    assert json.loads(report.dumped(content())) == json.loads(json.dumps(content()))
    endless = {"about": {}, "sections": {"accuracy": [{"errors": {"X": float("inf"), "Y": 1.23456}}]}}
    assert json.loads(report.dumped(endless))["sections"]["accuracy"] == [{"errors": {"X": None, "Y": 1.235}}]


def test_threads(report):
    counted = report.counts()
    assert counted[0] == 1
    assert counted[-1] == report.processors()
    assert sorted(set(counted)) == counted


def test_sections(report, monkeypatch):
    """Every section has cases, and the first of each gives what the document reads."""
    monkeypatch.setattr(report, "REPORTED", (peers.Fastact, peers.NumPy))
    monkeypatch.setattr(report, "SWEPT", 1 << 8)
    monkeypatch.setattr(report, "BATCH", 1 << 8)
    assert ALONE in next(report.scaling(report.Bench(2, quick=True)))()["times"]
    bench = report.Bench(1, quick=True)
    for name, section in report.SECTIONS.items():
        first = next(section(bench), None)
        if name in ("limits", "accuracy"):  # these take seconds
            assert first
        else:
            assert first()
    json.dumps(next(report.cases(bench))())


def test_refusals_are_noted():
    class Wrong(peers.NumPy):
        name = "Wrong"

        def softmax(self, x, axis=-1):
            return lambda: x

    class Broken(peers.NumPy):
        name = "Broken"

        def softmax(self, x, axis=-1):
            raise ValueError("no such type")

    refused = []
    found = calls([peers.Fastact(1), Wrong(1), Broken(1)], MODES[0], logits((3, 4), "float32"), refused=refused)
    assert list(found) == ["fastact"]
    assert "Wrong computes softmax" in refused[0]
    assert "Broken" in refused[1]


def test_large_arrays_are_checked():
    class Wrong(peers.NumPy):
        name = "Wrong"

        def softmax(self, x, axis=-1):
            return lambda: np.full_like(x, 1 / x.shape[-1])

    refused = []
    assert not calls([Wrong(1)], MODES[0], logits((3000, 1000), "float32"), refused=refused)
    assert refused
