#!/usr/bin/env bash
# Makes .venv with everything operando needs. Installs what Debian 12 or Ubuntu lacks if it may, otherwise says how.
set -euo pipefail
cd "$(dirname "$0")/.."

find_python() {
    for candidate in python3.12 python3.13 python3.11 python3; do
        if command -v "$candidate" >/dev/null &&
            "$candidate" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))' 2>/dev/null; then
            echo "$candidate"
            return
        fi
    done
    echo "operando needs Python 3.11, 3.12 or 3.13; none was found. Install one, for example: apt-get install python3" >&2
    exit 1
}

missing_packages() {
    local python=$1
    "$python" -c 'import ensurepip, venv' 2>/dev/null || echo "$(basename "$python")-venv"
    # Qt's libraries, for the monitor window and its pictures without a display
    for pair in libEGL.so.1:libegl1 libGL.so.1:libgl1 libxkbcommon.so.0:libxkbcommon0 libdbus-1.so.3:libdbus-1-3 \
        libfontconfig.so.1:libfontconfig1; do
        ldconfig -p | grep -q "${pair%%:*}" || echo "${pair##*:}"
    done
    ldconfig -p | grep -q libglib-2.0.so.0 || { apt-cache show libglib2.0-0t64 >/dev/null 2>&1 && echo libglib2.0-0t64 || echo libglib2.0-0; }
    [ -d /usr/share/fonts/truetype/dejavu ] || echo fonts-dejavu-core
}

python=$(find_python)
missing=$(PATH="$PATH:/sbin:/usr/sbin" missing_packages "$python")
if [ -n "$missing" ]; then
    install="apt-get install -y --no-install-recommends $(echo $missing)"
    if ! command -v apt-get >/dev/null; then
        echo "Please install the equivalent of these Debian packages: $(echo $missing)" >&2
        exit 1
    elif [ "$(id -u)" = 0 ]; then
        apt-get update -qq && DEBIAN_FRONTEND=noninteractive $install >/dev/null
    elif command -v sudo >/dev/null; then
        echo "Some system packages are missing; sudo will ask for your password to install: $(echo $missing)"
        sudo apt-get update -qq && sudo $install >/dev/null
    else
        echo "Some system packages are missing. As root: apt-get update && $install" >&2
        exit 1
    fi
fi

[ -x .venv/bin/python ] || "$python" -m venv .venv
stamp=.venv/.installed
if [ ! -e "$stamp" ] || [ pyproject.toml -nt "$stamp" ]; then
    echo "Installing operando and its libraries into .venv (a few minutes the first time) ..."
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --upgrade "pip>=25.1"
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --editable . --group dev
    echo "Compiling the kernels of the analysis and of the simulated beamline (a minute) ..."
    .venv/bin/python -m live_analysis.warm_up & # beside the others: two processors are twice as fast
    warm_up=$!
    .venv/bin/python -m live_analysis.segmentation.warm_up
    .venv/bin/python -m simulators.warm_up
    wait "$warm_up"
    touch "$stamp"
fi
