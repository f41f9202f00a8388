"""Tools that copy data block by block or in archives: dd, tar."""

from __future__ import annotations

from .. import filesystem
from ..filesystem import Vnode
from ..process import Data, Errno, Process
from ..program import Event, tool
from ..system import Sys
from ..turn import CHUNK
from .common import MOST_HELD, begin, complain, everything, human, options
from .permissions import tree
from .text import count_of, raw


@tool("dd")
def dd(proc: Process, sys: Sys, event: Event) -> int:
    data = proc["data"]
    if event is None:
        given = dict(word.split("=", 1) for word in proc["argv"][1:] if "=" in word)
        try:
            size = count_of(given.get("bs", given.get("ibs", "512")))
            data.update(size=size, left=count_of(given["count"]) if "count" in given else -1, full=0, part=0, bytes=0,
                began=sys.now,
                        fd=sys.open(given["if"]) if "if" in given else 0, to=1, status=given.get("status", ""),
                        conv=given.get("conv", ""))  # fmt: skip
            if "of" in given:
                data["to"] = sys.open(given["of"], "rw" if "notrunc" in data["conv"] else "w")
        except ValueError:
            complain(proc, sys, "invalid number")
            return 1
        except Errno as error:
            complain(proc, sys, f"can't open '{given.get('if' if 'fd' not in data else 'of', '')}': {error.text}")
            return 1
        sys.allocate(size)
    target = sys.kernel.state["files"][proc["fds"][str(data["to"])]]["kind"]
    source = sys.kernel.state["files"][proc["fds"][str(data["fd"])]]["kind"]
    status = 0
    while data["left"]:
        if source in ("zero", "random") and target in ("file", "null"):
            if not _zeros(sys, data):
                complain(proc, sys, "write error: No space left on device")
                status = 1
                break
            sys.breathe()
            continue
        text = sys.read(data["fd"], min(data["size"] - data.get("read", 0), CHUNK))  # a long block is read piece by piece
        if not text and not data.get("read"):
            break
        size = len(raw(text))
        data["bytes"] += size
        data["read"] = data.get("read", 0) + size
        if data["read"] >= data["size"] or not text or source == "pipe":
            data["full" if data["read"] >= data["size"] else "part"] += 1
            data["left"] -= 1
            data["read"] = 0
        try:
            sys.write(data["to"], text)
        except Errno as error:
            complain(proc, sys, f"write error: {error.text}")
            status = 1
            break
    _say_copied(proc, sys)
    return status


