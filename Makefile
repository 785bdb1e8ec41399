# make        what can be done
# make run    a broker on 127.0.0.1:5672, its page on http://127.0.0.1:15672
# make test   all tests

VENV ?= .venv
BIN = $(VENV)/bin
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)

# Whatever has a .pxd or .pyx beside it is compiled, and has to be again when it changes.
HOT = $(shell find amqpd -name '*.p[xy][dx]')
BUILT_FROM = pyproject.toml setup.py $(HOT) $(wildcard $(patsubst %.pxd,%.py,$(filter %.pxd,$(HOT))))
WHAT_IT_RUNS = $(BIN)/amqpd --version | sed 's/(pure.*/runs uncompiled, and all the slower: install gcc, then make clean/'

.DEFAULT_GOAL := help

.PHONY: help
help:  ## this list
	@sed -n 's/^\([a-z-]*\):.*  ## /\1\t/p' $(MAKEFILE_LIST) | awk -F'\t' '{ printf "  make %-12s %s\n", $$1, $$2 }'

.PHONY: run
run: $(VENV)/.installed  ## install into .venv and run the broker; ARGS="-p 5673 --memory" are its options
	@exec $(BIN)/amqpd $(ARGS)

.PHONY: install
install: $(VENV)/.installed  ## make .venv and install amqpd there

# A file's tests stay together: some share a broker, or a browser.
TOGETHER = -q -n 2 --dist loadfile

.PHONY: test
test: $(VENV)/.test browser  ## all tests; ARGS="-k name" are pytest's options
	$(BIN)/python -m pytest $(TOGETHER) $(ARGS)

# These look at code that is never compiled, or at clients as the scenarios do, so that once is enough.
INTERPRETED = auth cli clients config definitions management packaging page perf process test_compiled.py

.PHONY: test-pure
test-pure: $(VENV)/.test  ## tests of what is compiled, with nothing compiled
	AMQPD_PURE=1 $(BIN)/python -m pytest $(TOGETHER) $(INTERPRETED:%=--ignore=tests/%) $(ARGS)

.PHONY: test-fast
test-fast: $(VENV)/.test  ## tests that start no broker process
	$(BIN)/python -m pytest tests --ignore=tests/scenarios --ignore=tests/clients --ignore=tests/crash --ignore=tests/page $(ARGS)

.PHONY: conformance
conformance: $(VENV)/.test  ## the scenarios against another broker: BROKER=amqp://guest:guest@host:5672/
	$(BIN)/python -m pytest tests/scenarios tests/clients --broker=$(BROKER) $(ARGS)

ROUNDS ?= 100
.PHONY: crash
crash: $(VENV)/.test  ## kill -9 the broker at random moments, ROUNDS times
	AMQPD_CRASH_ROUNDS=$(ROUNDS) $(BIN)/python -m pytest tests/crash --timeout=0 $(ARGS)

.PHONY: lint
lint: $(VENV)/.lint  ## formatting, ruff, mypy --strict, import directions
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy amqpd
	$(BIN)/python -m pytest -q tests/test_layers.py

.PHONY: format
format: $(VENV)/.lint  ## format the sources
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix-only .

.PHONY: bench
bench: $(VENV)/.installed  ## measure it, beside RabbitMQ where that is installed; ARGS=--quick to see that it works
	$(BIN)/python perf/bench.py $(ARGS)

.PHONY: dist
dist: $(BIN)/python  ## a wheel, in the folder dist
	$(BIN)/python -m pip wheel -q --disable-pip-version-check --no-deps -w dist .

.PHONY: bench-micro
bench-micro: $(VENV)/.installed  ## nanoseconds in reader, route, dispatch and commit
	$(BIN)/python perf/micro/run.py $(ARGS)

COMMIT ?= HEAD
.PHONY: bench-commit
bench-commit: $(VENV)/.test  ## measure it beside an earlier COMMIT, too
	$(BIN)/python perf/compare.py --commit $(COMMIT) $(ARGS)

.PHONY: clean
clean:  ## remove what was built, not what was stored
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find amqpd -name '*.so' -delete
	find . -name __pycache__ -prune -exec rm -rf {} +

# Debian keeps venv in a package of its own: root gets it installed, others are told.
$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "amqpd needs Python 3.11 or later"; exit 69; }
	@$(PYTHON) -m venv $(VENV) >/dev/null 2>&1 || { \
		rm -rf $(VENV); \
		package=python3-venv; \
		if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
			echo "installing $$package"; \
			{ apt-get update -qq && apt-get install -qq -y $$package; } >/dev/null; \
		else \
			echo "Python's venv module is missing: install it (on Debian: apt install $$package)"; exit 69; \
		fi; \
		$(PYTHON) -m venv $(VENV); }

$(VENV)/.installed: $(BIN)/python $(BUILT_FROM)
	$(BIN)/python -m pip install -q --disable-pip-version-check -e .
	@$(WHAT_IT_RUNS)
	@touch $@

# The tests of the page want a browser: root gets Debian's, others may have one, or those tests are skipped.
.PHONY: browser
browser:
	@for name in chromium chromium-browser google-chrome; do command -v $$name >/dev/null && exit; done; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		echo "installing chromium"; \
		{ apt-get update -qq && apt-get install -qq -y --no-install-recommends chromium fonts-dejavu-core; } >/dev/null; \
	else false; fi || echo "no Chromium: the tests of the page are skipped"

$(VENV)/.test: $(BIN)/python $(BUILT_FROM)
	$(BIN)/python -m pip install -q --disable-pip-version-check -e '.[test,lint]'
	@$(WHAT_IT_RUNS)
	@touch $@ $(VENV)/.installed $(VENV)/.lint

$(VENV)/.lint: $(VENV)/.test
	@touch $@
