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
        "diff-gnu",
        "git",
        "chroot-gnu",
        "date-gnu",
        "timeout-gnu",
        "ps-procps",
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
    "bc",
    "strings",
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


ALPINE_USERS = (
    ("bin", 1, 1, "/bin"), ("daemon", 2, 2, "/sbin"), ("lp", 4, 7, "/var/spool/lpd"), ("sync", 5, 0, "/sbin"), ("shutdown", 6, 0, "/sbin"),
    ("halt", 7, 0, "/sbin"), ("mail", 8, 12, "/var/mail"), ("news", 9, 13, "/usr/lib/news"), ("uucp", 10, 14, "/var/spool/uucppublic"),
    ("cron", 16, 16, "/var/spool/cron"), ("ftp", 21, 21, "/var/lib/ftp"), ("sshd", 22, 22, "/dev/null"), ("games", 35, 35, "/usr/games"),
    ("ntp", 123, 123, "/var/empty"), ("guest", 405, 100, "/dev/null"), ("nobody", 65534, 65534, "/"),
)  # fmt: skip
"""(name, uid, gid, home) of Alpine's own users beside root (alpine-baselayout, etc/passwd)."""
ALPINE_GROUPS = (
    "root:0:root bin:1:root,bin,daemon daemon:2:root,bin,daemon sys:3:root,bin adm:4:root,daemon tty:5: disk:6:root lp:7:lp kmem:9: wheel:10:root "
    "floppy:11:root mail:12:mail news:13:news uucp:14:uucp cron:16:cron audio:18: cdrom:19: dialout:20:root ftp:21: sshd:22: input:23: tape:26:root "
    "video:27:root netdev:28: kvm:34:kvm games:35: shadow:42: www-data:82: users:100:games ntp:123: abuild:300: utmp:406: ping:999: nogroup:65533: "
    "nobody:65534:"
)
"""name:gid:members of Alpine's groups (alpine-baselayout, etc/group): root is in many."""


def accounts(users: Mapping[str, int], shell_path: str, distribution: str) -> dict[str, str]:
    """/etc/passwd and /etc/group: a distribution's own, then the image's `users`, each with a group of its own."""
    if distribution == "alpine":
        own = [f"{name}:x:{uid}:{gid}:{name}:{home}:/sbin/nologin" for name, uid, gid, home in ALPINE_USERS]
        groups = [line.replace(":", ":x:", 1) for line in ALPINE_GROUPS.split()]
        users = {name: uid for name, uid in users.items() if name not in {line[0] for line in ALPINE_USERS}}
    else:
        own = ["daemon:x:1:1:daemon:/home/daemon:/bin/false", "www-data:x:33:33:www-data:/var/www:/bin/false",
               "nobody:x:65534:65534:nobody:/home:/bin/false"]  # fmt: skip
        groups = ["root:x:0:", "daemon:x:1:", "www-data:x:33:", "nogroup:x:65534:"]
    own += [f"{name}:x:{uid}:{uid}:{name}:/home/{name}:/bin/false" for name, uid in users.items()]
    groups += [f"{name}:x:{uid}:" for name, uid in users.items()]
    return {"passwd": "\n".join([f"root:x:0:0:root:/root:{shell_path}", *own, ""]), "group": "\n".join([*groups, ""])}


def base_tree(distribution: str, files: Tree | None = None, *, users: Mapping[str, int] | None = None, extra: tuple[str, ...] = ()) -> dict[str, Any]:
    """A root file system with a distribution's tools and `extra` ones, `files` laid over it."""
    known = DISTRIBUTIONS[distribution]
    size = 1_131_168 if distribution == "busybox" else 919_304 if distribution == "alpine" else 60_432
    applets = {name: Entry(program=name, size=size) for name in (*known["tools"], *extra) if name in PROGRAMS}
    gnu = distribution in ("debian", "ubuntu")
    if gnu:
        for name in ("chroot", "date", "diff", "timeout"):
            applets[name] = Entry(program=f"{name}-gnu", size=size)
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
