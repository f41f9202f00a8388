"""Tools on text: head, tail, grep, cut, tr, sort, uniq, wc, tee, seq, rev, nl, paste, and the like."""

from __future__ import annotations

import base64 as coding
import hashlib
import re
from itertools import pairwise

from ..filesystem import text_bytes
from ..process import Errno, Process
from ..program import MEBIBYTE, Event, tool
from ..shell.patterns import CLASSES
from ..system import Sys
from .basics import duration
from .common import begin, complain, everything, lines, options, ordered, pieces, usage
from .regex import basic, extended

RAW = "surrogateescape"


def raw(text: str) -> bytes:
    """A content string's bytes."""
    return text.encode("utf-8", RAW)


def count_of(text: str) -> int:
    """`10`, `2k`, `1M` -> a number; ValueError."""
    match = re.fullmatch(r"([+-]?\d+)([bkKmMgG]?)B?", text)
    if match is None:
        raise ValueError(text)
    return int(match[1]) * {"": 1, "b": 512, "k": 1024, "m": 1 << 20, "g": 1 << 30}[match[2].lower()]


def _old_style(proc: Process) -> None:
    """`head -5` is `head -n 5`."""
    argv = proc["argv"]
    if len(argv) > 1 and re.fullmatch(r"-\d+", argv[1]):
        argv[1:2] = ["-n", argv[1][1:]]


@tool("head")
def head(proc: Process, sys: Sys, event: Event) -> int:
    data = proc["data"]
    if event is None:
        _old_style(proc)
        given, names = options(proc, sys, "n:c:qv", {"lines": "n", "bytes": "c"})
        try:
            data.update(unit="c" if "c" in given else "n", count=count_of(given.get("c", given.get("n", "10"))))
        except ValueError:
            usage(proc, sys, f"invalid number '{given.get('c', given.get('n', ''))}'")
        data.update(left=data["count"], many=(len(names) > 1 or "v" in given) and "q" not in given, shown="", first=True, held=[])
        begin(proc, names)

    def title(name: str) -> None:
        if data["many"] and data["shown"] != name:
            sys.out(("" if data["first"] else "\n") + f"==> {'standard input' if name == '-' else name} <==\n")
            data.update(shown=name, first=False)

    state = data["in"]
    if data["count"] < 0 or data["many"]:
        status = 0
        for name, text in everything(proc, sys, "{}: {}"):
            title(name)
            if data["unit"] == "n":
                sys.out("".join(text.splitlines(True)[: data["count"]]))
            else:
                sys.out(raw(text)[: data["count"]].decode("utf-8", RAW))
        return status or int(state["status"])
    if data["unit"] == "c":

        def byte(text: str, name: str, end: bool) -> bool:
            part = raw(text)[: data["left"]]
            sys.out(part.decode("utf-8", RAW))
            data["left"] -= len(part)
            return bool(data["left"] <= 0)

        if data["count"] == 0:
            return 0
        return pieces(proc, sys, byte)

    def line(text: str, name: str) -> bool:
        if data["left"] > 0:
            sys.out(text)
            data["left"] -= 1
        return bool(data["left"] <= 0)

    return 0 if data["count"] == 0 else lines(proc, sys, line)


