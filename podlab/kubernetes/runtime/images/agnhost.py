"""agnhost, the image of Kubernetes' own tests and manuals: netexec, liveness, serve-hostname, test-webserver, pause, mounttest, porter,
guestbook, entrypoint-tester, connect, logs-generator, dns-suffix, dns-server-list, etc-hosts, fail, grpc-health-checking, webhook,
crd-conversion-webhook, inclusterclient, test-service-account-issuer-discovery, fake-gitserver, no-snat-test, no-snat-test-proxy,
port-forward-tester, tcp-reset. Absent: SCTP, nettest's peers, audit-proxy, net, podcertificatesigner, resource-consumer-controller.
Source: test/images/agnhost in the Kubernetes tree (README.md and the sub-commands).
"""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from urllib.parse import quote, unquote

from ...times import stamp
from .. import grpc_health, http, sockets
from ..asking import serve_asking
from ..http import text_answer
from ..image import Entry, Image, add
from ..process import INT, TERM, Data, Errno, Process
from ..program import MEBIBYTE, Event, Program, register
from ..served_files import find_file, mime_type
from ..serving import Answer, go_runtime_ends, listen_on, query, serve, serve_http
from ..system import Sys
from . import agnhost_accounts as accounts
from . import agnhost_servers as servers
from . import agnhost_trials as trials
from .agnhost_webhook import run_webhook
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
        if mode == "no-snat-test" and (wrong := trials.addressed(proc)):
            sys.err(wrong)
            return 1
        if mode == "serve-hostname" and {"tcp", "udp"} & set(sys_flags):
            if sys_flags.get("http", "true") != "false":
                sys.err(f"{stamp(sys.now, '%Y/%m/%d %H:%M:%S')} Can't server TCP/UDP mode and HTTP mode at the same time\n")
                return 1
            proc["data"]["mode"] = "raw-hostname"
        elif mode in SERVERS:
            ports, text = SERVERS[mode](sys_flags)
            sys.err(text)
            try:
                listen_on(proc, sys, ports)
                if mode == "netexec" and (udp := sys_flags.get("udp-port") or "8081").isdigit():
                    proc["data"]["udp"] = sockets.bind_datagrams(sys, int(udp))
            except Errno as error:
                sys.err(f"{stamp(sys.now, '%Y/%m/%d %H:%M:%S')} listen tcp :{ports[0]}: bind: {error.text.lower()}\n")
                return 1
    mode = proc["data"]["mode"]
    if mode == "netexec":
        over_tls = tuple(int(port) for port in proc["data"]["listening"]) if _flags(words).get("tls-cert-file") else ()
        return serve_asking(proc, sys, servers.netexec_wish, servers.netexec_answer, servers.netexec_datagrams, over_tls)
    if mode == "raw-hostname":
        return trials.raw_hostname(proc, sys, _flags(words))
    if mode in ("no-snat-test", "no-snat-test-proxy"):
        return serve_asking(proc, sys, trials.no_snat_wish, trials.no_snat_answer)
    if mode == "tcp-reset":
        return serve(proc, sys, trials.tcp_reset)
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
    "fake-gitserver": lambda flags: ([8000], ""),
    "no-snat-test": lambda flags: ([int(flags.get("port") or trials.WHOAMI_PORT)], ""),
    "no-snat-test-proxy": lambda flags: ([int(flags.get("port") or trials.PROXY_PORT)], ""),
    "tcp-reset": lambda flags: ([int(flags.get("port") or 8080)], ""),
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
    if mode == "fake-gitserver":
        return text_answer("I am a fake git server")
    if mode == "liveness":
        age = sys.now - data["began"]
        if path == "/healthz" and age > UNHEALTHY_AFTER_MS:
            return text_answer(f"error: {age / 1000:.9f}", 500)
        if path == "/redirect":
            return http.response(302, "", [("Location", query(request).get("loc", "/"))])
        return text_answer("ok" if path == "/healthz" else "404 page not found\n", 200 if path in ("/healthz", "/started") else 404)
    if mode == "test-webserver":
        kind, file = find_file(sys, unquote(path), ["index.html"])
        if kind == "file":
            return text_answer(sys.read_file(file), kind=mime_type(file, "text/plain; charset=utf-8"))
        if kind == "directory" and path.endswith("/"):
            names = [name + ("/" if sys.look(f"{file.rstrip('/')}/{name}").is_dir else "") for name in sorted(sys.listdir(file))]
            lines = "".join(f'<a href="{quote(name)}">{escape(name)}</a>\n' for name in names)
            return text_answer(f"<pre>\n{lines}</pre>\n", kind="text/html; charset=utf-8")
        return text_answer("404 page not found\n", 404)
    if mode == "nettest":
        return servers.nettest_answer(proc, sys, request)
    if mode == "grpc-health-checking":
        return _grpc_health(proc, sys, request)
    return text_answer("404 page not found\n", 404)


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
    """Facts of files, in the order in which mounttest/mt.go tells them; a fault of one does not keep the others from being told."""
    data, flags = proc["data"], _flags(words)
    if "told" not in data:
        data["told"] = [_told(sys, name, flags[name]) for name in FACTS if flags.get(name)]
        data["until"] = sys.now + int(flags.get("retry_time") or 180) * 1000
    looped, once = flags.get("file_content_in_loop"), flags.get("break_on_expected_content", "true") != "false"
    while looped and sys.now < data["until"]:
        if sys.now >= data.setdefault("next", sys.now):
            try:
                sys.out(f'content of file "{looped}": {sys.read_file(looped)}\n')
                if once:
                    break
            except Errno as error:
                sys.out(f"Error reading file {looped}: open {looped}: {error.text.lower()}, retrying\n")
            data["next"] = sys.now + 2000
        sys.sleep(data["next"] - sys.now)
    return 0 if all(data["told"]) else 1


