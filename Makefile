# The tools come from .venv (README, second command), or from BIN=… where they live elsewhere.
BIN ?= .venv/bin

.PHONY: check lint test bench demo record pictures metrics

check: lint test  ## what CI runs

lint:
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

test:
	$(BIN)/pytest

bench:  ## every benchmark, each beside its peer; a missing peer fails
	@set -e; for script in benchmarks/[a-z]*.py; do echo "== $$script"; $(BIN)/python "$$script"; done

demo:
	$(BIN)/runwatch demo

record:  ## this project's own test suite, as a run of framework runwatch
	$(BIN)/runwatch run --framework runwatch --headless -- $(BIN)/pytest

pictures:  ## the pictures of the README, from the running app
	$(BIN)/python docs/pictures.py

metrics:  ## docs/metrics.md, from the code
	$(BIN)/python docs/metrics_page.py
