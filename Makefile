# One virtual environment, .venv, serves all targets; .venv-oldest is for `make test-oldest`.
# The project is installed in place, so no target ever runs a stale copy of it. A stamp file
# in the environment says what was installed and is redone when setup.cfg or pyproject.toml
# change.

PYTHON ?= python3
VENV := .venv
OLDEST := .venv-oldest
RUN := $(VENV)/bin/python -m
SPEC := setup.cfg pyproject.toml
PIP := pip install --quiet --disable-pip-version-check
# On all processors; at the end what was left out, and why.
SHARED := -n auto --dist loadfile -rs

.DEFAULT_GOAL := help
.PHONY: help demo test test-oldest lint format docs pages clean

help: ## show this list (1 s)
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' Makefile
	@echo "Times on 2 cores. The first one also installs: half a minute, for tests and pages one more."

demo: $(VENV)/installed ## fit the doctor-visits models and compare them with the published numbers (1 s)
	@$(RUN) glmcount demo

test: $(VENV)/installed-test ## run all tests, and say what was left out and why (6 minutes)
	@$(RUN) pytest $(SHARED)

test-oldest: $(OLDEST)/installed ## run all tests on the oldest supported numpy, scipy, pandas, patsy (6 minutes)
	@$(OLDEST)/bin/python -m pytest $(SHARED)

lint: $(VENV)/installed-test ## check style, formatting and types (10 s)
	@$(RUN) ruff check .
	@$(RUN) ruff format --check .
	@$(RUN) mypy

format: $(VENV)/installed-test ## rewrite the code in the project's format (1 s)
	@$(RUN) ruff check --fix .
	@$(RUN) ruff format .

docs: $(VENV)/installed-test ## rewrite what is made of docstrings, llms.txt, and the outputs in the pages (30 s)
	@$(VENV)/bin/python docs/make_troubleshooting.py --write
	@$(VENV)/bin/python docs/refresh.py --write
	@$(VENV)/bin/python docs/make_reference.py --write

pages: $(VENV)/installed-test ## open every page in Chromium, with pictures of them in build/pages (1 minute)
	@$(VENV)/bin/python docs/check_pages.py --shots build/pages

clean: ## remove the environments and everything built (1 s)
	rm -rf $(VENV) $(OLDEST) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(OLDEST)/bin/python:
	$(PYTHON) -m venv $(OLDEST)

# bin/python is ordered before the stamps only: its date is the interpreter's, not the venv's.
$(VENV)/installed: $(SPEC) | $(VENV)/bin/python
	$(RUN) $(PIP) --editable .
	@touch $@

$(VENV)/installed-test: $(SPEC) | $(VENV)/bin/python
	$(RUN) $(PIP) --editable '.[test]'
	@touch $(VENV)/installed $@

$(OLDEST)/installed: $(SPEC) tests/oldest.txt | $(OLDEST)/bin/python
	$(OLDEST)/bin/python -m $(PIP) --constraint tests/oldest.txt --editable '.[test]'
	@touch $@
