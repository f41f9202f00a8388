"""What the Pods of Kubernetes in Action run beside their application: the TLS proxy, writers of quotes, checkers, meters, agents.

Sources: the Dockerfiles, scripts and Go files in the book's repositories (luksa/kubernetes-in-action and -2nd-edition). Scripts here do
the same steps in our own words; the quotes and questions are our own. `trap exit INT` is all that the scripts do about signals, so as
process 1 they are killed when the grace period is over, as the book shows.
"""

from __future__ import annotations

from ...times import stamp
from .. import http
from ..http import text_answer
from ..image import VERSIONS, Entry, Image, Tree, add
from ..process import Errno, Process
from ..program import MEBIBYTE, Event, Program, register
from ..serving import Answer, go_runtime_ends, web_program
from ..system import Sys
from .base import PATH, base_tree, merge
from .envoy import COMMAND, ENTRY, FILES
from .flags import flag

ENV = {"PATH": PATH}
QUOTES = (
    "A Pod is mortal; what you want to keep does not belong into its file system.",
    "Labels say what a thing is; a selector says whom you mean.",
    "A controller compares what is with what should be, and never tires of it.",
    "When a readiness probe fails, nobody is restarted; only the traffic stays away.",
    "The scheduler decides once. Everything after that is the kubelet's work.",
)
INSTALLER_SCRIPT = """db.getSiblingDB("kiada").questions.insertMany([
  {id: 1, text: "Which section of an object says what you wish for?", correctAnswerIndex: 1, answers: ["metadata", "spec", "status"]},
  {id: 2, text: "Which kubectl command tells of an object's fields?", correctAnswerIndex: 2, answers: ["describe", "get", "explain", "create"]},
  {id: 3, text: "When does a Pod belong to a Service?", correctAnswerIndex: 0,
   answers: ["When its labels match the Service's selector.", "When its name begins with the Service's.", "When the Service's spec lists it."]},
  {id: 4, text: "What happens when a liveness probe fails?", correctAnswerIndex: 1,
   answers: ["The Pod is taken out of its Services.", "The container is restarted.", "The Pod moves to another node."]},
]);
"""


# ---- fortune: one of the texts between the lines of "%" in a file, or one of its own


def fortune(proc: Process, sys: Sys, event: Event) -> int:
    words = [word for word in proc["argv"][1:] if not word.startswith("-")]
    texts: list[str] = list(QUOTES)
    if words:
        try:
            texts = [text.strip("\n") for text in sys.read_file(words[0]).split("\n%") if text.strip("\n")]
        except Errno as error:
            sys.err(f"{words[0]}: {error.text}\n")
            return 1
    if not texts:
        sys.err("No fortunes found\n")
        return 1
    sys.out(texts[sys.random(len(texts))] + "\n")
    return 0


register(Program("fortune", lambda proc, sys: fortune(proc, sys, None), fortune))
FORTUNE: Tree = {"usr": {"bin": {"fortune": Entry(program="fortune", size=39_000)}, "games": {"fortune": Entry(program="fortune", size=39_000)}}}


# ---- scripts

WRITER = """#!/bin/sh
trap "exit" INT
INTERVAL=${INTERVAL:-60}
INPUT_FILE=${INPUT_FILE:-/book-quotes.txt}
OUTPUT_FILE=${1:-/var/local/output/quote}
echo "Quote Writer 0.1"
echo "Configured to write quote from ${INPUT_FILE} to $OUTPUT_FILE every $INTERVAL seconds"
while :; do
  echo "$(date) Writing fortune..."
  fortune $INPUT_FILE > $OUTPUT_FILE
  sleep $INTERVAL
done
"""
FORTUNE_WRITER = """#!/bin/sh
trap "exit" INT
INTERVAL=${INTERVAL:-30}
OUTPUT_FILE=${1:-/var/local/output/quote}
echo "Fortune Writer 1.0"
echo "Configured to write fortune to $OUTPUT_FILE every $INTERVAL seconds"
while :; do
  echo "$(date) Writing fortune..."
  fortune > $OUTPUT_FILE
  sleep $INTERVAL
done
"""
LOOP = """while :; do
  echo $(date) Writing fortune to /var/htdocs/index.html
  /usr/games/fortune > /var/htdocs/index.html
  sleep ${INTERVAL:-10}
done
"""
CONFIGURED = 'echo Configured to generate new fortune every $INTERVAL seconds\nmkdir -p /var/htdocs\n'
INIT = """#!/bin/sh
steps=${1:-5}
echo "Initialization started..."
for i in $(seq 1 $steps); do
  echo "Performing initialization procedure $i/$steps"
  sleep 1
done
echo "Initialization complete!"
"""
# An address is taken as reachable: the world outside the cluster does not answer here, and the book's example wants it to
CHECK = """#!/bin/sh
host=${1:-1.1.1.1}
echo "Checking network connectivity to ${host} ..."
if echo "$host" | grep -q '^[0-9.]*$' || ping ${host} -c 1 > /dev/null 2> /dev/null; then
  echo "Host appears to be reachable"
  exit 0
fi
echo "Host unreachable!"
exit 1
"""
METER = """#!/bin/sh
echo "[traffic-meter] Starting traffic meter..."
counted() { awk '$1 == "eth0:" {print $2, $10}' /proc/net/dev; }
before=$(counted)
while true; do
  sleep 10
  now=$(counted)
  set -- $before $now
  echo "[traffic-meter] Inbound: $(($3 - $1)) bytes, Outbound: $(($4 - $2)) bytes (last 10s)"
  before=$now
done
"""
INSTALL = """#!/bin/sh
cp /insert-questions.js /initdb.d/ && echo "Successfully copied insert-questions.js to /initdb.d" \\
  || echo "Error copying insert-questions.js to /initdb.d"
"""


