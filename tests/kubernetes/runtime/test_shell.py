"""The shell and its tools against recordings of the real one (busybox.json: what BusyBox 1.35's `sh -c SCRIPT` printed, both
streams)."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from .machine import Machine, sh

RECORDED = json.loads((Path(__file__).parent / "busybox.json").read_text())


@pytest.mark.parametrize("case", [pytest.param(case, id=str(number), marks=pytest.mark.slow if "100000" in case["script"] else ())
                                  for number, case in enumerate(RECORDED)])
def test_script_prints_what_busybox_printed(case: dict[str, object]) -> None:
    assert sh(str(case["script"]), ms=100_000, working_dir="/srv") == (case["output"], case["code"]), case["script"]


def test_a_child_s_environment_has_the_shell_s_own_and_stands_in_the_order_of_ash() -> None:
    said = sh("export A=2; sh -c 'cd /tmp; env' | grep -v 'PATH=\\|HO'", working_dir="/srv")[0]
    assert said.split() == ["SHLVL=2", "OLDPWD=/srv", "A=2", "PWD=/tmp"]


def test_sleeping_commands_take_their_time_side_by_side() -> None:
    machine = Machine()
    container = machine.container("(sleep 2; echo two) & (sleep 1; echo one) & wait; echo end")
    machine.run(1_500)
    assert machine.logs(container) == "one\n"
    machine.run(600)
    assert machine.logs(container) == "one\ntwo\nend\n"


def test_date_shows_virtual_time() -> None:
    assert sh("date; sleep 90; TZ=Asia/Seoul date '+%F %T %Z'")[0] == "Sat Nov 21 02:37:00 UTC 2026\n2026-11-21 11:38:30 KST\n"


def test_a_pipe_that_is_full_stops_its_writer_and_a_closed_one_ends_it() -> None:
    assert sh("yes | head -n 2; yes | (sleep 5; head -c 4); echo $?") == ("y\ny\ny\ny\n0\n", 0)


def test_wait_is_broken_off_by_a_trapped_signal() -> None:
    machine = Machine()
    container = machine.container("trap 'echo term' TERM; sleep 100 & wait; echo rc $?")
    machine.run(1_000)
    machine.node.signal(container, "TERM")
    machine.run(10)
    assert machine.logs(container) == "term\nrc 143\n"


def test_bash_and_dash_complain_in_their_own_words() -> None:
    assert sh("bash -c nope; dash -c nope; bash -c 'echo x > /no/x'")[0] == (
        "bash: line 1: nope: command not found\ndash: 1: nope: not found\nbash: line 1: /no/x: No such file or directory\n"
    )


def test_ls_shows_what_a_link_leads_to_where_it_is_asked_to() -> None:
    made = "mkdir /x; echo abc > /x/f; ln -s /x /y; ln -s f /x/g; "
    assert sh(made + "ls -lL /y | cut -c1; ls -ld /y | cut -c1")[0] == "t\n-\n-\nl\n"


def test_an_endless_recursion_ends_the_shell() -> None:
    assert sh("f() { f; }; f; echo no")[1] == 139


@pytest.mark.slow
def test_a_large_file_of_zeros_costs_nothing_and_fills_the_disk() -> None:
    machine = Machine()
    container = machine.container(
        "dd if=/dev/zero of=/big bs=1M count=500 2>/dev/null; ls -l /big | cut -c20-55; wc -c < /big | head -1; rm /big; sleep 9"
    )
    machine.run(3_000)
    assert "524288000" in machine.logs(container)
    assert len(machine.checkpoint()) < 20_000


@pytest.mark.slow
def test_heavy_work_takes_virtual_time() -> None:
    machine = Machine()
    container = machine.container("i=0; while [ $i -lt 2000 ]; do i=$((i+1)); done; echo $i")
    assert machine.logs(container) == ""
    machine.run(2_000)
    assert machine.logs(container) == "2000\n"


def test_bash_expands_braces_and_ash_does_not() -> None:
    assert (
        sh("bash -c 'for i in {1..3} x{a,b}y \"{q,r}\"; do echo $i; done'; echo {1..3}")[0]
        == "1\n2\n3\nxay\nxby\n{q,r}\n{1..3}\n"
    )


def test_read_is_broken_off_by_a_trapped_signal() -> None:
    machine = Machine()
    container = machine.container("sh", "-c", "trap 'echo term' TERM; read x; echo rc $?", stdin=True)
    machine.node.signal(container, "TERM")
    assert machine.logs(container) == "term\nrc 143\n"


def test_bash_puts_in_what_stands_in_a_file() -> None:
    assert sh("echo a > f; bash -c 'echo \"[$(<f)]\" `< f`; [[ x$(<f) == xa ]] && echo $(<nope)'")[0] == (
        "[a] a\nbash: line 1: nope: No such file or directory\n\n")
    assert sh("echo a > f; bash -xc 'echo $(<f)'")[0] == "+ echo a\na\n"


def test_a_file_of_the_image_can_be_renamed_beside_itself() -> None:
    assert sh("mv /bin/wget /bin/wget.off; wget; ls /bin/wget*")[0] == "sh: wget: not found\n/bin/wget.off\n"
