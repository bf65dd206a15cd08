#!/usr/bin/env bash
# Runs every check, for people and for CI alike, and stops at the first one that fails. VENV names another environment.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

bin=${VENV:-.venv}/bin
if [[ ! -x $bin/pytest ]]; then
    printf 'check: error: there is no %s/pytest: run make setup first\n' "$bin" >&2
    exit 1
fi

step() {
    local name=$1 status=0
    shift
    printf '\n=== %s\n' "$name"
    "$bin/$1" "${@:2}" || status=$?
    if [[ $status -ne 0 ]]; then
        printf '\ncheck: FAILED: %s (exit %d)\n' "$name" "$status" >&2
        exit "$status"
    fi
}

step format ruff format --check .
step lint ruff check .
step types mypy
step imports lint-imports
# Exit code 5, no tests found, is a failure like any other. Model servers want every core for themselves, so those tests run alone.
step "tests on real models" pytest -m real
step tests pytest -m "not real" -n auto --dist loadscope
printf '\ncheck: all passed\n'
