"""Particles after Latin names, durations, sentences."""

from __future__ import annotations

import pytest

from podlab.projection.korean import clock, duration, josa, sentence, thing


@pytest.mark.parametrize(
    ("word", "pair", "said"),
    [
        ("파드", "은/는", "파드는"),
        ("노드", "이/가", "노드가"),
        ("데몬셋", "을/를", "데몬셋을"),
        ("web", "은/는", "web은"),
        ("web-b", "은/는", "web-b는"),
        ("nginx", "이/가", "nginx가"),
        ("web-abc", "이/가", "web-abc가"),
        ("node-1", "은/는", "node-1은"),
        ("node-2", "은/는", "node-2는"),
        ("80", "을/를", "80을"),
        ("443", "을/를", "443을"),
        ("app", "이/가", "app이"),
        ("sidecar", "이/가", "sidecar가"),
        ("job", "을/를", "job을"),
        ("1", "으로/로", "1로"),
        ("137", "으로/로", "137로"),
        ("0", "으로/로", "0으로"),
        ("2", "으로/로", "2로"),
        ("shell", "으로/로", "shell로"),
        ("x2k4p", "이/가", "x2k4p가"),
        ("8wq7n", "이/가", "8wq7n이"),
        ("cache", "을/를", "cache를"),
        ("file", "을/를", "file을"),
        ("", "이/가", "가"),
        ("nginx:1.14.2", "을/를", "nginx:1.14.2를"),
        ("main", "은/는", "main은"),
    ],
)
def test_a_particle_follows_the_reading(word: str, pair: str, said: str):
    assert josa(word, pair) == said


def test_durations_are_short():
    assert [duration(ms) for ms in (400, 1800, 2000, 12_345, 125_000, 3_780_000)] == [
        "0.4초",
        "1.8초",
        "2초",
        "12초",
        "2분 5초",
        "1시간 3분",
    ]
    assert [clock(ms) for ms in (38_000, 725_000, 3_725_000)] == ["0:38", "12:05", "1:02:05"]


def test_a_sentence_takes_particles_durations_refs_and_probes():
    facts = {"c": "web", "ms": 40000, "ref": "pods/default/web-b", "p": "liveness"}
    assert (
        sentence("{c:이/가} {ms:시간} 뒤 {ref:것 을/를}, {p:프로브 은/는}", facts) == "web이 40초 뒤 파드 web-b를, 활성 프로브는"
    )
    assert thing("nodes/node-1") == "노드 node-1" and thing(None) == ""
