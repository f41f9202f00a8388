"""bash's braces: {a,b} and {1..3}."""

from __future__ import annotations

import re

from .faults import ExpansionFault
from .words import Word

BRACES_MAX = 20_000
"""Words that braces may make: some 80 ms."""


RANGE = re.compile(r"(-?\d+)\.\.(-?\d+)(?:\.\.(-?\d+))?|([A-Za-z])\.\.([A-Za-z])")


def braces(word: Word) -> list[Word]:
    """bash's {a,b} and {1..3} in the unquoted literal parts of a word; each brace's alternatives within one part."""
    for index, part in enumerate(word):
        if part[0] != "lit" or part[2]:
            continue
        match = re.search(r"\{([^{}]*)\}", part[1])
        if match is None:
            continue
        inside = match[1]
        span = RANGE.fullmatch(inside)
        if span is not None and span[1] is not None:
            low, high, step = int(span[1]), int(span[2]), abs(int(span[3] or 1)) or 1
            width = max(len(span[1]), len(span[2])) if re.match(r"-?0\d", span[1]) or re.match(r"-?0\d", span[2]) else 0
            numbers = range(low, high + (1 if high >= low else -1), step if high >= low else -step)
            if len(range(0, abs(high - low) + 1, step)) > BRACES_MAX:
                raise ExpansionFault(f"brace expansion: failed to allocate memory for {len(numbers)} elements")
            choices = [f"{n:0{width}d}" for n in numbers]
        elif span is not None:
            low, high = ord(span[4]), ord(span[5])
            choices = [chr(n) for n in range(low, high + (1 if high >= low else -1), 1 if high >= low else -1)]
        elif "," in inside:
            choices = inside.split(",")
        else:
            continue
        before, after = part[1][: match.start()], part[1][match.end() :]
        more = "{" in before + after or any("{" in str(part[1]) for part in word[index + 1 :])
        found: list[Word] = []
        for choice in choices:
            made = (*word[:index], ("lit", before + choice + after, False), *word[index + 1 :])
            found += braces(made) if more else [made]
            if len(found) > BRACES_MAX:
                raise ExpansionFault(f"brace expansion: failed to allocate memory for {len(found)} elements")
        return found
    return [word]
