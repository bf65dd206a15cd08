# PY=python3.12 make setup takes another Python than the first one found.
SHELL := bash
.DEFAULT_GOAL := help
.PHONY: help setup test check demo bench clean

DEMO_DIR ?= results/demo
DEMO_QUESTIONS ?= C-T1-Q1,C-T1-Q2,C-T2-Q1
# models.yaml finds the demo models here.
export CODER_JUDGE_DEMO_MODELS ?= $(DEMO_DIR)/models

help: ## show this list
	@sed -n 's/^\([a-z]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST) | expand -t 16

setup: ## make .venv with everything in it; quick when nothing has changed
	@scripts/setup.sh

test: setup ## setup, then every check: what CI runs
	@scripts/check.sh

check: ## every check without setup: format, lint, types, imports, tests
	@scripts/check.sh

demo: setup ## serve, time, judge and decide with a tiny real model: no download, no GPU
	.venv/bin/python -m runner.moe "$(CODER_JUDGE_DEMO_MODELS)"
	.venv/bin/judge run --candidate demo_moe --configs baseline,moe2 --judge demo_judge \
		--questions $(DEMO_QUESTIONS) --samples 1 --output "$(DEMO_DIR)"

bench: setup ## measure the speed of this program itself
	@for file in benchmarks/*.py; do echo "== $$file"; .venv/bin/python "$$file" || exit; done

clean: ## remove .venv and caches; results and built wheels stay
	rm -rf .venv dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find judge runner tests benchmarks -name __pycache__ -prune -exec rm -rf {} + 2>/dev/null || true
