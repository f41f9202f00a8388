"""/proc and the little of /sys that tools and learners read: made from the kernel's data when it is looked at."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

from . import capabilities, sysctls
from .host_pids import HOST
from .numerals import is_whole, saturated
from .process import Data, Process

if TYPE_CHECKING:
    from .kernel import Kernel

FS: Data = {"kind": "proc", "image": "", "limit": 0, "used": 0, "ro": True, "next": 1, "inodes": {}}
DIRECTORY: Data = {"t": "d", "m": 0o555, "u": 0, "g": 0, "mt": 0, "n": 1, "e": {}}
PER_PROCESS = ("cgroup", "cmdline", "comm", "cwd", "environ", "exe", "fd", "limits", "mounts", "ns", "root", "stat", "status", "uid_map", "gid_map")
NAMESPACES = ("cgroup", "ipc", "mnt", "net", "pid", "user", "uts")
INITIAL = {"cgroup": 4026531835, "ipc": 4026531839, "mnt": 4026531841, "net": 4026531840, "pid": 4026531836, "user": 4026531837,
           "uts": 4026531838}  # fmt: skip
"""Numbers of the machine's own namespaces (PROC_*_INIT_INO, include/linux/proc_ns.h; the network's is the first given out)."""
FIRST = 4026532000
"""Namespaces made later are numbered from about here. Ours are spread by their owner, so that two machines do not give the same ones."""
TOP = ("cpuinfo", "loadavg", "meminfo", "mounts", "net", "self", "stat", "sys", "uptime", "version")
KERNEL_VERSION = "6.18.44"
"""What every machine runs, and so every container on it (bootstrap.py says the same of the Node)."""
HZ = 100
LEAST_QUOTA = 1000  # microseconds of 100 ms (minQuotaPeriod, pkg/kubelet/cm/helpers_linux.go)
USERS = 65536
"""Of a Pod's own user namespace (userNsLength, pkg/kubelet/userns)."""


def _file(text: str, mode: int = 0o444) -> Data:
    return {"t": "f", "m": mode, "u": 0, "g": 0, "mt": 0, "n": 1, "s": text}


def _link(to: str) -> Data:
    return {"t": "l", "m": 0o777, "u": 0, "g": 0, "mt": 0, "n": 1, "to": to}


def look_up(kernel: Kernel, container: Data, proc: Process | None, path: str) -> Data | None:
    """The inode at a path under /proc or /sys, or None."""
    parts = path.strip("/").split("/")
    if parts[0] == "sys":
        return _sys(container, "/".join(parts[1:]))
    parts = parts[1:]
    if not parts:
        return DIRECTORY
    head = parts[0]
    if head == "self":
        return _link(str(proc["pid"]) if proc else "1") if len(parts) == 1 else None
    if is_whole(head):
        target = kernel.process(proc["ns"] if proc else container["ns"], saturated(head))
        return _process(kernel, container, proc, target, parts[1:]) if target is not None else None
    return _top(kernel, container, proc, "/".join(parts))


def names(kernel: Kernel, container: Data, proc: Process | None, path: str) -> list[str]:
    """What a directory under /proc or /sys lists."""
    parts = path.strip("/").split("/")
    if parts[0] == "sys":
        return {"/sys": ["fs"], "/sys/fs": ["cgroup"], "/sys/fs/cgroup": ["cpu.max", "cpu.weight", "memory.current", "memory.max"]}.get(
            path, []
        )
    if len(parts) == 1:
        pids = [str(p["pid"]) for p in kernel.in_namespace(proc["ns"] if proc else container["ns"])]
        return sorted([*pids, *TOP])
    if is_whole(parts[1]) and len(parts) == 2:
        return list(PER_PROCESS)
    if is_whole(parts[1]) and parts[2:] == ["fd"]:
        target = kernel.process(proc["ns"] if proc else container["ns"], saturated(parts[1]))
        return sorted(target["fds"], key=int) if target else []
    if is_whole(parts[1]) and parts[2:] == ["ns"]:
        return list(NAMESPACES)
    if parts[1] == "sys":
        return sysctls.directory("/".join(parts[2:])) or []
    return ["dev", "route", "tcp"] if parts[1:] == ["net"] else []


