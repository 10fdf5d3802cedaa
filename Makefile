# Two targets for a fresh Debian machine: `make audit` and `make test`. Everything they need is installed into .venv.
VENV := .venv
BIN := $(VENV)/bin
PYTHON ?= python3
OUT ?= audits/embedded

.PHONY: audit test bench clean

audit: $(VENV)/.audit
	$(BIN)/copycost audit --out $(OUT)

test: $(VENV)/.test
	@command -v chromium >/dev/null || { apt-get update -qq && apt-get install -y -qq chromium >/dev/null; }
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -n 2

$(BIN)/python:
	$(PYTHON) -m venv $(VENV) || { apt-get update -qq && apt-get install -y -qq python3-venv && $(PYTHON) -m venv $(VENV); }

# torch and torchvision come from the registry together: builds of one alone may not match the other.
$(VENV)/.audit: $(BIN)/python pyproject.toml constraints.txt
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[audit]'
	@touch $@

$(VENV)/.test: $(BIN)/python pyproject.toml constraints.txt
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[test]'
	@touch $@ $(VENV)/.audit

# apricot is installed without its dependency nose, which no longer installs; it is needed for the comparison alone.
bench: $(VENV)/.test
	$(BIN)/python -m pip install --quiet scikit-image tqdm
	$(BIN)/python -m pip install --quiet --no-deps apricot-select==0.6.1
	$(BIN)/python tools/bench.py

clean:
	rm -rf $(VENV) audits .mypy_cache .ruff_cache .pytest_cache
