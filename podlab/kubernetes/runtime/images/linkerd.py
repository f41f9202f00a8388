"""linkerd/proxy and linkerd/proxy-init: the sidecar that a Pod's traffic goes through without the app's knowing, and what leads it there.

proxy-init writes the Pod's redirecting rules (nat.py) from its arguments. The proxy balances what its Pod sends over the endpoints of the
Service meant, over mTLS where the other Pod is meshed too, and takes what comes in. There is no control plane here: what the destination
controller would tell (endpoints, identities by the label linkerd.io/control-plane-ns, the Service's annotations) the proxy reads in the
cluster, and its certificate is given out when its name is that of its Pod's service account. Nothing is injected: manifests have the
containers written out as `linkerd inject --manual` writes them. Source: linkerd.io/2/reference (proxy configuration, architecture,
iptables, retries, timeouts, circuit breaking, proxy metrics), and linkerd2's charts/partials.
"""

from __future__ import annotations

import re
from typing import Any

from ...times import stamp
from .. import sockets
from ..image import Entry, Image, add
from ..process import INT, TERM, Errno, Process
from ..program import MEBIBYTE, Event, Program, register
from ..system import Sys
from ..tools.net_iptables import Refused, change
from .base import PATH, base_tree
from .linkerd_proxy import Linkerd, identity_of

TAGS = tuple(f"stable-2.{minor}.{patch}" for minor, last in ((12, 7), (13, 7), (14, 10)) for patch in range(last + 1)) + tuple(
    f"edge-{year}.{month}.{number}" for year in (24, 25) for month in range(1, 13) for number in range(1, 6)
)
INIT_TAGS = ("v2.2.3", "v2.2.4", "v2.3.0", "v2.4.0", "v2.4.1", "v2.4.2", "v2.4.3")
MEMORY = 6 * MEBIBYTE
DEFAULTS = {
    "LINKERD2_PROXY_INBOUND_LISTEN_ADDR": "0.0.0.0:4143",
    "LINKERD2_PROXY_OUTBOUND_LISTEN_ADDRS": "127.0.0.1:4140",
    "LINKERD2_PROXY_ADMIN_LISTEN_ADDR": "0.0.0.0:4191",
}


def run(proc: Process, sys: Sys, event: Event) -> int | None:
    if "listening" not in proc["data"]:
        code = _start(proc, sys)
        if code is not None:
            return code
    return Linkerd(proc, sys).run()


def _say(sys: Sys, level: str, text: str) -> None:
    """A line of the proxy's log: seconds since its start."""
    sys.out(f"[{(sys.now - sys.proc['started']) / 1000:12.6f}s] {level:>5} ThreadId(01) {text}\n")


def _start(proc: Process, sys: Sys) -> int | None:
    env, data = proc["env"], proc["data"]
    given = {**DEFAULTS, **{key: env[key] for key in DEFAULTS if env.get(key)}}
    if env.get("LINKERD2_PROXY_OUTBOUND_LISTEN_ADDR"):
        given["LINKERD2_PROXY_OUTBOUND_LISTEN_ADDRS"] = env["LINKERD2_PROXY_OUTBOUND_LISTEN_ADDR"]
    name = env.get("LINKERD2_PROXY_IDENTITY_LOCAL_NAME", "")
    _say(sys, "INFO", "linkerd2_proxy: release 2.313.0 by linkerd")
    listening: dict[str, int] = {}
    for key, variable, title in (
        ("admin", "LINKERD2_PROXY_ADMIN_LISTEN_ADDR", "Admin"), ("inbound", "LINKERD2_PROXY_INBOUND_LISTEN_ADDR", "Inbound"),
        ("outbound", "LINKERD2_PROXY_OUTBOUND_LISTEN_ADDRS", "Outbound"),
    ):  # fmt: skip
        address, _, port = given[variable].split(",")[0].rpartition(":")
        if not port.isdigit():
            _say(sys, "ERROR", f'linkerd_app::env: {variable}="{given[variable]}" is not valid: NotANumber')
            _say(sys, "ERROR", "linkerd_app: Invalid configuration error=invalid environment variable")
            return 64
        try:
            listening[key] = sockets.listen(sys, int(port), address)
        except Errno as error:
            _say(sys, "ERROR", f"linkerd2_proxy: Failed to bind {title.lower()} listener: {error.text} (os error 98)")
            return 1
        _say(sys, "INFO", f"linkerd2_proxy: {title} interface on {address}:{port}")
    data.update(listening=listening, identity="", root="", policy=env.get("LINKERD2_PROXY_INBOUND_DEFAULT_POLICY") or "all-unauthenticated",
                metrics={}, breakers={}, log=env.get("LINKERD2_PROXY_ACCESS_LOG", ""), began=sys.now)  # fmt: skip
    _say(sys, "INFO", "linkerd2_proxy: Tap DISABLED")
    if not name:
        _say(sys, "ERROR", "linkerd_app::env: LINKERD2_PROXY_IDENTITY_LOCAL_NAME must be set")
        return 64
    _say(sys, "INFO", f"linkerd2_proxy: Local identity is {name}")
    wanted = identity_of(sockets.network(sys).routes.pod(sockets.namespace(sys)))
    if name != wanted:
        problem = f'"requested identity did not match provided token: requested={name}; found={wanted}"'
        _say(sys, "WARN", f"daemon:identity: linkerd_proxy_identity_client::certify: Failed to obtain identity error={problem}")
        return None
    data.update(identity=name, root=env.get("LINKERD2_PROXY_IDENTITY_TRUST_ANCHORS", "").strip() or "linkerd")
    _say(sys, "INFO", f"daemon:identity: linkerd_app: Certified identity id={name}")
    return None


