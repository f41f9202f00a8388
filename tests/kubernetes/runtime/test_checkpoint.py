"""The machine's state is plain data: saved and restored at any instant, it goes on as if nothing had happened."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from .machine import Machine

pytestmark = pytest.mark.slow
SCRIPTS = (
    "for i in 1 2 3 4; do echo $i $(date +%s); sleep 1; done | while read a b; do echo $b-$a; done",
    "f() { local n=$1; [ $n -gt 0 ] && { sleep 0.3; f $((n-1)); }; echo up $n; }; f 4; echo ${x:-$(sleep 1; echo deep)}",
    "trap 'echo bye' EXIT; (sleep 1.5; echo bg) & cat <<E\nhere $(sleep 0.5; echo doc)\nE\nwait; exit 3",
    "seq 3000 | sed -n '/7$/p' | awk '{s+=$1} END {print s}'; yes | head -c 300000 | wc -c; i=0; while [ $i -lt 900 "
    "]; do i=$((i+1)); done; echo $i",
    "mkdir /d; (while sleep 0.4; do date >> /d/log; done) & tail -f /d/log 2>&1 & timeout 2 tail -F /d/log | grep -o "
    "'..:..:..'; kill $!; ls /d",
    "find / -name 'pass*' -exec wc -l {} \\;; xargs -n1 echo <<E\na b\nc\nE\nread x <<E\nq\nE\n"
    "echo $x; echo 'sleep 1; echo $0' | sh",
)


def start(script: str) -> Machine:
    machine = Machine()
    machine.container("sh", "-c", script)
    return machine


@settings(max_examples=60, deadline=None)
@given(script=st.sampled_from(SCRIPTS), instant=st.integers(0, 4_000), steps=st.integers(0, 60))
def test_a_restored_machine_goes_on_identically(script: str, instant: int, steps: int) -> None:
    machine = start(script)
    machine.run(instant, steps)
    restored = machine.restored()
    for each in (machine, restored):
        each.run(8_000 - (each.now - start("true").now))
    assert restored.checkpoint() == machine.checkpoint()
    assert machine.node.crashes == []


@settings(max_examples=30, deadline=None)
@given(script=st.sampled_from(SCRIPTS), instants=st.lists(st.integers(0, 3_000), max_size=3))
def test_stopping_to_look_changes_nothing(script: str, instants: list[int]) -> None:
    whole, looked_at = start(script), start(script)
    whole.run(20_000)
    for instant in instants:
        looked_at.run(instant)
        looked_at = looked_at.restored()
    looked_at.run(20_000 - sum(instants))
    assert looked_at.checkpoint() == whole.checkpoint()


def test_the_state_holds_json_values_only() -> None:
    for script in SCRIPTS:
        machine = start(script)
        machine.run(700)
        assert json.loads(json.dumps(machine.node.state)) == machine.node.state
