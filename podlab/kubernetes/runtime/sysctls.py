"""Kernel parameters that a Pod may read, as files under /proc/sys and by `sysctl`: a new namespace's values, what the Pod's spec sets, and
what a privileged container has set, for its Pod or for the whole node.

Values: Documentation/admin-guide/sysctl and networking/ip-sysctl of the kernel; the two of unprivileged ports and pings are containerd's
(enable_unprivileged_ports, enable_unprivileged_icmp).
"""

from __future__ import annotations

from .process import Data

DEFAULTS = {
    "fs.file-max": "9223372036854775807",
    "kernel.hostname": "",
    "kernel.msgmax": "8192",
    "kernel.msgmnb": "16384",
    "kernel.pid_max": "4194304",
    "kernel.shm_rmid_forced": "0",
    "kernel.shmall": "18446744073692774399",
    "kernel.shmmax": "18446744073692774399",
    "net.core.somaxconn": "4096",
    "net.ipv4.ip_forward": "0",
    "net.ipv4.ip_local_port_range": "32768\t60999",
    "net.ipv4.ip_local_reserved_ports": "",
    "net.ipv4.ip_unprivileged_port_start": "0",
    "net.ipv4.ping_group_range": "0\t2147483647",
    "net.ipv4.tcp_fin_timeout": "60",
    "net.ipv4.tcp_keepalive_intvl": "75",
    "net.ipv4.tcp_keepalive_probes": "9",
    "net.ipv4.tcp_keepalive_time": "7200",
    "net.ipv4.tcp_rmem": "4096\t131072\t6291456",
    "net.ipv4.tcp_syncookies": "1",
    "net.ipv4.tcp_wmem": "4096\t16384\t4194304",
    "vm.max_map_count": "65530",
    "vm.overcommit_memory": "1",  # the kubelet sets it on every node (container_manager_linux.go)
    "vm.swappiness": "60",
}


OF_NAMESPACES = ("net.", "kernel.shm", "kernel.msg", "fs.mqueue.")  # each Pod has its own; every other is the node's (sysctl-cluster.md)


def value(node: Data, sandbox: Data, name: str) -> str | None:
    """A parameter's value in a Pod; None: there is none of that name."""
    if name == "kernel.hostname":
        return str(sandbox["hostname"])
    held = sandbox if name.startswith(OF_NAMESPACES) else node
    return str(held.get("sysctls", {}).get(name, DEFAULTS[name])) if name in DEFAULTS else None


def put(node: Data, sandbox: Data, name: str, text: str) -> None:
    """Sets one of the parameters that there are."""
    (sandbox if name.startswith(OF_NAMESPACES) else node).setdefault("sysctls", {})[name] = text


def directory(path: str) -> list[str] | None:
    """What a directory under /proc/sys lists, `path` as "net/ipv4"; None where there is none."""
    prefix = path.split("/") if path else []
    found = {parts[len(prefix)]: None for parts in (name.split(".") for name in DEFAULTS)
             if len(parts) > len(prefix) and parts[:len(prefix)] == prefix}
    return sorted(found) or None
