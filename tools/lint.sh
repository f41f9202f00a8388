#!/bin/sh
# Every check that reads the code without running it. All of them run; the first failure does not hide the others.
set -u
cd "$(dirname "$0")/.."
bin=.venv/bin
failed=""
check() {
    name=$1; shift
    if ! "$@"; then failed="$failed $name"; fi
}
check ruff $bin/ruff check .
check mypy $bin/mypy
check layers $bin/lint-imports
check pins $bin/python tools/check_pins.py
if [ -n "$failed" ]; then
    echo "lint failed:$failed" >&2
    exit 1
fi
