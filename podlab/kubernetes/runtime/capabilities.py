"""Linux capabilities as bits of /proc/PID/status: what a container has by default, and with what securityContext adds and drops.

Sources: include/uapi/linux/capability.h (the order), containerd's oci package (defaultUnixCaps), proc_pid_status(5).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

NAMES = (
    "CHOWN", "DAC_OVERRIDE", "DAC_READ_SEARCH", "FOWNER", "FSETID", "KILL", "SETGID", "SETUID", "SETPCAP", "LINUX_IMMUTABLE",
    "NET_BIND_SERVICE", "NET_BROADCAST", "NET_ADMIN", "NET_RAW", "IPC_LOCK", "IPC_OWNER", "SYS_MODULE", "SYS_RAWIO", "SYS_CHROOT",
    "SYS_PTRACE", "SYS_PACCT", "SYS_ADMIN", "SYS_BOOT", "SYS_NICE", "SYS_RESOURCE", "SYS_TIME", "SYS_TTY_CONFIG", "MKNOD", "LEASE",
    "AUDIT_WRITE", "AUDIT_CONTROL", "SETFCAP", "MAC_OVERRIDE", "MAC_ADMIN", "SYSLOG", "WAKE_ALARM", "BLOCK_SUSPEND", "AUDIT_READ",
    "PERFMON", "BPF", "CHECKPOINT_RESTORE",
)  # fmt: skip
DEFAULT = ("CHOWN", "DAC_OVERRIDE", "FSETID", "FOWNER", "MKNOD", "NET_RAW", "SETGID", "SETUID", "SETFCAP", "SETPCAP", "NET_BIND_SERVICE",
           "SYS_CHROOT", "KILL", "AUDIT_WRITE")  # fmt: skip
BITS = {name: 1 << bit for bit, name in enumerate(NAMES)}
EVERY = (1 << len(NAMES)) - 1


def bits(names: Iterable[str]) -> int:
    """The set of those capabilities; ALL is every one, an unknown name none."""
    found = 0
    for name in names:
        found |= EVERY if name == "ALL" else BITS.get(name.upper().removeprefix("CAP_"), 0)
    return found


def of_container(added: Iterable[str], dropped: Iterable[str]) -> int:
    """What a container may have (its bounding set): ALL first, whether added or dropped, then the names one by one."""
    add, drop = set(added), set(dropped)
    held = EVERY if "ALL" in add else 0 if "ALL" in drop else bits(DEFAULT)
    return (held | bits(add - {"ALL"})) & ~bits(drop - {"ALL"})


def has(container: Mapping[str, Any], name: str) -> bool:
    """Whether root in a container has a capability."""
    return bool(of_container(container.get("caps", ()), container.get("dropped", ())) & BITS[name])


def status_lines(held: int, *, root: bool) -> str:
    """The five lines of /proc/PID/status: only root keeps what its container may have."""
    mine = held if root else 0
    shown = {"CapInh": 0, "CapPrm": mine, "CapEff": mine, "CapBnd": held, "CapAmb": 0}
    return "".join(f"{name}:\t{value:016x}\n" for name, value in shown.items())
