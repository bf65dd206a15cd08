#!/usr/bin/env bash
# Benchmark every ready model of models.yaml in the configs of its architecture; options are those of judge run-all.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
judge=$here/.venv/bin/judge
[[ -x $judge ]] || judge=judge
exec "$judge" run-all "$@"