FACTS = ("fs_type", "new_file_0644", "new_file_0660", "new_file_0666", "new_file_0777", "file_mode", "file_perm", "file_owner", "file_content")


def _told(sys: Sys, name: str, path: str) -> bool:
    """Prints one fact; False where it cannot be had."""
    try:
        if name.startswith("new_file"):
            sys.write_file(path, "mount-tester new file\n")
            sys.change(path, m=int(name[-4:], 8))
            sys.out(f'content of file "{path}": {sys.read_file(path)}\n')
        elif name == "file_content":
            sys.out(f'content of file "{path}": {sys.read_file(path)}\n')
        elif name == "fs_type":
            sys.out(f'mount type of "{path}": {"tmpfs" if sys.look(path).fs["kind"] == "tmpfs" else "ext2/ext3"}\n')
        else:
            inode = sys.look(path).inode
            mode = "".join(letter if inode["m"] >> (8 - at) & 1 else "-" for at, letter in enumerate("rwxrwxrwx"))
            marks = "".join(mark for bit, mark in ((0o4000, "u"), (0o2000, "g"), (0o1000, "t")) if inode["m"] & bit)
            kind = ("d" if inode["t"] == "d" else "") + marks or "-"  # Go's FileMode.String
            if name == "file_mode":
                sys.out(f'mode of file "{path}": {kind}{mode}\n')
            elif name == "file_perm":
                sys.out(f'perms of file "{path}": -{mode}\n')
            else:
                sys.out(f'owner UID of "{path}": {inode["u"]}\nowner GID of "{path}": {inode["g"]}\n')
    except Errno as error:
        sys.out(f"error reading file {path}: open {path}: {error.text.lower()}\n")
        return False
    return True


def _resolv(key: str) -> Callable[[Process, Sys, list[str]], int]:
    """dns-suffix and dns-server-list: what /etc/resolv.conf says under a key, with commas."""
    def action(proc: Process, sys: Sys, words: list[str]) -> int:
        found = [word for line in sys.read_file("/etc/resolv.conf").splitlines() if line.split()[:1] == [key] for word in line.split()[1:]]
        sys.out(",".join(found) + "\n")
        return 0
    return action


def _etc_hosts(proc: Process, sys: Sys, words: list[str]) -> int:
    sys.out(sys.read_file("/etc/hosts"))
    return 0


def _porter(proc: Process, sys: Sys, words: list[str]) -> int:
    plain, over_tls = servers.porter_ports(sys), servers.porter_ports(sys, "SERVE_TLS_PORT_")
    listen_on(proc, sys, sorted(int(port) for port in {**plain, **over_tls}))
    return serve_http(proc, sys, servers.porter_answer, over_tls=tuple(int(port) for port in over_tls))


