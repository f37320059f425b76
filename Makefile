# Every routine of the project. `make run` and `make test` need Python 3.11 or later, its venv
# module and a way to the package index; they make and mend .venv on their own.

VENV := .venv
BIN := $(VENV)/$(if $(filter Windows_NT,$(OS)),Scripts,bin)
PORT ?= 8501
# Processes for the tests; `make test WORKERS=0` runs them in one.
WORKERS ?= 2
# Wheels only: nothing of others is built or run while installing. On a system that a dependency
# has no wheel for, `make run WHEELS=` builds it from source (still checked against the lock).
WHEELS ?= --only-binary :all:
INSTALL = $(BIN)/python -m pip install --quiet --disable-pip-version-check
# Only for writing the lock files; installed beside the environment, not into it.
UV := uv==0.13.9

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help run test install lint format types lock bench screenshots clean

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: $(VENV)/run.stamp ## start Afterdose on this machine (PORT=8501)
	@echo "Starting Afterdose at http://127.0.0.1:$(PORT) (Ctrl-C stops it)"
	@exec $(BIN)/streamlit run streamlit_app.py --server.port $(PORT)

test: $(VENV)/dev.stamp ## run all tests (ARGS="-k words" chooses, ARGS=--run-slow adds the long ones)
	$(BIN)/pytest -n $(WORKERS) --dist loadgroup $(ARGS)

install: $(VENV)/dev.stamp ## make or mend the environment, development tools included

lint: $(VENV)/dev.stamp ## check format, lint rules and who may import whom
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports

format: $(VENV)/dev.stamp ## rewrite the format, mend what lint can mend
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

types: $(VENV)/dev.stamp ## check types
	$(BIN)/mypy

bench: $(VENV)/dev.stamp ## measure storing and counting beside their peers
	$(BIN)/python -m benchmarks.store
	$(BIN)/python -m benchmarks.rates

screenshots: $(VENV)/dev.stamp ## draw the pictures of the documentation again
	$(BIN)/python docs/screenshots.py

lock: $(VENV)/lock/done ## write both lock files again (UPGRADE=--upgrade takes newer versions)
	$(LOCK) --extra postgresql --group build --output-file requirements.lock pyproject.toml
	$(LOCK) --extra postgresql --group dev --constraint requirements.lock \
		--output-file requirements-dev.lock pyproject.toml

clean: ## remove the environment and everything that tools left behind
	rm -rf $(VENV) build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis \
		.import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# --- how the environment is made -----------------------------------------------------------------

# One environment. The development lock holds every pin of the run lock, so it serves both stamps.
$(VENV)/run.stamp: requirements.lock pyproject.toml | $(BIN)/python
	@echo "Installing what $< names (needed once, and after it changes) ..."
	$(INSTALL) --require-hashes $(WHEELS) -r $<
	$(INSTALL) --no-deps --no-build-isolation --no-index --editable .
	@touch $@

$(VENV)/dev.stamp: requirements-dev.lock pyproject.toml | $(BIN)/python
	@echo "Installing what $< names (needed once, and after it changes) ..."
	$(INSTALL) --require-hashes $(WHEELS) -r $<
	$(INSTALL) --no-deps --no-build-isolation --no-index --editable .
	@touch $(VENV)/run.stamp $@

# The newest Python that is there and new enough; of equal ones the system's own, because
# distributions build theirs with optimisation (an import is a quarter faster). PYTHON=... overrides.
PYTHONS := /usr/bin/python3 python3 python3.14 python3.13 python3.12 python3.11 python
define RANK
import sys
from importlib.util import find_spec
minor = sys.version_info[1] * (sys.version_info[0] == 3)
print((minor + 100 * (find_spec("ensurepip") is not None)) * (minor >= 11))
endef
export RANK

$(BIN)/python:
	@best=; highest=0; \
	for candidate in $(or $(PYTHON),$(PYTHONS)); do \
		rank=$$($$candidate -c "$$RANK" 2>/dev/null) || continue; \
		if [ "$$rank" -gt $$highest ]; then best=$$candidate; highest=$$rank; fi; \
	done; \
	if [ -z "$$best" ]; then \
		echo "Afterdose needs Python 3.11 or later; found: $$(python3 --version 2>&1)." >&2; \
		echo "Install a newer Python, or name one: make $(or $(MAKECMDGOALS),run) PYTHON=/path/to/python" >&2; \
		exit 1; \
	fi; \
	echo "Making $(VENV) with $$best ($$($$best --version)) ..."; \
	rm -rf $(VENV); \
	$$best -m venv $(VENV) || { rm -rf $(VENV); \
		echo "Python's venv module is not complete. On Debian or Ubuntu: apt-get install python3-venv" >&2; \
		exit 1; }

LOCK = $(VENV)/lock/$(notdir $(BIN))/uv pip compile --quiet --universal --python-version 3.11 \
	--generate-hashes --no-annotate --custom-compile-command "make lock" $(UPGRADE)

$(VENV)/lock/done: Makefile | $(BIN)/python
	$(BIN)/python -m venv --clear $(VENV)/lock
	$(VENV)/lock/$(notdir $(BIN))/python -m pip install --quiet --disable-pip-version-check $(UV)
	@touch $@
