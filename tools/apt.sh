#!/bin/sh
# Install Debian packages where we may (root, or sudo that asks for no password); otherwise say which are missing and fail.
set -eu
if ! command -v apt-get >/dev/null; then
    echo "Please install: $* (this machine has no apt-get to do it with)" >&2
    exit 1
elif [ "$(id -u)" = 0 ]; then
    run=""
elif sudo -n true 2>/dev/null; then
    run="sudo -n"
else
    echo "Please install: sudo apt-get install $*" >&2
    exit 1
fi
echo "Installing $* ..."
export DEBIAN_FRONTEND=noninteractive
$run apt-get update -qq
$run apt-get install -y -qq --no-install-recommends "$@" >/dev/null
