"""Small web servers that manuals and books use: http-echo, hello-app, whoami, kubia, the Kubernetes bootcamp and its kin."""

from __future__ import annotations

from ...times import stamp
from .. import dns, http, sockets
from ..asking import Learned, Wish, serve_asking
from ..http import text_answer
from ..image import Entry, Image, add, canonical
from ..process import TERM, Errno, Process
from ..program import MEBIBYTE, PROGRAMS, Event, Program, register
from ..serving import Answer, Waits, listen_on, web_program
from ..system import Sys
from .base import PATH, base_tree
from .flags import go_flag
from .languages import typed_lines

ENV = {"PATH": PATH}


def _log(sys: Sys, text: str) -> None:
    sys.err(f"{stamp(sys.now, '%Y/%m/%d %H:%M:%S')} {text}\n")


# ---- hashicorp/http-echo


def _echo_start(proc: Process, sys: Sys) -> int | str:
    text = go_flag(proc, "text", proc["env"].get("ECHO_TEXT", ""))
    if not text:
        sys.err("Missing -text option!\n")
        sys.exit(127)
    proc["data"]["text"] = text
    address = go_flag(proc, "listen", ":5678")
    sys.out(f"{stamp(sys.now, '%Y/%m/%d %H:%M:%S')} [INFO] server is listening on {address}\n")
    port = address.rpartition(":")[2]
    return int(port) if port.isdigit() else f"[ERR] server: listen tcp: address {address}: missing port in address\n"


def _echo(proc: Process, sys: Sys, port: int, request: http.Message, peer: str) -> Answer:
    body = "ok\n" if request.path == "/health" else proc["data"]["text"] + "\n"
    if request.path == "/health":
        return text_answer('{"status":"ok"}\n', kind="application/json")
    sys.out(
        f'{stamp(sys.now, "%Y/%m/%d %H:%M:%S")} {request.get("Host")} {peer}:{40000 + sys.random(9999)} "{request.start}" 200 '
        f"{http.size(body)} "
        f'"{request.get("User-Agent")}" {10 + sys.random(40)}.{sys.random(1000):03d}µs\n'
    )
    return text_answer(body, headers=[("X-App-Name", "http-echo"), ("X-App-Version", "1.0.0")])


web_program("http-echo", _echo_start, _echo, memory=3 * MEBIBYTE)
add(
    Image(
        "docker.io/hashicorp/http-echo",
        ("latest", "0.2.1", "0.2.3", "1.0", "1.0.0"),
        {"http-echo": Entry(program="http-echo", size=7_200_000)},
        3_250_312,
        entrypoint=("/http-echo",),
        env=ENV,
        ports=(5678,),
    )
)


# ---- hello-app


def _hello_start(proc: Process, sys: Sys) -> int | str:
    port = proc["env"].get("PORT") or "8080"
    _log(sys, f"Server listening on port {port}")
    return int(port)


def _version(sys: Sys) -> str:
    return str(sys.container["image"]).rpartition(":")[2] if ":" in str(sys.container["image"]).rpartition("/")[2] else "1.0"


def _hello(proc: Process, sys: Sys, port: int, request: http.Message, peer: str) -> Answer:
    _log(sys, f"Serving request: {request.path}")
    return text_answer(f"Hello, world!\nVersion: {'2' if _version(sys).startswith('2') else '1'}.0.0\nHostname: {sys.hostname}\n")


web_program("hello-app", _hello_start, _hello, memory=4 * MEBIBYTE)
for _name in ("gcr.io/google-samples/hello-app", "us-docker.pkg.dev/google-samples/containers/gke/hello-app"):
    add(
        Image(
            _name,
            ("1.0", "2.0"),
            base_tree("alpine", {"hello-app": Entry(program="hello-app", size=6_700_000)}),
            4_906_311,
            cmd=("./hello-app",),
            env={**ENV, "PORT": "8080"},
            ports=(8080,),
        )
    )


# ---- traefik/whoami


def _whoami_start(proc: Process, sys: Sys) -> int | str:
    port = go_flag(proc, "port", proc["env"].get("WHOAMI_PORT_NUMBER", "80"))
    _log(sys, f"Starting up on port {port}")
    return int(port)


def _whoami(proc: Process, sys: Sys, port: int, request: http.Message, peer: str) -> Answer:
    if request.path == "/health":
        return text_answer("")
    name = go_flag(proc, "name", proc["env"].get("WHOAMI_NAME", ""))
    lines = [
        *([f"Name: {name}"] if name else []),
        f"Hostname: {sys.hostname}",
        "IP: 127.0.0.1",
        "IP: ::1",
        f"IP: {sys.sandbox['ip']}",
        f"RemoteAddr: {peer}:{_peer_port(proc, sys, peer)}",
        request.start,
        f"Host: {request.get('Host')}",
    ]
    lines += [f"{key}: {value}" for key, value in sorted(request.headers) if key.lower() != "host"]
    return text_answer("\n".join(lines) + "\n\n")


def _peer_port(proc: Process, sys: Sys, peer: str) -> int:
    for fd, connection in proc["data"]["connections"].items():
        if connection["peer"] == peer:
            return sockets.peer(sys, int(fd))[1]
    return 0


web_program("traefik-whoami", _whoami_start, _whoami, memory=3 * MEBIBYTE)
for _name in ("docker.io/traefik/whoami", "docker.io/containous/whoami"):
    add(
        Image(
            _name,
            ("latest", "v1.8", "v1.9", "v1.10", "v1.11", "v1.10.1", "v1.5.0"),
            {"whoami": Entry(program="traefik-whoami", size=6_500_000)},
            2_810_220,
            entrypoint=("/whoami",),
            env=ENV,
            ports=(80,),
        )
    )


# ---- luksa/kubia (Kubernetes in Action): v1 to v4 and no tag are the first edition's, 1.0 and 1.1 the second edition's first drafts

KEPT = "/var/data/kubia.txt"  # of kubia-pet: keeps what is posted in a file of its volume
PEERS = "kubia.default.svc.cluster.local"  # whom kubia-pet-peers asks
DRAFTS = ("1.0", "1.0-stdin", "1.1")


def _kubia_tag(sys: Sys) -> str:
    return canonical(sys.container["image"])[1]


def _kubia_run(proc: Process, sys: Sys, event: Event) -> int | None:
    """node app.js; any other script is node's own affair."""
    if "listening" not in proc["data"]:
        if proc["argv"][1:2] not in (["app.js"], ["/app.js"]):
            return PROGRAMS["node"].start(proc, sys)
        draft = _kubia_tag(sys) in DRAFTS
        sys.out("Kubia server starting...\n" + (f"Local hostname is {sys.hostname}\nListening on port 8080\n" if draft else ""))
        proc["data"].update(count=0, greeting="Hey there", typed="")
        listen_on(proc, sys, [8080])
    return serve_asking(proc, sys, _kubia_wish, _kubia, _kubia_greeting)


def _kubia_greeting(proc: Process, sys: Sys) -> Waits:
    """1.0-stdin takes a new greeting from its standard input."""
    data = proc["data"]
    if _kubia_tag(sys) != "1.0-stdin":
        return Waits()
    lines, waits = typed_lines(proc, sys)
    for line in lines:
        if line.strip():
            data["greeting"] = line
            sys.out(f"Greeting set to: {line}\n")
        else:
            sys.err("Enter new greeting and press ENTER.\n")
    return waits


def _peers(sys: Sys) -> list[str]:
    found = dns.query(sockets.network(sys).cluster, PEERS, "SRV")[1]
    return [data.split()[3].rstrip(".") for _, kind, data in found if kind == "SRV"]


def _kubia_wish(proc: Process, sys: Sys, request: http.Message, learned: Learned) -> Wish | None:
    if "kubia-pet-peers" not in sys.container["image"] or request.method == "POST" or request.path == "/data":
        return None
    peer = next((one for one in _peers(sys) if one not in learned), None)
    return Wish(peer, peer, 8080, http.request("GET", "/data", f"{peer}:8080", [("Connection", "close")])) if peer else None


