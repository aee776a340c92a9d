# flexedge: what a newcomer types. `make run` and `make test` need Python (3.11 to 3.13) and make.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
DAYS ?= 2
EXAMPLES ?= 20

.PHONY: help run test check bench format lock browser mosquitto schemathesis examples postgres disk torture torture-slice hil interop demo-days pictures clean
help:
	@echo "make run     a simulated site and the gateway, with a page to look at"
	@echo "make test    all tests that need nothing but Python"
	@echo "make check   style, types, floors"
	@echo "make bench   speed, as ratios"
	@echo "make format  bring the code into shape"
	@echo "make lock    pin the versions of all dependencies anew"
	@echo "make demo-days  two simulated days, held against what they must come to"
	@echo "make interop    a site linked with a real FlexMeasures server (brings it; minutes)"
	@echo "make torture   power cuts, kills, failing calls and rot for hours (root, gcc); torture-slice: minutes"
	@echo "make pictures   the pictures in docs/, from a running demo (needs Chromium)"
	@echo "make browser | mosquitto | schemathesis | examples | postgres | disk | hil   further tests; see CONTRIBUTING.md for what they need"

$(STAMP): pyproject.toml requirements.lock packaging/make-venv
	@sh packaging/make-venv "$(PYTHON)" "$(VENV)"
	@touch $(STAMP)

run: $(STAMP)
	@$(BIN)/flexedge demo $(ARGS)

test: $(STAMP)
	@$(BIN)/python -m pytest -n auto --dist loadfile -m "not browser and not mosquitto and not postgres and not disk and not torture and not schemathesis" $(ARGS)

check: $(STAMP)
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo 2>/dev/null || $(BIN)/lint-imports

bench: $(STAMP)
	@$(BIN)/python -m bench $(ARGS)

browser: $(STAMP)
	@$(BIN)/python -m pytest -m browser tests hil $(ARGS)

mosquitto: $(STAMP)
	@$(BIN)/python -m pytest -m mosquitto tests $(ARGS)

examples: $(STAMP)
	@$(BIN)/python -m tests.api.examples $(ARGS)

schemathesis: $(STAMP)
	@FLEXEDGE_EXAMPLES=$(EXAMPLES) $(BIN)/python -m pytest -m schemathesis tests $(ARGS)

postgres: $(STAMP)
	@$(BIN)/python -m pytest -m postgres tests $(ARGS)

disk: $(STAMP)
	@$(BIN)/python -m pytest -m disk tests $(ARGS)

torture-slice: $(STAMP)
	@$(BIN)/python -m pytest -m torture tests $(ARGS)

torture: $(STAMP)
	@$(BIN)/python -m tests.torture $(ARGS)

hil: $(STAMP)
	@$(BIN)/python -m pytest -m "not browser and not systemd and not interop" hil $(ARGS)

interop: $(STAMP)
	@$(BIN)/python -m pytest -m interop hil $(ARGS)

demo-days: $(STAMP)
	@mkdir -p var
	@$(BIN)/flexedge demo --days $(DAYS) --speed 600 --json --folder var/demo-days >var/demo-days.json
	@$(BIN)/python -m hil.result var/demo-days.json

pictures: $(STAMP)
	@FLEXEDGE_SCREENSHOTS=docs/pictures $(BIN)/python -m pytest -m browser hil $(ARGS)
	@FLEXEDGE_SCREENSHOTS=docs/pictures $(BIN)/python -m pytest -m browser tests/web/test_linked_page.py -k desk

format: $(STAMP)
	@$(BIN)/ruff check --fix-only --quiet .
	@$(BIN)/ruff format .

lock: $(STAMP)
	@$(BIN)/uv pip compile pyproject.toml --universal --python-version 3.11 --extra demo --extra dev \
	  --generate-hashes --no-emit-index-url --no-header --no-annotate --quiet --upgrade \
	  --output-file requirements.lock

clean:
	rm -rf $(VENV) var build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
