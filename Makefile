# One place for everything a person types here. `make help` lists it.
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
  command -v $$p >/dev/null 2>&1 && $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
VENV ?= .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.DEFAULT_GOAL := help
.PHONY: help setup lock run test lint format generate check-diff compatibility chart e2e cluster cluster-down bench

help: ## List what can be made
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(STAMP) ## Make the virtual environment with everything locked in it

$(STAMP): requirements/dev.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "Understudy needs Python 3.11 or newer; install it (for example: apt install python3 python3-venv) or pass PYTHON=/path/to/python3"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || { echo "Python's venv module is missing; install it (for example: apt install python3-venv)"; exit 1; }
	$(BIN)/python -m pip install --quiet --require-hashes --requirement requirements/dev.lock
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate

lock: ## Resolve the dependencies anew (writes requirements/*.lock)
	$(COMPILE) --extra dev --output-file requirements/dev.lock pyproject.toml
	$(COMPILE) --constraint requirements/dev.lock --extra proxy --extra clouds --extra redis --output-file requirements/proxy.lock pyproject.toml
	$(COMPILE) --constraint requirements/dev.lock --extra operator --output-file requirements/operator.lock pyproject.toml
	$(COMPILE) --constraint requirements/dev.lock --extra cli --output-file requirements/cli.lock pyproject.toml
	$(COMPILE) --constraint requirements/dev.lock --output-file requirements/build.lock requirements/build.in
	for sdk in requirements/sdks/*.in; do $(COMPILE) --output-file $${sdk%.in}.lock $$sdk || exit; done

run: setup ## See it work: two mock providers and a gateway, no key needed
	$(BIN)/understudy demo

test: setup ## All tests that this machine can run, against a real API server where it can be had
	@PYTHONPATH=tests $(BIN)/python -m harness.components etcd kube-apiserver kubectl helm
	$(BIN)/pytest tests/unit tests/integration tests/compatibility tests/apiserver

e2e: setup ## A whole node with the chart installed, under load and faults (CLUSTER=kind where Docker is)
	$(BIN)/pytest tests/e2e

cluster: setup ## The same cluster, left running, with the chart installed
	PYTHONPATH=tests $(BIN)/python -m harness.cluster up

cluster-down: setup ## End the cluster that `make cluster` left running
	PYTHONPATH=tests $(BIN)/python -m harness.cluster down

bench: setup ## Side by side with nginx and a bare aiohttp pass-through, as ratios
	$(BIN)/python bench/run.py

CRD_FOLDERS := crds charts/understudy-crds/files

generate: setup ## Write what is generated: the CRDs, and the tables of their fields in the docs
	$(BIN)/python -m understudy_api.crdgen $(CRD_FOLDERS)
	$(BIN)/python -m understudy_api.crdgen.reference docs/objects.md

check-diff: setup ## What is committed is what would be generated
	$(BIN)/python -m understudy_api.crdgen --check $(CRD_FOLDERS)
	$(BIN)/python -m understudy_api.crdgen.reference --check docs/objects.md

compatibility: setup ## Put every vendor's SDK before a gateway (writes docs/compatibility.md)
	PYTHONPATH=tests $(BIN)/python -m compatibility

chart: setup ## Lint the charts, and put what they render before a real API server
	@PYTHONPATH=tests $(BIN)/python -m harness.components etcd kube-apiserver kubectl helm
	$(BIN)/pytest tests/apiserver/test_chart.py

lint: setup ## Style, types, imports
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: setup ## Write the code in the one format
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
