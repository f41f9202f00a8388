"""A container's life as the kubelet sees it: start, signals, ends, logs, exec, volumes, limits."""

from __future__ import annotations

import pytest

from podlab.kubernetes.runtime.container_status import ExecError, StartError

from .machine import Machine, sh


def test_container_logs_what_its_process_prints_and_ends_with_its_exit_code() -> None:
    machine = Machine()
    container = machine.container("echo hi; sleep 3; echo bye; exit 4")
    machine.run(2_999)
    assert (machine.logs(container), machine.node.status(container).state) == ("hi\n", "running")
    machine.run(100)
    status = machine.node.status(container)
    assert machine.logs(container) == "hi\nbye\n"
    assert (status.state, status.exit_code, status.reason) == ("exited", 4, "Error")
    assert machine.exits == [container]


def test_missing_executable_is_refused_in_containerds_words() -> None:
    machine = Machine()
    container = machine.container("nope", start=False)
    with pytest.raises(StartError) as refused:
        machine.node.start_container(container)
    assert refused.value.message == (
        "failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: "
        'unable to start container process: exec: "nope": executable file not found in $PATH'
    )
    status = machine.node.status(container)
    assert (status.state, status.exit_code, status.reason, status.started_at) == ("exited", 128, "StartError", 0)


def test_process_1_that_handles_no_signal_survives_term_and_dies_of_kill() -> None:
    machine = Machine()
    container = machine.container("echo hi; sleep 3600")
    assert machine.execute(container, "cat", "/proc/1/cmdline")[0] == "sleep\0" + "3600\0"  # ash became its last command
    machine.node.signal(container, "TERM")
    machine.run(1_000)
    assert machine.node.status(container).state == "running"
    machine.node.signal(container, "KILL")
    status = machine.node.status(container)
    assert (status.state, status.exit_code, status.reason) == ("exited", 137, "Error")


def test_a_trap_runs_between_two_commands() -> None:
    machine = Machine()
    container = machine.container("trap 'echo got TERM; sleep 2; exit 0' TERM; while true; do sleep 1; done")
    machine.run(4_500)
    machine.node.signal(container, "TERM")
    machine.run(400)
    assert machine.logs(container) == ""
    machine.run(200)
    assert machine.logs(container) == "got TERM\n"
    machine.run(2_100)
    status = machine.node.status(container)
    assert (status.exit_code, status.reason) == (0, "Completed")


def test_kill_from_inside_reaches_the_trap_of_process_1_but_kill_9_does_not_reach_process_1() -> None:
    machine = Machine()
    container = machine.container("trap 'exit 7' TERM; while true; do sleep 1; done")
    assert machine.execute(container, "kill", "-9", "1", ms=2_000)[2] == 0
    assert machine.node.status(container).state == "running"
    machine.execute(container, "kill", "-TERM", "1", ms=2_000)
    assert machine.node.status(container).exit_code == 7


def test_memory_over_the_limit_kills_the_container_as_oomkilled() -> None:
    machine = Machine()
    container = machine.container("sleep 3; tail /dev/zero", limits={"memory": 32 << 20})
    machine.run(2_900)
    assert machine.node.status(container).state == "running"
    machine.run(2_000)
    status = machine.node.status(container)
    assert (status.exit_code, status.reason) == (137, "OOMKilled")


def test_exec_runs_beside_process_1_and_missing_commands_are_refused() -> None:
    machine = Machine()
    container = machine.container("sleep 3600")
    assert machine.execute(container, "sh", "-c", "echo out; echo err >&2; exit 3") == ("out\n", "err\n", 3)
    assert machine.execute(container, "cat", stdin="abc\ndef") == ("abc\ndef", "", 0)
    with pytest.raises(ExecError, match='exec: "bogus": executable file not found in \\$PATH'):
        machine.node.exec(container, ["bogus"])


def test_exec_timeout_kills_the_command_at_its_instant() -> None:
    machine = Machine()
    container = machine.container("sleep 3600")
    session = machine.node.exec(container, ["sleep", "100"], timeout=1_000, payload="probe")
    machine.run(999)
    assert machine.node.exec_status(session)["exit_code"] is None
    machine.run(1)
    assert machine.node.exec_status(session) == {"exit_code": 137, "timed_out": True}