def _script(name: str, tags: tuple[str, ...], text: str, distribution: str = "alpine", files: Tree | None = None, cmd: tuple[str, ...] = ()) -> None:
    entry = f"{name.rpartition('/')[2]}.sh"
    tree = base_tree(distribution, {"bin": {entry: Entry(text, mode=0o755)}, **(files or {})})
    add(Image(f"docker.io/luksa/{name}", tags, tree, 18_700_000, (f"/bin/{entry}",), cmd, ENV))


QUOTE_FILE: Tree = {"book-quotes.txt": "\n%\n".join(QUOTES) + "\n", "book-quotes.txt.dat": "", "var": {"local": {"output": {}}}, **FORTUNE}
_script("quote-writer", (VERSIONS,), WRITER, files=QUOTE_FILE)
for _name in ("fortune-writer", "fortune-generator"):
    _script(_name, (VERSIONS,), FORTUNE_WRITER if _name == "fortune-writer" else "#!/bin/sh\nfortune > ${1:-/var/local/output/quote}\n",
            files={"var": {"local": {"output": {}}}, **FORTUNE})  # fmt: skip
_script("fortune", ("latest",), f'#!/bin/bash\ntrap "exit" SIGINT\nmkdir /var/htdocs\n{LOOP}', "debian", FORTUNE)
_script("fortune", ("args",), f'#!/bin/bash\ntrap "exit" SIGINT\nINTERVAL=$1\n{CONFIGURED}{LOOP}', "debian", FORTUNE, ("10",))
_script("fortune", ("env",), f'#!/bin/bash\ntrap "exit" SIGINT\n{CONFIGURED}{LOOP}', "debian", FORTUNE)
_script("init-demo", (VERSIONS,), INIT)
_script("network-connectivity-checker", (VERSIONS,), CHECK)
_script("network-traffic-meter", (VERSIONS,), METER)
_script("quiz-initdb-script-installer", (VERSIONS,), INSTALL, "busybox", {"insert-questions.js": INSTALLER_SCRIPT})
_script("batch-job", ("latest",), '#!/bin/sh\necho "$(date) Batch job starting"; sleep 120; echo "$(date) Finished succesfully"\n', "busybox")
_script("ssd-monitor", ("latest",), "#!/bin/sh\nwhile true; do echo 'SSD OK'; sleep 5; done\n", "busybox")
add(Image("docker.io/luksa/quiz-questions", (VERSIONS,), {"insert-questions.js": INSTALLER_SCRIPT}, 20_480, cmd=("none",), env=ENV))


# ---- small servers


def _go_log(sys: Sys, text: str) -> None:
    sys.err(f"{stamp(sys.now, '%Y/%m/%d %H:%M:%S')} {text}\n")


def port_of(address: str) -> int:
    text = address.rpartition(":")[2]
    return int(text) if text.isdigit() and int(text) < 65536 else 0


def _static_start(proc: Process, sys: Sys) -> int:
    address = flag(proc, "listen-address", ":8080")
    _go_log(sys, "Static HTTP Server 0.1 starting...")
    _go_log(sys, f'Listen address:  "{address}"')
    _go_log(sys, f"Response: {flag(proc, 'response-code', '200')} {flag(proc, 'response-text', 'OK')}")
    return port_of(address)


def _static(proc: Process, sys: Sys, port: int, request: http.Message, peer: str) -> Answer:
    code = flag(proc, "response-code", "200")
    if request.method != "GET":
        return text_answer("", 405)
    return text_answer(flag(proc, "response-text", "OK"), int(code) if code.isdigit() else 200)


def _agent_start(proc: Process, sys: Sys) -> int:
    address = flag(proc, "listen-address", ":80")
    for line in ("Kiada Node Agent 0.1 starting...", f'Listen address:  "{address}"', "Starting HTTP server..."):
        _go_log(sys, line)
    return port_of(address)


def _agent(proc: Process, sys: Sys, port: int, request: http.Message, peer: str) -> Answer:
    if request.path != "/":
        return text_answer("404 page not found\n", 404)
    uptime = int(float(sys.read_file("/proc/uptime").split()[0]))
    shown = (f"{uptime // 3600}h" if uptime >= 3600 else "") + (f"{uptime // 60 % 60}m" if uptime >= 60 else "") + f"{uptime % 60}s"
    load = sys.read_file("/proc/loadavg").split()
    name = proc["env"].get("NODE_NAME") or sys.hostname
    return text_answer(f"{name} uptime: {shown}, load average: {', '.join(load[:3])}, active/total threads: {load[3]}")