def _pet(sys: Sys, request: http.Message, learned: Learned) -> Answer:
    peers = "kubia-pet-peers" in sys.container["image"]
    if request.method == "POST":
        if not peers:
            sys.out("New data has been received and stored.\n")
        try:
            sys.write_file(KEPT, request.body)
        except Errno as error:
            return text_answer(f"{KEPT}: {error.text}\n", 500)
        return text_answer(f"Data stored on pod {sys.hostname}\n")
    stored = sys.read_file(KEPT) if sys.find(KEPT) is not None else "No data posted yet"
    if not peers:
        return text_answer(f"You've hit {sys.hostname}\nData stored on this pod: {stored}\n")
    if request.path == "/data":
        return text_answer(stored)
    lines = [f"- {name}: {one['body'] if not one['error'] else 'Error: ' + one['error']}\n" for name, one in learned.items()]
    end = "".join(lines) or f"Could not look up DNS SRV records: Error: querySrv ENOTFOUND {PEERS}"
    return text_answer(f"You've hit {sys.hostname}\nData stored in the cluster:\n{end}")


def _kubia(proc: Process, sys: Sys, request: http.Message, learned: Learned, peer: str) -> Answer:
    image, tag = str(sys.container["image"]), _kubia_tag(sys)
    sys.worked(15_000)  # one loop of wget brings it to 108 % of 100m in the book's chapter on autoscaling
    if "kubia-pet" in image:
        return _pet(sys, request, learned)
    if tag in DRAFTS:
        sys.out(f"Received request for {request.target} from ::ffff:{peer}\n")
        return text_answer(f"{proc['data']['greeting']}, this is {sys.hostname}. Your IP is ::ffff:{peer}. \n")
    sys.out(f"Received request from ::ffff:{peer}\n")
    proc["data"]["count"] += 1
    if "unhealthy" in image and proc["data"]["count"] > 5:
        return text_answer("I'm not well. Please restart me!", 500)
    if tag == "v3" and proc["data"]["count"] >= 5:
        return text_answer(f"Some internal error has occurred! This is pod {sys.hostname}\n", 500)
    if tag in ("v1", "v2", "v3", "v4"):
        return text_answer(f"This is {tag} running in pod {sys.hostname}\n")
    return text_answer(f"You've hit {sys.hostname}\n")


def _kubia_signal(proc: Process, sys: Sys, n: int) -> bool:
    """Only 1.1 handles TERM; node as process 1 does not notice it otherwise."""
    if n == TERM and _kubia_tag(sys) == "1.1":
        sys.out("Received SIGTERM. Server shutting down...\n")
        sys.exit(0)
    return False


register(Program("kubia", lambda proc, sys: _kubia_run(proc, sys, None), _kubia_run, _kubia_signal, 20 * MEBIBYTE))
_KUBIA = {"app.js": Entry(size=354), "usr": {"local": {"bin": {"node": Entry(program="kubia", size=30_000_000)}}}, "var": {"data": {}}}
for _name, _tags in {"kubia": ("latest", "v1", "v2", "v3", "v4", *DRAFTS), "kubia-unhealthy": ("latest",), "kubia-pet": ("latest",),
                     "kubia-pet-peers": ("latest",), "kubia-run-as-user-5": ("latest",)}.items():  # fmt: skip
    add(
        Image(
            f"docker.io/luksa/{_name}",
            _tags,
            base_tree("debian", _KUBIA, extra=("curl", "ps")),
            263_427_000,
            entrypoint=("node", "app.js"),
            env=ENV,
            user="5" if _name == "kubia-run-as-user-5" else "",
            ports=(8080,),
        )
    )


# ---- others that say one thing