def test_interactive_shell_echoes_prompts_and_obeys_control_c() -> None:
    machine = Machine()
    container = machine.container("sleep 3600")
    session = machine.node.exec(container, ["sh"], tty=True, stdin=True)

    def typed(text: str) -> str:
        machine.node.write_stdin(session, text)
        machine.run(100)
        return machine.node.read_exec(session)[0]

    assert typed("") == "/ # "
    assert typed("echo hi\n") == "echo hi\nhi\n/ # "
    assert typed("for i in 1 2; do\n") == "for i in 1 2; do\n> "
    assert typed("echo $i; done\n") == "echo $i; done\n1\n2\n/ # "
    assert typed("sleep 100\n") == "sleep 100\n"
    assert typed("\x03") == "^C\n/ # "
    assert typed("cd /tmp; nope\n") == "cd /tmp; nope\nsh: nope: not found\n/tmp # "
    machine.node.resize(session, 50, 132)
    assert typed("stty size; stty -echo\n") == "stty size; stty -echo\n50 132\n/tmp # "
    assert typed("stty sane; stty size < /dev/null\n") == "stty: 'standard input': Inappropriate ioctl for device\n/tmp # "
    typed("exit 5\n")
    assert machine.node.exec_status(session)["exit_code"] == 5


def test_attach_sees_later_output_and_may_write_to_process_1() -> None:
    machine = Machine()
    container = machine.container("sh", "-c", "while read l; do echo got $l; done", stdin=True)
    session = machine.node.attach(container)
    machine.node.write_stdin(session, "a\nb\n")
    assert machine.node.read_exec(session) == ("got a\ngot b\n", "")
    machine.node.close_stdin(session)
    assert machine.node.status(container).state == "exited"
    assert machine.node.exec_status(session)["exit_code"] == 0 or machine.node.status(container).exit_code == 1


def test_shared_process_namespace_has_pause_as_process_1() -> None:
    machine = Machine()
    machine.pod("p", share_pid=True)
    one = machine.container("sleep", "100", pod="p", name="one")
    two = machine.container("sleep", "200", pod="p", name="two")
    listing = machine.execute(one, "ps")[0]
    assert [line.split()[-2:] for line in listing.splitlines()[1:4]] == [["0:00", "/pause"], ["sleep", "100"], ["sleep", "200"]]
    machine.execute(one, "kill", "3", ms=10)
    assert machine.node.status(two).exit_code == 143
    assert machine.node.status(one).state == "running"


def test_containers_of_a_pod_share_volumes_and_shm_but_not_their_own_files() -> None:
    machine = Machine()
    machine.pod()
    machine.node.create_volume("pod-1", "shared", "emptyDir")
    mounts = [{"path": "/data", "volume": "shared"}]
    writer = machine.container(
        "echo hello > /data/f; echo shm > /dev/shm/x; echo own > /own; sleep 100", name="writer", mounts=mounts
    )
    reader = machine.container(
        "sleep 1; cat /data/f /dev/shm/x; ls /own",
        name="reader",
        mounts=[{"path": "/data", "volume": "shared", "read_only": True}],
    )
    machine.run(2_000)
    assert machine.logs(reader) == "hello\nshm\nls: /own: No such file or directory\n"
    assert machine.execute(writer, "cat", "/own")[0] == "own\n"
    assert machine.node.volume_files("pod-1", "shared") == ["f"]


def test_config_map_update_swaps_the_files_at_once_but_not_under_a_sub_path() -> None:
    machine = Machine()
    machine.pod()
    machine.node.create_volume("pod-1", "cfg", "configMap", files={"a": "1", "b": "2"})
    mounts = [{"path": "/etc/cfg", "volume": "cfg"}, {"path": "/x/a.conf", "volume": "cfg", "sub_path": "a"}]
    container = machine.container("sleep 100", mounts=mounts)
    assert (
        machine.execute(container, "sh", "-c", "echo x > /etc/cfg/a", ms=5)[1]
        == "sh: can't create /etc/cfg/a: Read-only file system\n"
    )
    machine.node.update_volume("pod-1", "cfg", {"a": "new", "c": "3"})
    assert machine.execute(container, "sh", "-c", "ls /etc/cfg; cat /etc/cfg/a /x/a.conf", ms=5)[0] == "a\nc\nnew1"


