#!/usr/bin/env bash
# Benchmark one model: run_coder_rubric.sh MODEL.gguf NAME ARCH [options of judge run]
# ARCH is dense (baseline) or an architecture with experts such as qwen3moe (baseline and moe4).
set -euo pipefail
if [[ $# -lt 3 ]]; then
    printf 'usage: %s MODEL.gguf NAME ARCH [options of judge run]\n' "$0" >&2
    exit 2
fi
here=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
judge=$here/.venv/bin/judge
[[ -x $judge ]] || judge=judge
exec "$judge" run --model "$1" --name "$2" --arch "$3" "${@:4}"
