"""Validation rules of custom resources (x-kubernetes-validations, in CEL): what holds, what is refused, what ends although it is meant not to."""

from __future__ import annotations

import time

import pytest

from podlab.kubernetes.apiserver import cel
from podlab.kubernetes.apiserver.customresources import values
from tests.kubernetes.apiserver.crontabs import KEY, Json, World, definition, refusal


@pytest.mark.parametrize(("rule", "self", "held"), [
    ("self.min <= self.max", {"min": 1, "max": 2}, True),
    ("!has(self.a) || self.a.startsWith('x')", {}, True),
    ("!has(self.a) || self.a.startsWith('x')", {"a": "y"}, False),
    ("self.all(x, x > 0) && self.exists(x, x == 3)", [1, 3], True),
    ("self.filter(x, x % 2 == 0).map(x, x * 10) == [20, 40]", [1, 2, 3, 4], True),
    ("size(self) == 3 ? 'b' in self : false", ["a", "b", "c"], True),
    ("self.matches('^[a-z]+$') && self.size() < 5", "abc", True),
    ("self.__dash__x == 1 || self['a-b'] == 1", {"a-b": 1}, True),
    ("7 / 2 == 3 && -7 / 2 == -3 && 7 % 3 == 1 && 1.5 + 1.5 == 3.0", None, True),
    ("self.?a.orValue(3) == 3 && self.?b.c.hasValue() && self.?b.?d.orValue('x') == 'x' && self.?b.c.value() == 1", {"b": {"c": 1}}, True),
    ("quantity(self).isLessThan(quantity('1Gi')) && quantity('1k').compareTo(quantity('1000')) == 0 && !isQuantity('a')", "500Mi", True),
    ("cidr(self).containsCIDR('10.1.2.0/24') && cidr(self).containsIP('10.1.9.9') && !isIP('10.1') && ip('::1').family() == 6", "10.1.0.0/16", True),
    ("'%s has %d'.format(['a', self]) == 'a has 2'", 2, True),
    ("'a' + \"b\" == r'ab' && [1] + [2] == [1, 2] && {'k': 1}['k'] == 1", None, True),
])
def test_rules_say_what_they_say(rule: str, self: Json, held: bool) -> None:
    assert cel.compiled(rule).holds({"self": self}) is held


@pytest.mark.parametrize("rule", ["self.", "self ==", "other == 1", "duration('1h') > self", "self.isURL()", "(self", "1 2", "'"])
def test_a_rule_beyond_the_subset_is_refused_when_it_is_written(rule: str) -> None:
    with pytest.raises(cel.CelError):
        cel.Expression(rule)


def test_a_broken_rule_is_told_with_its_message_and_transition_rules_look_at_the_old_object() -> None:
    spec = {"type": "object", "properties": {"n": {"type": "integer"}}, "x-kubernetes-validations": [
        {"rule": "self.n < 10", "message": "n must be small"}, {"rule": "self.n >= oldSelf.n", "messageExpression": "'n was ' + string(self.n)"}]}
    world = World(definition({"type": "object", "properties": {"spec": spec}}))

    def body(n: int) -> dict[str, Json]:
        return {"apiVersion": "stable.example.com/v1", "kind": "CronTab", "metadata": {"name": "my"}, "spec": {"n": n}}
    assert refusal(lambda: world.create(body(10))).endswith('spec: Invalid value: "object": n must be small')
    world.create(body(5))
    world.request("patch", KEY, "my", {"spec": {"n": 6}})
    assert refusal(lambda: world.request("patch", KEY, "my", {"spec": {"n": 5}})).endswith('spec: Invalid value: "object": n was 5')


@pytest.mark.slow
def test_a_rule_that_never_ends_ends() -> None:
    rule = "self.all(a, self.all(b, self.all(c, self.all(d, true))))"
    with pytest.raises(cel.CelError, match="cost limit"):
        cel.compiled(rule).holds({"self": list(range(100))})


TWICE = "[1]" + ".map(a, [a, a])" * 40  # 41 lists that hold 2**40 numbers


