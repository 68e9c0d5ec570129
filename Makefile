# One command for each thing one does here; the same in CI (.ci/run).

VENV := .venv
BIN := $(VENV)/bin
# The first Python of these that is new enough; `make PYTHON=/path/to/python …` overrides.
PYTHON ?= $(shell for name in python3.11 python3.12 python3; do \
	"$$name" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 13))' 2>/dev/null \
	&& echo "$$name" && break; done)
PIP := PYTHONUNBUFFERED=1 $(BIN)/python -m pip --disable-pip-version-check
SHELL := /bin/bash
.SHELLFLAGS := -o pipefail -c
export DO_NOT_TRACK := 1

# Shows the last of pip's many lines, with the seconds so far; nothing where there is no terminal.
define LAST_LINE
import sys, time
begun, terminal = time.monotonic(), sys.stdout.isatty()
for line in sys.stdin:
    if terminal:
        text = f"{time.monotonic() - begun:4.0f} s  {line.strip()}"
        print(f"\r\033[K{text[:76]}", end="", flush=True)
if terminal:
    print("\r\033[K", end="")
endef
export LAST_LINE

.PHONY: help run setup test lint format bench dev hooks lock clean
.DEFAULT_GOAL := help

help: ## show this
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

run: $(VENV)/.local ## set up and start everything on this machine; Ctrl-C stops it all
	@exec $(BIN)/trade-assets up $(ARGS)

setup: $(VENV)/.local ## only set up
	@echo "ready: make run"

test: $(VENV)/.dev ## run every test (ARGS="-k name" for some)
	@$(BIN)/python -m pytest -n 3 --dist loadfile $(ARGS)

lint: $(VENV)/.dev ## check style, format, types and import layers
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

format: $(VENV)/.dev ## format the code and apply the safe fixes of the linter
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

bench: $(VENV)/.bench ## print the figures
	@$(BIN)/python -m benchmarks $(ARGS)

dev: $(VENV)/.dev ## set up for development: tests, linters, benchmarks
	@echo "ready: make test, make lint, or '. $(BIN)/activate && dagster dev'"

hooks: $(VENV)/.dev ## let git run the checks of `make lint` before each commit
	@$(BIN)/pre-commit install

# The interpreters that constraints.txt is for; `make LOCK_PYTHONS="/path/to/python3.11 …" lock` overrides.
LOCK_PYTHONS ?= python3.11 python3.12

lock: ## take the newest versions that pyproject.toml allows into the constraints
	@$(PYTHON) .ci/lock.py $(LOCK_PYTHONS)

clean: ## remove the environment and caches; the data in .trade_assets stays
	rm -rf $(VENV) .pytest_cache .hypothesis .mypy_cache .ruff_cache .import_linter_cache *.egg-info

$(BIN)/python:
	@if [ -z "$(PYTHON)" ]; then \
	  echo "error: Python 3.11 or 3.12 is needed, and neither python3.11, python3.12 nor python3 is one;" >&2; \
	  echo "       install it (Debian: apt install python3 python3-venv), or: make PYTHON=/path/to/python3.11 run" >&2; \
	  exit 1; fi
	@echo "creating $(VENV) with $(PYTHON)"
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); \
	  echo "error: $(PYTHON) cannot create environments; on Debian: apt install python3-venv" >&2; exit 1; }

# pip hands -c to no isolated build: those read PIP_CONSTRAINT up to pip 25.2, PIP_BUILD_CONSTRAINT
# from 25.3 on. Each pip leaves the variable that it does not know alone.
BUILD_PINS := PIP_CONSTRAINT=constraints.txt PIP_BUILD_CONSTRAINT=constraints.txt

# One stamp for each set of extras, older than what says the versions once that changes.
$(VENV)/.local $(VENV)/.dev $(VENV)/.bench: $(VENV)/.%: pyproject.toml constraints.txt | $(BIN)/python
	@echo "installing the $* requirements into $(VENV) (once for each change of their versions)"
	@$(BUILD_PINS) $(PIP) install --progress-bar off -c constraints.txt -e '.[$(EXTRAS)]' \
	  | $(BIN)/python -c "$$LAST_LINE" || { \
	  echo "error: pip could not install the requirements, its reason is above;" >&2; \
	  echo "       without network, or behind a proxy, set PIP_INDEX_URL or HTTPS_PROXY and try again" >&2; \
	  exit 1; }
	@touch $@

$(VENV)/.local: EXTRAS := local
# The benchmarks are tested and type-checked too, so their libraries are part of it.
$(VENV)/.dev: EXTRAS := local,dev,bench
$(VENV)/.bench: EXTRAS := local,bench
