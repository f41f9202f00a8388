"""Why something happened, as a Korean sentence: a record of cluster.causes with the words of rules.py."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from podlab.kubernetes.resources import BY_KIND

from .korean import josa, kind, sentence, thing
from .rules import ACCOUNT, ACTORS, KILLS, PEOPLE, POWER, RULES, VERBS


def actor(record: Mapping[str, Any]) -> str:
    """Who acted, in Korean: `나`, `스케줄러`, `kubelet (node-1)`; where several share a cluster, `@` and the person's id, for a name."""
    component = str(record.get("component") or "")
    name, _, place = component.partition("/")
    if record.get("rule") in PEOPLE and "by" in (record.get("facts") or {}):
        return f"@{record['facts']['by']}"
    if record.get("rule") in PEOPLE and name not in ACTORS:
        return "나"
    if component.startswith(ACCOUNT):
        return f"서비스어카운트 {component.removeprefix(ACCOUNT).replace(':', '/')}"
    known = ACTORS.get(name) or ACTORS.get(f"{name}-controller") or component or "클러스터"
    return f"{known} ({place})" if place and name in ACTORS else known


def tell(record: Mapping[str, Any]) -> str:
    """What was done, as a Korean sentence without its subject."""
    code = record.get("rule") or "write"
    facts = _with_object(record)
    for template in RULES[code].templates if code in RULES else ():
        try:
            return sentence(template, facts)
        except (KeyError, ValueError, TypeError, IndexError):
            continue
    return plain(record)


def plain(record: Mapping[str, Any]) -> str:
    """For a rule that the catalogue lacks: what it touched, and the code itself so that nothing is hidden."""
    ref, code = record.get("object"), record.get("rule")
    did = f"{josa(thing(ref), '을/를')} 다루었습니다" if ref else "일했습니다"
    words = ", ".join(
        f"{key} {value}"
        for key, value in sorted((record.get("facts") or {}).items())
        if isinstance(value, (str, int, float)) and not isinstance(value, bool)
    )[:120]
    return f"{did} ({code}{': ' + words if words else ''})"


def severity(record: Mapping[str, Any]) -> str:
    """info, good, warn or bad; an exit with code 0 is no harm."""
    code = record.get("rule") or "write"
    if code == "kubelet-container-exited" and (record.get("facts") or {}).get("exitCode") == 0:
        return "good"
    if code in RULES:
        return RULES[code].severity
    return "bad" if "failed" in code else "info"


def quiet(record: Mapping[str, Any]) -> bool:
    """Whether the record is bookkeeping that a reader can do without."""
    code = record.get("rule") or "write"
    return RULES[code].quiet if code in RULES else code.endswith("-status")


def _with_object(record: Mapping[str, Any]) -> dict[str, Any]:
    facts = {key: value for key, value in (record.get("facts") or {}).items() if value not in (None, "")}
    ref = record.get("object")
    if ref:
        facts.setdefault("object", ref)
    if isinstance(facts.get("verb"), str):
        done = VERBS.get(facts["verb"], "다루었습니다")
        facts.setdefault("did", f"{josa(thing(ref), '을/를')} {done}" if ref else done)
    if isinstance(facts.get("seconds"), int):
        facts.setdefault("delay_ms", facts["seconds"] * 1000)
    if facts.get("reason") in ("Error", "Completed"):  # says no more than the code
        del facts["reason"]
    if record.get("rule") == "scheduler-unschedulable" and isinstance(facts.get("message"), str):
        facts["message"] = re.split(r"\. (?:no new claims|preemption:)", facts["message"])[0]
    if "why" in facts:
        facts["why"] = KILLS.get(facts["why"], facts["why"])
    if isinstance(facts.get("delay_ms"), int) and facts["delay_ms"] >= 20_000:
        facts.setdefault("ladder", _ladder(facts["delay_ms"]))
    if "power" in facts:
        facts["power"] = POWER.get(facts["power"], facts["power"])
    if isinstance(facts.get("owner"), str) and "/" in facts["owner"]:
        named, _, name = facts["owner"].partition("/")
        facts["owner"] = f"{kind(BY_KIND[named].plural) if named in BY_KIND else named} {name}"
    return facts


def _ladder(delay_ms: int) -> str:
    """`10 → 20 → 40초`: how a back-off came to its length (10 s, doubled, at most 300 s: pkg/kubelet/kubelet.go)."""
    steps = [10]
    while steps[-1] * 2 <= min(delay_ms // 1000, 300):
        steps.append(steps[-1] * 2)
    if delay_ms >= 300_000:
        steps.append(300)
    return " → ".join(map(str, steps)) + "초"
