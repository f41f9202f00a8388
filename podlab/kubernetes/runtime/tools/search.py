"""grep."""

from __future__ import annotations

import re

from ..linear import compiled
from ..numerals import whole
from ..process import Data, Process
from ..program import Event, tool
from ..system import Sys
from .common import begin, complain, lines, options, usage
from .regex import basic, extended


@tool("grep", "egrep", "fgrep")
def grep(proc: Process, sys: Sys, event: Event) -> int:
    data = proc["data"]
    if event is None and not _begin(proc, sys):
        return 2
    flags = data["flags"]
    regex = compiled(data["pattern"], re.I if "i" in flags else 0)

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
    _totals(sys, data)
    if "q" in flags and data["matched"]:
        return 0
    return 2 if failed else 0 if data["matched"] else 1


def _begin(proc: Process, sys: Sys) -> bool:
    """Reads the command line; False, and said, for a pattern that is none."""
    given, names = options(proc, sys, "EFGPivcnqolLrRhHsxwm:A:B:C:e:f:", {"color": "G", "colour": "G"})
    texts = given.get("e", "").split("\n") if "e" in given else []
    if "f" in given:
        texts += sys.read_file(given["f"]).splitlines()
    if "e" not in given and "f" not in given:
        if not names:
            usage(proc, sys, "")
        texts = names.pop(0).split("\n")
    pattern = _pattern(texts, given, proc["argv"][0])
    try:
        compiled(pattern)
    except re.error:
        complain(proc, sys, f"bad regex '{texts[0]}': Invalid regular expression" if texts else "bad regex")
        return False
    recursive = "r" in given or "R" in given
    if recursive:
        names = [path for name in names or ["."] for path in _walk(sys, name)]
    around = given.get("C") or "0"
    proc["data"].update(
        pattern=pattern, flags="".join(given), many=((len(names) > 1 or recursive) and "h" not in given) or "H" in given,
        limit=whole(given.get("m", "0")), before=whole(given.get("B", around)), after=whole(given.get("A", around)),
        counts={}, number=0, matched=False, shown="", held=[], more=0, last=0,
    )  # fmt: skip
    begin(proc, names)
    return True


def _pattern(texts: list[str], given: dict[str, str], called: str) -> str:
    """One regular expression for all patterns, as -F, -E, -w and -x (or the tool's name) say."""
    if "F" in given or called.endswith("fgrep"):
        parts = [re.escape(text) for text in texts]
    elif "E" in given or "P" in given or called.endswith("egrep"):
        parts = [extended(text) for text in texts]
    else:
        parts = [basic(text) for text in texts]
    pattern = "|".join(f"(?:{part})" for part in parts)
    if "w" in given:
        pattern = rf"(?<!\w)(?:{pattern})(?!\w)"
    return f"^(?:{pattern})$" if "x" in given else pattern


def _totals(sys: Sys, data: Data) -> None:
    """What -c, -l and -L print when all has been read."""
    flags, counts = data["flags"], data["counts"]
    if not counts and "c" in flags and data["in"]["name"]:
        counts[data["in"]["name"]] = 0
    for name, count in counts.items():
        label = "(standard input)" if name == "-" else name
        if "c" in flags:
            sys.out((f"{label}:" if data["many"] else "") + f"{count}\n")
        elif ("l" in flags and count) or ("L" in flags and not count):
            sys.out(label + "\n")


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
