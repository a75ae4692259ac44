# Two commands matter: `make demo` and `make test`. Everything they need is made on the way.
SHELL := /bin/sh
PYTHON := .venv/bin/python
READY := .venv/.complete
T ?= tests
# one more than the machine has cores: many tests wait for other processes
WORKERS ?= $(shell expr $$(getconf _NPROCESSORS_ONLN) + 1)
export PYTHONUTF8 := 1
# processes that are started again and again find themselves compiled, also where the shell says otherwise
export PYTHONDONTWRITEBYTECODE :=

.PHONY: help demo test lint bench shots stop clean

help:
	@echo "make demo            everything, alive, on stand-in platforms; Ctrl-C ends it (PORT=8000, KEEP=1 keeps the last demo's data)"
	@echo "make demo ONCE=1     a finite story; compares both ends and fails if anything disagrees"
	@echo "make test            the whole suite (T=tests/mapping for a part of it)"
	@echo "make lint            style, import contracts, missing migrations"
	@echo "make bench           the figures of docs/benchmarks.md"
	@echo "make shots           screenshots of the console"
	@echo "make stop            end demos that still run, and the embedded database"
	@echo "make clean           remove everything that was made here"

$(READY): requirements/dev.txt scripts/bootstrap
	@scripts/bootstrap

demo: $(READY)
	@DEMO=1 $(PYTHON) scripts/with_database.py $(PYTHON) manage.py demo \
		$(if $(ONCE),--once) $(if $(PORT),--port $(PORT)) $(if $(KEEP),--keep) $(if $(SEED),--seed $(SEED))

test: $(READY)
	@scripts/chromium >/dev/null || test -z "$$REQUIRE_BROWSER"
	@$(PYTHON) scripts/with_database.py $(PYTHON) -m pytest -n $(WORKERS) --dist worksteal $(T) $(ARGS)

lint: $(READY)
	@$(PYTHON) -m ruff check .
	@.venv/bin/lint-imports --no-cache
	@DEMO=1 $(PYTHON) scripts/with_database.py $(PYTHON) manage.py makemigrations --check --dry-run

bench: $(READY)
	@$(PYTHON) -m benchmarks $(ARGS)

shots: $(READY)
	@scripts/chromium >/dev/null
	@DEMO=1 $(PYTHON) scripts/with_database.py $(PYTHON) scripts/shots.py $(ARGS)

stop:
	@test ! -x $(PYTHON) || $(PYTHON) scripts/stop.py

clean: stop
	rm -rf .venv .local .ruff_cache .pytest_cache .import_linter_cache .hypothesis staticfiles screenshots
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
