# `make` lists the targets. Each creates what it needs, from nothing but Python 3.11 and make.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PYTEST_WORKERS ?= 2
PIP_INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

.PHONY: help
help: ## list the targets
	@echo "make <target>"
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: demo
demo: $(VENV)/.installed-demo ## a recorded crowd through the engine, from nothing; needs no service
	$(BIN)/crowdroute demo

.PHONY: cluster-demo
cluster-demo: $(VENV)/.installed-cluster-demo ## Kafka -> a crowd at two actors on Ray -> Kafka, one killed meanwhile; from nothing
	@$(PYTHON) deploy/local/services.py run $(BIN)/crowdroute cluster demo $(if $(TASKS),--tasks $(TASKS))

.PHONY: test
test: $(VENV)/.installed-dev lint ## linters, type checks and tests, from nothing; needs no service
	@# Compiled once before the workers start: a test's server must answer in time on a machine that never ran it.
	@# In short chunks: in long ones a worker is left alone with slow neighbours while the other has nothing to do.
	$(BIN)/python -m crowdroute.router.runtime.warming
	$(BIN)/python -m pytest -q -n $(PYTEST_WORKERS) --maxschedchunk 16 -m "not cluster" --ignore=tests/faults

.PHONY: faults
faults: $(VENV)/.installed-dev ## real engines killed, frozen and starved of disk under load (CROWDROUTE_KILLS=20: all of it)
	$(BIN)/python -m pytest -q -m "not cluster" tests/faults

.PHONY: soak
soak: $(VENV)/.installed-$(if $(CLUSTER),cluster,dev) ## the nemesis for MINUTES=…, in rounds of every fault; CLUSTER=1: against Ray, Kafka and Redis; SEED=… repeats one
	@test -n "$(MINUTES)" || { echo "say how long: make soak MINUTES=30" >&2; exit 2; }
	PYTHONPATH=deploy/local $(BIN)/python -m tests.faults.nemesis.soak $(if $(CLUSTER),--cluster) --minutes $(MINUTES) --seed $(or $(SEED),1)

.PHONY: services-up
services-up: ## Apache Kafka and Redis on this machine (BROKERS=3: three brokers); see docs/cluster.md
	@$(PYTHON) deploy/local/services.py up

.PHONY: services-down
services-down: ## stop them; their data stays
	@$(PYTHON) deploy/local/services.py down

.PHONY: services-status
services-status: ## which of them run, where, and whether they answer
	@$(PYTHON) deploy/local/services.py status

.PHONY: cluster-test
cluster-test: $(VENV)/.installed-cluster ## the tests that need the real services; they start their own
	$(BIN)/python -m pytest -q -n $(PYTEST_WORKERS) --dist loadfile -m cluster tests

.PHONY: lint
lint: $(VENV)/.installed-dev ## ruff, mypy and the import contracts
	$(BIN)/ruff check --quiet .
	$(BIN)/ruff format --check --quiet .
	$(BIN)/mypy
	$(BIN)/lint-imports

.PHONY: fmt
fmt: $(VENV)/.installed-dev ## rewrite the sources as ruff formats them
	$(BIN)/ruff check --fix --quiet .
	$(BIN)/ruff format --quiet .

.PHONY: proto
proto: $(VENV)/.installed-dev ## regenerate the stubs beside proto/crowdroute/*/v1/*.proto
	$(BIN)/python -m grpc_tools.protoc -Iproto --python_out=proto --pyi_out=proto --grpc_python_out=proto \
		$(sort $(wildcard proto/crowdroute/*/v1/*.proto))

.PHONY: docs
docs: $(VENV)/.installed-dev ## regenerate the references in docs/: of the API, and of rules documents
	$(BIN)/python docs/build_api.py
	$(BIN)/python -m crowdroute.router.rules.schema > docs/rules.schema.json.new
	mv docs/rules.schema.json.new docs/rules.schema.json
	$(BIN)/python -m crowdroute.router.rules.reference > docs/rules.md.new
	mv docs/rules.md.new docs/rules.md

.PHONY: bench
bench: $(VENV)/.installed-dev ## every benchmark beside its reference, one after the other
	@for bench in $(sort $(wildcard benchmarks/bench_*.py)); do \
		echo "== $$bench"; $(BIN)/python $$bench || exit 1; \
	done

.PHONY: clean
clean: ## remove the virtual environment and all caches
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis

# A stamp is made last, so an interrupted installation is repeated, and a finished one is not.
$(VENV)/.installed-demo: $(VENV)/.created pyproject.toml constraints.txt
	@echo "installing crowdroute[demo] into $(VENV) ..."
	@$(PIP_INSTALL) -e ".[demo]"
	@touch $@

$(VENV)/.installed-cluster-demo: $(VENV)/.created pyproject.toml constraints.txt
	@echo "installing crowdroute[demo,cluster] into $(VENV) ..."
	@$(PIP_INSTALL) -e ".[demo,cluster]"
	@touch $@ $(VENV)/.installed-demo

$(VENV)/.installed-dev: $(VENV)/.created pyproject.toml constraints.txt
	@echo "installing crowdroute[demo,models,dev,tracing] into $(VENV) ..."
	@$(PIP_INSTALL) -e ".[demo,models,dev,tracing]"
	@touch $@ $(VENV)/.installed-demo

$(VENV)/.installed-cluster: $(VENV)/.created pyproject.toml constraints.txt
	@echo "installing crowdroute[demo,models,dev,cluster,tracing] into $(VENV) ..."
	@$(PIP_INSTALL) -e ".[demo,models,dev,cluster,tracing]"
	@touch $@ $(VENV)/.installed-dev $(VENV)/.installed-demo $(VENV)/.installed-cluster-demo

$(VENV)/.created:
	@command -v $(PYTHON) >/dev/null || { \
		echo "crowdroute needs Python 3.11 or newer, and there is no '$(PYTHON)' here." >&2; \
		echo "Install it (Debian: apt-get install python3 python3-venv) or name one: make PYTHON=/path/to/python3" >&2; \
		exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "crowdroute needs Python 3.11 or newer; '$(PYTHON)' is $$($(PYTHON) --version 2>&1)." >&2; \
		echo "Name a newer one: make PYTHON=/path/to/python3.11" >&2; \
		exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
		echo "'$(PYTHON)' cannot make virtual environments: Debian and Ubuntu ship that part separately." >&2; \
		echo "Install it: apt-get install python3-venv" >&2; \
		exit 1; }
	@rm -rf $(VENV)
	@$(PYTHON) -m venv $(VENV)
	@touch $@
