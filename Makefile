# Everything a person types here; each set-up step leaves a stamp and is done again only when its inputs change.
PY := .venv/bin/python
PORT ?= 8000
HOST ?= 127.0.0.1

RUNTIME := .venv/runtime.stamp
DEV := .venv/dev.stamp
NODE := node_modules/.stamp
BUILD := static/build/.stamp
PIP := $(PY) -m pip install --quiet --disable-pip-version-check

# Engine and units; what has a database (tests/api, tests/classroom, half of tests/labs), and whatever is slow, is left to make test.
FAST := tests/kubernetes tests/projection tests/lessons tests/labs $(wildcard tests/test_*.py)
unexport PYTHONDONTWRITEBYTECODE # pytest rewrites every test file at every run where it may not keep what it made

.PHONY: help setup run build test test-fast test-browser lint bench bench-class fidelity lock clean

help:
	@echo "make run        set up if needed and serve on http://127.0.0.1:$(PORT)"
	@echo "make setup      the set-up alone (.venv, node_modules, static/build)"
	@echo "make test       lint and every test, the browser ones included"
	@echo "make test-fast  engine and unit tests, under 10 s"
	@echo "make lint       ruff, mypy, layers, lock files"
	@echo "make bench      the figures, each with its seed"
	@echo "make bench-class  a class of 200 and its teacher's page, one process"
	@echo "make fidelity   docs/fidelity.md anew from podlab/projection/fidelity.yaml"
	@echo "make lock       compile requirements*.in and package-lock.json anew"

setup: $(RUNTIME) $(DEV) $(BUILD)

$(RUNTIME): requirements.txt tools/venv.sh
	tools/venv.sh
	$(PIP) -r requirements.txt
	@touch $@

$(DEV): $(RUNTIME) requirements-dev.txt
	$(PIP) -r requirements-dev.txt
	@touch $@

$(NODE): package.json package-lock.json .npmrc $(RUNTIME)
	tools/node.sh npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@

$(BUILD): $(NODE) static/build.mjs $(shell find static/src -type f 2>/dev/null)
	tools/node.sh node static/build.mjs
	@touch $@

build: $(BUILD)

run: $(RUNTIME) $(BUILD)
	@$(PY) manage.py serve --migrate --load-lessons --host $(HOST) --port $(PORT)

test: setup
	@tools/test.sh

test-fast: $(DEV)
	@tools/test_fast.sh $(FAST)

test-browser: setup
	@PODLAB_BROWSER=$$(tools/browser.sh --install) $(PY) -m pytest -q -m browser tests/browser

lint: $(DEV) $(NODE)
	@tools/lint.sh

bench: $(DEV) $(BUILD)
	@$(PY) manage.py bench

bench-class: $(DEV) $(BUILD)
	@PODLAB_BROWSER=$$(tools/browser.sh --install) $(PY) manage.py bench_class

fidelity: $(RUNTIME)
	@$(PY) tools/fidelity.py

lock: $(RUNTIME)
	$(PY) tools/lock.py
	tools/node.sh npm install --package-lock-only --ignore-scripts --no-audit --no-fund

clean:
	rm -rf .venv node_modules static/build staticfiles
