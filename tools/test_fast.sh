#!/bin/sh
# Engine and units, nothing with a database: two plain pytests beside each other, each with half of the files. Unlike -n 2, which has each worker collect all.
# Arguments: folders and files.
set -u
unset PYTHONDONTWRITEBYTECODE  # pytest rewrites every test file at every run where it may not keep what it made
cd "$(dirname "$0")/.."
# A file none of whose tests would run is not even read. The larger files first, each to the lighter half; what needs Django (two seconds to begin)
# is all in the second, the rest of which the engine's files fill.
halves=$(find "$@" -name 'test_*.py' -size +0 -exec grep -LE '^pytestmark = .*(slow|django_db)' {} + | xargs wc -c | grep -v ' total$' | sort -rn |
    awk '$2 !~ /^tests\/(kubernetes|projection)\// { two += $1; print 2, $2; next } { engine[++n] = $0 }
        END { for (two += 60000; ++i <= n;) { split(engine[i], file); if (one <= two) { one += file[1]; print 1, file[2] } else { two += file[1]; print 2, file[2] } } }')
half() {
    number=$1; shift
    # no hypothesis in here: its plugin would read all our modules for constants; the one for Django: tests/conftest.py
    .venv/bin/python -m pytest -q -p no:hypothesispytest -p no:xdist -p no:django "$@" \
        -m "not browser and not services and not slow and not database" $(echo "$halves" | sed -n "s/^$number //p")
}
second=$(mktemp)
trap 'rm -f "$second"' EXIT
DJANGO_SETTINGS_MODULE=podlab.settings half 2 >"$second" 2>&1 &
half 1 -p no:asyncio
first=$?
wait $!
last=$?
cat "$second"
[ $first -eq 0 ] && [ $last -eq 0 ]
