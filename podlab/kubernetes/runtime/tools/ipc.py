"""System V IPC: shared memory, message queues and semaphores, kept by the Pod's sandbox because a Pod's containers share one IPC
namespace. ipcmk, ipcs and ipcrm as util-linux has them (busybox: the last two).

`sandbox["ipc"]`, made by the first ipcmk: {"shm" | "msg" | "sem": {"next": last index used, "seq": n, "items": {id: {"key", "uid",
"mode", "size"}}}}. Nothing here can attach to a segment, so `nattch` is always 0.
"""

from __future__ import annotations

import re

from ..process import Data, Process
from ..program import Event, tool
from ..system import Sys
from .common import complain, options, usage
from .listing import users

KINDS = {"q": "msg", "m": "shm", "s": "sem"}
NAMES = {"msg": "Message queue", "shm": "Shared memory", "sem": "Semaphore"}
MOST = 4096
"""SHMMNI (include/uapi/linux/shm.h); the real limits of queues and semaphore sets are larger (32000)."""
SEQUENCE = 32768
"""IPCMNI (include/linux/ipc_namespace.h): an id is the index, plus so much for each time that indices began anew."""
UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30}
TITLES = {
    "msg": ("Message Queues", ("key", "msqid", "owner", "perms", "used-bytes", "messages")),
    "shm": ("Shared Memory Segments", ("key", "shmid", "owner", "perms", "bytes", "nattch", "status")),
    "sem": ("Semaphore Arrays", ("key", "semid", "owner", "perms", "nsems")),
}


@tool("ipcmk")
def ipcmk(proc: Process, sys: Sys, event: Event) -> int:
    flags, _ = options(proc, sys, "M:QS:p:", {"shmem": "M", "queue": "Q", "semaphore": "S", "mode": "p"})
    if not {"M", "Q", "S"} & flags.keys():
        usage(proc, sys, "")
    mode = flags.get("p", "644")
    if not re.fullmatch("[0-7]{1,4}", mode):
        complain(proc, sys, f"failed to parse mode: '{mode}'")
        return 1
    status = 0
    for letter, kind in (("M", "shm"), ("Q", "msg"), ("S", "sem")):
        if letter in flags:
            status |= _make(proc, sys, kind, flags[letter], int(mode, 8))
    return status


def _make(proc: Process, sys: Sys, kind: str, text: str, mode: int) -> int:
    match = re.fullmatch(r"(\d{1,15})(?:([KMG])(?:iB)?)?", text or "0")
    if match is None or (kind != "msg" and not int(match[1])):
        complain(proc, sys, f"failed to parse {'size' if kind == 'shm' else 'elements'}: '{text}'")
        return 1
    sandbox = sys.sandbox
    table = sandbox.setdefault("ipc", {}).setdefault(kind, {"last": -1, "seq": 0, "items": {}})
    taken = {int(number) % SEQUENCE for number in table["items"]}
    index = next((index for index in range(MOST) if index not in taken), None)
    if index is None:
        complain(proc, sys, f"create {NAMES[kind].lower()} failed: No space left on device")
        return 1
    if index <= table["last"]:  # ipc_idr_alloc, ipc/util.c
        table["seq"] += 1
    table["last"] = index
    number = table["seq"] * SEQUENCE + index
    table["items"][str(number)] = {"key": 1 + sys.random(2**32 - 1), "uid": proc["uid"], "mode": mode,
                                   "size": int(match[1]) * UNITS[match[2] or ""]}  # fmt: skip
    sys.out(f"{NAMES[kind]} id: {number}\n")
    return 0


@tool("ipcs")
def ipcs(proc: Process, sys: Sys, event: Event) -> int:
    flags, _ = options(proc, sys, "amqs", {"all": "a", "shmems": "m", "queues": "q", "semaphores": "s"})
    asked = [kind for letter, kind in KINDS.items() if letter in flags]
    known, held = users(sys), sys.sandbox.get("ipc", {})
    for kind in KINDS.values() if "a" in flags or not asked else asked:
        title, columns = TITLES[kind]
        sys.out(f"\n------ {title} --------\n" + " ".join(f"{name:<10}" for name in columns) + "\n")
        items: Data = held.get(kind, {}).get("items", {})
        for number in sorted(items, key=int):
            item = items[number]
            cells = [number, known.get(item["uid"], str(item["uid"]))[:10], f"{item['mode']:o}",
                     *{"shm": (str(item["size"]), "0", ""), "msg": ("0", "0"), "sem": (str(item["size"]),)}[kind]]  # fmt: skip
            sys.out(f"0x{item['key']:08x} " + " ".join(f"{cell:<10}" for cell in cells) + "\n")
    sys.out("\n")
    return 0


@tool("ipcrm")
def ipcrm(proc: Process, sys: Sys, event: Event) -> int:
    flags, operands = options(proc, sys, "am:q:s:M:Q:S:")
    if operands or not flags:
        usage(proc, sys, "")
    held, status = sys.sandbox.get("ipc", {}), 0
    for letter, value in flags.items():
        if letter == "a":
            for table in held.values():
                table["items"] = {number: item for number, item in table["items"].items() if proc["uid"] not in (0, item["uid"])}
            continue
        items = held.get(KINDS[letter.lower()], {}).get("items", {})
        by_key = letter.isupper()
        wanted = next((number for number, item in items.items() if _number(value) == (item["key"] if by_key else int(number))), None)
        if wanted is None:
            complain(proc, sys, f"invalid {'key' if by_key else 'id'} ({value})")
            status = 1
        elif proc["uid"] not in (0, items[wanted]["uid"]):
            complain(proc, sys, f"permission denied for {'key' if by_key else 'id'} ({value})")
            status = 1
        else:
            del items[wanted]
    return status


def _number(text: str) -> int | None:
    """A decimal or 0x number, as strtoul reads them."""
    return int(text, 0) if re.fullmatch(r"0x[0-9a-fA-F]{1,8}|0|[1-9]\d{0,9}", text) else None
