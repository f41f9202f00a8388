#!/bin/sh
# Everything: lint, then all tests but the browser's, then the browser's. All parts run; a failed one does not hide the next.
set -u
unset PYTHONDONTWRITEBYTECODE  # pytest rewrites every test file at every run where it may not keep what it made
cd "$(dirname "$0")/.."
failed=""
part() {
    name=$1; shift
    echo "== $name"
    if ! "$@"; then failed="$failed $name"; fi
}
part lint tools/lint.sh
part tests .venv/bin/python -m pytest -q -n 2 --dist loadfile -m "not browser" # a file in one process: what takes long to make is made once for its tests
tools/browser.sh --install >/dev/null || echo "No browser: the browser tests cannot run." >&2
# A test of real pages in real time has one more try, and is named with it (-rR): see docs/decisions/libraries.md.
part browser .venv/bin/python -m pytest -q -n 2 --reruns 1 -rRfE -m browser tests/browser --ignore=tests/browser/test_course_walk.py
part course .venv/bin/python -m pytest -q -n 2 --reruns 1 -rRfE -m browser tests/browser/test_course_walk.py # it mostly waits for clocks
if [ -n "$failed" ]; then
    echo "FAILED:$failed" >&2
    exit 1
fi
echo "All passed."
