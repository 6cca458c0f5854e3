#!/usr/bin/env bash
# Sets everything up and runs the tests, lint, formatting, types and import contracts; options go to pytest.
set -euo pipefail
cd "$(dirname "$0")/.."
bash scripts/setup.sh
exec .venv/bin/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder "$@"
