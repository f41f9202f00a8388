"""KYAML, the strict dialect of YAML that `-o kyaml` prints (sigs.k8s.io/yaml/kyaml; on by default from v1.35): braces as in JSON, every text quoted,
keys bare where no reader of YAML would take them for anything else."""

from __future__ import annotations

import json
import re
from typing import Any

PAD = "  "
FOLD = "\\\n"  # a line that goes on below without a break
SPACES = " \t\v\f\r\x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(map(chr, range(0x2000, 0x200B)))  # unicode.IsSpace but \n
ESCAPES = {"\a": "a", "\b": "b", "\f": "f", "\r": "r", "\t": "t", "\v": "v", "\0": "0", "\x1b": "e", "\x85": "N", "\xa0": "_", "\u2028": "L",
           "\u2029": "P", '"': '"', "\\": "\\"}
# yamlGuessesWrong: what some reader takes for nothing, a truth, a number (of base 60 too) or a time
WORDS = {"null", "~", "true", "y", "yes", "on", "t", "1", "false", "n", "no", "off", "f", "0", ".inf", "-.inf", "+.inf", ".nan"}
NUMBER = re.compile(r"[+-]?(0[xX][0-9a-fA-F]+|0[bB][01]+|0[oO][0-7]+|(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?|inf|infinity)|nan", re.IGNORECASE)
BASE_60 = re.compile(r"[+-]?[1-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?")
TIME = re.compile(r"\d{4}-\d{1,2}-\d{1,2}([Tt ]\d{1,2}:\d{1,2}:\d{1,2}(\.\d+)?(Z|[+-]\d\d:\d\d)?)?")


class Number(str):
    """A number as JSON wrote it."""


def from_json(text: str) -> str:
    """A document of one JSON value, in that one's order of keys."""
    return f"---\n{_node(json.loads(text, parse_int=Number, parse_float=Number), 0)}\n"


def _node(value: Any, indent: int) -> str:
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, Number):
        return str(value)
    if isinstance(value, str):
        return _text(value, indent + 1)
    if not value:
        return "{}" if isinstance(value, dict) else "[]"
    pad = PAD * indent
    if isinstance(value, dict):
        return "{\n" + "".join(f"{pad}{PAD}{_key(key)}: {_node(item, indent + 1)},\n" for key, item in value.items()) + pad + "}"
    if all(isinstance(item, dict | list) for item in value):  # "cuddled"
        return "[" + ", ".join(_node(item, indent) for item in value) + "]"
    return "[\n" + "".join(f"{pad}{PAD}{_node(item, indent + 1)},\n" for item in value) + pad + "]"


def _key(key: str) -> str:
    return key if _plain(key) else '"' + "".join("\\n" if sign == "\n" else _sign(sign) for sign in key) + '"'


def _plain(text: str) -> bool:
    """Whether a key needs no quotes."""
    bare = text.replace("_", "")
    if not text or text.lower() in WORDS or NUMBER.fullmatch(bare) or BASE_60.fullmatch(text) or TIME.fullmatch(text):
        return False
    return all(sign.isalpha() or sign.isnumeric() or sign == "_" or (sign in "-./" and 0 < i < len(text) - 1) for i, sign in enumerate(text))


def _text(text: str, indent: int) -> str:
    """In quotes; text of several lines a line each, one more space in, so that a line's own leading space can be told by a backslash."""
    if "\n" not in text:
        return '"' + "".join(_sign(sign) for sign in text) + '"'
    pad, out = PAD * indent, []
    for line in text.split("\n"):
        out.append(pad + ("\\" if line and line[0] in SPACES else " ") + "".join(_sign(sign) for sign in line))
    whole = ("\\n" + FOLD).join(out[:-1]) + "\\n" + FOLD + (out[-1] + FOLD if text[-1] != "\n" else "")
    return f'"{FOLD}{whole}{pad}"'


def _sign(sign: str) -> str:
    if sign in ESCAPES:
        return "\\" + ESCAPES[sign]
    if sign.isprintable():
        return sign
    number = ord(sign)
    return f"\\x{number:02x}" if number < 0x20 or number == 0x7F else f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"
