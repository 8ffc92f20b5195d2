# Two commands do everything on a fresh machine: `make run` and `make test`.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin

.PHONY: help run demo test lint types bench clean

help:
	@echo "make run    install into $(VENV), start the backend, print the URL to connect"
	@echo "make demo   the same, with Label Studio beside it and two projects to look at"
	@echo "make test   install what the tests need, and run them all"
	@echo "make lint   ruff;  make types  mypy;  make bench  the table of measured ratios"

$(VENV)/run: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --editable '.[timm]'
	@touch $@

$(VENV)/dev: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --editable '.[dev]'
	@touch $@ $(VENV)/run

run: $(VENV)/run
	$(BIN)/espalier serve

demo: $(VENV)/run
	$(BIN)/espalier demo

test: $(VENV)/dev
	$(BIN)/python -m pytest

lint: $(VENV)/dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/dev
	$(BIN)/mypy

bench: $(VENV)/dev
	$(BIN)/python -m bench

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis
