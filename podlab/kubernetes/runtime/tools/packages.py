"""apt-get and apk: the few packages whose programs there are in the simulator, from a mirror of the small Internet (internet_hosts.py).

`apt-get update` fetches the lists, without which nothing is found, as in the images that come without them; what is installed is files in
/usr/bin of the container's own layer, gone with the container. Nobody is asked whether to continue. Words: apt(8), apk(8).
"""

from __future__ import annotations

from .. import sockets
from ..internet_hosts import MIRROR
from ..process import Errno, Process
from ..program import PROGRAMS, Event, tool
from ..system import Sys

LISTS = "/var/lib/apt/lists"
FETCH_MS, INSTALL_MS = 1_900, 700  # of the lists; of each package: order of magnitude on a cloud machine
CONNECT_MS = 30_000  # Acquire::http::Timeout
PACKAGES: dict[str, tuple[str, ...]] = {
    "curl": ("curl",), "wget": ("wget",), "dnsutils": ("dig", "nslookup", "host"), "bind9-dnsutils": ("dig", "nslookup", "host"),
    "bind9-host": ("host",), "bind-tools": ("dig", "nslookup", "host"), "iputils-ping": ("ping",), "inetutils-ping": ("ping",), "iputils": ("ping",),
    "netcat": ("nc", "netcat"), "netcat-openbsd": ("nc", "netcat"), "netcat-traditional": ("nc", "netcat"), "ncat": ("ncat",), "nmap-ncat": ("ncat",),
    "net-tools": ("netstat", "ifconfig", "route"), "iproute2": ("ip", "ss"), "telnet": ("telnet",), "busybox-extras": ("telnet",),
    "procps": ("ps", "top", "free", "uptime", "pgrep", "pkill", "pidof", "watch", "sysctl"), "tcpdump": ("tcpdump",), "iptables": ("iptables",),
    "traceroute": ("traceroute",), "inetutils-traceroute": ("traceroute",), "redis-tools": ("redis-cli",), "redis": ("redis-cli",),
    "default-mysql-client": ("mysql", "mysqladmin"), "mysql-client": ("mysql", "mysqladmin"), "mariadb-client": ("mysql", "mysqladmin"),
    "postgresql-client": ("psql", "pg_isready", "createdb", "dropdb", "pg_dump"), "amqp-tools": (
        "amqp-declare-queue", "amqp-publish", "amqp-get", "amqp-consume", "amqp-delete-queue"), "python3": ("python3",), "python": ("python",),
    "git": ("git",), "stress": ("stress",), "stress-ng": ("stress-ng",), "gawk": ("gawk",), "less": ("less",), "bash": ("bash",), "xxd": ("xxd",),
    "fortune": ("fortune",), "fortune-mod": ("fortune",), "coreutils": (), "jq": ("jq",), "ca-certificates": (),
    "gnupg": (), "apt-transport-https": (), "openssl": (),
}  # fmt: skip
"""What the mirror has: package -> programs. The last have nothing that is not there already."""
OWN_PROGRAMS = {"nslookup": "bind-nslookup", "ps": "ps-procps", "python3": "python"}


def _reached(sys: Sys, host: str) -> str:
    """Why the mirror cannot be reached; "" where it can. Raises Blocked."""
    addresses = sockets.resolve(sys, host)[1]
    if not addresses:
        return f"Temporary failure resolving '{host}'"
    try:
        sys.close(sockets.connect(sys, "socket", addresses[0], 80, CONNECT_MS))
    except Errno:
        return f"Could not connect to {host}:80 ({addresses[0]}), connection timed out"
    return ""


def _waits(proc: Process, sys: Sys, ms: int) -> None:
    until = proc["data"].setdefault("until", sys.now + ms)
    if sys.now < until:
        sys.sleep(until - sys.now)


def _put(sys: Sys, package: str) -> None:
    for name in PACKAGES[package]:
        path = f"/usr/bin/{name}"
        if sys.find(path) is None and sys.find(f"/bin/{name}") is None:
            sys.close(sys.open(path, "w"))
            sys.change(path, m=0o755)
            program = OWN_PROGRAMS.get(name, name)
            sys.look(path).inode.update(x=program if program in PROGRAMS else name, sz=300_000)


def _there(sys: Sys, package: str) -> bool:
    return any(sys.find(f"{folder}/{PACKAGES[package][0]}") is not None for folder in ("/usr/bin", "/bin", "/usr/sbin", "/sbin"))


@tool("apt", "apt-get")
def apt(proc: Process, sys: Sys, event: Event) -> int:
    """apt-get update | install [-y] PACKAGE... | upgrade | clean | remove PACKAGE..."""
    words = [word for word in proc["argv"][1:] if not word.startswith("-")]
    verb, named = (words or [""])[0], words[1:]
    ubuntu = "ubuntu" in sys.read_file("/etc/os-release").lower()
    host, path = MIRROR, "ubuntu" if ubuntu else "debian"
    if verb in ("update", "install", "upgrade", "dist-upgrade", "remove", "purge") and proc["uid"] != 0:
        lock = f"{LISTS}/lock" if verb == "update" else "/var/lib/dpkg/lock-frontend"
        sys.err(f"E: Could not open lock file {lock} - open (13: Permission denied)\n"
                + (f"E: Unable to lock directory {LISTS}/\n" if verb == "update" else
                   f"E: Unable to acquire the dpkg frontend lock ({lock}), are you root?\n"))  # fmt: skip
        return 100
    if verb == "update":
        return _update(proc, sys, host, path)
    if verb in ("clean", "autoclean", "autoremove", "upgrade", "dist-upgrade", "remove", "purge"):
        return 0
    if verb != "install":
        sys.err(f"E: Invalid operation {verb}\n" if verb else "apt: only update, install and clean run here\n")
        return 100
    return _install(proc, sys, named, host, path)


