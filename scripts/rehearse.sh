#!/usr/bin/env bash
# Sets everything up and rehearses the published experiment A on simulated hardware; options go to 'operando run'.
set -euo pipefail
cd "$(dirname "$0")/.."
bash scripts/setup.sh
exec .venv/bin/operando run experiments/cus_26mpa.toml "$@"
