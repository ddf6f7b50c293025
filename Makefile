# make demo    a release of 1,500 people, checked, and a few of its questions
# make test    build the wheel, install it in a fresh environment, test the wheel
# Everything else: make help

# The first Python 3.11-3.13 that is found; to use another one: make PYTHON=/path/to/python
PYTHON ?= $(shell for python in python3 python3.13 python3.12 python3.11 python; do \
	"$$python" -c 'import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null \
	&& command -v "$$python" && break; done)
VENV ?= .venv
BUILD := build
BIN := $(VENV)/bin
PIP := -m pip --disable-pip-version-check --quiet
export PYTHONDONTWRITEBYTECODE ?= 1

.DEFAULT_GOAL := help
.PHONY: help demo install dev test harnesses fuzz deep quick lowest lint format wheel bench clean

help:  ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: install  ## generate the small release, check it, show a few questions
	$(BIN)/bioreason generate --preset small --out demo/small --force
	$(BIN)/bioreason verify demo/small --write
	$(BIN)/bioreason show demo/small comp_zeroshot -n 3
	@echo
	@echo "The release is in demo/small.  Next: $(BIN)/bioreason stats demo/small, or $(BIN)/bioreason --help"

install: $(VENV)/.core  ## a virtual environment with the package (core)

dev: $(VENV)/.dev  ## the same with all extras and tools

$(VENV)/bin/python:
	@test -n "$(PYTHON)" || { echo "No Python 3.11-3.13 with venv was found; install one, or name it: make PYTHON=/path/to/python" >&2; exit 2; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.core: pyproject.toml | $(VENV)/bin/python
	$(BIN)/python $(PIP) install --editable .
	@touch $@

$(VENV)/.lint: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(BIN)/python $(PIP) install --editable '.[lint]' --constraint constraints.txt
	@touch $@ $(VENV)/.core

$(VENV)/.dev: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(BIN)/python $(PIP) install --editable '.[dev]' --constraint constraints.txt
	@touch $@ $(VENV)/.core $(VENV)/.lint

wheel: $(VENV)/bin/python  ## build dist/*.whl
	@test -x $(BIN)/pyproject-build || $(BIN)/python $(PIP) install build
	rm -rf dist
	$(BIN)/python -m build --wheel --outdir dist . > $(VENV)/build.log 2>&1 || { cat $(VENV)/build.log >&2; exit 1; }

# Bytecode is kept, so that each module that is imported is compiled once.
AS_INSTALLED := BIOREASON_TEST_WHEEL=1 PYTHONDONTWRITEBYTECODE=
test: harnesses  ## install the wheel in fresh environments and test it there
	rm -rf $(BUILD)/wheel
	$(VENV)/bin/python -m venv $(BUILD)/wheel
	$(BUILD)/wheel/bin/python $(PIP) install --no-compile "$$(ls dist/*.whl)[all,test]" --constraint constraints.txt
	$(AS_INSTALLED) $(BUILD)/wheel/bin/pytest tests -m "not deep" -n 2 --dist loadfile --durations 25 $(PYTEST)

# Two environments, because verifiers and Inspect need different versions of openai; none has torch.
harnesses: wheel  ## the same for the environments of RL libraries and for Inspect: two minutes
	rm -rf $(BUILD)/harnesses $(BUILD)/openai3
	test -x $(BIN)/uv || $(BIN)/python $(PIP) install uv
	$(BIN)/uv venv --quiet --python $(BIN)/python $(BUILD)/harnesses
	$(BIN)/uv pip install --quiet --python $(BUILD)/harnesses/bin/python --constraint constraints.txt "$$(ls dist/*.whl)[verifiers,reasoning-gym,skyrl-gym]" pytest pytest-xdist
	$(AS_INSTALLED) $(BUILD)/harnesses/bin/pytest tests/environments --ignore tests/environments/test_openenv.py -n 2 --dist loadfile
	$(BIN)/uv venv --quiet --python $(BIN)/python $(BUILD)/openai3
	$(BIN)/uv pip install --quiet --python $(BUILD)/openai3/bin/python --constraint constraints.txt "$$(ls dist/*.whl)[openenv,inspect]" pytest pytest-xdist
	$(AS_INSTALLED) $(BUILD)/openai3/bin/pytest tests/environments/test_openenv.py $(wildcard tests/evaluation/test_inspect*.py) -n 2 --dist loadfile

fuzz: dev  ## 20,000 wrong command lines, drawn anew each time: under an hour
	BIOREASON_FUZZ_CALLS=20000 $(BIN)/pytest tests/fuzz -q $(PYTEST)

deep: dev  ## what `make test` leaves out: trainings killed at random, the oldest `datasets`, further cases
	$(BIN)/pytest tests -m deep --hypothesis-profile default $(PYTEST)

quick: dev  ## the quick tests on the checkout
	$(BIN)/pytest tests -m "not slow" $(PYTEST)

# The requirements of the extra `train` but torch, as "name==oldest version".
OLDEST_TRAIN = $(shell sed -n '/^train = /{s/.*= \[//;s/\].*//;s/>=/==/g;s/,<[0-9.]*//g;s/torch==[0-9.]*//;s/[",]/ /g;p;}' pyproject.toml)
lowest: wheel  ## the quick tests of core and training with the oldest dependencies they allow
	rm -rf $(BUILD)/lowest
	$(VENV)/bin/python -m venv $(BUILD)/lowest
	$(BUILD)/lowest/bin/python $(PIP) install uv
	$(BUILD)/lowest/bin/uv pip compile --quiet --python $(BUILD)/lowest/bin/python --resolution lowest-direct --extra test -o $(BUILD)/lowest/versions.txt pyproject.toml
	$(BUILD)/lowest/bin/uv pip install --quiet --python $(BUILD)/lowest/bin/python -r $(BUILD)/lowest/versions.txt
	$(BUILD)/lowest/bin/uv pip install --quiet --python $(BUILD)/lowest/bin/python --no-deps dist/*.whl
	BIOREASON_TEST_WHEEL=1 $(BUILD)/lowest/bin/pytest tests -m "not slow" $(PYTEST)
	rm -rf $(BUILD)/lowest-train
	$(VENV)/bin/python -m venv $(BUILD)/lowest-train
	$(BUILD)/lowest-train/bin/python $(PIP) install "$$(ls dist/*.whl)[train,test]" $(OLDEST_TRAIN) "$$(grep '^torch==' constraints.txt)"
	BIOREASON_TEST_WHEEL=1 $(BUILD)/lowest-train/bin/pytest tests/training -m "not slow" $(PYTEST)

lint: $(VENV)/.lint  ## ruff and mypy
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(VENV)/.lint  ## ruff format, and what it can repair
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: install  ## seconds, rows a second, memory, and the ratio to the floor
	$(BIN)/python benchmarks/generate.py paper v1

clean:  ## remove what make made
	rm -rf $(BUILD) dist demo $(VENV)