def _update(proc: Process, sys: Sys, host: str, path: str) -> int:
    why = "" if proc["data"].get("reached") else _reached(sys, host)
    if why:
        sys.out("Reading package lists...\n")
        sys.err(f"W: Failed to fetch http://{host}/{path}/dists/stable/InRelease  {why}\n"
                "W: Some index files failed to download. They have been ignored, or old ones used instead.\n")  # fmt: skip
        return 0
    if "reached" not in proc["data"]:
        proc["data"]["reached"] = True
        sys.out(f"Get:1 http://{host}/{path} stable InRelease [140 kB]\nGet:2 http://{host}/{path} stable/main amd64 Packages [9670 kB]\n")
    _waits(proc, sys, FETCH_MS)
    for folder in ("/var", "/var/lib", "/var/lib/apt", LISTS):
        if sys.find(folder) is None:
            sys.mkdir(folder)
    sys.write_file(f"{LISTS}/{host}_Packages", " ".join(PACKAGES) + "\n")
    sys.out("Fetched 9810 kB in 2s (5163 kB/s)\nReading package lists...\n")
    return 0


def _install(proc: Process, sys: Sys, named: list[str], host: str, path: str) -> int:
    data = proc["data"]
    if "told" not in data:
        sys.out("Reading package lists...\nBuilding dependency tree...\nReading state information...\n")
        data["told"] = True
    known = sys.find(LISTS) is not None and bool(sys.listdir(LISTS))
    missing = [one for one in named if not known or one not in PACKAGES]
    if missing:
        sys.err("".join(f"E: Unable to locate package {one}\n" for one in missing))
        if known:
            sys.err(f"N: this simulated mirror has: {' '.join(PACKAGES)}\n")
        return 100
    wanted = [one for one in dict.fromkeys(named) if PACKAGES[one] and not _there(sys, one)]
    if "asked" not in data:
        data["asked"] = True
        sys.out("".join(f"{one} is already the newest version.\n" for one in named if one not in wanted))
        new = f"The following NEW packages will be installed:\n  {' '.join(sorted(wanted))}\n" if wanted else ""
        sys.out(f"{new}0 upgraded, {len(wanted)} newly installed, 0 to remove and 0 not upgraded.\n")
    if not wanted:
        return 0
    why = "" if data.get("reached") else _reached(sys, host)
    if why:
        sys.err(f"E: Failed to fetch http://{host}/{path}/pool/main/{wanted[0]}  {why}\nE: Unable to fetch some archives, maybe run apt-get update "
                "or try with --fix-missing?\n")  # fmt: skip
        return 100
    data["reached"] = True
    _waits(proc, sys, INSTALL_MS * len(wanted))
    for number, one in enumerate(wanted, start=1):
        sys.out(f"Get:{number} http://{host}/{path} stable/main amd64 {one} amd64\nSelecting previously unselected package {one}.\n"
                f"Unpacking {one} ...\nSetting up {one} ...\n")  # fmt: skip
        _put(sys, one)
    return 0


@tool("apk")
def apk(proc: Process, sys: Sys, event: Event) -> int:
    """apk update | add [--no-cache] PACKAGE..."""
    words = [word for word in proc["argv"][1:] if not word.startswith("-")]
    verb, named = (words or [""])[0], words[1:]
    data, host = proc["data"], MIRROR
    if verb not in ("add", "update", "upgrade", "del"):
        sys.err("apk: only update, add and del run here\n")
        return 1
    if proc["uid"] != 0:
        sys.err("ERROR: Unable to lock database: Permission denied\nERROR: Failed to open apk database: Permission denied\n")
        return 99
    if verb in ("del", "upgrade"):
        return 0
    where = f"https://{host}/alpine/v3.22/main"
    if "reached" not in data:
        why = _reached(sys, host)
        sys.out(f"fetch {where}/x86_64/APKINDEX.tar.gz\n")
        if why:
            sys.err(f"WARNING: fetching {where}: {'DNS: transient error (try again later)' if 'resolving' in why else 'operation timed out'}\n")
            if verb == "update":
                return 1
        data["reached"] = not why
    missing = [one for one in named if one not in PACKAGES or not data["reached"]]
    if missing:
        sys.err("ERROR: unable to select packages:\n" + "".join(f"  {one} (no such package):\n    required by: world[{one}]\n" for one in missing))
        if data["reached"]:
            sys.err(f"(this simulated mirror has: {' '.join(PACKAGES)})\n")
        return len(missing)
    wanted = [one for one in dict.fromkeys(named) if PACKAGES[one] and not _there(sys, one)]
    _waits(proc, sys, FETCH_MS // 4 + INSTALL_MS * len(wanted) // 2)
    for number, one in enumerate(wanted, start=1):
        sys.out(f"({number}/{len(wanted)}) Installing {one}\n")
        _put(sys, one)
    sys.out("OK: 12 MiB in 20 packages\n")
    return 0
