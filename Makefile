# make demo and make test set everything up by themselves, in .venv. PYTHON chooses the interpreter it is made from.
PYTHON ?= python3
BIN := .venv/bin
SOURCES := setup.py pyproject.toml $(wildcard fastact/*.pyx fastact/*.pxd fastact/kernels/*.c) $(shell find include -name '*.h')

.PHONY: demo test lint bench report accuracy proof clean

demo: .venv/ready
	$(BIN)/python -m fastact demo

test: .venv/ready
	$(BIN)/python -m pytest

lint: .venv/lint
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy fastact
	$(BIN)/python -m mypy.stubtest fastact --mypy-config-file pyproject.toml --allowlist tests/stubtest-allowlist.txt

bench: .venv/bench
	$(BIN)/python -m pytest bench --benchmark-group-by=group --benchmark-sort=name --benchmark-autosave

report: .venv/bench
	$(BIN)/python bench/report.py

accuracy: .venv/bench
	$(BIN)/python bench/accuracy.py

proof: .venv/ready
	$(BIN)/python tests/proof.py

clean:
	rm -rf .venv build dist *.egg-info .benchmarks .mypy_cache .ruff_cache .pytest_cache
	find fastact -name '*.so' -delete

$(BIN)/python:
	$(PYTHON) -m venv .venv

# Built in a clean environment of its own, and again whenever a source or header changes.
.venv/ready: $(BIN)/python $(SOURCES)
	$(BIN)/python -m pip install --quiet --editable '.[cli,sklearn,test]'
	touch $@

.venv/lint: .venv/ready
	$(BIN)/python -m pip install --quiet 'ruff>=0.8' 'mypy>=1.13'
	touch $@

.venv/bench: .venv/ready
	$(BIN)/python -m pip install --quiet --editable '.[bench]'
	touch $@
