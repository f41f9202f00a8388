"""Korean grammar for sentences about things with Latin names: particles by reading, durations, kinds, templates."""

from __future__ import annotations

import re
import string
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

# The official Korean terms of the Kubernetes documentation; the plural names the kind as the engine does.
KINDS: dict[str, str] = {
    "pods": "파드",
    "nodes": "노드",
    "services": "서비스",
    "deployments": "디플로이먼트",
    "replicasets": "레플리카셋",
    "statefulsets": "스테이트풀셋",
    "daemonsets": "데몬셋",
    "jobs": "잡",
    "cronjobs": "크론잡",
    "replicationcontrollers": "레플리케이션컨트롤러",
    "horizontalpodautoscalers": "HPA",
    "configmaps": "컨피그맵",
    "secrets": "시크릿",
    "namespaces": "네임스페이스",
    "endpointslices": "엔드포인트슬라이스",
    "endpoints": "엔드포인트",
    "persistentvolumeclaims": "퍼시스턴트볼륨클레임",
    "persistentvolumes": "퍼시스턴트볼륨",
    "poddisruptionbudgets": "PDB",
    "events": "이벤트",
    "ingresses": "인그레스",
    "networkpolicies": "네트워크폴리시",
    "serviceaccounts": "서비스어카운트",
    "leases": "리스",
    "controllerrevisions": "컨트롤러리비전",
    "resourcequotas": "리소스쿼터",
    "limitranges": "리밋레인지",
}
CONTAINER_KINDS = {"init": "초기화", "sidecar": "사이드카", "app": "앱", "ephemeral": "임시"}
PROBES = {"liveness": "활성", "readiness": "준비성", "startup": "시작"}

# Words whose Korean reading the rules below would miss: True where it ends in a final consonant, "ㄹ" where in that one.
READINGS: dict[str, bool | str] = {
    "app": True,
    "apps": False,
    "api": False,
    "db": False,
    "nginx": False,
    "redis": False,
    "init": True,
    "kubelet": True,
    "kubectl": "ㄹ",
    "http": False,
    "https": False,
    "tcp": False,
    "udp": False,
    "dns": False,
    "cpu": False,
    "ip": False,
    "etcd": False,
    "envoy": False,
    "sql": "ㄹ",
    "mysql": "ㄹ",
    "busybox": False,
    "job": True,
    "web": True,
    "shop": True,
    "client": False,
    "agent": False,
    "mount": False,
    "front": False,
    "default": False,
    "set": True,
    "secret": True,
    "backend": False,
    "test": False,
    "box": False,
    "disk": False,
    "task": False,
    "oom": True,
    "vector": False,
    "loki": False,
}
LETTER_FINALS: dict[str, bool | str] = {
    "l": "ㄹ",
    "m": True,
    "n": True,
    "r": "ㄹ",
}  # 엘 엠 엔 알; every other letter ends in a vowel
DIGIT_FINALS: dict[str, bool | str] = {"0": True, "1": "ㄹ", "3": True, "6": True, "7": "ㄹ", "8": "ㄹ"}  # 영 일 삼 육 칠 팔


@lru_cache(maxsize=4096)
def final(word: str) -> bool | str:
    """How a Korean reader ends `word`: False a vowel, True a consonant, "ㄹ" that consonant (으로 becomes 로 after it)."""
    match = re.search(r"[가-힣A-Za-z0-9][^가-힣A-Za-z0-9]*\Z", word)
    if not match:
        return False
    last = match.group(0)[0]
    if "가" <= last <= "힣":
        jong = (ord(last) - 0xAC00) % 28
        return "ㄹ" if jong == 8 else jong > 0
    if last.isdigit():
        return DIGIT_FINALS.get(last, False)
    tail = re.findall(r"[A-Za-z0-9]+", word[: match.end()])[-1].lower()
    if tail in READINGS:
        return READINGS[tail]
    if re.search(r"\d", tail) or not re.search(r"[aeiouy]", tail) or len(tail) == 1:
        return LETTER_FINALS.get(tail[-1], False)  # a hash or an abbreviation is spelled letter by letter
    if re.search(r"le?\Z", tail):
        return "ㄹ"
    return bool(re.search(r"([mn]|[aeiou][mn]e|ng|b|ck|(?<![aeiou])[aeiou][kpt])\Z", tail))


def josa(word: str, pair: str) -> str:
    """`word` with the fitting one of a pair: 은/는, 이/가, 을/를, 과/와, 으로/로, 이라/라 ..."""
    with_final, without = pair.split("/")
    ending = final(word)
    if pair == "으로/로" and ending == "ㄹ":
        return word + without
    return word + (with_final if ending else without)


def duration(ms: int | float) -> str:
    """`0.4초`, `12초`, `2분 5초`, `1시간 3분`: for reading, rounded down to what matters."""
    if ms < 1000:
        return f"{max(ms, 0) / 1000:.1f}초"
    seconds = int(ms // 1000)
    if seconds < 10 and ms % 1000 >= 100:
        return f"{ms / 1000:.1f}초"
    if seconds < 60:
        return f"{seconds}초"
    minutes, seconds = divmod(seconds, 60)
    if minutes < 60:
        return f"{minutes}분 {seconds}초" if seconds else f"{minutes}분"
    hours, minutes = divmod(minutes, 60)
    return f"{hours}시간 {minutes}분" if minutes else f"{hours}시간"


def clock(ms: int) -> str:
    """`0:38`, `12:05`, `1:02:05`: a running time."""
    seconds = max(ms, 0) // 1000
    if seconds < 3600:
        return f"{seconds // 60}:{seconds % 60:02d}"
    return f"{seconds // 3600}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"


def kind(plural: str) -> str:
    return KINDS.get(plural, plural)


def thing(ref: str | None) -> str:
    """`pods/default/web` -> `파드 web`; the name alone where the kind has no Korean word."""
    if not ref:
        return ""
    parts = ref.split("/")
    return f"{kind(parts[0])} {parts[-1]}" if parts[0] in KINDS else parts[-1]


class _Sentence(string.Formatter):
    """`{name:은/는}` takes a particle, `{delay:시간}` (ms) becomes a duration, `{object:것}` a ref becomes `파드 web`."""

    def format_field(self, value: Any, format_spec: str) -> str:
        spec, _, particle = format_spec.partition(" ")
        if spec == "시간":
            text = duration(value)
        elif spec == "것":
            text = thing(value)
        elif spec == "프로브":
            text = PROBES.get(value, str(value)) + " 프로브"
        elif "/" in spec:
            return josa(str(value), spec)
        else:
            text = ", ".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)
        return josa(text, particle) if particle else text


_SENTENCE = _Sentence()


def sentence(template: str, facts: Mapping[str, Any]) -> str:
    """The template filled with facts. Raises KeyError, ValueError or TypeError where a fact is missing or of a wrong kind."""
    return _SENTENCE.vformat(template, (), facts)