def test_directories_above_a_mount_are_there_without_being_stored_and_can_be_written_to() -> None:
    machine = Machine()
    machine.pod()
    machine.node.create_volume("pod-1", "data", "emptyDir")
    container = machine.container("sleep 1000", mounts=[{"path": "/srv/deep/data", "volume": "data"}])
    assert len(machine.node.filesystem(machine.node.state["containers"][container]["fs"])["inodes"]) == 1
    shown = machine.execute(container, "ls / | grep srv; ls /srv /srv/deep; find /srv; rmdir /srv/deep/data /srv/deep")
    assert shown[0] == "srv\n/srv:\ndeep\n\n/srv/deep:\ndata\n/srv\n/srv/deep\n/srv/deep/data\n"
    assert shown[1] == "rmdir: '/srv/deep/data': Device or resource busy\nrmdir: '/srv/deep': Directory not empty\n"
    machine.execute(container, "echo a > /srv/deep/mine; echo b > /srv/deep/data/theirs")
    assert machine.execute(container, "ls /srv/deep; cat /srv/deep/mine")[0] == "data\nmine\na\n"
    assert machine.node.volume_files("pod-1", "data") == ["theirs"]


def test_what_only_shows_a_volume_leaves_no_trace_and_what_reads_it_finds_the_time_at_which_it_was_made() -> None:
    machine = Machine()
    machine.pod()
    machine.node.create_volume("pod-1", "cfg", "configMap", files={"a": {"content": "12", "mode": 0o600}})
    container = machine.container("sleep 100", mounts=[{"path": "/cfg", "volume": "cfg"}])
    before = machine.checkpoint()
    assert machine.node.volume_files("pod-1", "cfg") == ["a"]
    assert machine.node.volume_usage("pod-1", "cfg") == {"bytes": 2, "files": 5}
    assert machine.checkpoint() == before
    machine.run(60_000)
    assert machine.execute(container, "stat -c '%a %s' /cfg/..data/a; ls -l /etc/hosts")[0] == (
        "600 2\n-rw-r--r--    1 root     root           198 Nov 21 02:37 /etc/hosts\n")


@pytest.mark.parametrize("kind", ["secret", "projected", "downwardAPI"])
def test_volumes_with_secrets_lie_in_memory_and_those_of_config_maps_on_the_disk(kind: str) -> None:
    """What ls -la shows of a service account's directory in every Pod: wrappedVolumeSpec of the plugins, and tmpfs's sizes."""
    machine = Machine()
    machine.pod()
    for name, of in (("v", kind), ("c", "configMap")):
        machine.node.create_volume("pod-1", name, of, files={"a": "1", "b": "2", "c": "3"})
    container = machine.container("sleep 100", mounts=[{"path": f"/{name}", "volume": name} for name in "vc"])
    assert machine.execute(container, "stat -c '%A %s %b' /v /v/..data/ /c /c/..data/; ls -la /v | head -1")[0] == (
        "drwxrwxrwt 140 0\ndrwxr-xr-x 100 0\ndrwxrwxrwx 4096 8\ndrwxr-xr-x 4096 8\ntotal 4\n")
    assert machine.execute(container, "mount | grep -c 'tmpfs on /v type tmpfs\\|/dev/vda1 on /c type ext4'")[0] == "2\n"


def test_a_memory_volume_is_full_at_its_limit_and_counts_its_bytes() -> None:
    machine = Machine()
    machine.pod()
    machine.node.create_volume("pod-1", "cache", "emptyDir", medium="Memory", size_limit=1 << 20)
    container = machine.container("sleep 100", mounts=[{"path": "/cache", "volume": "cache"}])
    _, err, code = machine.execute(container, "dd", "if=/dev/zero", "of=/cache/f", "bs=1M", "count=5", ms=5)
    assert code == 1
    assert "No space left on device" in err
    assert machine.node.volume_usage("pod-1", "cache")["bytes"] == 1 << 20


def test_termination_message_comes_from_its_path() -> None:
    machine = Machine()
    container = machine.container("echo why > /dev/termination-log; exit 2")
    assert machine.node.status(container).message == "why\n"


def test_tail_f_follows_within_a_second_and_waits_without_events() -> None:
    machine = Machine()
    container = machine.container("touch /log; tail -f /log")
    machine.run(10_300)
    assert machine.timers == []
    machine.execute(container, "sh", "-c", "echo line >> /log", ms=699)
    assert machine.logs(container) == ""
    machine.run(2)
    assert machine.logs(container) == "line\n"


