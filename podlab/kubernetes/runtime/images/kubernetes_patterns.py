"""The images of Kubernetes Patterns beside its service (random_generator.py): what the examples run with it, watch with or fill files with.

Source: k8spatterns/examples (advanced/images, structural/Ambassador, structural/Adapter, configuration/ConfigurationTemplate); the scripts do
the same steps in our own words.
"""

from __future__ import annotations

from ..image import Entry, Image, add
from .base import PATH, base_tree

MESSAGE = 'while true ; do echo -e "HTTP/1.1 200 OK\\n\\n $MESSAGE\\n" | nc -l -p 8080 -q 1; done'
add(Image("docker.io/k8spatterns/mini-http-server", ("latest",), base_tree("alpine"), 6_000_000, cmd=("/bin/ash", "-c", MESSAGE),
          env={"PATH": PATH, "MESSAGE": "Welcome to Kubernetes Patterns !"}))  # fmt: skip
add(Image("docker.io/k8spatterns/curl-jq", ("latest",), base_tree("alpine", extra=("curl", "jq", "dig", "host")), 12_000_000, ("curl",),
          env={"PATH": PATH}))  # fmt: skip

AMBASSADOR = r"""echo "=========================================="
echo "Starting up random-generator Ambassador"
echo "Listening at http://localhost:9009"
echo "=========================================="
exec ncat --listen --keep-open 127.0.0.1 9009 -c told
"""
# One request: what it tells is a line of process 1's log
TOLD = r"""read -r method path version
length=0
while read -r name value; do
  case $name in [Cc]ontent-[Ll]ength:) length=$(echo "$value" | tr -d '\r') ;; ''|$(printf '\r')) break ;; esac
done
if [ "$method" = POST ]; then
  body=$(head -c "$length")
  of() { echo "$body" | sed -n "s/.*\"$1\": *\"\([^\"]*\)\".*/\1/p"; }
  { echo "Message received for processing:"; echo ">>> ID: $(of id) -- Duration: $(of duration) -- Random: $(of random)"; } > /proc/1/fd/1
else
  echo "!!! Method $method is not supported" > /proc/1/fd/1
fi
printf 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n'
"""
EXPORTER = "exec ncat --listen --keep-open 9889 -c metrics\n"
METRICS = r"""while read -r line && [ -n "$(echo "$line" | tr -d '\r')" ]; do :; done
printf 'HTTP/1.0 200 OK\r\nContent-type: text/plain\r\n\r\n'
awk -F, '{ total += $3; count++ } END { printf "random_generator_count %d\nrandom_generator_seconds_total %s\n", count, total / 1e9 }' "$LOG_FILE"
"""
# gomplate with two templates in the image, made for a WildFly: only the format of its log is told
INIT = r"""out=/out source=/params/config.yml
for word; do
  case $word in --output-dir=*) out=${word#*=} ;; --datasource=*) source=${word##*=} ;; esac
done
[ -e "$source" ] || { echo "open $source: no such file or directory" >&2; exit 1; }
form=$(sed -n 's/^logFormat: *"\{0,1\}\([^"]*\)"\{0,1\} *$/\1/p' "$source")
printf '<formatter name="COLOR-PATTERN">\n   <pattern-formatter pattern="%s"/>\n</formatter>\n' "$form" > "$out/standalone.xml"
printf 'formatter.COLOR-PATTERN.pattern=%s\n' "$form" > "$out/logging.properties"
"""


def _script(text: str) -> Entry:
    return Entry(f"#!/bin/sh\n{text}", mode=0o755)


SCRIPTS: dict[str, dict[str, str]] = {
    "random-generator-log-ambassador": {"log-ambassador": AMBASSADOR, "told": TOLD},
    "random-generator-exporter": {"exporter": EXPORTER, "metrics": METRICS},
    "example-configuration-template-init": {"gomplate": INIT},
}
for _name, _texts in SCRIPTS.items():
    _held = base_tree("debian", {"usr": {"local": {"bin": {name: _script(text) for name, text in _texts.items()}}}}, extra=("ncat",))
    add(Image(f"docker.io/k8spatterns/{_name}", ("latest",), _held, 80_000_000, (next(iter(_texts)),), env={"PATH": PATH},
              user="1000" if "template" in _name else ""))  # fmt: skip
add(Image("docker.io/axeclbr/git", ("latest",), base_tree("alpine", extra=("git",)), 14_000_000, ("git",), ("--help",), {"PATH": PATH}))