def _guestbook(proc: Process, sys: Sys, words: list[str]) -> int:
    """--http-port 80 is served, --backend-port 6379 is where others are asked; --replicaof HOST: a replica registers there first."""
    data, flags = proc["data"], _flags(words)
    data["backend"] = flags.get("backend-port") or "6379"
    while (primary := flags.get("replicaof")) and not data.get("registered"):
        if sys.now < data.get("again", 0):
            sys.sleep(data["again"] - sys.now)
        try:
            servers.guestbook_register(proc, sys, primary)
        except Errno as error:
            sys.err(f"unable to register to primary: {error.text.lower()}\n")
            data["again"] = sys.now + 1000
    listen_on(proc, sys, [int(flags.get("http-port") or 80)])
    return serve_asking(proc, sys, servers.guestbook_wish, servers.guestbook_answer)


def _webhook(proc: Process, sys: Sys, words: list[str]) -> int:
    return run_webhook(proc, sys, _flags(words))


def _help(proc: Process, sys: Sys, words: list[str]) -> int:
    sys.out("Usage:\n  app [command]\n\nAvailable Commands:\n" + "".join(f"  {name}\n" for name in sorted({*ACTIONS, *SERVERS} - {"--version"})))
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
    "dns-suffix": _resolv("search"),
    "dns-server-list": _resolv("nameserver"),
    "etc-hosts": _etc_hosts,
    "porter": _porter,
    "guestbook": _guestbook,
    "webhook": _webhook,
    "crd-conversion-webhook": _webhook,
    "help": _help,
    "--version": _version,
    "entrypoint-tester": _entrypoint_tester,
    "fail": _fail,
    "mounttest": _mounttest,
    "connect": lambda proc, sys, words: trials.connect(proc, sys, words, _flags(words)),
    "port-forward-tester": lambda proc, sys, words: trials.port_forward_tester(proc, sys),
    "logs-generator": _logs_generator,
    "inclusterclient": lambda proc, sys, words: accounts.in_cluster_client(proc, sys, _flags(words)),
    "test-service-account-issuer-discovery": lambda proc, sys, words: accounts.issuer_discovery(proc, sys, _flags(words)),
}


def on_signal(proc: Process, sys: Sys, n: int) -> bool:
    """pause and netexec end on TERM (netexec after --delay-shutdown); the others handle nothing."""
    if n in (TERM, INT) and proc["data"].get("mode") in ("pause", "netexec", "serve-hostname"):
        sys.exit(0)
    return go_runtime_ends(proc, sys, n)


register(Program("agnhost", lambda proc, sys: run(proc, sys, None), run, on_signal, 8 * MEBIBYTE))


def _liveness(proc: Process, sys: Sys, event: Data | None) -> int:
    """The image registry.k8s.io/liveness: agnhost's sub-command on its own."""
    if "mode" not in proc["data"]:
        proc["argv"] = [proc["argv"][0], "liveness"]
    return run(proc, sys, event)


register(Program("liveness", lambda proc, sys: _liveness(proc, sys, None), _liveness, on_signal, 6 * MEBIBYTE))
TREE = base_tree(
    "alpine",
    {
        **{name: Entry(program="agnhost", size=50_000_000) for name in ("agnhost", "agnhost-2")},
        "bin": {"nslookup": Entry(program="bind-nslookup", size=129_312)},
    },
    users={"user-defined-in-image": 1000},
    extra=("curl", "dig", "bash"),
)
TREE["etc"]["group"] += "group-defined-in-image:x:50000:user-defined-in-image\n"  # what the tests of supplementalGroupsPolicy look for
TAGS = (*(f"2.{n}" for n in range(1, 64)), *(f"2.{n}.{patch}" for n in range(56, 72) for patch in range(3)))
"""`2.55` as well as `2.63.0`: the tags became three numbers long on the way to Kubernetes 1.36 (test/utils/image/manifest.go)."""
for _name in ("registry.k8s.io/e2e-test-images/agnhost", "k8s.gcr.io/e2e-test-images/agnhost"):
    add(
        Image(
            _name,
            TAGS,
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
