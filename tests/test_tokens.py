"""Colours that can be read: every text colour of both themes against every ground it may stand on (WCAG 2 AA, 4.5:1)."""

import re
from pathlib import Path

import pytest

CSS = (Path(__file__).resolve().parent.parent / "static/src/styles/tokens.css").read_text()
LIGHT, DARK = CSS.split("@media (prefers-color-scheme: dark)")
GROUNDS = ["paper", "card", "sunk"]
TEXTS = ["ink", "soft", "faint", "app", "side", "init", "eph", "ok", "wait", "warn", "bad", "done", "gone"]
PAIRS = [
    *[(text, ground) for text in TEXTS for ground in GROUNDS],
    *[(text, f"{text}-bg") for text in ["app", "side", "init", "eph", "ok", "warn", "bad"]],
    *[(text, f"{kind}-bg") for text in ["ink", "soft"] for kind in ["app", "side", "init", "eph"]],
    ("on-accent", "app"),
    ("term-ink", "term-bg"),
    ("term-prompt", "term-bg"),
    ("term-warn", "term-bg"),
]


def colours(css: str) -> dict[str, str]:
    return dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", css))


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    low, high = sorted([luminance(one), luminance(other)])
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_text_can_be_read_on_every_ground(theme: str) -> None:
    tokens = colours(LIGHT) if theme == "light" else {**colours(LIGHT), **colours(DARK)}
    faint = {f"{text} on {ground}": round(contrast(tokens[text], tokens[ground]), 2) for text, ground in PAIRS}
    assert {pair: ratio for pair, ratio in faint.items() if ratio < 4.5} == {}


def test_every_token_that_a_stylesheet_names_exists() -> None:
    sheets = [path.read_text() for path in sorted((Path(__file__).resolve().parent.parent / "static/src").rglob("*.css"))]
    declared = {name for sheet in sheets for name in re.findall(r"(--[\w-]+)\s*:", sheet)}
    assert {name for sheet in sheets for name in re.findall(r"var\((--[\w-]+)", sheet)} - declared == set()
