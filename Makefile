# Two commands do everything on a fresh machine: `make run` and `make test`.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin

.PHONY: help run demo test lint types bench clean clean-demo

help:
	@echo "make run    install into $(VENV), start the backend, print the URL to connect"
	@echo "make demo   Label Studio and Espalier with two projects to look at, in espalier-demo/"
	@echo "make test   install what the tests need, and run them all"
	@echo "make lint   ruff;  make types  mypy;  make bench  the table of measured ratios"
	@echo "make clean  remove what was installed; make clean-demo removes the demo"

# pip says nothing for minutes while PyTorch comes in; this does.
define install
	@echo "installing into $(VENV) (once; some minutes, and 6.5 GB with PyTorch)"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --editable '$(1)' & pip=$$!; \
	trap 'kill $$pip; exit 130' INT TERM; s=0; \
	while kill -0 $$pip 2>/dev/null; do \
	  sleep 1; s=$$((s + 1)); if [ $$((s % 10)) = 0 ]; then echo "  ... $$s s"; fi; \
	done; wait $$pip
endef

$(VENV)/run: pyproject.toml
	$(call install,.[timm])
	@touch $@

$(VENV)/dev: pyproject.toml
	$(call install,.[dev])
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
	rm -rf $(VENV) .venv-labelstudio .mypy_cache .ruff_cache .pytest_cache .hypothesis

clean-demo:
	rm -rf espalier-demo