def _process(kernel: Kernel, container: Data, looker: Process | None, proc: Process, parts: list[str]) -> Data | None:
    if not parts:
        return DIRECTORY
    head = parts[0]
    if head == "fd":
        if len(parts) == 1:
            return DIRECTORY
        key = proc["fds"].get(parts[1])
        if key is None:
            return None
        return {**_link(_open_name(key, kernel.state["files"][key])), "open": key}
    if head == "ns" and len(parts) < 3:
        return DIRECTORY if len(parts) == 1 else _namespace(kernel, proc, parts[1])
    if len(parts) > 1:
        return None
    argv = proc["argv"]
    name = argv[0].rsplit("/", 1)[-1][:15] if argv else proc["program"]
    state = {"zombie": "Z (zombie)", "stopped": "T (stopped)"}.get(
        proc["state"], "S (sleeping)" if proc["wait"] else "R (running)"
    )
    kib = proc["memory"] // 1024
    if head == "cmdline":
        return _file("" if proc["state"] == "zombie" else "".join(word + "\0" for word in argv))
    if head == "comm":
        return _file(name + "\n")
    if head == "environ":
        return _file("".join(f"{key}={value}\0" for key, value in proc["env"].items()), 0o400)
    if head == "cwd":
        return _link(proc["cwd"])
    if head == "root":
        return {**_link("/"), "root": proc["container"] if looker is None or _may_trace(kernel, looker, proc) else ""}
    if head == "cgroup":  # cgroup v2, each container in a cgroup namespace of its own, the systemd driver's names
        return _file("0::/\n" if proc["container"] == container["id"] else f"0::/../cri-containerd-{_bare(proc['container'])}.scope\n")
    if head == "exe":
        return _link("/bin/" + (proc["program"] or "pause"))
    if head == "mounts":
        return _file(mounts(kernel, container))
    if head in ("uid_map", "gid_map"):  # the machine's own user namespace, unless the Pod has one (hostUsers: false)
        outside = kernel.state["sandboxes"].get(proc["pod"], {}).get("users", 0)
        return _file(f"{0:10d} {outside:10d} {USERS if outside else 2**32 - 1:10d}\n")
    if head == "limits":
        return _file("Limit                     Soft Limit           Hard Limit           Units     \n"
                     "Max open files            1048576              1048576              files     \n")  # fmt: skip
    if head == "stat":
        ticks = proc["cpu_us"] * HZ // 1_000_000
        start = max(0, proc["started"] - kernel.state["booted"]) * HZ // 1000
        return _file(f"{proc['pid']} ({name}) {state[0]} {proc['ppid']} {proc['pgid']} {proc['pgid']} 0 -1 4194560 0 "
                     f"0 0 0 {ticks} 0 0 0 20 0 1 0 "
                     f"{start} {proc['memory']} {kib // 4}" + " 0" * 27 + "\n")  # fmt: skip
    if head == "status":
        cpus = max(1, int(kernel.state["cpu"]) // 1000)
        ignored = sum(1 << (n - 1) for n in proc["ignored"])
        filters = kernel.state["containers"].get(proc["container"], {})
        return _file(
            f"Name:\t{name}\nUmask:\t{proc['umask']:04o}\nState:\t{state}\nTgid:\t{proc['pid']}\nPid:\t{proc['pid']}\n"
            f"PPid:\t{proc['ppid']}\n"
            f"Uid:\t{proc['uid']}\t{proc['uid']}\t{proc['uid']}\t{proc['uid']}\n"
            f"Gid:\t{proc['gid']}\t{proc['gid']}\t{proc['gid']}\t{proc['gid']}\n"
            f"Groups:\t{' '.join(str(g) for g in proc['groups'])} \nVmRSS:\t{kib:8d} kB\nThreads:\t1\nSigIgn:\t{ignored:016x}\n"
            f"{capabilities.status_lines(_capabilities(filters), root=proc['uid'] == 0)}"
            f"NoNewPrivs:\t{int(filters.get('no_new_privs', False))}\nSeccomp:\t{filters.get('seccomp', 0)}\n"
            f"Cpus_allowed_list:\t0{f'-{cpus - 1}' if cpus > 1 else ''}\n"
        )
    return None


def _open_name(key: str, desc: Data) -> str:
    """What the link of a descriptor says (proc_pid_fd(5))."""
    kind: str = desc["kind"]
    if kind in ("log", "exec"):
        return f"pipe:[{key[1:]}]"
    if kind == "socket":
        return f"socket:[{key[1:]}]"
    if kind == "pipe":
        return f"pipe:[{desc.get('pipe')}]"
    return desc.get("path", "") if kind == "file" else "/dev/pts/0" if kind == "tty" else "/dev/" + kind


def _capabilities(container: Data) -> int:
    """Of a process of the machine itself: all."""
    return capabilities.of_container(container.get("caps", ()), container.get("dropped", ())) if container else capabilities.EVERY


def _bare(container: str) -> str:
    """A container's id without the runtime's name before it."""
    return container.rpartition("/")[2]


def _may_trace(kernel: Kernel, looker: Process, proc: Process) -> bool:
    """Whether one process may look through another (ptrace_may_access, kernel/ptrace.c): the same user, or with CAP_SYS_PTRACE."""
    caps = kernel.state["containers"][looker["container"]].get("caps", ())
    return looker["uid"] == proc["uid"] or (looker["uid"] == 0 and any(name in ("ALL", "CAP_SYS_PTRACE", "SYS_PTRACE") for name in caps))


def _namespace(kernel: Kernel, proc: Process, kind: str) -> Data | None:
    """A link like `net:[4026532201]`: the same number for processes in the same namespace. A Pod's containers share net, ipc and uts."""
    if kind not in NAMESPACES:
        return None
    sandbox = kernel.state["sandboxes"].get(proc["pod"])
    shares = sandbox is None or (kind == "user" and "users" not in sandbox) or (kind in ("net", "uts") and sandbox["host_network"])
    if shares or (kind == "pid" and proc["ns"] == HOST):
        return _link(f"{kind}:[{INITIAL[kind]}]")
    owner = proc["container"] if kind in ("cgroup", "mnt") else f"{proc['pod']}/{proc['ns']}" if kind == "pid" else proc["pod"]
    number = FIRST + zlib.crc32(f"{owner}/{kind}".encode()) % 900_000
    return _link(f"{kind}:[{number}]")


def mounts(kernel: Kernel, container: Data) -> str:
    """/proc/mounts of a container."""
    lines = ["overlay / overlay rw,relatime 0 0"]
    for path, mount in container["mounts"].items():
        flag = "ro" if mount["ro"] else "rw"
        if mount["fs"] == "proc":
            lines.append(f"proc {path} proc rw,nosuid,nodev,noexec,relatime 0 0")
        elif mount["fs"] == "sys":
            lines.append(f"sysfs {path} sysfs ro,nosuid,nodev,noexec,relatime 0 0")
            lines.append(f"cgroup {path}/fs/cgroup cgroup2 ro,nosuid,nodev,noexec,relatime,nsdelegate,memory_recursiveprot 0 0")
        else:
            fs = kernel.filesystem(mount["fs"])
            memory = fs["kind"] == "tmpfs"
            lines.append(f"{'tmpfs' if memory else '/dev/vda1'} {path} {'tmpfs' if memory else 'ext4'} {flag},relatime 0 0")
    return "\n".join(lines) + "\n"


def _top(kernel: Kernel, container: Data, proc: Process | None, path: str) -> Data | None:
    state, now = kernel.state, kernel.host.now
    if path == "net" or (path.split("/")[0] == "sys" and sysctls.directory(path[4:]) is not None):
        return DIRECTORY
    if path == "mounts":
        return _link("self/mounts")
    if path == "meminfo":
        total = state["memory"] // 1024
        used = sum(p["memory"] for p in state["processes"].values()) // 1024
        free = max(0, total - used - total // 16)
        rows = {
            "MemTotal": total,
            "MemFree": free,
            "MemAvailable": free,
            "Buffers": 0,
            "Cached": 0,
            "SwapTotal": 0,
            "SwapFree": 0,
            "Shmem": 0,
        }
        return _file("".join(f"{name + ':':<15} {value:>8} kB\n" for name, value in rows.items()))
    if path == "cpuinfo":
        one = "processor\t: {}\nvendor_id\t: GenuineIntel\nmodel name\t: PodLab virtual CPU\ncpu MHz\t\t: 2000.000\n\n"
        return _file("".join(one.format(i) for i in range(max(1, state["cpu"] // 1000))))
    if path == "loadavg":
        running = sum(1 for p in state["processes"].values() if p["wait"] is None and p["state"] == "running")
        load = f"{running:.2f}"
        return _file(f"{load} {load} {load} {max(1, running)}/{len(state['processes'])} {proc['pid'] if proc else 1}\n")
    if path == "uptime":
        up = (now - state["booted"]) / 1000
        return _file(f"{up:.2f} {up:.2f}\n")
    if path == "version":
        return _file(f"Linux version {KERNEL_VERSION} (debian-kernel@lists.debian.org) #1 SMP PREEMPT_DYNAMIC\n")
    if path == "stat":
        return _file(f"cpu  0 0 0 0 0 0 0 0 0 0\nbtime {state['booted'] // 1000}\nprocesses {len(state['processes'])}\n")
    if path.startswith("sys/"):
        found = sysctls.value(state, state["sandboxes"][container["pod"]], path[4:].replace("/", "."))
        return None if found is None else _file(found + "\n", 0o644)
    if path == "net/dev":
        return _file("Inter-|   Receive                                                |  Transmit\n"
                     " face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop "
                     "fifo colls carrier compressed\n"
                     + "".join(f"{name:>6}:{' 0' * 16}\n" for name in ("lo", "eth0")))  # fmt: skip
    if path in ("net/route", "net/tcp"):
        return _file("")
    return None


def _sys(container: Data, path: str) -> Data | None:
    if path in ("", "fs", "fs/cgroup"):
        return DIRECTORY
    limits = container["limits"]
    if path == "fs/cgroup/memory.max":
        return _file(f"{limits.get('memory') or 'max'}\n")
    if path == "fs/cgroup/cpu.max":
        return _file(f"{max(LEAST_QUOTA, int(limits['cpu']) * 100) if limits.get('cpu') else 'max'} 100000\n")
    if path == "fs/cgroup/cpu.weight":  # of the shares that cgroup v1 would have (opencontainers/cgroups, ConvertCPUSharesToCgroupV2Value)
        return _file(f"{1 + (limits.get('shares', 2) - 2) * 9999 // 262142}\n")
    if path == "fs/cgroup/memory.current":
        return _file(f"{container.get('memory', 0)}\n")
    return None
