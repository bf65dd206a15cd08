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
# What fails beside other tests is run once more, alone: some tests wait for processes of their own, and the machine is shared. A test
# that fails alone, and exit code 5 (no tests found), are failures.
tests() {
    local status=0
    "$bin/pytest" "$@" || status=$?
    if [[ $status -eq 1 ]]; then
        printf '\n=== once more, alone: what failed\n'
        status=0
        "$bin/pytest" -m "$2" --last-failed --last-failed-no-failures none || status=$?
    fi
    if [[ $status -ne 0 ]]; then
        printf '\ncheck: FAILED: tests (exit %d)\n' "$status" >&2
        exit "$status"
    fi
}

# Model servers want every core for themselves, so tests with one run one after the other.
printf '\n=== tests on real models\n'
tests -m real
printf '\n=== tests\n'
tests -m "not real" -n auto --dist loadscope --no-loadscope-reorder
printf '\ncheck: all passed\n'
