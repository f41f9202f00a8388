#!/bin/sh
# Engine and units, nothing with a database: two plain pytests beside each other, each with half of the files. Unlike -n 2, which has each worker collect all.
# Arguments: folders and files.
set -u
unset PYTHONDONTWRITEBYTECODE  # pytest rewrites every test file at every run where it may not keep what it made
cd "$(dirname "$0")/.."
# the larger files first, each to the lighter half
halves=$(find "$@" -name 'test_*.py' -size +0 -exec wc -c {} + | grep -v ' total$' | sort -rn |
    awk '{ if (one <= two) { one += $1; print 1, $2 } else { two += $1; print 2, $2 } }')
half() {
    # no hypothesis in here: its plugin would read all our modules for constants
    .venv/bin/python -m pytest -q -p no:hypothesispytest -p no:xdist -m "not browser and not services and not slow and not database" \
        $(echo "$halves" | sed -n "s/^$1 //p")
}
second=$(mktemp)
trap 'rm -f "$second"' EXIT
half 2 >"$second" 2>&1 &
half 1
first=$?
wait $!
last=$?
cat "$second"
[ $first -eq 0 ] && [ $last -eq 0 ]