# A Go program without a signal handler: process 1 is ended by Go's own runtime, with code 2
for _name, _prepare, _reply in (("static-http-server", _static_start, _static), ("node-agent", _agent_start, _agent)):
    web_program(f"luksa-{_name}", _prepare, _reply, signal=go_runtime_ends, memory=6 * MEBIBYTE)
    add(Image(f"docker.io/luksa/{_name}", (VERSIONS,), base_tree("alpine", {_name: Entry(program=f"luksa-{_name}", size=7_300_000)}), 9_100_000,
              (f"/{_name}",), env=ENV))  # fmt: skip


def _hog(proc: Process, sys: Sys, event: Event) -> int:
    """memoryhog N: takes N bytes, and waits."""
    if event is None:
        size = proc["argv"][1] if len(proc["argv"]) > 1 else "0"
        sys.allocate(int(size) if size.isdigit() else 0)
    sys.pause()
    return 0


register(Program("memoryhog", lambda proc, sys: _hog(proc, sys, None), _hog))
add(Image("docker.io/luksa/memoryhog", ("latest",), {"memoryhog": Entry(program="memoryhog", size=800_000)}, 810_000, ("/memoryhog",), env=ENV))


# ---- the TLS proxy: Envoy with a configuration and a certificate of its own, in front of port 8080

PROXY_YAML = """admin:
  address: {socket_address: {protocol: TCP, address: 0.0.0.0, port_value: 9901}}
static_resources:
  listeners:
  - name: listener_0
    address: {socket_address: {address: 0.0.0.0, port_value: 8443}}
    filter_chains:
    - transport_socket:
        name: envoy.transport_sockets.tls
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext
          common_tls_context:
            tls_certificates:
            - certificate_chain: {filename: /etc/certs/example-com.crt}
              private_key: {filename: /etc/certs/example-com.key}
      filters:
      - name: envoy.filters.network.http_connection_manager
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
          stat_prefix: ingress_http
          route_config:
            name: local_route
            virtual_hosts:
            - {name: local_service, domains: ["*"], routes: [{match: {prefix: /}, route: {cluster: service_kiada_localhost}}]}
          http_filters:
          - name: envoy.filters.http.router
            typed_config: {"@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router}
  clusters:
  - name: service_kiada_localhost
    connect_timeout: 0.25s
    type: STATIC
    load_assignment:
      cluster_name: service_kiada_localhost
      endpoints: [{lb_endpoints: [{endpoint: {address: {socket_address: {address: 127.0.0.1, port_value: 8080}}}}]}]
"""
CERTIFICATE = """-----BEGIN CERTIFICATE-----
MIIBajCCARCgAwIBAgIUJWbdxPt6JMPiJHkPfY7VHl7YXpswCgYIKoZIzj0EAwIw
FjEUMBIGA1UEAwwLZXhhbXBsZS5jb20wIBcNMjAwNTI3MDAwMDAwWhgPMjEyMDA1
MDMwMDAwMDBaMBYxFDASBgNVBAMMC2V4YW1wbGUuY29tMFkwEwYHKoZIzj0CAQYI
KoZIzj0DAQcDQgAEk9EIZXXaAWu/swB1Il6U13Rrg7U9RCF8fbX+jRXyGuFF8yEX
d9zD77RAYxhudWNhkJROOMhGH2kNC9aXRj8jEqM6MDgwJQYDVR0RBB4wHIILZXhh
bXBsZS5jb22CDSouZXhhbXBsZS5jb20wDwYDVR0TAQH/BAUwAwEB/zAKBggqhkjO
PQQDAgNIADBFAiEAjZ7X+qGPFGrdSlMTWTfqWKjm7FTYyh8aIkXdCT4YyWYCIDZ8
2mT+RXbSpkqugv0t+ej8e13ydDipSMhP1hyfAdUr
-----END CERTIFICATE-----
"""
KEY = """-----BEGIN EC PRIVATE KEY-----
MHcCAQEEIJl2noPh+dqZxnJ8cARr2/Z/70VNJiCwtW6qTNSRxxsnoAoGCCqGSM49
AwEHoUQDQgAEk9EIZXXaAWu/swB1Il6U13Rrg7U9RCF8fbX+jRXyGuFF8yEXd9zD
77RAYxhudWNhkJROOMhGH2kNC9aXRj8jEg==
-----END EC PRIVATE KEY-----
"""
PROXY: Tree = {"etc": {"envoy": {"envoy.yaml": PROXY_YAML}, "certs": {"example-com.crt": CERTIFICATE, "example-com.key": KEY}}}
for _name in ("kiada-ssl-proxy", "kubia-ssl-proxy"):
    add(
        Image(
            f"docker.io/luksa/{_name}", (VERSIONS,), base_tree("ubuntu", merge(FILES, PROXY), users={"envoy": 101}), 71_500_000, ENTRY, COMMAND, ENV,
            ports=(8443, 9901),
        )
    )  # fmt: skip
