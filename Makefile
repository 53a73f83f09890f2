# Everything a newcomer runs. Each target sets up what it needs first.

.DEFAULT_GOAL := help
.PHONY: help setup start test check format lock prove soak cluster containers pods year bench clean

help: ## Show this list
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1|\2/p' Makefile | column -t -s '|' 2>/dev/null \
		|| sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1  \2/p' Makefile

setup: ## Make the locked environment in .venv/, with the command .venv/bin/etappe
	@scripts/setup

start: setup ## Run all of Etappe and show the addresses; Ctrl-C ends it. Options: make start OPTIONS="--web-port 8401"
	@exec .venv/bin/etappe start $(OPTIONS)

test: setup ## Run every test, the browser's story included. Some of them: make test OPTIONS="tests/unit -k quorum"
	@scripts/chromium
	@exec .venv/bin/python -m tests $(OPTIONS)

check: setup ## Everything but the slow tests: ruff, mypy, the layers, the unit tests
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy .
	.venv/bin/lint-imports
	.venv/bin/python -m pytest -q tests/unit

format: setup ## Bring the code into shape
	.venv/bin/ruff check --fix .
	.venv/bin/ruff format .

LOCK = .venv/bin/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-emit-find-links --python-version 3.11

lock: setup ## Renew both requirements.lock from pyproject.toml
	$(LOCK) --group dev --output-file requirements.lock pyproject.toml
	$(LOCK) --extra redis --constraint requirements.lock --output-file deploy/requirements.lock pyproject.toml

prove: setup ## Walk longer through everything that may happen: WALKS=1000 make prove
	.venv/bin/python -m pytest tests/model --walks $${WALKS:-1000}

soak: setup ## Have the warm worker run 2,000 flow runs, and see that nothing grows: RUNS=2000 make soak
	RUNS=$${RUNS:-2000} .venv/bin/python -m pytest -s tests/flows/test_warm_worker.py -k many_runs

cluster: setup ## Run two of each as deploy/compose.yaml does, with Redis, and kill one of each; in some 7 minutes
	@scripts/cluster
	.venv/bin/python -m pytest -s tests/cluster

containers: setup ## Run deploy/compose.yaml with Docker, and kill one of each; needs root, and ports 8400 and 4200
	@scripts/containers
	.venv/bin/python -m pytest -s tests/cluster --containers

pods: setup ## Apply deploy/kubernetes.yaml, and kill one of each; needs root, on the only node of the cluster
	@scripts/pods
	.venv/bin/python -m pytest -s tests/cluster --pods

year: setup ## Play a company of 200 people through a year, judge it, and say how many mails people got
	.venv/bin/python benchmarks/year.py

bench: setup ## Measure, in some 20 minutes. Some of it, in full, into docs/measured: OPTIONS="--full --write bars starts"
	@exec .venv/bin/python -m benchmarks $(OPTIONS)

clean: ## Remove what can be made again; the data in var/ stays
	rm -rf .venv .pytest_cache .ruff_cache .mypy_cache .import_linter_cache .hypothesis test-results
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