def on_signal(proc: Process, sys: Sys, n: int) -> bool:
    if n in (TERM, INT):
        _say(sys, "INFO", f"linkerd_signal: received {'SIGTERM' if n == TERM else 'SIGINT'}, starting shutdown")
        sys.exit(0)
    return False


# ---- proxy-init

OPTIONS = {
    "-p": "--incoming-proxy-port", "-o": "--outgoing-proxy-port", "-u": "--proxy-uid", "-r": "--ports-to-redirect",
}  # fmt: skip
TAKES = (
    "--incoming-proxy-port", "--outgoing-proxy-port", "--proxy-uid", "--proxy-gid", "--ports-to-redirect", "--inbound-ports-to-ignore",
    "--outbound-ports-to-ignore", "--subnets-to-ignore", "--firewall-bin-path", "--firewall-save-bin-path", "--log-level", "--log-format",
)  # fmt: skip


def proxy_init(proc: Process, sys: Sys, event: Event) -> int:
    """The rules of linkerd's init container, one iptables command after another."""
    found: dict[str, str] = {}
    todo = proc["argv"][1:]
    while todo:
        name, equals, value = todo.pop(0).partition("=")
        name = OPTIONS.get(name, name)
        if name in ("--simulate", "--netns", "--use-wait-flag", "-w", "--timeout-close-wait-secs", "--ipv6"):
            continue
        if name not in TAKES:
            sys.err(f"Error: unknown flag: {name}\n")
            return 1
        found[name] = value if equals else (todo.pop(0) if todo else "")
    into, out, uid = (found.get(name, "") for name in ("--incoming-proxy-port", "--outgoing-proxy-port", "--proxy-uid"))
    if not into.isdigit() or not out.isdigit():
        sys.err('Error: --incoming-proxy-port and --outgoing-proxy-port must be set\n')
        return 1
    commands = ["-N PROXY_INIT_REDIRECT"]
    if ports := _ports(found.get("--inbound-ports-to-ignore", "")):
        commands.append(f"-A PROXY_INIT_REDIRECT -p tcp --match multiport --dports {ports} -j RETURN")
    commands += [f"-A PROXY_INIT_REDIRECT -p tcp -j REDIRECT --to-port {into}", "-A PREROUTING -j PROXY_INIT_REDIRECT", "-N PROXY_INIT_OUTPUT"]
    if uid:
        commands.append(f"-A PROXY_INIT_OUTPUT -m owner --uid-owner {uid} -j RETURN")
    commands.append("-A PROXY_INIT_OUTPUT -o lo -j RETURN")
    commands += [f"-A PROXY_INIT_OUTPUT -p all -d {net} -j RETURN" for net in filter(None, found.get("--subnets-to-ignore", "").split(","))]
    if ports := _ports(found.get("--outbound-ports-to-ignore", "")):
        commands.append(f"-A PROXY_INIT_OUTPUT -p tcp --match multiport --dports {ports} -j RETURN")
    commands += [f"-A PROXY_INIT_OUTPUT -p tcp -j REDIRECT --to-port {out}", "-A OUTPUT -j PROXY_INIT_OUTPUT"]
    for command in commands:
        _log(sys, "info", f"/sbin/iptables-legacy -t nat {command}")
        try:
            change(sys, command.split())
        except Refused as refused:
            _log(sys, "error", refused.text.rstrip())
            sys.err(f"Error: exit status {refused.code}\n")
            return 1
    return 0


def _ports(text: str) -> str:
    """iptables writes a range with a colon."""
    return ",".join(re.sub(r"-", ":", part.strip()) for part in text.split(",") if part.strip())


def _log(sys: Sys, level: str, text: str) -> None:
    sys.out(f'time="{stamp(sys.now, "%Y-%m-%dT%H:%M:%SZ")}" level={level} msg="{text}"\n')


register(Program("linkerd2-proxy", lambda proc, sys: run(proc, sys, None), run, on_signal, MEMORY))
register(Program("linkerd-proxy-init", lambda proc, sys: proxy_init(proc, sys, None), proxy_init))
PROXY: dict[str, Any] = {"usr": {"lib": {"linkerd": {"linkerd2-proxy": Entry(program="linkerd2-proxy", size=29_000_000)}}}}
INIT: dict[str, Any] = {"usr": {"lib": {"linkerd": {"linkerd2-proxy-init": Entry(program="linkerd-proxy-init", size=3_900_000)}}}}
for _registry in ("cr.l5d.io", "ghcr.io"):
    add(Image(f"{_registry}/linkerd/proxy", TAGS, base_tree("debian", PROXY), 39_204_117, ("/usr/lib/linkerd/linkerd2-proxy",), (), {"PATH": PATH}))
    _tree = base_tree("alpine", INIT, extra=("iptables", "iptables-legacy", "iptables-save"))
    _entry = ("/usr/lib/linkerd/linkerd2-proxy-init",)
    add(Image(f"{_registry}/linkerd/proxy-init", INIT_TAGS, _tree, 14_500_320, _entry, (), {"PATH": PATH}, user="65534"))