def _says(name: str, text: str, started: str, logged: str = "") -> None:
    """A program that answers every request at port 8080 with `text` ({host}, {version} filled in)."""

    def begin(proc: Process, sys: Sys) -> int | str:
        sys.out(started)
        return 8080

    def answer(proc: Process, sys: Sys, port: int, request: http.Message, peer: str) -> Answer:
        if logged:
            sys.out(logged.format(host=sys.hostname, path=request.path))
        return text_answer(text.format(host=sys.hostname, version=_version(sys).lstrip("v").partition(".")[0]))

    web_program(name, begin, answer, memory=12 * MEBIBYTE)


_says(
    "kubernetes-bootcamp",
    "Hello Kubernetes bootcamp! | Running on: {host} | v={version}\n",
    "Kubernetes Bootcamp App Started At: 2026 | Running On:  \n\n",
    "Running On: {host} | Total Requests: 1 | App Uptime: 1 seconds\n",
)
for _name in (
    "gcr.io/google-samples/kubernetes-bootcamp",
    "docker.io/jocatalin/kubernetes-bootcamp",
):
    add(
        Image(
            _name,
            ("v1", "v2", "latest"),
            base_tree("debian", {"bin": {"bootcamp": Entry(program="kubernetes-bootcamp")}}, extra=("curl",)),
            80_661_000,
            cmd=("bootcamp",),
            env=ENV,
            ports=(8080,),
        )
    )
_says("node-hello", "Hello Kubernetes!", "")
add(
    Image(
        "gcr.io/google-samples/node-hello",
        ("1.0",),
        base_tree("debian", {"bin": {"node-hello": Entry(program="node-hello")}}, extra=("curl",)),
        263_000_000,
        cmd=("node-hello",),
        env=ENV,
        ports=(8080,),
    )
)


def _hpa_answer(proc: Process, sys: Sys, port: int, request: http.Message, peer: str) -> Answer:
    sys.charge(60_000)  # a million square roots in PHP
    return text_answer("OK!", kind="text/html; charset=UTF-8")


web_program("hpa-example", lambda proc, sys: 80, _hpa_answer, memory=12 * MEBIBYTE)
for _name in ("registry.k8s.io/hpa-example", "k8s.gcr.io/hpa-example"):
    add(
        Image(
            _name,
            ("latest",),
            base_tree("debian", {"bin": {"apache2-foreground": Entry(program="hpa-example")}}, extra=("curl",)),
            180_000_000,
            cmd=("apache2-foreground",),
            env=ENV,
            ports=(80,),
        )
    )


def _echoserver(proc: Process, sys: Sys, port: int, request: http.Message, peer: str) -> Answer:
    headers = "".join(f"\t{key.lower()}={value}\n" for key, value in request.headers)
    return text_answer(
        f"\n\nHostname: {sys.hostname}\n\nPod Information:\n\t-no pod information available-\n\nServer values:\n"
        f"\tserver_version=nginx: 1.13.3 - lua: 10008\n\n"
        f"Request Information:\n\tclient_address={peer}\n\tmethod={request.method}\n\treal path={request.path}\n"
        f"\tquery={request.target.partition('?')[2]}\n"
        f"\trequest_version={request.version[5:]}\n\trequest_scheme=http\n\trequest_uri=http://"
        f"{request.get('Host')}:{port}{request.target}\n\nRequest Headers:\n{headers}\n"
        f"Request Body:\n\t{request.body or '-no body in request-'}\n\n",
        kind="text/plain",
    )


web_program("echoserver", lambda proc, sys: 8080, _echoserver, memory=8 * MEBIBYTE)
for _name in (
    "registry.k8s.io/echoserver",
    "k8s.gcr.io/echoserver",
    "gcr.io/google_containers/echoserver",
    "registry.k8s.io/e2e-test-images/echoserver",
):
    add(
        Image(
            _name,
            ("1.4", "1.8", "1.9", "1.10", "2.1", "2.2", "2.3", "2.4", "2.5"),
            base_tree("debian", {"bin": {"echoserver": Entry(program="echoserver")}}, extra=("curl",)),
            35_600_000,
            cmd=("echoserver",),
            env=ENV,
            ports=(8080,),
        )
    )
