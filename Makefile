# Every target makes the virtual environment .venv by itself; PYTHON names another Python >= 3.11.

MAKEFLAGS += --no-print-directory
SHELL := /bin/sh
unexport PYTHONPATH PYTHONHOME
PYTHON ?=
ARGS ?=
RUN := .venv/bin/python -m
MADE := .venv/.made

.DEFAULT_GOAL := help
.PHONY: help setup demo test coverage lint types layers check build clean coldstart bench saverate flushrate flushscale downcost sessionscale crash powerloss chaos storm fuzz size FORCE

help:  ## This list
	@echo 'make TARGET [ARGS="…"]'
	@sed -n 's/^\([a-z]*\):.*##/  \1\t/p' Makefile | expand -t 14

setup: $(MADE)  ## Make .venv with everything in it (every target does)

demo: $(MADE)  ## The whole product at work, in a throw-away home
	@.venv/bin/amx demo $(ARGS)

test: $(MADE)  ## The test suite, with a PostgreSQL that it starts itself
	@$(RUN) pytest -q -n 4 --dist worksteal $(ARGS)

coverage: $(MADE)  ## The test suite, and which lines and branches it misses
	@$(RUN) coverage erase
	@$(RUN) coverage run -m pytest -q $(ARGS)
	@$(RUN) coverage combine -q
	@$(RUN) coverage report

lint: $(MADE)  ## Style and formatting
	@$(RUN) ruff check .
	@$(RUN) ruff format --check .

types: $(MADE)  ## Types, strictly
	@$(RUN) mypy

layers: $(MADE)  ## Who may import whom
	@.venv/bin/lint-imports --no-logo

check: lint types layers test  ## All of lint, types, layers, test

build: $(MADE)  ## The source distribution and the wheel, in dist/
	@$(RUN) pip install -q --disable-pip-version-check build
	@rm -rf dist && $(RUN) build

coldstart: $(MADE)  ## How long a command takes to start, against a bare Typer
	@.venv/bin/python scripts/coldstart.py $(ARGS)

bench: $(MADE)  ## What a save, a flush and a write without the store cost (ARGS=--quick for CI)
	@failed=0; for what in saverate flushrate flushscale downcost sessionscale; do \
		$(RUN) scripts.$$what $(ARGS) || failed=1; done; exit $$failed

flushrate: $(MADE)  ## How fast the queue is flushed, against COPY and upsert written by hand
	@$(RUN) scripts.flushrate $(ARGS)

flushscale: $(MADE)  ## Memory and time of a flush, from 10,000 to 1,000,000 rows
	@$(RUN) scripts.flushscale $(ARGS)

downcost: $(MADE)  ## What a write costs while the shared store is down, against local mode
	@$(RUN) scripts.downcost $(ARGS)

sessionscale: $(MADE)  ## How long sessions take to be listed and shown, at 1,000,000 turns
	@$(RUN) scripts.sessionscale $(ARGS)

saverate: $(MADE)  ## What a save of the configuration costs, against a bare write and rename
	@$(RUN) scripts.saverate $(ARGS)

crash: $(MADE)  ## Kill and fail every system call of a save, a restore, an edit (needs strace)
	@$(RUN) tests.proofs.crash $(ARGS)

powerloss: $(MADE)  ## Replay a save onto every disk that a power failure may leave
	@$(RUN) tests.proofs.powerloss $(ARGS)

chaos: $(MADE)  ## Many processes that save, read, write, flush and are killed at once
	@$(RUN) tests.proofs.chaos $(ARGS)
	@$(RUN) tests.proofs.storm $(ARGS)

storm: $(MADE)  ## Its second part: a shared store, its server and its network failing all the time
	@$(RUN) tests.proofs.storm $(ARGS)

fuzz: $(MADE)  ## Broken configurations of every kind: read, or refused with line and column
	@$(RUN) tests.proofs.fuzz $(ARGS)

size: $(MADE)  ## How much an installation takes on disk
	@.venv/bin/python scripts/install_size.py $(ARGS)

clean:  ## Remove what the other targets have made
	@rm -rf .venv build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis \
		.import_linter_cache .coverage .coverage.*
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

# A virtual environment belongs to its place: a copy of the folder makes its own.
ifneq ($(shell cat $(MADE) 2>/dev/null),$(CURDIR))
$(MADE): FORCE
endif
$(MADE): pyproject.toml scripts/setup.sh
	@PYTHON="$(PYTHON)" sh scripts/setup.sh
