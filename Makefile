# Needs Python 3.11 or newer; everything else is fetched or built. `make help` lists the targets.

PYTHON ?= python3
LAB ?= default
ARGS ?=

PYTHON_VERSION := $(shell $(PYTHON) -c 'import sys; print("%d.%d" % sys.version_info[:2] if sys.version_info >= (3, 11) else "")' 2>/dev/null)
ifeq ($(PYTHON_VERSION),)
$(error enbuild.eks needs Python 3.11 or newer, and $(PYTHON) is older or missing; name another one: make $(MAKECMDGOALS) PYTHON=/path/to/python3)
endif

VENV := .venv/$(PYTHON_VERSION)
BIN := $(CURDIR)/$(VENV)/bin
RUN_LAB := '$(BIN)/python' -m ansible_collections.enbuild.eks.tests.lab
LAB_NAME = --name '$(LAB)'

# The lab, Ansible and the tests find the environment's programs before the machine's.
export PATH := $(BIN):$(PATH)
export LAB

.DEFAULT_GOAL := help
.PHONY: help demo test build test-boundaries test-eksctl lint test-aws test-ee bench-site bench-modules bench-fleet bench-workloads docs docs-site permissions release test-matrix screenshots lock lab-up lab-down lab-status lab-env venv venv-test venv-docs clean

help:
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-15s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))
	@echo "  make bench-…         What site, modules, fleet and workloads cost (minutes)"
	@echo "  PYTHON=python3.12    The interpreter (default: python3), its environment apart"
	@echo "  LAB=name             Another lab beside the default one"
	@echo "  ARGS='-k trust'      What make test and make lint pass on to pytest"

demo: lab-up ## The guide's job on the lab, twice, and what then holds
	@'$(BIN)/python' -m ansible_collections.enbuild.eks.tests.demo $(LAB_NAME)

test: venv-test ## Every check there is
	@$(RUN_LAB) build
	@'$(BIN)/python' -m pytest --verbose --numprocesses=3 --no-loadscope-reorder $(ARGS)

lint: venv-test ## The checks that need no lab and take seconds
	@'$(BIN)/python' -m pytest tests/checks -m 'not background' $(ARGS)

test-boundaries: venv-test ## Playbooks interrupted at each of their tasks (an hour)
	@$(RUN_LAB) build
	@'$(BIN)/python' -m pytest --verbose -m boundaries $(ARGS)

test-eksctl: venv-test ## The real eksctl on the lab (20 minutes once, to build it)
	@$(RUN_LAB) build
	@$(RUN_LAB) eksctl
	@'$(BIN)/python' -m pytest --verbose -m eksctl $(ARGS)

test-aws: venv-test ## The integration targets on a cluster: EKS_CLUSTER_NAME=…
	@ENBUILD_TEST_AWS_CLUSTER='$(or $(EKS_CLUSTER_NAME),$(error say which cluster: make test-aws EKS_CLUSTER_NAME=name))' \
		'$(BIN)/python' -m pytest tests/integration/test_targets.py $(ARGS)

test-ee: venv-test ## The image for AWX, built by podman, and a job in it
	@ENBUILD_TEST_EE=1 '$(BIN)/python' -m pytest tests/integration/test_execution_environment.py $(ARGS)

# What making sure costs, beside the guide's commands typed again (5 minutes)
bench-site: venv-test
	@'$(BIN)/python' -m ansible_collections.enbuild.eks.tests.bench.site $(ARGS)

# What the modules cost, beside what one would do instead (20 minutes)
bench-modules: venv-test
	@'$(BIN)/python' -m ansible_collections.enbuild.eks.tests.bench.modules $(ARGS)

# What 50 clusters cost, beside one of them (10 minutes); ARGS=--throttled: where EKS throttles them (12 minutes)
bench-fleet: venv-test
	@'$(BIN)/python' -m ansible_collections.enbuild.eks.tests.bench.fleet $(ARGS)

# What a look at 2,000 pods costs; ARGS='--pods 10000 --workloads 2000 --associations 5000' takes 20 minutes more
bench-workloads: venv-test
	@'$(BIN)/python' -m ansible_collections.enbuild.eks.tests.bench.workloads $(ARGS)

docs: venv-test ## The documentation's generated parts
	@'$(BIN)/python' -m ansible_collections.enbuild.eks.tests.tools.role_readmes

docs-site: venv-docs ## The site, into tests/output/site/html
	@'$(BIN)/python' -m ansible_collections.enbuild.eks.tests.tools.docs_site

permissions: venv-test ## IAM policies and RBAC anew, from what playbooks call
	@'$(BIN)/python' -m ansible_collections.enbuild.eks.tests.integration.operators

release: venv-test ## Build the tarball, check it, and try it as a user would
	@$(RUN_LAB) build
	@'$(BIN)/python' -m ansible_collections.enbuild.eks.tests.tools.release

test-matrix: venv-test ## Playbooks with each supported version (ARGS=core-2.20)
	@$(RUN_LAB) build
	@'$(BIN)/python' -m ansible_collections.enbuild.eks.tests.tools.matrix $(ARGS)

screenshots: venv-test ## The documentation's pictures anew; needs Chromium
	@'$(BIN)/python' -m ansible_collections.enbuild.eks.tests.tools.report_screenshots

build: venv-test ## Build a release's tarball from what is committed
	@'$(BIN)/python' -m ansible_collections.enbuild.eks.tests.tools.artifact .

lock: venv-test ## Pin anew what tests/requirements pull in
	@'$(BIN)/uv' pip compile --universal --python-version 3.11 --quiet --no-annotate --upgrade --generate-hashes \
		--custom-compile-command 'make lock' tests/requirements/docs.txt --output-file tests/requirements/constraints.txt

lab-up: venv ## Start the lab, after building what is missing
	@$(RUN_LAB) up $(LAB_NAME)

lab-down: venv ## Stop the lab
	@$(RUN_LAB) down $(LAB_NAME)

lab-status: venv ## Whether the lab runs, and where
	@$(RUN_LAB) status $(LAB_NAME)

lab-env: venv ## eval "$(make -s lab-env)" gives a shell on the lab
	@$(RUN_LAB) env $(LAB_NAME)

venv:
	@$(PYTHON) tests/tools/venv.py $(VENV) runtime

venv-test:
	@$(PYTHON) tests/tools/venv.py $(VENV) test

venv-docs:
	@$(PYTHON) tests/tools/venv.py $(VENV) docs

clean: ## Remove environments, and what tools left behind
	@rm -rf .venv .ansible .hypothesis .mypy_cache .pytest_cache .ruff_cache tests/output
