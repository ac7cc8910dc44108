# `make help` lists what there is. Everything runs in .venv, which is made when it is missing or out of date.
PYTHON ?= python3
BIN := .venv/bin
RUN := PATH="$(CURDIR)/$(BIN):$$PATH"

.DEFAULT_GOAL := help
.PHONY: help demo test test-fast check format repro plan pin previous speed hub bench ladder accept

help:  ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

.venv/ready: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "error: Python 3.11 or newer is needed: make demo PYTHON=/path/to/python3")'
	@echo "Installing into .venv (torch is large: this takes a few minutes the first time)"
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --constraint constraints.txt torch
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	@touch $@

# A ZIP download has no history, and DVC works inside a Git repository.
.git:
	@git init --quiet

demo: .venv/ready | .git  ## the whole pipeline, from fetched data to a checked release on the embedded Hub
	$(RUN) dvc repro
	@echo
	@echo "Your model is released on the Hub of this machine. Look at it:    make hub"
	@echo "Its card, as a file:                                              model_cards/README.md"
	@echo "Next: edit params.yaml, then run 'make repro'"
	@echo "      (or 'source .venv/bin/activate' once, then 'dvc repro')"

# One process more than there are cores: tests of what fails, stalls and is killed spend their time waiting.
test: .venv/ready  ## all tests, on all cores
	$(BIN)/python -m pytest --numprocesses $$(($$(getconf _NPROCESSORS_ONLN) + 1)) --dist loadfile

test-fast: .venv/ready  ## the tests that take seconds
	$(BIN)/python -m pytest -m "not slow"

check: .venv/ready  ## style, types and the walls between rooms
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: .venv/ready  ## let ruff mend style
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

repro: .venv/ready | .git  ## dvc repro, with what .venv holds
	$(RUN) dvc repro

plan: .venv/ready  ## what push would publish, without publishing
	$(BIN)/python -m stages.plan

pin: .venv/ready  ## write the commit SHAs of base model and data set into params.yaml
	$(BIN)/python -m stages.pin

speed: .venv/ready  ## how fast the saved model answers here, and in how much memory; for the card
	$(BIN)/python -m stages.speed

previous: .venv/ready  ## fetch what the last release predicted, for the next one to be compared with
	$(BIN)/python -m stages.previous

hub: .venv/ready  ## serve the embedded Hub and its pages until Ctrl-C
	$(BIN)/python -m stages.hub

bench: .venv/ready  ## our training against the usual recipe, and the embedded Hub against cp, each in one run
	$(BIN)/python -m bench.training
	$(BIN)/python -m bench.hub

ladder: .venv/ready  ## what an LSTM buys over an RNN: accuracy and gradients over longer and longer distances
	$(BIN)/python -m bench.ladder

accept: .venv/ready  ## after an edit that changes no result: make accept STAGE=train
	@test -n "$(STAGE)" || { echo "error: say which stage: make accept STAGE=train"; exit 1; }
	$(RUN) dvc commit --force $(STAGE)
