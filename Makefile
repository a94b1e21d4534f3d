# `make demo` serves an answer, `make test` runs the tests; both set up whatever they need first.

PORT ?= 2048

# Bytecode is wanted: a start without it takes three times as long.
unexport PYTHONDONTWRITEBYTECODE

# A worker takes file after file, folder after folder, so that what a folder's tests share is started once for each worker.
SPREAD = --numprocesses auto --dist loadfile --no-loadscope-reorder

.PHONY: help setup demo test test-all packages check format build bench clean

help: ## Show this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile | expand -t 10

setup: ## Install uv, Python, the locked dependencies and a Chromium, where they are missing
	@scripts/setup

demo: setup ## Serve on PORT (2048) with a local stand-in for AI Studio; Ctrl-C ends it
	@exec .venv/bin/studiogate demo --port $(PORT)

test: setup ## Run the tests, as many files at once as the machine has cores
	@scripts/test_browser
	@exec .venv/bin/pytest $(SPREAD)

test-all: setup ## Run the long tests too: every fault, every order with a browser, the page backends' contract
	@scripts/test_browser
	@exec .venv/bin/pytest $(SPREAD) -m 'long or not long'

packages: setup ## Build every distribution, install each in a clean environment, and try it there
	@exec .venv/bin/pytest -m packaging tests/packaging

check: setup ## Lint, check the format, check the types twice
	.venv/bin/ruff check
	.venv/bin/ruff format --check
	.venv/bin/pyright
	.venv/bin/mypy

format: setup ## Format the code and fix what can be fixed
	.venv/bin/ruff check --fix
	.venv/bin/ruff format

build: ## Build every distribution's wheel and sdist into dist
	@scripts/build

bench: setup ## Measure, and print the table of docs/performance.md
	@exec .venv/bin/python -m scripts.bench

clean: ## Remove what setup and the tools made
	rm -rf .venv .tools dist .mypy_cache .pytest_cache .ruff_cache .hypothesis
