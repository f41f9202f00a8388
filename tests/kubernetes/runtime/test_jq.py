"""jq: programs as its manual has them, the words of its errors, and work that has an end."""

from __future__ import annotations

import json
from typing import Any

import pytest

from podlab.kubernetes.runtime.tools.jq_machine import Machine as Program
from podlab.kubernetes.runtime.tools.jq_values import text

from .machine import sh

PODS = {"items": [{"metadata": {"name": name, "labels": {"app": app}},
                   "status": {"phase": phase, "containerStatuses": [{"ready": phase == "Running"}]}}
                  for name, app, phase in (("a", "web", "Running"), ("b", "db", "Pending"), ("c", "web", "Running"))]}  # fmt: skip
PROGRAMS: list[tuple[str, Any, list[Any]]] = [
    (".items[].metadata.name", PODS, ["a", "b", "c"]),
    ('[.items[] | select(.status.phase == "Running") | .metadata.name]', PODS, [["a", "c"]]),
    (".items | group_by(.metadata.labels.app) | map({app: .[0].metadata.labels.app, count: length})", PODS,
     [[{"app": "db", "count": 1}, {"app": "web", "count": 2}]]),
    ('.items | map("\\(.metadata.name)=\\(.status.phase)") | join(",")', PODS, ["a=Running,b=Pending,c=Running"]),
    ("[.items[] | .status.containerStatuses[]?.ready] | [any, all]", PODS, [[True, False]]),
    ('.items[0] | del(.status, .metadata.labels) | .metadata.name |= ascii_upcase', PODS, [{"metadata": {"name": "A"}}]),
    ('to_entries | .[] | select(.key == "k8s/x") | .value | @uri', {"k8s/x": "app=web"}, ["app%3Dweb"]),
    (".data | map_values(@base64d)", {"data": {"a": "aGk="}}, [{"a": "hi"}]),
    (".a // \"d\", (.b | not), (.c?.d)", {"b": False}, ["d", True, None]),
    ("[.[1:], .[-1], first, last]", [1, 2, 3], [[[2, 3], 3, 1, 3]]),
    ("reduce .[] as $x (0; . + $x), [foreach .[] as $x (0; . + $x)]", [1, 2, 3], [6, [1, 3, 6]]),
    ("def fac: if . <= 1 then 1 else . * (. - 1 | fac) end; fac", 10, [3628800]),
    ("[limit(3; range(100000000))], until(. > 1000; . + 1)", 0, [[0, 1, 2], 1001]),
    (". as [$a, {b: $c}] | $a + $c, [paths], [.. | numbers]", [1, {"b": 2}], [3, [[0], [1], [1, "b"]], [1, 2]]),
    ('gsub("(?<l>[a-z])\\\\d"; "\\(.l)-"), [scan("\\\\d")], test("^A"; "i"), split(", *"; null)', "a1, b2",
     ["a-, b-", ["1", "2"], True, ["a1", "b2"]]),
    ('walk(if type == "number" then . + 1 else . end), with_entries(.value += 1)', {"a": 1}, [{"a": 2}, {"a": 2}]),
    ('try error("x") catch ., (.a[0]? // "none"), ([.[]?] | length)', {"a": {}}, ["x", "none", 1]),
    ("label $out | foreach .[] as $i (0; . + $i; if . > 2 then ., break $out else . end)", [1, 2, 3], [1, 3]),
    ("10 / 4, 7 % 3, 1e3, -(1), 1.0", None, [2.5, 1, 1000, -1, 1]),
    ("sort_by(.n) | map(.n), (min_by(.n) | .n), (unique_by(.n) | length)", [{"n": 3}, {"n": 1}, {"n": 3}], [[1, 3, 3], 1, 2]),
    ('@csv, @tsv, @sh, @json', ["a'b", 1], ['"a\'b",1', "a'b\t1", "'a'\\''b' 1", '["a\'b",1]']),
    (".a.b |= empty, .[\"a\"][\"b\"] = 2, (.a | has(\"b\"))", {"a": {"b": 1}}, [{"a": {}}, {"a": {"b": 2}}, True]),
]  # fmt: skip


@pytest.mark.parametrize(("program", "value", "wanted"), PROGRAMS, ids=[program[:40] for program, _, _ in PROGRAMS])
def test_a_program_gives_what_the_manual_says(program: str, value: Any, wanted: list[Any]) -> None:
    assert [text(one) for one in Program(program, {}, 0).run(value)] == [text(one) for one in wanted]


@pytest.mark.parametrize(("line", "said", "code"), [
    ("echo '{\"a\":[1,{}],\"b\":[]}' | jq .", '{\n  "a": [\n    1,\n    {}\n  ],\n  "b": []\n}\n', 0),
    ("printf '1 2 3' | jq -s add; echo 1 2 3 | jq -c '[., input]' 2>&1 | tail -1; echo 1 2 | jq -nc '[inputs]'",
     "6\njq: error (at <stdin>:1): No more inputs\n[1,2]\n", 0),
    ("(echo '{\"n\":1}'; sleep 5; echo '{\"n\":2}') | jq -r '.n, \"x\"'", "1\nx\n2\nx\n", 0),
    ("jq -n --arg a 1 --argjson b '{\"c\":2}' -c '{$a, b: $b.c}'; jq -nc --args '$ARGS.positional' x y", '{"a":"1","b":2}\n["x","y"]\n', 0),
    ("echo false | jq -e .", "false\n", 1),
    ("echo '[1]' | jq .a", 'jq: error (at <stdin>:1): Cannot index array with "a"\n', 5),
    ("jq -n '{} | error'", "jq: error (at <unknown>) (not a string): {}\n", 5),
    ("echo null | jq '.[]'", "jq: error (at <stdin>:1): Cannot iterate over null\n", 5),
    ("echo '{' | jq .", "jq: parse error: Unfinished JSON term at EOF at line 2, column 0\n", 2),
    ("jq -n foo", "jq: error: foo/0 is not defined at <top-level>, line 1:\nfoo\njq: 1 compile error\n", 3),
    ("jq . nope", "jq: error: Could not open nope: No such file or directory\n", 2),
])  # fmt: skip
def test_a_command_line_says_what_jq_says(line: str, said: str, code: int) -> None:
    assert sh(line, ms=10_000) == (said, code)


@pytest.mark.parametrize("program", ["[range(1e9)] | length", "def f: f; f", "[repeat(1)]", '"a" * 1e9', "[range(1e6)] | tojson",
                                     "(" * 500 + "1" + ")" * 500,
                                     "1" + "+1" * 9_000, "1" + "|1" * 9_000, '"' + "\\(" * 100 + "1" + ")" * 100 + '"', ".[1e9] = 1",
                                     "reduce range(60) as $i (\"xy\"; . + .)", "reduce range(100000) as $i ([]; . + [$i])",
                                     "[[range(9999)]] | . as $a | [range(9999) | $a == $a]", "reduce range(100000) as $i ([]; .[$i] = $i)",
                                     "[range(50000)] | . as $a | [range(9999) | $a | tojson]", "[range(9999) | tostring] | . - ."])  # fmt: skip
def test_work_without_end_ends(program: str) -> None:
    said, code = sh(f"jq -nc '{program}' 2>&1 | cut -c1-60", ms=60_000)
    assert said.startswith("jq: error") and code == 0, json.dumps(said[:100])
