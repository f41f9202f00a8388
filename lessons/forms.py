"""The vocabulary in which lessons say what must be true of a cluster. checks.py looks whether it is. Pure: no Django, no engine.

    {exists: pods/web}  {absent: pods/web}
    {count: {kind: pods, labels: app=web, is: 3}}               also at_least, at_most, namespace
    {field: {of: deployments/web, path: spec.replicas, is: 3}}  also not, contains, at_least, at_most
    {length: {of: pods/web, path: spec.containers, is: 2}}      also at_least, at_most
    {ready: {name: web}}  {ready: {labels: app=web, count: 3}}  every container of the Pods is ready
    {stable: {name: web, seconds: 20}}                          all containers run, none started within that time
    {listening: {name: web, port: 8080, container: b}}          some process of the Pod holds the port
    {log: {name: web, container: c, contains: text}}            in the present or the previous life of any of the Pods
    {answers: {from: pods/client, url: "http://web/", status: 200, body: text}}  or fails: true; from outside without `from`
    {typed: "kubectl get .*-o wide"}                            the learner has entered such a command since the step began
    {all: [...]}  {any: [...]}  {not: {...}}

Objects are `plural/name` in namespace default, or `plural/namespace/name`; `{pods/web}` in a URL is that Pod's IP. Paths are
dotted: `containers[app]` picks from a list by name, `[0]` by place, `labels[app.kubernetes.io/name]` takes a key with dots.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from podlab.kubernetes import selectors
from podlab.kubernetes.resources import BY_PLURAL

Check = Mapping[str, Any]
Kinds = tuple[type, ...]
TEXT, NUMBER, YES, ANY = (str,), (int,), (bool,), (str, int, bool, type(None))
COMPARE: dict[str, Kinds] = {"is": NUMBER, "at_least": NUMBER, "at_most": NUMBER}
POD_IP = re.compile(r"\{([^{}]*)\}")  # in a URL
WHICH: dict[str, Kinds] = {"name": TEXT, "labels": TEXT, "namespace": TEXT}


@dataclass(frozen=True)
class Form:
    """What the members of one form of check may be; at least one of `some` must be there."""

    required: Mapping[str, Kinds]
    optional: Mapping[str, Kinds] = field(default_factory=dict)
    some: tuple[str, ...] = ()


FORMS: dict[str, Form] = {
    "count": Form({"kind": TEXT}, {"labels": TEXT, "namespace": TEXT, **COMPARE}, tuple(COMPARE)),
    "field": Form({"of": TEXT, "path": TEXT}, {**COMPARE, "is": ANY, "not": ANY, "contains": ANY}, (*COMPARE, "not", "contains")),
    "length": Form({"of": TEXT, "path": TEXT}, COMPARE, tuple(COMPARE)),
    "ready": Form({}, {**WHICH, "count": NUMBER}, ("name", "labels")),
    "stable": Form({"seconds": NUMBER}, WHICH, ("name", "labels")),
    "listening": Form({"name": TEXT, "port": NUMBER}, {"namespace": TEXT, "container": TEXT}),
    "log": Form({"contains": TEXT}, {**WHICH, "container": TEXT}, ("name", "labels")),
    "answers": Form({"url": TEXT}, {"from": TEXT, "status": NUMBER, "body": TEXT, "fails": YES}, ("status", "body", "fails")),
}
NAMES = sorted({*FORMS, "exists", "absent", "typed", "all", "any", "not"})


def problems(check: Any) -> str:
    """What is wrong with a check's form, '' when nothing is. For the loader."""
    if not isinstance(check, Mapping) or len(check) != 1:
        return "조건은 {exists: pods/web} 처럼 키가 하나여야 합니다"
    ((form, value),) = check.items()
    if form in ("exists", "absent"):
        return _ref_problem(value)
    if form == "typed":
        return _pattern_problem(value)
    if form == "not":
        return problems(value)
    if form in ("all", "any"):
        return (
            next(filter(None, map(problems, value)), "")
            if isinstance(value, list) and value
            else f"{form}에는 조건의 목록이 옵니다"
        )
    if form not in FORMS:
        return f"모르는 조건 {form!r}입니다. 쓸 수 있는 것: {', '.join(NAMES)}"
    return _member_problem(form, value) or _value_problem(value)


def _member_problem(form: str, value: Any) -> str:
    if not isinstance(value, Mapping):
        return f"{form}에는 키와 값이 옵니다"
    known = {**FORMS[form].required, **FORMS[form].optional}
    for key, found in value.items():
        if key not in known:
            return f"{form}에 모르는 키 {key!r}이(가) 있습니다. 쓸 수 있는 키: {', '.join(sorted(known))}"
        if not isinstance(found, known[key]) or (isinstance(found, bool) and bool not in known[key]):
            return f"{form}의 {key}에는 {'/'.join(kind.__name__ for kind in known[key])} 값이 옵니다"
    for key in FORMS[form].required:
        if key not in value:
            return f"{form}에 {key} 키가 빠졌습니다"
    some = FORMS[form].some
    return "" if not some or set(some) & set(value) else f"{form}에는 {', '.join(some)} 가운데 하나가 있어야 합니다"


def _value_problem(value: Check) -> str:
    """References, kinds, selectors and addresses that cannot be."""
    for key in ("of", "from"):
        if key in value and (found := _ref_problem(value[key])):
            return found
    if str(value.get("from", "pods/")).split("/")[0] != "pods":
        return "from에는 파드(pods/client)가 옵니다"
    if "kind" in value and value["kind"] not in BY_PLURAL:
        return f"{value['kind']}(이)라는 종류가 없습니다 (pods처럼 복수형으로 적습니다)"
    if "labels" in value:
        try:
            selectors.parse(value["labels"])
        except selectors.SelectorError as error:
            return f"labels가 셀렉터가 아닙니다: {error}"
    if "url" in value and not re.match(r"http://[^/\s]", value["url"]):
        return "url은 http:// 로 시작합니다"
    return next(filter(None, map(_ref_problem, POD_IP.findall(value.get("url", "")))), "")


def _ref_problem(ref: Any) -> str:
    if not isinstance(ref, str) or ref.count("/") not in (1, 2) or not all(ref.split("/")):
        return "오브젝트는 pods/web 이나 pods/네임스페이스/web 꼴로 적습니다"
    return "" if ref.split("/")[0] in BY_PLURAL else f"{ref.split('/')[0]}(이)라는 종류가 없습니다 (pods처럼 복수형으로 적습니다)"


def _pattern_problem(pattern: Any) -> str:
    try:
        return "" if isinstance(pattern, str) and re.compile(pattern) else "typed에는 정규식이 옵니다"
    except re.error as error:
        return f"typed의 정규식이 맞지 않습니다: {error}"
