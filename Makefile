# Everything a person does with this project. Needs make and Python 3.11 or later, nothing else.

VENV   := .venv
PYTHON ?=
BIND   ?= 127.0.0.1:8080
# Tests run in this many processes.
JOBS   ?= 2
# Extra arguments for pytest or the benchmark: make test ARGS="tests/unit -k stix"
ARGS   ?=

PIP := $(VENV)/bin/python -m pip --disable-pip-version-check --quiet
LOCK := uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	--custom-compile-command "make lock"

.PHONY: venv run test lint format lock bench clean

venv: $(VENV)/.installed
	@:

run: venv
	@$(VENV)/bin/hub init --demo
	@exec $(VENV)/bin/hub serve --bind $(BIND)

test: $(VENV)/.installed-dev
	@tests/prepare.sh
	@$(VENV)/bin/python -m pytest -n $(JOBS) --dist worksteal $(ARGS)

lint: $(VENV)/.installed-dev
	@$(VENV)/bin/ruff check .
	@$(VENV)/bin/ruff format --check .
	@$(VENV)/bin/mypy
	@$(VENV)/bin/lint-imports --no-logo

format: $(VENV)/.installed-dev
	@$(VENV)/bin/ruff check --fix .
	@$(VENV)/bin/ruff format .

bench: $(VENV)/.installed-dev
	@$(VENV)/bin/python -m bench $(ARGS)

lock:
	@command -v uv >/dev/null || { echo "make lock needs uv: $(VENV)/bin/pip install uv" >&2; exit 1; }
	@$(LOCK) $(ARGS) --output-file requirements.txt requirements.in
	@$(LOCK) $(ARGS) --constraint requirements.txt --output-file requirements-dev.txt requirements-dev.in

clean:
	@rm -rf $(VENV) build *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The stamps make a second call start at once.
$(VENV)/.installed: requirements.txt pyproject.toml | $(VENV)/bin/python
	@echo "Installing the requirements …"
	@$(PIP) install --require-hashes --requirement requirements.txt
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed requirements-dev.txt
	@echo "Installing the development requirements …"
	@$(PIP) install --require-hashes --requirement requirements-dev.txt
	@touch $@

# The tested versions come first; a Python without venv or ensurepip is passed over.
$(VENV)/bin/python:
	@for python in $(PYTHON) python3.13 python3.12 python3.11 python3; do \
		"$$python" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || continue; \
		echo "Making $(VENV) with $$("$$python" --version) …"; \
		"$$python" -m venv $(VENV) && exit 0; \
		rm -rf $(VENV); exit 1; \
	done; \
	echo "The hub needs Python 3.11 or later with its venv module." >&2; \
	if python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; \
	then echo "This Python lacks venv: on Debian or Ubuntu, apt-get install python3-venv brings it." >&2; \
	else echo "Found: $$(python3 --version 2>/dev/null || echo none). To name one: make PYTHON=/path/to/python3" >&2; \
	fi; \
	exit 1
