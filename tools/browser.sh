#!/bin/sh
# Print the path of a Chrome or Chromium for the browser tests; install Debian's chromium and a Korean font when missing and allowed.
#   tools/browser.sh            only look (fails when there is none)
#   tools/browser.sh --install  install what is missing first
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)

find_browser() {
    for name in "${PODLAB_BROWSER:-}" chromium chromium-browser google-chrome google-chrome-stable chrome; do
        if [ -n "$name" ] && command -v "$name"; then return 0; fi
    done
    return 1
}
has_korean_font() { command -v fc-list >/dev/null && [ -n "$(fc-list :lang=ko family)" ]; }

if [ "${1:-}" = --install ]; then
    missing=""
    find_browser >/dev/null || missing="chromium"
    has_korean_font || missing="$missing fontconfig fonts-noto-cjk"
    # shellcheck disable=SC2086 — a list of package names
    if [ -n "$missing" ]; then "$root/tools/apt.sh" $missing >&2 || true; fi
fi
find_browser