def _zeros(sys: Sys, data: Data) -> bool:
    """Blocks of /dev/zero or /dev/random, up to 64 MiB in one go, which a file only counts; False when it is full."""
    most = max(1, (64 << 20) // data["size"])
    many = min(data["left"], most) if data["left"] > 0 else most
    written = sys.zeros(data["to"], many * data["size"])
    data["bytes"] += written
    data["full"] += written // data["size"]
    if data["left"] > 0:
        data["left"] -= many
    sys.charge(written // 2000)
    return bool(written == many * data["size"])


def _say_copied(proc: Process, sys: Sys) -> None:
    """What dd says at its end, unless status=none."""
    data = proc["data"]
    if data["status"] == "none":
        return
    sys.err(f"{data['full']}+{data['part']} records in\n{data['full']}+{data['part']} records out\n")
    if data["status"] != "noxfer":
        seconds = max(0.000001, (sys.now - data["began"]) / 1000 + proc["debt"] / 1e6)
        rate = human(int(data["bytes"] / seconds))
        sys.err(f"{data['bytes']} bytes ({human(data['bytes'])}B) copied, {seconds:.6f} seconds, {rate}B/s\n")


@tool("tar")
def tar(proc: Process, sys: Sys, event: Event) -> int:
    data = proc["data"]
    if event is None:
        words = list(proc["argv"][1:])
        if words and not words[0].startswith("-"):
            words[0] = "-" + words[0]
        proc["argv"] = [proc["argv"][0], *words]
        flags, names = options(
            proc, sys, "cxtvzf:C:mopkOhX:jJ", {"strip-components": "X", "no-same-permissions": "m", "no-same-owner": "o"}
        )
        data.update(flags="".join(flags), file=flags.get("f", "-"), names=names, verbose="v" in flags)
        if "C" in flags:
            sys.chdir(flags["C"])
        if "c" not in flags:
            begin(proc, [data["file"]])
    if "c" in data["flags"]:
        blocks: list[str] = []
        for name in data["names"]:
            for path in tree(sys, name):
                found = sys.find(path, follow=False)
                if found is None:
                    complain(proc, sys, f"{path}: No such file or directory")
                    return 1
                blocks.append(_tar_entry(path, found))
                if data["verbose"]:
                    (sys.err if data["file"] == "-" else sys.out)(path + ("/" if found.is_dir else "") + "\n")
        text = "".join(blocks) + "\0" * 1024
        sys.out(text) if data["file"] == "-" else sys.write_file(data["file"], text)
        return 0
    if data["file"] != "-":
        archive = raw(everything(proc, sys, "can't open '{}': {}")[0][1]) if proc["data"]["in"] else b""
        _members(proc, sys, archive)
        return int(data["in"]["status"])
    while True:  # members are taken out as they come: who sends them need not close
        if data.setdefault("have", 0) >= data.setdefault("need", 512):
            rest, data["need"] = _members(proc, sys, raw("".join(data["pieces"])))
            data["pieces"], data["have"] = [rest.decode("utf-8", "surrogateescape")], len(rest)
        piece = sys.read(0)
        if not piece:
            cut = "".join(data.get("pieces", ())).strip("\0")
            if cut:
                complain(proc, sys, "short read")
            return 1 if cut else int(data["in"]["status"])
        data.setdefault("pieces", []).append(piece)
        data["have"] += len(raw(piece))
        if data["have"] >= MOST_HELD:
            complain(proc, sys, "out of memory")
            return 1


def _members(proc: Process, sys: Sys, archive: bytes) -> tuple[bytes, int]:
    """Lists or takes out the members that are whole; (what follows them, how many bytes of that there must be for the next)."""
    data, at = proc["data"], 0
    while at + 512 <= len(archive) and archive[at]:
        header = archive[at : at + 512]
        name = header[:100].rstrip(b"\0").decode("utf-8", "surrogateescape")
        prefix = header[345:500].rstrip(b"\0").decode("utf-8", "surrogateescape") if header[257:262] == b"ustar" else ""
        name = (prefix + "/" + name if prefix else name).lstrip("/")
        digits = header[124:136].strip(b"\0 ") or b"0"
        if digits.strip(b"01234567"):  # a size with a sign would lead backwards
            complain(proc, sys, "invalid tar magic")
            sys.exit(1)
        size = int(digits, 8)
        whole = 512 + -(-size // 512) * 512
        if at + whole > len(archive):
            return archive[at:], whole
        kind = chr(header[156])
        body = archive[at + 512 : at + 512 + size]
        at += whole
        if kind in "xgL" or (
            data["names"] and not any(name.rstrip("/") == n or name.startswith(n.rstrip("/") + "/") for n in data["names"])
        ):
            continue
        if "t" in data["flags"] or data["verbose"]:
            sys.out(name + "\n")
        if "x" in data["flags"]:
            _tar_extract(sys, name, kind, body.decode("utf-8", "surrogateescape"), header)
    return (b"", 512) if at < len(archive) and not archive[at] else (archive[at:], 512)


def _tar_entry(path: str, vnode: Vnode) -> str:
    inode = vnode.inode
    body = raw(filesystem.content(inode)) if inode["t"] == "f" else b""
    name = path.lstrip("/") + ("/" if vnode.is_dir else "")
    kind = {"d": b"5", "l": b"2"}.get(inode["t"], b"0")
    link = raw(inode["to"]) if inode["t"] == "l" else b""
    head = (raw(name)[:100].ljust(100, b"\0") + b"%07o\0%07o\0%07o\0" % (inode["m"] & 0o7777, inode.get("u", 0), inode.get("g",
        0))
            + b"%011o\0%011o\0" % (len(body), inode["mt"] // 1000) + b" " * 8 + kind + link.ljust(100,
                b"\0") + b"ustar\x0000" + b"\0" * 247)  # fmt: skip
    head = head[:148] + b"%06o\0 " % sum(head) + head[156:]
    return (head + body + b"\0" * (-len(body) % 512)).decode("utf-8", "surrogateescape")


def _tar_extract(sys: Sys, name: str, kind: str, body: str, header: bytes) -> None:
    parts = name.rstrip("/").split("/")
    for end in range(1, len(parts)):
        if sys.find("/".join(parts[:end])) is None:
            sys.mkdir("/".join(parts[:end]))
    mode = int(header[100:108].rstrip(b"\0 ") or b"644", 8) & 0o7777
    target = name.rstrip("/")
    if kind == "5":
        if sys.find(target) is None:
            sys.mkdir(target)
    elif kind == "2":
        if sys.find(target, follow=False) is not None:
            sys.unlink(target)
        sys.symlink(header[157:257].rstrip(b"\0").decode(), target)
        return
    else:
        sys.write_file(target, body)
    sys.change(target, m=mode)
