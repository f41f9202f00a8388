"""agnhost, the image of Kubernetes' own tests and manuals: netexec, liveness, serve-hostname, test-webserver, pause, mounttest,
entrypoint-tester, connect, logs-generator, fail, grpc-health-checking. Source: test/images/agnhost in the Kubernetes tree (README.md
and the sub-commands).
"""

from __future__ import annotations

from collections.abc import Callable

from .. import grpc_health, http, sockets
from ..image import Entry, Image, add
from ..process import INT, TERM, Data, Errno, Process
from ..program import MEBIBYTE, Event, Program, register
from ..serving import Answer, Late, find_file, listen_on, mime_type, query, serve_http, stamp, text_answer
from ..system import Sys
from .base import PATH, base_tree

VERSION = "2.57"
UNHEALTHY_AFTER_MS = 10_000  # liveness: /healthz says so for ten seconds


def _flags(words: list[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for at, word in enumerate(words):
        if word.startswith("-"):
            name, equals, value = word.lstrip("-").partition("=")
            following = words[at + 1] if at + 1 < len(words) and not words[at + 1].startswith("-") else ""
            found[name] = value if equals else following
    return found


def run(proc: Process, sys: Sys, event: Event) -> int:
    """agnhost SUBCOMMAND; without one it pauses. Called as /pause, /ep or the like it is that."""
    words = proc["argv"][1:]
    if "mode" not in proc["data"]:
        mode = words[0] if words and not words[0].startswith("-") else "--version" if words[:1] == ["--version"] else "pause"
        proc["data"].update(mode=mode, began=sys.now)
        sys_flags = _flags(words)
        if mode in SERVERS:
            ports, text = SERVERS[mode](sys_flags)
            sys.err(text)
            try:
                listen_on(proc, sys, ports)
            except Errno as error:
                sys.err(f"{stamp(sys.now, '%Y/%m/%d %H:%M:%S')} listen tcp :{ports[0]}: bind: {error.text.lower()}\n")
                return 1
    mode = proc["data"]["mode"]
    if mode in SERVERS:
        return serve_http(proc, sys, _answer)
    action = ACTIONS.get(mode)
    if action is None:
        sys.err(f'Error: unknown command "{mode}" for "app"\nRun \'app --help\' for usage.\nunknown command "{mode}" for "app"\n')
        return 1
    return action(proc, sys, words[1:])


SERVERS: dict[str, Callable[[dict[str, str]], tuple[list[int], str]]] = {
    "netexec": lambda flags: (
        [int(flags.get("http-port") or 8080)],
        f"Started HTTP server on port {flags.get('http-port') or 8080}\nStarted UDP server on port {flags.get('udp-port') or 8081}\n",
    ),
    "liveness": lambda flags: ([8080], ""),
    "serve-hostname": lambda flags: ([int(flags.get("port") or 9376)], f"Serving on port {flags.get('port') or 9376}.\n"),
    "test-webserver": lambda flags: ([int(flags.get("port") or 80)], ""),
    "nettest": lambda flags: ([int(flags.get("port") or 8080)], ""),
    "grpc-health-checking": lambda flags: (
        [int(flags.get("port") or 5000), int(flags.get("http-port") or 8080)],
        f"Http server starting to listen on :{flags.get('http-port') or 8080}\ngRPC server starting to listen on :{flags.get('port') or 5000}\n",
    ),
}


def _answer(proc: Process, sys: Sys, port: int, request: http.Message, peer: str) -> Answer:
    mode, data, path = proc["data"]["mode"], proc["data"], request.path
    if mode == "serve-hostname":
        return text_answer(sys.hostname)
    if mode == "liveness":
        age = sys.now - data["began"]
        if path == "/healthz" and age > UNHEALTHY_AFTER_MS:
            return text_answer(f"error: {age / 1000:.9f}", 500)
        if path == "/redirect":
            return http.response(302, "", [("Location", query(request).get("loc", "/"))])
        return text_answer("ok" if path == "/healthz" else "404 page not found\n", 200 if path in ("/healthz", "/started") else 404)
    if mode == "test-webserver":
        kind, file = find_file(sys, path, ["index.html"])
        if kind == "file":
            return text_answer(sys.read_file(file), kind=mime_type(file, "text/plain; charset=utf-8"))
        return text_answer("404 page not found\n", 404)
    if mode == "grpc-health-checking":
        return _grpc_health(proc, sys, request)
    return _netexec(proc, sys, request, peer)


def _grpc_health(proc: Process, sys: Sys, request: http.Message) -> Answer:
    """--service NAME, --delay-unhealthy-sec N, and the HTTP side that turns the state round."""
    data, flags = proc["data"], _flags(proc["argv"][1:])
    if grpc_health.is_check(request):
        if request.body not in ("", flags.get("service", "")):
            return grpc_health.reply(5, message="unknown service")
        delay = flags.get("delay-unhealthy-sec", "-1")
        late = delay.isdigit() and sys.now - data["began"] >= int(delay) * 1000
        return grpc_health.reply(state=data.get("state") or ("NOT_SERVING" if late else "SERVING"))
    if request.path in ("/make-serving", "/make-not-serving"):
        data["state"] = "SERVING" if request.path == "/make-serving" else "NOT_SERVING"
        return text_answer("")
    return text_answer("404 page not found\n", 404)


def _netexec(proc: Process, sys: Sys, request: http.Message, peer: str) -> Answer:
    values, data, path = query(request), proc["data"], request.path
    sys.err(f"{stamp(sys.now, '%Y/%m/%d %H:%M:%S')} {request.method} {path}\n")
    if path == "/":
        return text_answer(f"NOW: {stamp(sys.now, '%Y-%m-%d %H:%M:%S')}.{sys.now % 1000:03d} +0000 UTC m=+{(sys.now - data['began']) / 1000:.9f}")
    if path in ("/hostname", "/hostName"):
        return text_answer(sys.hostname)
    if path == "/clientip":
        return text_answer(f"{peer}:{40000 + sys.random(20000)}")
    if path == "/echo":
        code = values.get("code", "200")
        return text_answer(values.get("msg", ""), int(code) if code.isdigit() else 200)
    if path == "/header":
        return text_answer(request.get(values.get("key", "")))
    if path == "/healthz":
        return text_answer("", 412 if data.get("shutting") else 200)
    if path == "/redirect":
        return http.response(int(values.get("code") or 302), "", [("Location", values.get("location", "/"))])
    if path in ("/exit", "/shutdown"):
        wait = values.get("wait") or values.get("timeout") or "0"
        seconds = wait.rstrip("ms").rstrip("s") or "0"
        if path == "/exit" and seconds.isdigit() and int(seconds):
            data["shutting"] = True
            return Late(int(seconds) * 1000, text_answer(""))
        sys.exit(int(values.get("code") or 0))
    if path in ("/hostname/", "/healthz/"):
        return text_answer("")
    return text_answer("404 page not found\n", 404)


def _pause(proc: Process, sys: Sys, words: list[str]) -> int:
    if "said" not in proc["data"]:
        proc["data"]["said"] = True
        sys.out("Paused\n")
    sys.pause()
    return 0


def _version(proc: Process, sys: Sys, words: list[str]) -> int:
    sys.out(f"app version {VERSION}\n")
    return 0


def _entrypoint_tester(proc: Process, sys: Sys, words: list[str]) -> int:
    sys.out(f"[{' '.join([proc['argv'][0], *proc['argv'][1:]])}]\n")
    return 0


def _fail(proc: Process, sys: Sys, words: list[str]) -> int:
    sys.err(f"{' '.join(words) or 'fail'}\n")
    return 1


def _mounttest(proc: Process, sys: Sys, words: list[str]) -> int:
    flags = _flags(words)
    for name in ("new_file_0644", "new_file_0666", "new_file_0660", "new_file_0777"):
        if path := flags.get(name):
            try:
                sys.write_file(path, "mount-tester new file\n")
                sys.change(path, m=int(name[-4:], 8))
            except Errno as error:
                sys.err(f'error writing new file "{path}": {error.text.lower()}\n')
                return 1
    for name, path in flags.items():
        try:
            if name == "file_content":
                sys.out(f'content of file "{path}": {sys.read_file(path)}\n')
            elif name in ("file_mode", "file_perm"):
                inode = sys.look(path).inode
                bits = "".join(letter if inode["m"] >> (8 - at) & 1 else "-" for at, letter in enumerate("rwxrwxrwx"))
                sys.out(f'{"mode" if name == "file_mode" else "perms"} of file "{path}": {"d" if inode["t"] == "d" else "-"}{bits}\n')
            elif name == "file_owner":
                inode = sys.look(path).inode
                sys.out(f'owner UID of "{path}": {inode["u"]}\nowner GID of "{path}": {inode["g"]}\n')
            elif name == "fs_type":
                sys.out(f'mount type of "{path}": {"tmpfs" if sys.look(path).fs["kind"] == "tmpfs" else "ext2/ext3"}\n')
        except Errno as error:
            sys.err(f"error reading {path}: {error.text.lower()}\n")
            return 1
    return 0


def _connect(proc: Process, sys: Sys, words: list[str]) -> int:
    """agnhost connect [--timeout=5s] HOST:PORT: nothing on success, else REFUSED, TIMEOUT or DNS."""
    target = next((word for word in words if not word.startswith("-")), "")
    host, _, port = target.rpartition(":")
    seconds = (_flags(words).get("timeout") or "10s").rstrip("s")
    addresses = sockets.resolve(sys, host)[1]
    if not addresses:
        sys.err(f"DNS: lookup {host}: no such host\n")
        return 1
    try:
        sockets.connect(sys, "socket", addresses[0], int(port) if port.isdigit() else 0, int(float(seconds) * 1000))
    except Errno as error:
        sys.err({"ECONNREFUSED": "REFUSED", "ETIMEDOUT": "TIMEOUT"}.get(error.name, f"OTHER: {error.text}") + "\n")
        return 1
    return 0


def _logs_generator(proc: Process, sys: Sys, words: list[str]) -> int:
    """--log-lines-total N --run-duration D: lines at an even pace, then code 0."""
    data, flags = proc["data"], _flags(words)
    total = int(flags.get("log-lines-total") or flags.get("t") or 10)
    seconds = int((flags.get("run-duration") or flags.get("d") or "1s").rstrip("s") or 1)
    gap = max(1, seconds * 1000 // max(1, total))
    while data.setdefault("line", 0) < total:
        due = data["began"] + data["line"] * gap
        if sys.now < due:
            sys.sleep(due - sys.now)
        sys.err(
            f"I{stamp(sys.now, '%m%d %H:%M:%S')}.{sys.now % 1000:03d}000       {proc['pid']} logs_generator.go:76] "
            f"{data['line']} GET /api/v1/namespaces/default/pods/"
            f"{sys.random(1 << 24):x} {200 + sys.random(300)}\n"
        )
        data["line"] += 1
    return 0


ACTIONS: dict[str, Callable[[Process, Sys, list[str]], int]] = {
    "pause": _pause,
    "--version": _version,
    "entrypoint-tester": _entrypoint_tester,
    "fail": _fail,
    "mounttest": _mounttest,
    "connect": _connect,
    "logs-generator": _logs_generator,
}


def on_signal(proc: Process, sys: Sys, n: int) -> bool:
    """pause and netexec end on TERM (netexec after --delay-shutdown); Go programs that handle nothing die of it unless they are process 1."""
    if n in (TERM, INT) and proc["data"].get("mode") in ("pause", "netexec", "serve-hostname"):
        sys.exit(0)
    return False


register(Program("agnhost", lambda proc, sys: run(proc, sys, None), run, on_signal, 8 * MEBIBYTE))


def _liveness(proc: Process, sys: Sys, event: Data | None) -> int:
    """The image registry.k8s.io/liveness: agnhost's sub-command on its own."""
    if "mode" not in proc["data"]:
        proc["argv"] = [proc["argv"][0], "liveness"]
    return run(proc, sys, event)


register(Program("liveness", lambda proc, sys: _liveness(proc, sys, None), _liveness, on_signal, 6 * MEBIBYTE))
TREE = base_tree(
    "alpine",
    {"agnhost": Entry(program="agnhost", size=50_000_000), "bin": {"nslookup": Entry(program="bind-nslookup", size=129_312)}},
    extra=("curl", "dig", "bash"),
)
for _name in ("registry.k8s.io/e2e-test-images/agnhost", "k8s.gcr.io/e2e-test-images/agnhost"):
    add(
        Image(
            _name,
            tuple(f"2.{n}" for n in range(1, 64)),
            TREE,
            51_105_200,
            entrypoint=("/agnhost",),
            cmd=("pause",),
            env={"PATH": PATH},
        )
    )
for _name in ("registry.k8s.io/liveness", "k8s.gcr.io/liveness", "gcr.io/google_containers/liveness"):
    add(
        Image(
            _name,
            ("latest", "e2e"),
            base_tree("busybox", {"server": Entry(program="liveness", size=4_000_000)}),
            2_300_000,
            cmd=("/server",),
            env={"PATH": PATH},
        )
    )
