# Two commands on a fresh machine: `make demo` and `make test`. Needs Python >= 3.11 and make, nothing else.
PYTHON ?= python3
BIN := .venv/bin
# Two processes, whole files in their order: what a file's tests share is made once, and the servers' tests come last.
TWO := --numprocesses 2 --dist loadfile --no-loadscope-reorder
.DEFAULT_GOAL := help
.PHONY: help demo test test-fast test-all check fix up

help:  ## this list
	@grep -E '^[a-z-]+:.*##' Makefile | sed 's/:.*## */  /' | awk '{ name = $$1; $$1 = ""; printf "make %-9s%s\n", name, $$0 }'

demo: .venv  ## the whole loop on the embedded default, told as a story (about 10 minutes)
	$(BIN)/bonsai demo

test: .venv  ## the tests, in ten minutes; they really train
	$(BIN)/pytest $(TWO)

test-fast: .venv  ## rules, readers, scores and documents in a minute: no training, no server, no database
	$(BIN)/pytest $(TWO) tests/unit tests/repository

test-all: .venv  ## the long tests too
	BONSAI_ALL_TESTS=1 $(BIN)/pytest $(TWO)

check: .venv  ## ruff, mypy, import contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

fix: .venv  ## let ruff mend what it can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

up: .venv  ## server, workers and the nightly schedule, until Ctrl-C
	$(BIN)/bonsai up

# The stamp is written last: an interrupted install is made again.
.venv: .venv/.installed
.venv/.installed: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Bonsai needs Python 3.11 or newer; '$(PYTHON)' is older. Say: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@