@tool("tail", memory=MEBIBYTE)
def tail(proc: Process, sys: Sys, event: Event) -> int:
    data = proc["data"]
    if event is None:
        _old_style(proc)
        given, names = options(proc, sys, "n:c:fFs:qv", {"lines": "n", "bytes": "c", "follow": "f", "retry": "F"})
        text = given.get("c", given.get("n", "10"))
        try:
            count = count_of(text)
        except ValueError:
            usage(proc, sys, f"invalid number '{text}'")
        data.update(unit="c" if "c" in given else "n", count=abs(count), start=text.startswith("+"),
            follow="f" in given or "F" in given,
                    retry="F" in given, many=(len(names) > 1 or "v" in given) and "q" not in given, names=names or ["-"],
                    phase="read",
                    pause=duration(given.get("s", "1")) or 1000, held=0, seen="")  # fmt: skip
        data["many"] = data["many"] and "q" not in given
        if any(_endless(sys, name) for name in data["names"]):
            data["phase"] = "devour"
        begin(proc, list(names))
    if data["phase"] == "devour":
        # tail keeps the last line; /dev/zero never ends one, so its buffer grows until memory does not suffice.
        data["held"] = max(MEBIBYTE, data["held"] * 2)
        sys.allocate(data["held"])
        sys.sleep(max(1, data["held"] // (512 * 1024)))
    if data["phase"] == "read":
        status = 0
        files = everything(proc, sys, "can't open '{}': {}")
        for index, (name, text) in enumerate(files):
            if data["many"]:
                sys.out(("\n" if index else "") + f"==> {'standard input' if name == '-' else name} <==\n")
            sys.out(_last_part(text, data["unit"], data["count"], data["start"]))
            data["seen"] = name
        status = int(data["in"]["status"])
        if not files:
            complain(proc, sys, "no files")
        if not data["follow"]:
            return status
        data["files"] = []
        for name in data["names"]:
            data["files"].append({"name": name, "fd": None, "ino": ""})
            if name != "-":
                _follow_open(sys, data["files"][-1], False)
        if not data["retry"] and all(item["fd"] is None for item in data["files"]):
            return status
        data["phase"] = "follow"
        data["began"] = sys.now
    if event is not None and event["on"] == "change":
        # busybox looks once a second, not at once.
        sys.sleep(data["pause"] - (sys.now - data["began"]) % data["pause"])
    for item in data["files"]:
        _follow_read(proc, sys, item, data)
    watched = tuple(
        item["name"] if item["fd"] is not None or item["name"].startswith("/") else "."
        for item in data["files"]
        if item["name"] != "-"
    )
    places = tuple(_existing(sys, path) for path in watched)
    sys.poll(changes=places)
    return 0


def _endless(sys: Sys, name: str) -> bool:
    found = sys.find(name) if name != "-" else None
    return found is not None and found.inode["t"] == "c" and found.inode["dev"] in ("zero", "urandom", "random", "full")


def _existing(sys: Sys, path: str) -> str:
    """The nearest directory of a path that exists, to be watched."""
    while path not in ("", "/", "."):
        if sys.find(path) is not None:
            return path
        path = path.rpartition("/")[0] or ("/" if path.startswith("/") else ".")
    return path or "."


def _last_part(text: str, unit: str, count: int, start: bool) -> str:
    if unit == "c":
        data = raw(text)
        return (data[max(0, count - 1) :] if start else data[len(data) - min(count, len(data)) :]).decode("utf-8", RAW)
    rows = text.splitlines(True) if "\r" not in text and "\x0b" not in text else re.findall(r"[^\n]*\n|[^\n]+", text)
    return "".join(rows[max(0, count - 1) :] if start else rows[len(rows) - min(count, len(rows)) :])


def _follow_open(sys: Sys, item: dict[str, object], fresh: bool) -> None:
    name = str(item["name"])
    found = sys.find(name)
    if found is None:
        return
    try:
        fd = sys.open(name)
    except Errno:
        return
    item["fd"] = fd
    item["ino"] = f"{found.fsid}/{found.ino or found.path}"
    if not fresh:
        while sys.read(fd):
            pass


def _follow_read(proc: Process, sys: Sys, item: dict[str, object], data: dict[str, object]) -> None:
    name = str(item["name"])
    if name == "-":
        return
    if data["retry"]:
        found = sys.find(name)
        identity = "" if found is None else f"{found.fsid}/{found.ino or found.path}"
        if identity and identity != item["ino"]:
            if item["fd"] is not None:
                _follow_copy(sys, item, data)
                sys.close(int(str(item["fd"])))
                complain(proc, sys, f"{name} has been replaced; following end of new file")
            else:
                complain(proc, sys, f"{name} has appeared; following end of new file")
            item["fd"] = None
            _follow_open(sys, item, True)
    if item["fd"] is not None:
        _follow_copy(sys, item, data)


def _follow_copy(sys: Sys, item: dict[str, object], data: dict[str, object]) -> None:
    fd = int(str(item["fd"]))
    while text := sys.read(fd):
        if data["many"] and data["seen"] != item["name"]:
            sys.out(f"\n==> {item['name']} <==\n")
            data["seen"] = item["name"]
        sys.out(text)


@tool("grep", "egrep", "fgrep")
def grep(proc: Process, sys: Sys, event: Event) -> int:
    data = proc["data"]
    if event is None:
        given, names = options(proc, sys, "EFGPivcnqolLrRhHsxwm:A:B:C:e:f:", {"color": "G", "colour": "G"})
        fixed, wide = (
            "F" in given or proc["argv"][0].endswith("fgrep"),
            "E" in given or "P" in given or proc["argv"][0].endswith("egrep"),
        )
        texts = given.get("e", "").split("\n") if "e" in given else []
        if "f" in given:
            texts += sys.read_file(given["f"]).splitlines()
        if "e" not in given and "f" not in given:
            if not names:
                usage(proc, sys, "")
            texts = names.pop(0).split("\n")
        parts = [re.escape(t) if fixed else extended(t) if wide else basic(t) for t in texts]
        pattern = "|".join(f"(?:{p})" for p in parts)
        if "w" in given:
            pattern = rf"(?<!\w)(?:{pattern})(?!\w)"
        if "x" in given:
            pattern = f"^(?:{pattern})$"
        try:
            re.compile(pattern)
        except re.error:
            complain(proc, sys, f"bad regex '{texts[0]}': Invalid regular expression" if texts else "bad regex")
            return 2
        recursive = "r" in given or "R" in given
        if recursive:
            names = [path for name in names or ["."] for path in _walk(sys, name)]
        many = ((len(names) > 1 or recursive) and "h" not in given) or "H" in given
        around = int(given.get("C", "0") or 0)
        data.update(pattern=pattern, flags="".join(given), many=many, counts={}, number=0, matched=False, error=False, shown="",
            limit=int(given.get("m", "0")),
                    before=int(given.get("B", around)), after=int(given.get("A", around)), held=[], more=0, last=0)  # fmt: skip
        begin(proc, names)
    flags = data["flags"]
    regex = re.compile(data["pattern"], re.I if "i" in flags else 0)

    def show(text: str, name: str, number: int, mark: str) -> None:
        prefix = f"{'(standard input)' if name == '-' else name}{mark}" if data["many"] else ""
        sys.out(prefix + (f"{number}{mark}" if "n" in flags else "") + text + "\n")
        data["last"] = number

    def line(text: str, name: str) -> bool:
        if data["shown"] != name:
            data.update(shown=name, number=0, held=[], more=0, last=0)
            data["counts"].setdefault(name, 0)
        data["number"] += 1
        text = text[:-1] if text.endswith("\n") else text
        hit = (regex.search(text) is not None) != ("v" in flags)
        if not hit:
            if data["more"] and not set(flags) & set("cqlL"):
                data["more"] -= 1
                show(text, name, data["number"], "-")
            elif data["before"]:
                data["held"] = [*data["held"], [data["number"], text]][-data["before"] :]
            return False
        data["matched"] = True
        data["counts"][name] += 1
        if "q" in flags:
            return True
        if set(flags) & set("clL"):
            return False
        if (data["before"] or data["after"]) and data["last"] and (data["held"] or [[data["number"]]])[0][0] > data["last"] + 1:
            sys.out("--\n")
        for number, old in data["held"]:
            show(old, name, number, "-")
        data.update(held=[], more=data["after"])
        if "o" in flags:
            for match in regex.finditer(text):
                if match[0]:
                    show(match[0], name, data["number"], ":")
        else:
            show(text, name, data["number"], ":")
        return bool(data["limit"] and data["counts"][name] >= data["limit"] and not data["in"]["todo"])

    failed = lines(proc, sys, line) and "s" not in flags
    for name in [data["in"]["name"]] if not data["counts"] and "c" in flags and data["in"]["name"] else []:
        data["counts"][name] = 0
    for name, count in data["counts"].items():
        label = "(standard input)" if name == "-" else name
        if "c" in flags:
            sys.out((f"{label}:" if data["many"] else "") + f"{count}\n")
        elif ("l" in flags and count) or ("L" in flags and not count):
            sys.out(label + "\n")
    if "q" in flags and data["matched"]:
        return 0
    return 2 if failed else 0 if data["matched"] else 1


def _walk(sys: Sys, path: str) -> list[str]:
    found = sys.find(path)
    if found is None or not found.is_dir:
        return [path]
    out: list[str] = []
    for name in sys.listdir(path):
        child = path.rstrip("/") + "/" + name
        inner = sys.find(child, follow=False)
        if inner is not None and inner.is_dir:
            out += _walk(sys, child)
        elif inner is not None and inner.inode["t"] == "f":
            out.append(child)
    return out


def ranges(text: str) -> list[tuple[int, int]]:
    """`1,3-5,7-` as pairs from 1; ValueError."""
    out = []
    for part in text.split(","):
        low, dash, high = part.partition("-")
        start = int(low) if low else 1
        out.append((start, start if not dash else int(high) if high else 1 << 30))
    return out


@tool("cut")
def cut(proc: Process, sys: Sys, event: Event) -> int:
    data = proc["data"]
    if event is None:
        given, names = options(proc, sys, "d:f:c:b:sn", {"fields": "f", "delimiter": "d", "characters": "c"})
        kind = next((k for k in "fcb" if k in given), "")
        if not kind:
            usage(proc, sys, "expected a list of bytes, characters, or fields")
        try:
            data.update(
                kind=kind,
                ranges=[list(r) for r in sorted(ranges(given[kind]))],
                delimiter=given.get("d", "\t")[:1] or "\t",
                only="s" in given,
            )
        except ValueError:
            usage(proc, sys, f"invalid range {given[kind]}")
        begin(proc, names)

    def picked(items: list[str]) -> list[str]:
        seen: list[int] = []
        for low, high in data["ranges"]:
            seen += [i for i in range(low, min(high, len(items)) + 1) if i not in seen]
        return [items[i - 1] for i in seen]

    def line(text: str, name: str) -> None:
        text = text[:-1] if text.endswith("\n") else text
        if data["kind"] == "f":
            if data["delimiter"] not in text:
                if not data["only"]:
                    sys.out(text + "\n")
                return
            sys.out(data["delimiter"].join(picked(text.split(data["delimiter"]))) + "\n")
        else:
            sys.out("".join(picked(list(text))) + "\n")

    return lines(proc, sys, line)


def _tr_set(text: str) -> list[str]:
    out: list[str] = []
    i = 0
    from ..shell.escapes import backslashes

    while i < len(text):
        if text.startswith("[:", i) and ":]" in text[i + 2 :]:
            end = text.index(":]", i + 2)
            name = text[i + 2 : end]
            out += [chr(c) for c in range(128) if re.match(f"[{CLASSES.get(name, '')}]", chr(c))]
            i = end + 2
            continue
        if text[i] == "\\" and i + 1 < len(text):
            width = 2
            while width < 4 and i + width < len(text) and text[i + 1] in "01234567" and text[i + width] in "01234567":
                width += 1
            char = backslashes(text[i : i + width])[0]
            i += width
        else:
            char = text[i]
            i += 1
        if i + 1 < len(text) and text[i] == "-":
            out += [chr(c) for c in range(ord(char), ord(text[i + 1]) + 1)]
            i += 2
        else:
            out.append(char)
    return out


@tool("tr")
def tr(proc: Process, sys: Sys, event: Event) -> int:
    data = proc["data"]
    if event is None:
        given, sets = options(proc, sys, "+dscC")
        if not sets:
            usage(proc, sys, "")
        data.update(flags="".join(given), last="")
        data["sets"] = ["".join(_tr_set(text)) for text in sets]
        begin(proc, [])
    flags, sets = data["flags"], data["sets"]
    first = set(sets[0])
    complement = "c" in flags or "C" in flags
    second = sets[1] if len(sets) > 1 else ""
    table: dict[str, str] = {}
    if second and "d" not in flags and not complement:
        table = {char: second[min(i, len(second) - 1)] for i, char in enumerate(sets[0])}
    squeeze = set(second or sets[0]) if "s" in flags else set()

    def piece(text: str, name: str, end: bool) -> None:
        out: list[str] = []
        for char in text:
            inside = (char in first) != complement
            if "d" in flags and inside:
                continue
            if second and "d" not in flags and inside:
                char = second[-1] if complement else table[char]
            if squeeze and char == data["last"] and (char in squeeze or (complement and inside)):
                continue
            data["last"] = char
            out.append(char)
        sys.out("".join(out))

    return pieces(proc, sys, piece)


@tool("sort", memory=MEBIBYTE)
def sort(proc: Process, sys: Sys, event: Event) -> int:
    data = proc["data"]
    if event is None:
        argv = proc["argv"]
        keys = [
            argv[i + 1] if word == "-k" else word[2:]
            for i, word in enumerate(argv)
            if word.startswith("-k") and (len(word) > 2 or i + 1 < len(argv))
        ]
        given, names = options(proc, sys, "nruhfbVscMgdizt:k:o:T:")
        data.update(flags="".join(given), keys=keys, separator=given.get("t", ""), out=given.get("o", ""))
        begin(proc, names)
    files = everything(proc, sys, "{}: {}")
    rows = [line for _, text in files for line in text.removesuffix("\n").split("\n") if text]
    flags = data["flags"]

    def field(row: str, spec: str) -> tuple[str, str]:
        match = re.fullmatch(r"(\d+)(?:\.(\d+))?([a-zA-Z]*)(?:,(\d+)(?:\.(\d+))?([a-zA-Z]*))?", spec)
        if match is None:
            return row, ""
        parts = row.split(data["separator"]) if data["separator"] else re.findall(r"\s*\S+", row)
        start, end = int(match[1]) - 1, int(match[4]) if match[4] else len(parts)
        text = (data["separator"] or "").join(parts[start:end])
        if match[2]:
            text = text[int(match[2]) - 1 :]
        return text, match[3] + (match[6] or "")

    def number(text: str) -> float:
        found = re.match(r"\s*-?\d*\.?\d+", text)
        return float(found[0]) if found else 0.0

    def value(text: str, how: str) -> tuple[object, ...]:
        if "n" in how or "g" in how:
            return (number(text),)
        if "h" in how:
            found = re.match(r"\s*(-?[\d.]+)([KMGTP]?)", text)
            return (0.0,) if found is None or not found[1] else (float(found[1]) * 1024 ** " KMGTP".index(found[2] or " "),)
        if "V" in how:
            return tuple((0, int(p), "") if p.isdigit() else (1, 0, p) for p in re.findall(r"\d+|\D+", text))
        text = text.lstrip() if "b" in how else text
        return (raw(text.lower() if "f" in how else text),)

    def key(row: str) -> list[tuple[object, ...]]:
        if not data["keys"]:
            return [value(row, flags)]
        out = []
        for spec in data["keys"]:
            text, how = field(row, spec)
            out.append(value(text, how or flags))
        return out

    if "c" in flags:
        return int(any(key(a) > key(b) for a, b in pairwise(rows)))
    backwards = "r" in flags
    if data["keys"]:
        specs = [field("", spec)[1] for spec in data["keys"]]
        rows.sort(key=raw, reverse=backwards and "s" not in flags) if "s" not in flags else None
        for index in range(len(specs) - 1, -1, -1):
            rows.sort(key=lambda row: key(row)[index], reverse=("r" in specs[index]) if specs[index] else backwards)
    else:
        rows.sort(key=raw)
        rows.sort(key=key)
        if backwards:
            rows.reverse()
    if "u" in flags:
        kept: list[str] = []
        for row in rows:
            if not kept or key(kept[-1]) != key(row):
                kept.append(row)
        rows = kept
    text = "".join(row + "\n" for row in rows)
    sys.write_file(data["out"], text) if data["out"] else sys.out(text)
    return int(data["in"]["status"])


@tool("uniq")
def uniq(proc: Process, sys: Sys, event: Event) -> int:
    data = proc["data"]
    if event is None:
        given, names = options(proc, sys, "cduif:s:w:")
        data.update(flags="".join(given), row=None, count=0, skip=int(given.get("f", "0")), width=int(given.get("w", "0")))
        begin(proc, names[:1])
    flags = data["flags"]

    def emit() -> None:
        if data["row"] is not None and not ("d" in flags and data["count"] < 2) and not ("u" in flags and data["count"] > 1):
            sys.out((f"{data['count']:7d} " if "c" in flags else "") + data["row"] + "\n")

    def same(a: str, b: str) -> bool:
        if data["skip"]:
            a, b = " ".join(a.split()[data["skip"] :]), " ".join(b.split()[data["skip"] :])
        if data["width"]:
            a, b = a[: data["width"]], b[: data["width"]]
        return a.lower() == b.lower() if "i" in flags else a == b

    def line(text: str, name: str) -> None:
        text = text.removesuffix("\n")
        if data["row"] is not None and same(text, data["row"]):
            data["count"] += 1
        else:
            emit()
            data.update(row=text, count=1)

    status = lines(proc, sys, line)
    emit()
    return status


@tool("wc")
def wc(proc: Process, sys: Sys, event: Event) -> int:
    data = proc["data"]
    if event is None:
        given, names = options(proc, sys, "lwcmL", {"lines": "l", "words": "w", "bytes": "c"})
        data.update(
            flags="".join(k for k in "lwmcL" if k in given) or "lwc",
            names=names,
            totals=[0] * 5,
            counts=[0] * 5,
            column=0,
            inside=False,
        )
        begin(proc, names)
    width = 9 if len(data["flags"]) > 1 else 0

    def row(counts: list[int], name: str) -> str:
        picked = [counts["lwmcL".index(flag)] for flag in data["flags"]]
        text = " ".join(str(n).rjust(width) for n in picked) if len(picked) > 1 else str(picked[0])
        return text + (" " + name if name else "") + "\n"

    def piece(text: str, name: str, end: bool) -> None:
        counts = data["counts"]
        if end:
            data["totals"] = [a + b for a, b in zip(data["totals"], counts, strict=True)]
            sys.out(row(counts, "" if not data["names"] else name))
            data.update(counts=[0] * 5, column=0, inside=False)
            return
        counts[0] += text.count("\n")
        counts[1] += len(text.split()) - int(data["inside"] and not text[0].isspace())
        counts[2] += len(text)
        counts[3] += text_bytes(text)
        first, *rest = text.split("\n")
        counts[4] = (
            max(counts[4], data["column"] + len(first), *(len(part) for part in rest))
            if rest
            else max(counts[4], data["column"] + len(first))
        )
        data.update(inside=not text[-1].isspace(), column=len(rest[-1]) if rest else data["column"] + len(first))

    status = pieces(proc, sys, piece, "{}: {}")
    if len(data["names"]) > 1:
        sys.out(row(data["totals"], "total"))
    return status


@tool("tee")
def tee(proc: Process, sys: Sys, event: Event) -> int:
    data = proc["data"]
    if event is None:
        given, names = options(proc, sys, "ai")
        data.update(fds=[], status=0)
        for name in names:
            try:
                data["fds"].append(sys.open(name, "a" if "a" in given else "w"))
            except Errno as error:
                complain(proc, sys, f"{name}: {error.text}")
                data["status"] = 1
        begin(proc, [])

    def piece(text: str, name: str, end: bool) -> None:
        sys.out(text)
        for fd in data["fds"]:
            sys.write(fd, text)

    return pieces(proc, sys, piece) or int(data["status"])


@tool("tac", "rev", "nl")
def tac(proc: Process, sys: Sys, event: Event) -> int:
    if event is None:
        _, names = options(proc, sys, "b:s:")
        begin(proc, names)
    name = proc["argv"][0].rsplit("/", 1)[-1]
    rows = [line for _, text in everything(proc, sys) for line in text.splitlines()]
    if name == "tac":
        rows.reverse()
    elif name == "rev":
        rows = [row[::-1] for row in rows]
    else:
        number = 0
        for index, row in enumerate(rows):
            number += bool(row)
            rows[index] = f"{number:6d}\t{row}" if row else "       "
    sys.out("".join(row + "\n" for row in rows))
    return int(proc["data"]["in"]["status"])


@tool("paste")
def paste(proc: Process, sys: Sys, event: Event) -> int:
    data = proc["data"]
    if event is None:
        given, names = options(proc, sys, "sd:")
        data.update(serial="s" in given, delimiter=given.get("d", "\t"))
        begin(proc, names)
    files = [text.splitlines() for _, text in everything(proc, sys)]
    joint = data["delimiter"].replace("\\n", "\n").replace("\\t", "\t")
    if data["serial"]:
        sys.out("".join(joint.join(rows) + "\n" for rows in files))
    else:
        height = max((len(rows) for rows in files), default=0)
        sys.out("".join(joint.join(rows[i] if i < len(rows) else "" for rows in files) + "\n" for i in range(height)))
    return int(data["in"]["status"])


@tool("seq")
def seq(proc: Process, sys: Sys, event: Event) -> int:
    data = proc["data"]
    if event is None:
        words = list(proc["argv"][1:])
        separator, wide = "\n", False
        while words and words[0].startswith("-") and not re.fullmatch(r"-[\d.]+", words[0]):
            option = words.pop(0)
            if option == "-w":
                wide = True
            elif option.startswith("-s") and (words or option[2:]):
                separator = option[2:] or words.pop(0)
        try:
            numbers = [float(word) for word in words]
        except ValueError:
            complain(proc, sys, f"invalid number '{next(w for w in words if not re.fullmatch(r'-?[0-9.]+', w))}'")
            return 1
        if not 1 <= len(numbers) <= 3:
            usage(proc, sys, "")
        first, step, last = (
            (1.0, 1.0, numbers[0]) if len(numbers) == 1 else (numbers[0], 1.0, numbers[1]) if len(numbers) == 2 else numbers
        )
        digits = max((len(word.partition(".")[2]) for word in words), default=0)
        width = max(len(f"{first:.{digits}f}"), len(f"{last:.{digits}f}")) if wide else 0
        data.update(at=0, first=first, step=step, last=last, digits=digits, width=width, separator=separator)
        if step == 0:
            sys.pause()
    while True:
        rows: list[str] = []
        while len(rows) < 1000:
            value = data["first"] + data["at"] * data["step"]
            if (value > data["last"] + 1e-9) if data["step"] > 0 else (value < data["last"] - 1e-9):
                break
            rows.append((data["separator"] if data["at"] else "") + f"{value:0{data['width']}.{data['digits']}f}")
            data["at"] += 1
        sys.out("".join(rows))
        if len(rows) < 1000:
            sys.out("\n" if data["at"] else "")
            return 0
        sys.charge(200)
        sys.breathe()


@tool("yes")
def yes(proc: Process, sys: Sys, event: Event) -> int:
    text = (" ".join(proc["argv"][1:]) or "y") + "\n"
    while True:
        sys.out(text * max(1, 4096 // len(text)))
        sys.charge(500)
        sys.breathe()


@tool("md5sum", "sha1sum", "sha256sum", "sha512sum")
def checksum(proc: Process, sys: Sys, event: Event) -> int:
    if event is None:
        given, names = options(proc, sys, "cs")
        proc["data"]["check"] = "c" in given
        begin(proc, names)
    kind = proc["argv"][0].rsplit("/", 1)[-1].removesuffix("sum")
    files = everything(proc, sys, "can't open '{}': {}")
    bad = 0
    for name, text in files:
        if proc["data"]["check"]:
            for row in text.splitlines():
                want, _, path = row.partition("  ")
                good = hashlib.new(kind, raw(sys.read_file(path)), usedforsecurity=False).hexdigest() == want
                bad += not good
                sys.out(f"{path}: {'OK' if good else 'FAILED'}\n")
        else:
            sys.out(f"{hashlib.new(kind, raw(text), usedforsecurity=False).hexdigest()}  {name}\n")
    if bad:
        complain(proc, sys, f"WARNING: {bad} of {sum(len(t.splitlines()) for _, t in files)} computed checksums did NOT match")
    return 1 if bad else int(proc["data"]["in"]["status"])


@tool("base64")
def base64(proc: Process, sys: Sys, event: Event) -> int:
    data = proc["data"]
    if event is None:
        given, names = options(proc, sys, "dw:", {"decode": "d", "wrap": "w"})
        data.update(decode="d" in given, width=int(given.get("w", "76")))
        begin(proc, names)
    files = everything(proc, sys)
    text = "".join(text for _, text in files)
    if data["decode"]:
        try:
            sys.out(coding.b64decode(re.sub(r"\s", "", text), validate=True).decode("utf-8", RAW))
        except ValueError:
            complain(proc, sys, "truncated input")
            return 1
        return int(data["in"]["status"])
    code = coding.b64encode(raw(text)).decode()
    width = data["width"]
    sys.out("".join(code[i : i + width] + "\n" for i in range(0, len(code), width)) if width else code)
    return int(data["in"]["status"])


@tool("od", "hexdump", "xxd")
def dump(proc: Process, sys: Sys, event: Event) -> int:
    data = proc["data"]
    if event is None:
        given, names = options(proc, sys, "cCxbvA:t:N:n:s:p")
        data.update(
            flags="".join(given),
            kind=given.get("t", ""),
            limit=int(given.get("N", given.get("n", "0")) or 0),
            address=given.get("A", ""),
        )
        begin(proc, names)
    name = proc["argv"][0].rsplit("/", 1)[-1]
    content = b"".join(raw(text) for _, text in everything(proc, sys))
    content = content[: data["limit"]] if data["limit"] else content
    flags, out = data["flags"], []
    if name == "xxd" and "p" in flags:
        sys.out(content.hex() + "\n")
        return 0
    for at in range(0, len(content), 16):
        row = content[at : at + 16]
        seen = "".join(chr(b) if 32 <= b < 127 else "." for b in row)
        words = [int.from_bytes(row[i : i + 2], "little") for i in range(0, len(row), 2)]
        if name == "xxd":
            out.append(f"{at:08x}: " + " ".join(row[i : i + 2].hex() for i in range(0, 16, 2)).ljust(39) + f"  {seen}")
        elif name == "hexdump" and "C" in flags:
            half = " ".join(f"{b:02x}" for b in row[:8]), " ".join(f"{b:02x}" for b in row[8:])
            out.append(f"{at:08x}  {half[0]:<23}  {half[1]:<23}  |{seen}|")
        elif name == "hexdump":
            out.append(f"{at:07x} " + " ".join(f"{w:04x}" for w in words))
        else:
            prefix = "" if data["address"] == "n" else f"{at:07o}"
            if "c" in flags or data["kind"] == "c":
                signs = {0: "\\0", 7: "\\a", 8: "\\b", 9: "\\t", 10: "\\n", 11: "\\v", 12: "\\f", 13: "\\r"}
                out.append(
                    prefix + "".join(" " + (signs.get(b) or (chr(b) if 32 <= b < 127 else f"{b:03o}")).rjust(3) for b in row)
                )
            elif data["kind"].startswith("x1"):
                out.append(prefix + "".join(f" {b:02x}" for b in row))
            elif data["kind"].startswith("u1"):
                out.append(prefix + "".join(f" {b:3d}" for b in row))
            elif "x" in flags or data["kind"].startswith("x"):
                out.append(prefix + "".join(f" {w:04x}" for w in words))
            else:
                out.append(prefix + "".join(f" {w:06o}" for w in words))
    if name == "od" and data["address"] != "n":
        out.append(f"{len(content):07o}")
    elif name == "hexdump" and content:
        out.append(f"{len(content):08x}" if "C" in flags else f"{len(content):07x}")
    sys.out("".join(row + "\n" for row in out))
    return int(data["in"]["status"])


@tool("expr")
def expr(proc: Process, sys: Sys, event: Event) -> int:
    words = proc["argv"][1:]
    if not words:
        usage(proc, sys, "")
    try:
        value, rest = _expr(words, 0)
        if rest:
            raise ValueError("syntax error")
    except ZeroDivisionError:
        complain(proc, sys, "division by zero")
        return 2
    except ValueError as error:
        complain(proc, sys, str(error) or "syntax error")
        return 2
    sys.out(value + "\n")
    return int(value in ("", "0"))


EXPR = (("|",), ("&",), ("=", "==", "!=", "<", "<=", ">", ">="), ("+", "-"), ("*", "/", "%"), (":",))


def _expr(words: list[str], level: int) -> tuple[str, list[str]]:
    if level == len(EXPR):
        if not words:
            raise ValueError("syntax error")
        word, *rest = words
        if word == "(":
            value, rest = _expr(rest, 0)
            if not rest or rest[0] != ")":
                raise ValueError("syntax error")
            return value, rest[1:]
        if word == "length" and rest:
            return str(len(rest[0])), rest[1:]
        if word == "substr" and len(rest) >= 3:
            return rest[0][int(rest[1]) - 1 : int(rest[1]) - 1 + int(rest[2])], rest[3:]
        if word == "index" and len(rest) >= 2:
            return str(min((rest[0].find(c) + 1 for c in rest[1] if c in rest[0]), default=0)), rest[2:]
        if word == "match" and len(rest) >= 2:
            return _expr_match(rest[0], rest[1]), rest[2:]
        return word, rest
    left, words = _expr(words, level + 1)
    while words and words[0] in EXPR[level]:
        operator = words[0]
        right, words = _expr(words[1:], level + 1)
        left = _expr_apply(left, operator, right)
    return left, words


def _expr_match(text: str, pattern: str) -> str:
    match = re.match(basic(pattern), text)
    if "\\(" in pattern:
        return match[1] or "" if match else ""
    return str(match.end()) if match else "0"


def _expr_apply(a: str, operator: str, b: str) -> str:
    if operator == "|":
        return a if a not in ("", "0") else b
    if operator == "&":
        return a if a not in ("", "0") and b not in ("", "0") else "0"
    if operator == ":":
        return _expr_match(a, b)
    numeric = re.fullmatch(r"-?\d+", a) and re.fullmatch(r"-?\d+", b)
    if operator in EXPR[2]:
        operator = "==" if operator == "=" else operator
        return str(int(ordered(operator, int(a), int(b)) if numeric else ordered(operator, a, b)))
    if not numeric:
        raise ValueError("non-numeric argument")
    m, n = int(a), int(b)
    if operator in "/%":
        quotient = abs(m) // abs(n) * (1 if (m < 0) == (n < 0) else -1)
        return str(quotient if operator == "/" else m - quotient * n)
    return str({"+": m + n, "-": m - n, "*": m * n}[operator])
