# What one does with this repository. `make help` lists it.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
CACHE := .cache
LOGCOUNT := $(BIN)/logcount --config samples/logcount.toml

.DEFAULT_GOAL := help
.PHONY: help run live test crash attack exact mutate check format bench samples lock clean

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: $(CACHE)/tokenizers/stamp ## replay the sample archive with real tokenizers, and show the table
	$(LOGCOUNT) replay samples/archive

live: $(VENV)/dev.stamp node_modules/stamp $(CACHE)/tokenizers/stamp ## count live on this machine: loopback Event Hubs, Azurite, loopback ingestion
	PYTHONPATH=tests $(BIN)/python -m show_live

test: $(VENV)/dev.stamp node_modules/stamp ## run every test, in two processes: the tests of a file in one, in their order
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder

RUNS ?= 5
SEED ?= 1
crash: $(VENV)/dev.stamp node_modules/stamp ## kill replicas at random, RUNS times from SEED, and see that every event is counted once
	PYTHONPATH=tests $(BIN)/python -m crash --runs $(RUNS) --seed $(SEED)

attack: $(VENV)/dev.stamp $(CACHE)/tokenizers/exact.stamp ## replay hostile events one by one: seconds, memory and outcome of each
	PYTHONPATH=tests $(BIN)/python -m hostile

SIZE ?= small
exact: $(VENV)/dev.stamp $(CACHE)/tokenizers/exact.stamp ## compare counts with plain `tokenizers`, token for token: SIZE=small or full
	PYTHONPATH=tests $(BIN)/python -m exact --size $(SIZE)

mutate: $(VENV)/dev.stamp ## take rules out of the counting code one by one, and see that a test fails for each
	PYTHONPATH=tests $(BIN)/python -m mutate

check: $(VENV)/dev.stamp ## lint, types and the house test
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/python -m pytest tests/test_house.py

format: $(VENV)/dev.stamp ## put the code in its form
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

bench: $(VENV)/dev.stamp $(CACHE)/tokenizers/stamp ## measure replay side by side with the naive ways
	$(BIN)/python benchmarks/replay.py

samples: $(CACHE)/tokenizers/stamp ## build the sample archive anew
	$(BIN)/python samples/build.py

lock: ## pin what the container and CI install (needs uv)
	uv pip compile -q pyproject.toml --universal --python-version 3.11 --generate-hashes \
	  --custom-compile-command "make lock" -o requirements/run.lock
	uv pip compile -q pyproject.toml --group dev --universal --python-version 3.11 --generate-hashes \
	  -c requirements/run.lock --custom-compile-command "make lock" -o requirements/dev.lock

clean: ## remove what these targets made
	rm -rf $(VENV) $(CACHE) node_modules .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find src tests benchmarks samples -name __pycache__ -exec rm -rf {} +

# A stamp is as old as the last time its recipe ran, and goes with what it made: the second `make` does nothing.

$(VENV)/run.stamp: requirements/run.lock pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/run.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	@touch $@

$(VENV)/dev.stamp: $(VENV)/run.stamp requirements/dev.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.lock
	@touch $@

node_modules/stamp: package-lock.json
	npm ci --silent --no-audit --no-fund
	@touch $@

$(CACHE)/tokenizers/stamp: $(VENV)/run.stamp samples/logcount.toml
	$(LOGCOUNT) tokenizers fetch
	@touch $@

$(CACHE)/tokenizers/exact.stamp: $(VENV)/run.stamp benchmarks/accuracy.toml
	$(BIN)/logcount --config benchmarks/accuracy.toml tokenizers fetch
	@touch $@
