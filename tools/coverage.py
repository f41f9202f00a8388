#!/usr/bin/env python3
"""tools/coverage.py FOLDER: hold docs/coverage.md against the seeds in FOLDER, which are no part of this repository.

A seed is cut into paragraphs: what stands between blank lines, a code block or table as one, a long list item by itself; headings, rules
and front matter are left out. The map keeps each paragraph's number and the first eight hex digits of its SHA-256, never its words.
"""

import hashlib
import re
import sys
from pathlib import Path

MAP = Path(__file__).resolve().parent.parent / "docs" / "coverage.md"
ITEM = re.compile(r"\s*(?:[*-]|\d+\.) +")
LONG = 60  # characters that make a list item a paragraph of its own
SILENT = re.compile(r"#|---|<br>|\{\{[%<] ?/?(?:capture|note|% )")
ROW = re.compile(r"\| (\d+) \| ([0-9a-f]{8}) \| (.+?) \| (.+?) \|\Z")


def paragraphs(text: str) -> list[str]:
    """The paragraphs of a seed, each with its white space made single."""
    out: list[list[str]] = [[]]
    fenced = False
    text = re.sub(r"\A(---\n)\n?(?:[^\n]+\n+)+?---\n", "", text)
    for line in text.splitlines():
        if line.startswith("```"):
            fenced = not fenced
        if not fenced and (not line.strip() or SILENT.match(line)):
            out.append([])
        elif not fenced and ITEM.match(line) and len(line) > LONG:
            out.append([line])
        else:
            out[-1].append(line)
    return [found for lines in out if (found := " ".join(" ".join(lines).split()))]


def mark(paragraph: str) -> str:
    return hashlib.sha256(paragraph.encode()).hexdigest()[:8]


def rows(text: str) -> dict[str, list[tuple[int, str, str, list[str]]]]:
    """{seed: [(number, mark, what it says, steps "slug#step")]} of the map."""
    found: dict[str, list[tuple[int, str, str, list[str]]]] = {}
    seed = ""
    for line in text.splitlines():
        if heading := re.match(r"## (\d\d\d)\b", line):
            seed = heading[1]
        elif match := ROW.match(line):
            found.setdefault(seed, []).append((int(match[1]), match[2], match[3], re.findall(r"[a-z0-9-]+#[a-z0-9-]+", match[4])))
    return found


def main() -> int:
    kept = rows(MAP.read_text(encoding="utf-8"))
    wrong = 0
    for path in sorted(Path(sys.argv[1]).glob("*.txt")):
        seed = path.name[:3]
        have = [(number, code) for number, code, _, _ in kept.get(seed, [])]
        want = [(number, mark(text)) for number, text in enumerate(paragraphs(path.read_text(encoding="utf-8")), 1)]
        wrong += have != want
        print(f"{seed}: {len(want)} paragraphs, {len(set(want) - set(have))} not in the map")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
