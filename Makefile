# Every command of the project. `make` alone lists them; README.md tells what they are for.
#
# Needs Python 3.11 to 3.13 with its venv module, and make. uv is taken from PATH where it is there, else installed into
# .venv-uv. Packages come from wherever pip and uv are configured to look, and every file is checked against its hash.

.DEFAULT_GOAL := help
SHELL := /bin/sh
MAKEFLAGS += --no-print-directory

UV_VERSION := 0.13.9
UV := $(shell command -v uv 2>/dev/null || echo .venv-uv/bin/uv)
export UV_PYTHON_DOWNLOADS := never

PYTHON := .venv/bin/python
EMBEDDED := .venv/installed-embedded
GOOGLE_CLIENTS := .venv/installed-google
DEV := .venv/installed-dev
SOURCES := project coaching tasks media_tools tests manage.py
# The virtual environment holds no package that is not pinned; nothing is compiled on the way in.
INSTALL := $(UV) pip install $$([ -t 2 ] || echo --quiet) --python $(PYTHON) --require-hashes --no-build --no-deps

# Prints a Python of the right age, preferring the machine's usual one, or nothing.
FIND_PYTHON := for name in python3 python3.13 python3.12 python3.11 python; do \
	"$$name" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))' 2>/dev/null \
		&& command -v "$$name" && break; \
	done

.PHONY: help
help: ## This list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  \1|\2/' \
		| awk -F'|' '{ printf "%-12s %s\n", $$1, $$2 }'
	@echo
	@echo 'make demo takes: VIDEO=mine.mp4 MEMO=memo.m4a DISH=fried-rice OUT=film.mp4 REPORT=report.json ONCE=1 CHAOS=1'
	@echo '                 GOOGLE=emulated: by way of servers on this machine that speak the protocols of Google'

.PHONY: demo
demo: $(EMBEDDED) $(if $(GOOGLE),$(GOOGLE_CLIENTS)) ## Send a cook through the whole product and show the film; keeps serving until Ctrl-C
	@$(PYTHON) -m project.demo \
		$(if $(VIDEO),--video "$$VIDEO") $(if $(MEMO),--memo "$$MEMO") $(if $(DISH),--dish "$$DISH") \
		$(if $(OUT),--out "$$OUT") $(if $(REPORT),--report "$$REPORT") \
		$(if $(GOOGLE),--google "$$GOOGLE") $(if $(ONCE),--once) $(if $(CHAOS),--chaos)

.PHONY: up
up: $(EMBEDDED) ## Run web, workers, beat and Flower on 127.0.0.1 until Ctrl-C
	@$(PYTHON) -m project.up

.PHONY: setup
setup: $(DEV) ## Install everything for development into .venv
	@echo 'ready: make test, make check, make demo'

.PHONY: test
test: $(DEV) ## Run the tests (under 20 minutes on two cores); ARGS="..." goes to pytest
	@# Two processes, each with servers of its own; a file stays in one. What waits in one lets the other work.
	@$(PYTHON) -m pytest -m "not long" -n 2 --dist loadfile $(ARGS)

.PHONY: test-long
test-long: $(DEV) ## Run the tests that take minutes each
	@$(PYTHON) -m pytest -m long $(ARGS)

.PHONY: faults
faults: $(DEV) ## Run every fault against real processes, then the hammer; prints a table, figures go to var/faults.json
	@FAULTS_REPORT=1 $(PYTHON) -m pytest tests/faults $(ARGS)

BENCHMARKS := $(filter-out __init__ __main__ rows,$(basename $(notdir $(wildcard tests/benchmarks/*.py))))
.PHONY: bench
bench: $(DEV) ## Measure the qualities, all or ROW=composition; figures go to var/bench.json
	@set -e; for row in $(or $(ROW),$(BENCHMARKS)); do $(PYTHON) -m "tests.benchmarks.$$row"; done

.PHONY: screenshots
screenshots: $(DEV) ## Draw pictures of every page into docs/pictures; FILM=film.mp4 redraws the sample film too
	@FILM="$(FILM)" ONLY="$(ONLY)" OUT="$(OUT)" $(PYTHON) -m tests.pictures

.PHONY: check
check: $(DEV) ## Lint, formatting, types, layers, Django's checks, missing migrations
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy $(SOURCES)
	.venv/bin/lint-imports
	$(PYTHON) manage.py check
	$(PYTHON) manage.py makemigrations --check --dry-run

# All groups are resolved together first, and that answer constrains each file: a package has one version in all three.
COMPILE := $(UV) pip compile pyproject.toml --quiet --universal --python-version 3.11 --no-header --no-annotate
.PHONY: lock
lock: | $(UV) ## Write the pins of pyproject.toml; UPGRADE=1 takes the newest versions
	@mkdir -p var
	@$(if $(UPGRADE),: >,cat requirements.txt requirements-dev.txt 2>/dev/null | sed -n 's/ \\$$//; /^[a-z0-9]/p' | sort -u >) var/lock.txt
	$(COMPILE) --group embedded --group google --group dev --output-file var/lock.txt
	$(COMPILE) --generate-hashes --constraints var/lock.txt --group google --output-file requirements.txt
	$(COMPILE) --generate-hashes --constraints var/lock.txt --group embedded --output-file requirements-embedded.txt
	$(COMPILE) --generate-hashes --constraints var/lock.txt --group embedded --group google --group dev --output-file requirements-dev.txt

# --- what the commands above stand on ---

.venv-uv/bin/uv:
	@python=$$($(FIND_PYTHON)); \
	if [ -z "$$python" ]; then echo 'Python 3.11, 3.12 or 3.13 is needed and was not found.' >&2; exit 1; fi; \
	if ! "$$python" -c 'import ensurepip, venv' 2>/dev/null; then \
		echo "$$python comes without its venv module, which brings uv here." >&2; \
		echo 'Install it (Debian, Ubuntu: sudo apt-get install python3-venv), or install uv yourself.' >&2; exit 1; \
	fi; \
	echo 'bringing uv (.venv-uv)'; \
	"$$python" -m venv --clear .venv-uv \
		&& .venv-uv/bin/python -m pip install --quiet --disable-pip-version-check --only-binary :all: uv==$(UV_VERSION)

$(PYTHON): | $(UV)
	@python=$$($(FIND_PYTHON)); \
	if [ -z "$$python" ]; then echo 'Python 3.11, 3.12 or 3.13 is needed and was not found.' >&2; exit 1; fi; \
	rm -rf .venv && $(UV) venv --quiet --python "$$python" .venv

$(EMBEDDED): requirements-embedded.txt | $(PYTHON)
	@echo 'installing the product with its embedded servers and engines (.venv)'
	@$(INSTALL) -r $<
	@touch $@

# Google's clients, beside the embedded engines: both files hold one version of what they share.
$(GOOGLE_CLIENTS): requirements.txt $(EMBEDDED)
	@echo 'installing the clients of Google (.venv)'
	@$(INSTALL) -r $<
	@touch $@

$(DEV): requirements-dev.txt | $(PYTHON)
	@echo 'installing everything for development (.venv)'
	@$(INSTALL) -r $<
	@touch $(EMBEDDED) $(GOOGLE_CLIENTS) $(DEV)
