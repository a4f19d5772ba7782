# Everything CI runs, with one word each. Needs `make` and Python 3.11 or newer; the rest is
# installed into .venv on first use, and again when pyproject.toml changes or the folder moves.

SHELL := /bin/sh
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

# An outer virtual environment or a user's settings must not change the answer.
unexport VIRTUAL_ENV PYTHONHOME PYTHONPATH PYTEST_ADDOPTS
export PIP_NO_INPUT := 1
export PIP_DISABLE_PIP_VERSION_CHECK := 1

VENV := .venv
RUN := $(VENV)/bin/python
JOBS ?= 2
PYTEST := $(RUN) -m pytest -n $(JOBS)

PLACE := $(shell pwd | cksum | cut -d ' ' -f 1)
KEY := $(PLACE)-$(shell cksum < pyproject.toml | cut -d ' ' -f 1)
CREATED := $(VENV)/created-$(PLACE)
DEV := $(VENV)/dev-$(KEY)
STORY := $(VENV)/dev-story-$(KEY)
EXTRAS := $(VENV)/dev-extras-$(KEY)

.PHONY: help demo tour test test-all bench lint format clean

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/make \1|\2/p' Makefile | \
	  while IFS='|' read -r verb what; do printf '%-14s %s\n' "$$verb" "$$what"; done

demo: $(STORY) ## real training that a policy stops, releases, and stops for good; some minutes
	@$(RUN) examples/story/run.py

tour: $(DEV) ## the commands one by one, on logs that were made before; half a minute
	@$(RUN) examples/tour/run.py

test: lint ## linters, then the fast tests
	$(PYTEST) -m 'not slow and not extra'

test-all: $(EXTRAS) ## the slow tests, and those that need an extra
	$(PYTEST) -m 'slow or extra'

bench: $(EXTRAS) ## timings and sample counts beside other tools
	@$(RUN) benchmarks/run.py

lint: $(DEV) ## ruff, mypy, import-linter
	$(RUN) -m ruff check --quiet
	$(RUN) -m ruff format --check --quiet
	$(RUN) -m mypy
	$(VENV)/bin/lint-imports --no-logo

format: $(DEV) ## let ruff rewrite what it can
	$(RUN) -m ruff format
	$(RUN) -m ruff check --fix

clean: ## remove .venv and the caches of tools
	rm -rf $(VENV) build dist .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache

$(CREATED):
	@for python in python3.11 python3 python3.12 python3.13 python3.14; do \
	  if $$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
	    echo "creating $(VENV) with $$python"; \
	    $$python -m venv --clear $(VENV) && touch $@; exit; \
	  fi; \
	done; echo 'scalegate needs Python 3.11 or newer, as python3.11 or python3' >&2; exit 1

# One stamp per set of extras; a wider set satisfies the narrower ones.
$(DEV): $(CREATED)
	@$(call install,dev$(comma)prove)
	@touch $@

$(STORY): $(CREATED)
	@$(call install,dev$(comma)prove$(comma)inspect$(comma)hf)
	@touch $@ $(DEV)

$(EXTRAS): $(CREATED)
	@$(call install,dev$(comma)prove$(comma)inspect$(comma)hf$(comma)report$(comma)bench$(comma)postgres$(comma)pkcs11$(comma)foreign$(comma)lightning$(comma)ray$(comma)guard)
	@touch $@ $(DEV) $(STORY)

comma := ,
install = echo 'installing scalegate[$(1)] into $(VENV)'; $(RUN) -m pip install -qq --editable '.[$(1)]'
