# PY=python3.12 make setup takes another Python than the first one found.
SHELL := bash
.DEFAULT_GOAL := help
.PHONY: help setup test check demo tour bench clean

DEMO_RESULTS ?= results/demo
DEMO_QUESTIONS ?= C-T1-Q1,C-T1-Q2,C-T2-Q1
# models.yaml finds the demo models here.
export JUDGE_DEMO_DIR ?= $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/coder-judge/demo

help: ## show this list
	@sed -n 's/^\([a-z]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST) | expand -t 16

setup: ## make .venv with everything in it; quick when nothing has changed
	@scripts/setup.sh

test: setup ## setup, then every check: what CI runs
	@scripts/check.sh

check: ## every check without setup: format, lint, types, imports, tests
	@scripts/check.sh

demo: setup ## serve, time, judge and decide with a tiny real model: no download, no GPU
	.venv/bin/python -m runner.moe "$(JUDGE_DEMO_DIR)"
	.venv/bin/judge --results "$(DEMO_RESULTS)" run --candidate demo_moe --configs baseline,moe2 --judge demo_judge \
		--questions $(DEMO_QUESTIONS) --samples 1

tour: setup ## take the pictures of docs/tour from the results of make demo, in a real browser
	.venv/bin/python tests/tour.py "$(DEMO_RESULTS)" docs/tour

bench: setup ## measure the speed of this program itself
	@for line in scoring.py "scoring.py --sizes 1000,20000" web.py checks.py sandbox.py gguf_header.py; do \
		echo "== $$line"; .venv/bin/python benchmarks/$$line || exit; done

clean: ## remove .venv and caches; results and built wheels stay
	rm -rf .venv dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find judge runner tests benchmarks -name __pycache__ -prune -exec rm -rf {} + 2>/dev/null || true