@pytest.mark.slow
def test_an_endless_loop_cannot_hang_the_machine_and_uses_one_core() -> None:
    machine = Machine()
    container = machine.container("while true; do :; done")
    machine.run(60_000, steps=20_000)
    assert machine.timers and machine.now < machine.timers[0][0] + 60_000
    assert 900_000_000 < machine.node.usage(container)["cpu_nanocores"] < 1_200_000_000


def test_removed_pods_leave_nothing_behind() -> None:
    machine = Machine()
    before = {name: len(value) for name, value in machine.node.state.items() if isinstance(value, (dict, list))}
    machine.pod()
    machine.node.create_volume("pod-1", "v", "emptyDir")
    container = machine.container("sleep 5 & cat /etc/hosts | grep x; yes > /dev/null", mounts=[{"path": "/v", "volume": "v"}])
    session = machine.node.exec(container, ["sh", "-c", "sleep 50 | cat"], tty=True)
    machine.run(1_000)
    machine.node.remove_sandbox("pod-1")
    machine.node.forget_exec(session)
    after = {name: len(value) for name, value in machine.node.state.items() if isinstance(value, (dict, list))}
    assert after == before


def test_a_pod_user_may_not_write_where_only_root_may() -> None:
    machine = Machine()
    container = machine.container("id -u; touch /etc/x; touch /tmp/y && ls /tmp", user="1000:2000", groups=[3000])
    assert machine.logs(container) == "1000\ntouch: /etc/x: Permission denied\ny\n"
    assert machine.node.status(container).exit_code == 0


def test_read_only_root_refuses_writes() -> None:
    machine = Machine()
    container = machine.container("touch /x; echo a > /tmp/b; echo ok", read_only_root=True)
    assert machine.logs(container) == "touch: /x: Read-only file system\nsh: can't create /tmp/b: Read-only file system\nok\n"


def test_host_runs_a_foreign_program_in_the_foreground_of_a_shell() -> None:
    from podlab.kubernetes.runtime import image
    from podlab.kubernetes.runtime.image import Entry, Image

    base = image.find("test/busybox")
    assert base is not None
    tree = {**base.tree, "usr": {"bin": {"kubectl": Entry(program="foreign")}}}
    image.add(Image("docker.io/test/laptop", ("latest",), tree, 1, cmd=("sleep", "1000")))
    machine = Machine()
    machine.pod()
    container = machine.node.create_container("pod-1", "laptop", image="test/laptop")
    machine.node.start_container(container)
    session = machine.node.exec(container, ["sh"], tty=True, stdin=True)
    machine.node.write_stdin(session, "kubectl get pods | tr a-z A-Z; echo rc $?\n")
    (process, event, detail) = machine.foreign[0]
    assert (event, detail["argv"]) == ("start", ["kubectl", "get", "pods"])
    machine.run(5_000)
    machine.node.foreign_write(process, 1, "name\n")
    machine.node.foreign_exit(process, 0)
    assert machine.node.read_exec(session)[0].endswith("NAME\nrc 0\n/ # ")


def test_script_files_and_interpreters() -> None:
    assert sh("printf '#!/bin/sh\\necho $0 $1\\nnope\\n' > /s; chmod +x /s; /s a; /nope; /etc; echo $?") == (
        "/s a\n/s: line 3: nope: not found\nsh: /nope: not found\nsh: /etc: Permission denied\n126\n",
        0,
    )


def test_input_kept_in_memory_counts_towards_the_limit() -> None:
    machine = Machine()
    container = machine.container("head -c 50m /dev/zero | tail", limits={"memory": 20 << 20})
    machine.run(60_000)
    assert machine.node.status(container).reason == "OOMKilled"


def test_processes_that_fork_and_fork_are_killed_at_the_limit_of_their_container() -> None:
    machine = Machine()
    machine.pod()
    made = machine.node.create_container("pod-1", "c", image="busybox", command=["sh", "-c", "mkfifo /p; while true; do (read x < /p) & done"],
                                         limits={"memory": 8 << 20})
    machine.node.start_container(made)
    machine.run(5_000)
    status = machine.node.status(made)
    assert (status.state, status.exit_code, status.reason) == ("exited", 137, "OOMKilled")
