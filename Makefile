# One command per wish: `make run`, `make test`, `make check`, `make bench`.
PYTHON ?= python3
SECONDS ?= 600
VENV ?= .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

# Commands and tests start hundreds of processes: without bytecode each would compile all modules anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: run test coverage fuzz drill check bench images clean lock

run: images ## set everything up and run a sample flow
	$(BIN)/actionbox run samples/post-login/weekday-rule.js samples/post-login/roles_to_claims.py --trigger post-login --event samples/post-login/roles_to_claims.event.json
	@echo "Open the console on your own Actions:  $(BIN)/actionbox dev FOLDER --open"

test: images ## set everything up and run the tests
	$(BIN)/python -m pytest -n $$($(BIN)/python -c "import os; print((os.cpu_count() or 1) + 1)") --dist worksteal

TESTS ?=
coverage: images ## run the tests, or TESTS of them, and show how many statements of each package they ran
	rm -rf build/coverage
	-$(BIN)/coverage run -m pytest -n auto -q $(TESTS)
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage json --quiet
	$(BIN)/python -m tools.coverage_table

fuzz: images ## draw new examples in all generated tests for SECONDS; what fails becomes an @example
	$(BIN)/python -m tests.fuzz --seconds $(SECONDS)

DRILLS := tests/drills tests/packages tests/e2e/test_clients.py tests/hooks/test_firebase_emulator.py tests/shadow/test_edits.py
drill: images ## kill, starve and refuse the service for half an hour (docs/operations.md); all versions of packages
	ACTIONBOX_DRILL=1 $(BIN)/python -m pytest $(DRILLS) -v

check: $(STAMP) ## lint, types, import rules: of the host, of both guests and of the tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/mypy --config-file sandbox/python/guest.mypy.ini
	$(BIN)/lint-imports
	$(BIN)/python -m tools.javascript

ifneq ($(filter bench,$(MAKECMDGOALS)),)
PARTS := $(filter-out bench,$(MAKECMDGOALS))
ifneq ($(PARTS),)
.PHONY: $(PARTS)
$(PARTS): bench
	@:
endif
endif
bench: images ## measure, with peers beside us, into build/bench; `make bench profile latency` does only these parts
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/bench.txt
	$(BIN)/python -m bench $(PARTS)

images: $(STAMP) ## build the guest images once; later runs find them in the cache
	@$(BIN)/actionbox images

$(STAMP): requirements/dev.txt pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $(STAMP)

LOCK := uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header --no-emit-find-links
lock: ## renew the hash-locked requirements (needs uv)
	$(LOCK) pyproject.toml --group dev -o requirements/dev.txt
	$(LOCK) --group pyproject.toml:bench -c requirements/dev.txt -o requirements/bench.txt
	$(LOCK) pyproject.toml --group image -c requirements/dev.txt -o requirements/run.txt

clean:
	rm -rf $(VENV) build dist *.egg-info
