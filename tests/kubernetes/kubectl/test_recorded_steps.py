"""The kubectl steps of the recordings, replayed in our cluster: exit code, output and errors are those of the real one."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from podlab.kubernetes import scenario
from tests.kubernetes.kubectl.test_texts_as_recorded import FOLDER, MISSING, RECORDINGS

# Steps whose words depend on the machine or on chance: what differs, and why it may
CHANCE = {
    ("job", 1): "the Pods print random numbers",
    ("node-failure", 8): "a DaemonSet's Pod restarts at the kubelet's own moment",
    ("localhost", 1): "the recorded nginx was a stand-in with a shorter page",
    ("port-conflict", 1): "the recorded runtime had taken the log away a moment before",
}
NAMES = re.compile(r"\b(web|agent|j|j-\d|big|a|b)-(?:[a-z0-9]{8,10}-)?[a-z0-9]{5}\b")
HASHES = re.compile(r"\b(web|big)-[a-z0-9]{8,10}\b")
ADDRESSES = re.compile(r"\b10\.244\.\d+\.\d+\b")
AGES = re.compile(r"\b(?:\d+[dhms])+(?:\d+[hms])?\b")
# Only these have words of kubectl's own: texts of get and describe are held in test_texts_as_recorded
OWN_WORDS = ("apply", "create", "delete", "scale", "set", "patch", "label", "rollout", "logs", "exec", "debug")


def plain(text: str) -> str:
    """Without generated names, addresses and ages."""
    for pattern in (NAMES, HASHES):
        text = pattern.sub(lambda match: f"{match[1]}-NAME", text)
    return AGES.sub("AGE", ADDRESSES.sub("IP", text))


def lines(text: str) -> list[str]:
    """Followed states may be seen once more or less: runs of one line count as one."""
    found = plain(text).splitlines()
    return [line for i, line in enumerate(found) if i == 0 or line != found[i - 1]]


def scenarios() -> list[str]:
    assert RECORDINGS, MISSING
    return [name for name in RECORDINGS if any(step["cmd"].split()[1] in OWN_WORDS for step in load(name)["steps"][1:]
                                               if step["cmd"].startswith("kubectl "))]


def load(name: str) -> dict[str, Any]:
    recording: dict[str, Any] = json.loads((FOLDER / "recorded" / f"{name}.json").read_text())
    return recording


@pytest.mark.slow
@pytest.mark.parametrize("name", scenarios() if RECORDINGS else [])
def test_steps_speak_as_recorded(name: str) -> None:
    recording = load(name)
    ours = scenario.run(recording["scenario"])
    for index, (real, step) in enumerate(zip(recording["steps"], ours["steps"], strict=True)):
        words = real["cmd"].split()
        if words[0] != "kubectl" or words[1] not in OWN_WORDS or (name, index) in CHANCE:
            continue
        assert (step["rc"], lines(step["stdout"]), lines(step["stderr"])) == (real["rc"], lines(real["stdout"]),
            lines(real["stderr"])), real["cmd"]
