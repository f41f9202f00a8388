"""The shell and its tools against recordings of the real one (busybox.json: what BusyBox 1.35's `sh -c SCRIPT` printed, both
streams; bash.json: what bash 5.2's `bash -c SCRIPT` printed)."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest

from .machine import Machine, sh

RECORDED = json.loads((Path(__file__).parent / "busybox.json").read_text())
BASH = json.loads((Path(__file__).parent / "bash.json").read_text())


@pytest.mark.parametrize("case", [pytest.param(case, id=str(number), marks=pytest.mark.slow if "100000" in case["script"] else ())
                                  for number, case in enumerate(RECORDED)])
def test_script_prints_what_busybox_printed(case: dict[str, object]) -> None:
    assert sh(str(case["script"]), ms=100_000, working_dir="/srv") == (case["output"], case["code"]), case["script"]


@pytest.mark.parametrize("case", BASH, ids=range(len(BASH)))
def test_script_prints_what_bash_printed(case: dict[str, object]) -> None:
    machine = Machine()
    container = machine.container("bash", "-c", str(case["script"]), working_dir="/srv")
    machine.run(10_000)
    status = machine.node.status(container)
    assert (machine.logs(container), status.exit_code) == (case["output"], case["code"]), case["script"]
    assert machine.node.crashes == []


def test_a_child_s_environment_has_the_shell_s_own_and_stands_in_the_order_of_ash() -> None:
    said = sh("export A=2; sh -c 'cd /tmp; env' | grep -v 'PATH=\\|HO'", working_dir="/srv")[0]
    assert said.split() == ["SHLVL=2", "OLDPWD=/srv", "A=2", "PWD=/tmp"]


def test_local_may_stand_in_a_pipe_and_a_substitution_of_a_function() -> None:
    text = "f() { local a=1; echo x | while read -r b; do local a=$b c; echo $a; done; echo $a $(local a=3; echo $a); }; f"
    assert sh(text) == ("x\n1 3\n", 0)
    assert sh("echo x | { local a=1; }")[1] != 0


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


NINES = "9" * 5_000


@pytest.mark.parametrize(("script", "said"), [
    (f"expr {NINES} - 1; expr substr abc ² {NINES}", "9223372036854775806\n\n"),
    (f"printf '{NINES}8\\n{NINES}7\\n1.10\\n1.9\\n' | sort -V | tail -c 2; echo b | sort -k 1.{NINES}", "8\nb\n"),
    (f"[ {NINES} -gt 1 ]; [ -t ² ]; [ ² -gt 1 ]", f"sh: {NINES}: out of range\nsh: ²: bad number\n"),
    (f"echo $(({NINES})) $((18446744073709551617)); echo $((²))", "-1 1\nsh: arithmetic syntax error\n"),
    (f"sleep {NINES}; sleep {NINES}d; timeout {NINES} true",
     f"sleep: invalid number '{NINES}'\nsleep: invalid number '{NINES}d'\ntimeout: invalid number '{NINES}'\n"),
    ("grep -A x y; find / -size z; xargs -n ²; du -d x; uniq -f 1e9; base64 -w '' /etc/no",
     "grep: invalid number 'x'\nfind: invalid number 'z'\nxargs: invalid number '²'\ndu: invalid number 'x'\n"
     "uniq: invalid number '1e9'\nbase64: invalid number ''\n"),
    (f"mkdir -m 9 x; kill -{NINES} 1; echo ${{{NINES}}}; umask ²", "mkdir: invalid mode '9'\nsh: bad signal name '" + NINES + "'\n\n0022\n"),
    (f"seq 3 | sed -n '{NINES}p;2p'; seq 3 | head -n {NINES} | tail -n {NINES} | wc -l", "2\n3\n"),
    (f"date -d @{NINES}; printf '%.3s\\n' {NINES}; exit ²", f"date: invalid date '@{NINES}'\n999\nsh: exit: line 0: Illegal number: ²\n"),
    (f"for time in 1.2.3 . {NINES}; do read -t $time x < /etc/hostname; echo $?; done", "0\n0\n0\n"),
    ("pgrep '('; echo a | sed 's/[/b/'; expr a : '\\('",
     "".join(f"{tool}: bad regex: Invalid regular expression\n" for tool in ("pgrep", "sed", "expr"))),
])
def test_what_is_no_number_or_no_pattern_is_refused_in_the_tool_s_own_words(script: str, said: str) -> None:
    assert sh(script)[0] == said


@pytest.mark.parametrize(("script", "said"), [
    ("1", "missing command"), ("2,$!", "missing command"), ("}", "unmatched '}'"),
    ("/a/{p", "unmatched '{'"), ("s/a/b/k", "bad option in substitution expression"), ("1v", "unsupported command v"),
])  # fmt: skip
def test_sed_says_what_is_wrong_with_a_script(script: str, said: str) -> None:
    assert sh(f"echo a | sed '{script}'") == (f"sed: {said}\n", 1)


def test_sed_translates_as_far_as_both_texts_reach() -> None:
    assert sh("echo abc | sed y/ab/x/") == ("xbc\n", 0)


@pytest.mark.slow
def test_a_fork_bomb_gets_its_turns_ever_more_rarely() -> None:
    machine = Machine()
    container = machine.container("sleep", "100000")
    machine.execute(container, "f() { f & f; }; f", ms=10_000)
    assert max(space["next"] for space in machine.node.state["namespaces"].values()) < 7_000  # 3,454; with the same pause after every run 21,454


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


@pytest.mark.parametrize(("script", "said", "code"), [
    ("set -u; echo $X; echo on", "X: unbound variable", 127), ("echo ${X:?need X}; echo on", "X: need X", 127),
    ("readonly A=1; A=2; echo on", "A: readonly variable", 1), ("echo $((1/0)); echo on", '1/0: division by 0 (error token is "0")', 1),
    ("cd /no; exit $?", "cd: /no: No such file or directory", 1), ("source /no; exit $?", "/no: No such file or directory", 1),
    ("export 1a=2; exit $?", "export: `1a=2': not a valid identifier", 1), ("local x=1; exit $?", "local: can only be used in a function", 1),
])  # fmt: skip
def test_bash_ends_or_goes_on_as_the_real_one_does(script: str, said: str, code: int) -> None:
    assert sh(f"exec bash -c {shlex.quote(script)}") == (f"bash: line 1: {said}\n", code)


def test_a_script_in_a_file_that_lacks_a_variable_ends_with_1() -> None:
    assert sh("echo 'set -u; echo $X' > f; exec bash f", working_dir="/srv") == ("f: line 1: X: unbound variable\n", 1)


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


@pytest.mark.parametrize(("script", "printed"), [
    ("printf 'a\\nb\\nc\\n' > a; printf 'a\\nX\\nc\\nd\\n' > b; diff-gnu a b; echo $?", "2c2\n< b\n---\n> X\n3a4\n> d\n1\n"),
    ("seq 20 > a; sed s/10/x/ a > b; diff a b", "--- a\n+++ b\n@@ -7,7 +7,7 @@\n 7\n 8\n 9\n-10\n+x\n 11\n 12\n 13\n"),
    ("echo a > a; cp a b; diff -s a b; diff -q a /etc/group; cmp a b && echo same",
     "Files a and b are identical\nFiles a and /etc/group differ\nsame\n"),
    ("printf 'a\\nb\\n' > a; printf 'b\\nc\\n' > b; comm a b; comm -13 a b", "a\n\t\tb\n\tc\nc\n"),
    ("echo 'the quick brown fox' | fold -s -w 10; echo abcde | fold -w 3; printf 'a\\tb\\n' | expand -t 4",
     "the quick \nbrown fox\nabc\nde\na   b\n"),
    ("seq 5 > s; split -l 2 s part_; ls part_*; cat part_ab", "part_aa\npart_ab\npart_ac\n3\n4\n"),
    ("shuf -i 1-5 | sort | tr -d '\\n'; factor 12 97; printf hello | cksum", "1234512: 2 2 3\n97: 97\n3287646509 5\n"),
    ("install -d d/e; echo x > f; install -m 600 f d/f; stat -c %a d/f; touch -d 2020-01-01 f; date -r f +%F", "600\n2020-01-01\n"),
    ("date-gnu -d '2024-01-31 +1 day' +%F; date-gnu -d '2024-03-15 1 month ago' +%F; date-gnu -d yesterday +%F",
     "2024-02-01\n2024-02-15\n2026-11-20\n"),
    ("awk 'BEGIN { print strftime(\"%Y-%m-%d\", 86400) }'", "1970-01-02\n"),
])  # fmt: skip
def test_a_tool_prints_what_the_real_one_prints(script: str, printed: str) -> None:
    assert sh(script, working_dir="/srv")[0] == printed
