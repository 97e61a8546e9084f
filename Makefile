# railbird. `make help` lists the targets.

.DEFAULT_GOAL := help
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:

PYTHON ?= $(shell for candidate in python3 python3.11 python3.12 python3.13 python3.14; do \
	"$$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo "$$candidate" && break; done)
BIN := .venv/bin
APT_GET := apt-get --quiet --quiet
CHROMIUM := $(shell command -v chromium || command -v chromium-browser || command -v google-chrome)

.PHONY: help setup run test bench lint format browser lock clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

setup: .venv/.installed ## Build .venv with all that running and testing need
	@:

run: setup ## Start the gateway with the demo table
	@exec $(BIN)/python -m gateway --demo $(RUN_ARGS)

test: setup browser ## Run every test, the browser's included (TEST_ARGS="-k wire")
	@$(BIN)/python -m pytest $(TEST_ARGS)

bench: setup ## Measure the gateway: a table, and JSON (BENCH_ARGS="...")
	@$(BIN)/python -m tests.bench $(BENCH_ARGS)

lint: setup ## Check style, types and the layers of imports
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo

format: setup ## Rewrite the sources in the house format
	@$(BIN)/ruff check --fix
	@$(BIN)/ruff format

browser: ## Install Debian's Chromium where it is missing and may be installed
ifeq ($(CHROMIUM),)
	@as_root=""; [ "$$(id -u)" = 0 ] || as_root="sudo -n"; \
	if ! command -v apt-get >/dev/null; then reason="this machine has no apt-get"; \
	elif ! $$as_root true 2>/dev/null; then reason="this account is not root and has no sudo without a password"; \
	else \
		echo "browser: installing chromium and fonts-dejavu-core with apt-get"; \
		$$as_root $(APT_GET) update >/dev/null || true; \
		if $$as_root env DEBIAN_FRONTEND=noninteractive $(APT_GET) install --yes --no-install-recommends \
			chromium fonts-dejavu-core </dev/null >/dev/null; then reason=""; else reason="apt-get could not install it"; fi; \
	fi; \
	[ -z "$$reason" ] || { echo "browser: no Chromium: $$reason."; \
		echo "browser: tests marked 'browser' cannot run (a failure where CI=true); install chromium to run them."; }
else
	@:
endif

lock: ## Pin every dependency with its hashes (needs uv)
	@uv pip compile --quiet --universal --python-version 3.11 --all-extras --generate-hashes \
		--custom-compile-command "make lock" --output-file requirements.lock pyproject.toml

clean: ## Remove .venv and the tools' caches
	@rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis build *.egg-info

# The lock alone decides what is installed. Debian ships venv without ensurepip unless python3-venv is there: any pip of
# that Python (22.3 or newer) fills .venv as well.
.venv/.locked: requirements.lock
	@[ -n "$(PYTHON)" ] || { echo "setup: no Python >= 3.11 found; install one, or name it: make PYTHON=..." >&2; exit 1; }
	@echo "setup: building .venv from requirements.lock with $$($(PYTHON) --version) (about a minute)"
	@if $(PYTHON) -c 'import ensurepip' 2>/dev/null; then \
		$(PYTHON) -m venv --clear .venv; pip="$(BIN)/python -m pip"; \
	elif $(PYTHON) -m pip --version >/dev/null 2>&1; then \
		$(PYTHON) -m venv --clear --without-pip .venv; pip="$(PYTHON) -m pip --python $(BIN)/python"; \
	else \
		echo "setup: $(PYTHON) has neither ensurepip nor pip: apt-get install python3-venv (or python3-pip)" >&2; exit 1; \
	fi; \
	$$pip --disable-pip-version-check install --quiet --require-hashes -r requirements.lock
	@touch $@

.venv/.installed: .venv/.locked pyproject.toml
	@PYTHONWARNINGS=ignore $(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@
	@echo "setup: .venv is ready"
