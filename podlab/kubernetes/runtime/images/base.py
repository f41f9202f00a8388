"""The files that images with a shell have in common, by distribution: tools under /bin, users, release files.

A tool is a program that the modules in tools/ register. Which of them a distribution has is said here: busybox's applets
everywhere, the rest (curl, dig, apt ...) where the real image has it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .. import releases, shell, tools
from ..image import Entry, Tree
from ..program import PROGRAMS
from ..tools import net_curl, net_dns, net_httpd, net_iptables, net_nc, net_ping, net_sockets, net_tcpdump, net_wget  # noqa: F401  (they register tools)

ELSEWHERE = frozenset(
    {
        "curl",
        "dig",
        "host",
        "ss",
        "getent",
        "iptables",
        "iptables-legacy",
        "iptables-nft",
        "iptables-save",
        "tcpdump",
        "jq",
        "apk",
        "apt",
        "apt-get",
        "yum",
        "dnf",
        "pip",
        "npm",
        "vim",
        "nano",
        "ed",
        "stress",
        "stress-ng",
        "tini",
        "dumb-init",
        "bash",
        "stdbuf",
        "rename",
        "file",
        "ipcmk",
        "gawk",
        "mawk",
        "dash",
        "ncat",
        "netcat",
        "bind-nslookup",
        "redis-cli",
        "pause",
        "pg_isready",
        "mysqladmin",
        "mysql",
        "nmap",
        "iperf3",
        "mtr",
        "tracepath",
    }
)
"""Tools that busybox does not have."""
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
PACKAGES = (shell.__name__, tools.__name__)


def _registered() -> tuple[str, ...]:
    """The names of all tools: programs whose code is in the packages of tools and shells."""
    return tuple(sorted(name for name, program in PROGRAMS.items() if program.resume is not None and program.resume.__module__.startswith(PACKAGES)))


REGISTERED = _registered()
APPLETS = tuple(name for name in REGISTERED if name not in ELSEWHERE)
GNU_LACKS = (
    "wget",
    "nc",
    "nslookup",
    "ping",
    "telnet",
    "traceroute",
    "netstat",
    "httpd",
    "vi",
    "less",
    "ip",
    "ifconfig",
    "route",
    "ps",
    "top",
    "free",
    "uptime",
    "killall",
    "pkill",
    "pgrep",
    "pidof",
    "watch",
    "ash",
    "usleep",
    "dnsdomainname",
    "modprobe",
    "insmod",
    "sysctl",
    "unzip",
)
"""busybox applets that the slim Debian images lack."""
DISTRIBUTIONS: dict[str, dict[str, Any]] = {
    "busybox": {"tools": APPLETS, "etc": {}},
    "alpine": {
        "tools": (*APPLETS, "apk", "getent"),
        "etc": releases.alpine("3.22"),
    },
    "debian": {
        "tools": (*(name for name in APPLETS if name not in GNU_LACKS), "bash", "getent", "apt", "apt-get", "stdbuf", "ipcmk"),
        "etc": releases.debian("trixie"),
    },
    "ubuntu": {
        "tools": (
            *(
                name
                for name in APPLETS
                if name not in GNU_LACKS or name in ("ps", "top", "free", "uptime", "pkill", "pgrep", "pidof", "watch", "sysctl")
            ),
            "bash",
            "getent",
            "apt",
            "apt-get",
            "stdbuf",
            "ipcmk",
        ),
        "etc": releases.ubuntu("noble"),
    },
}


def merge(base: Mapping[str, Any], extra: Tree) -> dict[str, Any]:
    """`base` with the directories and files of `extra` laid over it."""
    out = dict(base)
    for name, item in extra.items():
        held = out.get(name)
        out[name] = merge(held, item) if isinstance(held, Mapping) and isinstance(item, Mapping) else item
    return out


ALPINE_GROUPS = """root:x:0:root
bin:x:1:root,bin,daemon
daemon:x:2:root,bin,daemon
sys:x:3:root,bin
adm:x:4:root,daemon
disk:x:6:root
wheel:x:10:root
floppy:x:11:root
dialout:x:20:root
tape:x:26:root
video:x:27:root
"""
"""Those of Alpine's that have members (alpine-baselayout, etc/group): root is in many."""


def accounts(users: Mapping[str, int], shell_path: str, distribution: str) -> dict[str, str]:
    """/etc/passwd and /etc/group."""
    everybody = {"daemon": 1, "www-data": 33, **users, "nobody": 65534}
    passwd = f"root:x:0:0:root:/root:{shell_path}\n" + "".join(
        f"{name}:x:{uid}:{uid}:{name}:{'/var/www' if uid == 33 else '/home' if uid == 65534 else f'/home/{name}'}:/bin/false\n"
        for name, uid in everybody.items()
    )
    own = {name: uid for name, uid in everybody.items() if name != "daemon"} if distribution == "alpine" else everybody
    group = (ALPINE_GROUPS if distribution == "alpine" else "root:x:0:\n") + "".join(
        f"{'nogroup' if uid == 65534 else name}:x:{uid}:\n" for name, uid in own.items())  # fmt: skip
    return {"passwd": passwd, "group": group}


def base_tree(distribution: str, files: Tree | None = None, *, users: Mapping[str, int] | None = None, extra: tuple[str, ...] = ()) -> dict[str, Any]:
    """A root file system with a distribution's tools and `extra` ones, `files` laid over it."""
    known = DISTRIBUTIONS[distribution]
    size = 1_131_168 if distribution == "busybox" else 919_304 if distribution == "alpine" else 60_432
    applets = {name: Entry(program=name, size=size) for name in (*known["tools"], *extra) if name in PROGRAMS}
    gnu = distribution in ("debian", "ubuntu")
    if gnu:
        applets["timeout"] = Entry(program="timeout-gnu", size=size)
        if "ps" in applets:
            applets["ps"] = Entry(program="ps-procps", size=size)
    tree: dict[str, Any] = {
        "bin": applets,
        "usr": {"bin": {"env": Entry(program="env", size=48_536)}, "sbin": {}, "local": {"bin": {}}, "share": {}, "lib": {}},
        "sbin": {},
        "etc": {**accounts(users or {}, "/bin/bash" if gnu else "/bin/sh", distribution), **known["etc"]},
        "home": {},
        "var": {"log": {}, "tmp": {}, "cache": {}, "www": {}},
        "run": {},
        "opt": {},
        "mnt": {},
        "lib": {},
        "media": {},
        "srv": {},
    }
    if gnu:
        applets["sh"] = Entry(program="dash", size=125_688)
    return merge(tree, files or {})
