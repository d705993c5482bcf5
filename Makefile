# make install | demo | test | check. Each sets up what it needs first; PYTHON=python3.12 picks another Python.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: install demo test check format clean

install: $(VENV)/.installed

$(VENV)/.installed: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Fogweave needs Python 3.11 or newer; this is " + sys.version.split()[0] + ". Try: make PYTHON=python3.12")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[coordinator,cluster,dev]'
	@# Compiled now, so that the first placement need not wait for it.
	$(BIN)/python -c 'from evolution.placement.genetic import warm_up; warm_up()'
	@touch $@

demo: install
	$(BIN)/fog-coordinator demo

test: install
	@# Most tests wait for processes and brokers: side by side they take half the time.
	$(BIN)/python -m pytest -n logical --maxprocesses 4

check: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: install
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .

clean:
	rm -rf $(VENV) demo-run demo-report.json demo-latency.png
