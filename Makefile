# make demo   set up and run the main job on the built-in district
# make test   set up and run every test
# make bench  measure, side by side with peers
# make lint   what the tests also check, alone and quickly

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin

.PHONY: demo test bench lint clean

demo: $(VENV)/.use
	$(BIN)/placeshaping demo out/demo

test: $(VENV)/.develop
	$(BIN)/python -m pytest -n 2 --dist loadgroup

bench: $(VENV)/.develop
	$(BIN)/python -m benchmarks

lint: $(VENV)/.develop
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip

$(VENV)/.use: setup.cfg pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --editable .
	touch $@

$(VENV)/.develop: setup.cfg pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --editable '.[test,bench]'
	touch $@ $(VENV)/.use

clean:
	rm -rf $(VENV) build dist out *.egg-info
