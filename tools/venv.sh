#!/bin/sh
# Make .venv with pip inside. Debian keeps venv's pip in a package of its own (python3-venv), which a bare machine lacks:
# as root it is installed, otherwise its name is said.
set -eu
cd "$(dirname "$0")/.."
python=${PYTHON:-python3}

"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
    echo "PodLab needs Python 3.11 or newer; $python is $("$python" -V). Set PYTHON=... to choose another." >&2
    exit 1
}
if ! .venv/bin/python -m pip --version >/dev/null 2>&1; then
    if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
        tools/apt.sh python3-venv
    fi
    "$python" -m venv --clear .venv
fi