@pytest.mark.slow
@pytest.mark.parametrize("rule", [
    f"{TWICE} == {TWICE}", f"string({TWICE}) == 'a'", f"'%s'.format([{TWICE}]) == 'a'", f"({TWICE} + {TWICE}).isSorted()", f"{TWICE} in [{TWICE}]",
    "'" + "%s" * 2000 + "'.format(self.map(a, 'x')) == quantity('1e99999999')", "self.all(a, string(self.map(b, self)) == '')",
    "self.all(a, self.all(b, cidr('::/0').containsIP('::1')))", "self.map(a, self.map(b, self)).size() == self.map(a, self)",
    "'" + "x" * 5000 + "'.matches('(x{0,60}y?){0,30}z')"])
def test_a_rule_that_grows_ends_in_little_time(rule: str) -> None:
    began = time.process_time()
    with pytest.raises(cel.CelError):
        cel.compiled(rule).holds({"self": list(range(2000))}, cel.Cost())
    assert time.process_time() - began < 1


@pytest.mark.slow
def test_all_rules_of_an_object_have_one_budget() -> None:
    rules = {"x-kubernetes-validations": [{"rule": "self.all(a, self.all(b, a + b >= 0))"}] * 30}
    spec = {"type": "object", "properties": {"n": {"type": "array", "maxItems": 200, "items": {"type": "integer"}, **rules}}}
    world = World(definition({"type": "object", "properties": {"spec": spec}}))
    body = {"apiVersion": "stable.example.com/v1", "kind": "CronTab", "metadata": {"name": "my"}, "spec": {"n": list(range(120))}}
    began = time.process_time()
    assert refusal(lambda: world.create(body)).endswith(
        "validation failed due to running out of cost budget, no further validation rules will be run")
    assert time.process_time() - began < 1


# ---- what somebody writes to make the server hang

INTEGERS = {"type": "array", "items": {"type": "integer"}}
MANY = list(range(400))
NEST = "".join(f"[1,2,3].all({name}," for name in "abcdefgh") + "true" + ")" * 8


def ruled(rule: str) -> dict[str, Json]:
    return {"type": "array", "items": {"type": "integer", "x-kubernetes-validations": [{"rule": rule}]}}


@pytest.mark.slow
@pytest.mark.parametrize(("schema", "value"), [
    (ruled(NEST), MANY),
    (ruled(f"'{'x' * 5000}'.matches('(x+x+)+y')"), MANY),
    (ruled(f"'{'x' * 4000}'.replace('x', '{'y' * 4000}').size() > 0"), MANY),
    ({**INTEGERS, "x-kubernetes-validations": [{"rule": f"self.map(x, 'x').join('{'y' * 9000}').size() > 0"}]}, list(range(10_000))),
    ({**INTEGERS, "x-kubernetes-list-type": "set"}, list(range(30_000))),
    ({"type": "string", "format": "email"}, "a@" + "b" * 50_000 + "@"),
], ids=["a dear rule for each item", "a dear pattern", "a text that grows", "a list joined", "a long set", "an address without end"])
def test_an_object_that_is_meant_to_take_long_is_judged_soon(schema: dict[str, Json], value: Json) -> None:
    began = time.process_time()
    values.validate(schema, value, "spec")
    assert time.process_time() - began < 2.5


def test_a_number_without_end_is_no_rule() -> None:
    with pytest.raises(cel.CelError):
        cel.Expression("9" * 5_000 + " > 1")


def test_a_set_tells_one_from_true() -> None:
    assert not values.validate({"type": "array", "items": {}, "x-kubernetes-list-type": "set"}, [1, True, "1"], "spec")


def test_a_definition_that_would_take_long_to_check_is_too_large() -> None:
    patterns = {f"p{number}": {"type": "string", "pattern": f"^(a|b{number})+$"} for number in range(5_000)}
    assert refusal(lambda: World(definition({"type": "object", "properties": patterns}))) == "etcdserver: request is too large"
