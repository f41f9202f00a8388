"""VRL, LogQL and the agents' patterns: what a program makes of an event, what is refused, what somebody writes to make the server hang."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from podlab.kubernetes.runtime.images import logql, logql_syntax, vrl, vrl_syntax
from podlab.kubernetes.runtime.images.fluentd_config import tag_pattern
from podlab.kubernetes.runtime.images.log_parsers import parse_pairs
from podlab.kubernetes.runtime.images.log_tail import matches
from podlab.kubernetes.runtime.linear import TooComplex
from tests.kubernetes.runtime.lab import START, Lab
from tests.kubernetes.runtime.log_agents import FLUENTD, agent

pytestmark = pytest.mark.slow

# ---- VRL

PROGRAMS: list[tuple[str, Any, Any]] = [
    (".a = 1 + 2 * 3", {}, {"a": 7}),
    ('.a = upcase(string!(.b)) + "-x"', {"b": "q"}, {"b": "q", "a": "Q-x"}),
    (". = parse_json!(string!(.m))", {"m": '{"k":[1,2]}'}, {"k": [1, 2]}),
    ('.n = to_int(.n) ?? 0', {"n": "x"}, {"n": 0}),
    ('.n, .err = to_int(.n)', {"n": "7"}, {"n": 7, "err": None}),
    ('v, err = parse_json(.m)\nif err == null { . |= object!(v) } else { .bad = true }', {"m": "no"}, {"m": "no", "bad": True}),
    ('if .level == "ERROR" && exists(.ms) { .slow = .ms > 100 }', {"level": "ERROR", "ms": 200}, {"level": "ERROR", "ms": 200, "slow": True}),
    ('.x = del(.a.b)', {"a": {"b": 1, "c": 2}}, {"a": {"c": 2}, "x": 1}),
    ('.list = [1, "b", {"c": true}]\n.first = .list[0]', {}, {"list": [1, "b", {"c": True}], "first": 1}),
    (".m = replace(string!(.m), r'\\d+', \"N\")", {"m": "a1b22"}, {"m": "aNbN"}),
    (". |= parse_regex!(.m, r'^(?P<k>\\w+)=(?P<v>.*)$')", {"m": "a=b"}, {"m": "a=b", "k": "a", "v": "b"}),
    (".t = format_timestamp!(.time, \"%H:%M\")", {"time": "2026-11-21T01:02:03Z"}, {"time": "2026-11-21T01:02:03Z", "t": "01:02"}),
    ('."a b" = contains("xyz", "y") # why not', {}, {"a b": True}),
]  # fmt: skip


@pytest.mark.parametrize(("source", "event", "result"), PROGRAMS)
def test_vrl_program(source: str, event: Any, result: Any) -> None:
    run = vrl.Run(source, event, START, {}, "host")
    run.run()
    assert run.event == result


REFUSED = [
    (". = parse_json(.m)", 103), ("parse_json(.m)", 100), (".a = ", 203), (".a = nope(.b)", 105), (".a = b", 701), (".a = upcase!(.b)", 620),
    (".a = replace(.b)", 107), ("if .a { ", 203), (".a = $", 202), ("(" * 200, 203),
]  # fmt: skip


@pytest.mark.parametrize(("source", "code"), REFUSED)
def test_vrl_program_is_refused(source: str, code: int) -> None:
    with pytest.raises(vrl_syntax.VrlError) as error:
        vrl_syntax.parse(source)
    assert error.value.code == code and f"error[E{code}]" in error.value.text()


@pytest.mark.parametrize("fault", [lambda: vrl.Run("abort", {}, START, {}, ""), lambda: vrl.Run(".a = to_int!(.b)", {"b": "x"}, START, {}, "")])
def test_vrl_program_gives_up(fault: Callable[[], vrl.Run]) -> None:
    with pytest.raises(vrl.Abort):
        fault().run()


# ---- what somebody writes to make the server hang

HOSTILE: list[tuple[str, Callable[[], Any]]] = [
    ("a word that never becomes a pair", lambda: parse_pairs("a" * 200_000)),
    ("quotes that never end", lambda: parse_pairs('k="' * 60_000)),
    ("an exclamation for ever", lambda: vrl_syntax.parse(".a = " + "!" * 5_000 + "true")),
    ("a sum for ever", lambda: vrl_syntax.parse(".a = " + "1 + " * 5_000 + "1")),
    ("else if for ever", lambda: vrl_syntax.parse("if true { 1 }" + " else if true { 1 }" * 500)),
    ("brackets for ever", lambda: vrl_syntax.parse(".a = " + "[" * 5_000)),
    ("sums of sums for ever", lambda: logql_syntax.parse("sum(" * 500 + 'rate({a="b"}[1m])' + ")" * 500)),
    ("filters for ever", lambda: logql_syntax.parse('{a="b"}' + ' |= "x"' * 500)),
    ("a pattern with many ways", lambda: logql.through(logql_syntax.Log([], [("line", "|~", "^(a+)+$")]), {}, "a" * 5_000 + "b")),
    ("a tag pattern with many ways", lambda: tag_pattern("**." * 30 + "x").fullmatch("a." * 2_000)),
    ("a path pattern with many ways", lambda: matches("/" + "a" * 5_000, "/" + "*a" * 50 + "b")),
]  # fmt: skip


@pytest.mark.parametrize(("sentence", "attempt"), HOSTILE, ids=[row[0] for row in HOSTILE])
def test_it_is_refused_or_answered_soon(sentence: str, attempt: Callable[[], Any]) -> None:
    began = time.process_time()
    with suppress(vrl_syntax.VrlError, logql_syntax.LogqlError, TooComplex):
        attempt()
    assert time.process_time() - began < 1


LONG = ["<a" + " " * 9_000, "<a" + " " * 4_000 + "x>" + " " * 4_000 + "y", "k a" + " " * 9_000 + "b", 'k "' + "#{" * 4_000 + '"', "k " + "x" * 20_000]


@pytest.mark.parametrize("line", LONG, ids=range(len(LONG)))
def test_a_long_line_of_fluentd_is_read_or_refused_soon(line: str) -> None:
    lab = Lab(nodes=1)
    began = time.process_time()
    agent(lab, "f", FLUENTD, line + "\n")
    lab.settle(20)
    assert time.process_time() - began < 1
    assert all(kubelet.machine.crashes == [] for kubelet in lab.cluster.kubelets())
