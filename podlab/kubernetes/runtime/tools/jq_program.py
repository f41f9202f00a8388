"""A program of jq before it runs: the functions that the language itself defines, and whether everything that is named is there."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from .jq_functions import GIVEN, PLAIN
from .jq_syntax import parse
from .jq_tokens import JqSyntax, Node

# Functions that the language itself defines (jqlang.org/manual; the definitions are what their descriptions say)
PRELUDE = """
def map(f): [.[] | f]; def select(f): if f then . else empty end; def values: select(. != null); def nulls: select(. == null);
def booleans: select(type == "boolean"); def numbers: select(type == "number"); def strings: select(type == "string");
def arrays: select(type == "array"); def objects: select(type == "object"); def iterables: select(type == "array" or type == "object");
def scalars: select(type != "array" and type != "object"); def recurse(f; c): recurse(f | select(c)); def map_values(f): .[] |= f;
def with_entries(f): to_entries | map(f) | from_entries;
def from_entries: reduce .[] as $x ({}; . + {($x | if type != "object" then . elif has("key") then .key elif has("k") then .k
  elif has("name") then .name elif has("Name") then .Name elif has("Key") then .Key else .K end | if type == "string" then . else tojson end):
  ($x | if type != "object" then null elif has("value") then .value elif has("v") then .v elif has("Value") then .Value else .V end)});
def finites: select(isinfinite or isnan | not);
def any(f): [.[] | f] | any; def all(f): [.[] | f] | all; def any(g; f): [g | f] | any; def all(g; f): [g | f] | all;
def add(f): reduce f as $x (null; . + $x); def range($n): range(0; $n); def first: .[0]; def last: .[-1];
def nth($n): .[$n]; def paths: path(..) | select(length > 0); def paths(f): path(.. | select(f)) | select(length > 0);
def leaf_paths: paths(scalars); def del(f): delpaths([path(f)]);
def walk(f): def w: if type == "object" then map_values(w) elif type == "array" then map(w) else . end | f; w;
def test($r): test($r; null); def test($r; $f): _match($r; $f; false) | length > 0; def match($r): match($r; null);
def match($r; $f): _match($r; $f; false) | .[]; def capture($r): capture($r; null);
def capture($r; $f): match($r; $f) | [.captures[] | select(.name != null) | {key: .name, value: .string}] | from_entries;
def scan($r): scan($r; null);
def scan($r; $f): _match($r; $f; true) | .[] | if (.captures | length) > 0 then [.captures[].string] else .string end;
def splits($r): splits($r; null); def splits($r; $f): split($r; $f) | .[];
def split($r; $f): . as $s | [foreach (_match($r; $f; true) | .[], null) as $m ({at: 0}; if $m == null then {out: $s[.at:]} else
  {at: ($m.offset + $m.length), out: $s[.at:$m.offset]} end; .out)];
def sub($r; f): sub($r; f; ""); def gsub($r; f): sub($r; f; "g"); def gsub($r; f; $g): sub($r; f; $g + "g");
def sub($r; f; $g): . as $s | reduce (_match($r; $g; false) | .[]) as $m ({at: 0, out: ""}; .out += $s[.at:$m.offset] + ($m |
  [.captures[] | select(.name != null) | {key: .name, value: .string}] | from_entries | f) | .at = $m.offset + $m.length) | .out + $s[.at:];
def env: $ENV; def inputs: def r: (try input catch (if . == "No more inputs" then empty else error end)) as $x | $x, r; r;
def pick(f): . as $t | reduce path(f) as $p (null; setpath($p; $t | getpath($p)));
def group_by(f): _by([.[] | [f]]) | map(map(.[1])); def sort_by(f): _by([.[] | [f]]) | map(.[] | .[1]);
def unique_by(f): _by([.[] | [f]]) | map(.[0][1]);
def min_by(f): if length == 0 then null else _by([.[] | [f]]) | .[0][0][1] end;
def max_by(f): if length == 0 then null else _by([.[] | [f]]) | .[-1][-1][1] end;
def halt_error: halt_error(5);
def IN(s): any(s == .; .); def IN(s; t): any(s == t; .); def INDEX(f): INDEX(.[]; f);
def INDEX(s; f): reduce s as $r ({}; .[$r | f | tostring] |= $r);
def combinations: if length == 0 then [] else .[0][] as $x | (.[1:] | combinations) as $w | [$x] + $w end; def todateiso8601: todate;
def error: error(.); def skip($n; f): [f][$n:][];
"""


@lru_cache(maxsize=1)
def prelude() -> dict[tuple[str, int], Any]:
    found, node = {}, parse(PRELUDE)
    while node[0] == "def":
        found[node[1], len(node[2])] = (node[2], node[3])
        node = node[4]
    return found


CHECKED = {"empty": 0, "error": 1, "path": 1, "range": 2, "limit": 2, "first": 1, "last": 1, "input": 0, "setpath": 2, "delpaths": 1, "getpath": 1,
           "_match": 3, "_by": 1, "halt": 0, "halt_error": 1, "now": 0, "input_line_number": 0, "isempty": 1, "nth": 2, "input_filename": 0,
           "until": 2, "while": 2, "repeat": 1, "recurse": 1, "debug": 0, "stderr": 0}  # fmt: skip
NATIVE = {*CHECKED.items(), ("range", 3), ("recurse", 0)}


def inner(node: Node) -> list[Node]:
    """The filters that a filter is made of."""
    what = node[0]
    if what == "str":
        return [part for part in node[2] if isinstance(part, tuple)]
    if what == "object":
        return [part for pair in node[1] for part in pair]
    if what == "call":
        return list(node[2])
    return [part for part in node[1:] if isinstance(part, tuple)] if what != "lit" else []


def check(node: Node, known: frozenset[tuple[str, int]], names: frozenset[str]) -> None:
    """Raises JqSyntax where a program names what is not there."""
    if node[0] == "def":
        params = {param for param in node[2] if param.startswith("$")}
        itself = (node[1], len(node[2]))
        check(node[3], known | {itself} | {(param.removeprefix("$"), 0) for param in node[2]}, names | params)
        check(node[4], known | {itself}, names)
        return
    if node[0] == "call":
        name = (node[1], len(node[2]))
        if name not in known and name not in NATIVE and name not in GIVEN and not (not node[2] and node[1] in PLAIN):
            raise JqSyntax(f"{name[0]}/{name[1]} is not defined")
    if node[0] == "var" and node[1] not in names and node[1] != "$__loc__":
        raise JqSyntax(f"{node[1]} is not defined")
    if node[0] in ("as", "reduce", "foreach"):
        found: set[str] = set()
        for pattern in node[2] if node[0] == "as" else (node[2],):
            bound(pattern, found)
        check(node[1], known, names)
        for part in node[3:]:
            if part is not None:
                check(part, known, names | found)
        return
    for part in inner(node):
        check(part, known, names)


def bound(pattern: Node, found: set[str]) -> None:
    """The variables that a pattern binds."""
    if pattern[0] == "var":
        found.add(pattern[1])
    for one in pattern[1] if pattern[0] in ("array", "object") else ():
        bound(one[1] if pattern[0] == "object" else one, found)
