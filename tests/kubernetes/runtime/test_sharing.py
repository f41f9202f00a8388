"""What the containers of one Pod share and what each has for itself: IPC objects, namespaces, a look through /proc/PID/root."""

from __future__ import annotations

from podlab.kubernetes.runtime import images  # noqa: F401  (python's)

from .machine import Machine

ROOT = "/proc/1/root"  # of the first process, as another container of its process namespace sees it


def pair(machine: Machine) -> tuple[str, str]:
    """Two containers of one Pod."""
    return machine.container("sleep 3600"), machine.container("sleep 3600", name="other")


def test_system_v_objects_made_in_one_container_are_seen_and_removed_in_the_other() -> None:
    machine = Machine()
    first, other = pair(machine)
    assert machine.execute(first, "ipcmk", "-M", "4K", "-p", "600") == ("Shared memory id: 0\n", "", 0)
    assert machine.execute(first, "ipcmk", "-Q", "-S", "3")[0] == "Message queue id: 0\nSemaphore id: 0\n"
    seen = machine.execute(other, "ipcs")[0]
    assert seen == machine.execute(first, "ipcs")[0]
    assert seen.split("\n")[7].split()[1:] == ["0", "root", "600", "4096", "0"]
    assert machine.execute(other, "ipcrm", "-m", "0")[2] == 0
    assert "4096" not in machine.execute(first, "ipcs", "-m")[0]
    assert machine.execute(first, "ipcrm", "-m", "0") == ("", "ipcrm: invalid id (0)\n", 1)
    assert machine.execute(first, "ipcmk", "-M", "1")[0] == "Shared memory id: 32768\n"  # the index again, another sequence


def test_system_v_objects_outlive_a_container_and_a_checkpoint_and_die_with_the_sandbox() -> None:
    machine = Machine()
    first, other = pair(machine)
    machine.execute(first, "ipcmk", "-M", "64")
    machine.node.remove_container(first)
    machine = machine.restored()
    assert " 64 " in machine.execute(other, "ipcs", "-m")[0]
    machine.node.remove_sandbox("pod-1")
    assert machine.execute(machine.container("sleep 3600"), "ipcs", "-m")[0].count("\n") == 4


def test_another_pod_has_ipc_objects_of_its_own() -> None:
    machine = Machine()
    first, _ = pair(machine)
    machine.execute(first, "ipcmk", "-M", "64")
    stranger = machine.container("sleep 3600", pod="stranger")
    assert "root" not in machine.execute(stranger, "ipcs")[0]


def namespaces(machine: Machine, container: str) -> dict[str, str]:
    return dict(
        line.split(":", 1)
        for line in machine.execute(container, "sh", "-c", "for n in ipc mnt net pid user uts; do readlink /proc/1/ns/$n; done")[0].split()
    )


def test_namespace_numbers_are_equal_exactly_where_containers_share() -> None:
    machine = Machine()
    first, other = (namespaces(machine, container) for container in pair(machine))
    assert {kind for kind in first if first[kind] == other[kind]} == {"ipc", "net", "user", "uts"}
    stranger = namespaces(machine, machine.container("sleep 3600", pod="stranger"))
    assert {kind for kind in first if first[kind] == stranger[kind]} == {"user"}


def test_root_of_another_container_is_looked_into_through_proc() -> None:
    machine = Machine()
    app = machine.container("mkdir /own; echo mine > /own/file; sleep 3600")
    helper = machine.container("sleep 3600", name="helper", target=app)
    assert machine.execute(helper, "cat", f"{ROOT}/own/file")[0] == "mine\n"
    assert machine.execute(helper, "sh", "-c", f"cd {ROOT}/own; pwd; ls; cat ../etc/passwd | head -n 1")[0] == (
        f"{ROOT}/own\nfile\nroot:x:0:0:root:/root:/bin/sh\n"
    )
    assert machine.execute(helper, "ls", "/own")[2] == 1
    machine.execute(helper, "sh", "-c", f"echo yours > {ROOT}/own/file")
    assert machine.execute(app, "cat", "/own/file")[0] == "yours\n"
    assert machine.execute(helper, "cat", "/proc/1/cgroup", "/proc/self/cgroup")[0].endswith(".scope\n0::/\n")


def test_root_of_another_user_s_process_is_closed_without_the_capability() -> None:
    machine = Machine()
    app = machine.container("sleep 3600", user="1000")
    helper = machine.container("sleep 3600", name="helper", target=app)
    assert "Permission denied" in machine.execute(helper, "ls", f"{ROOT}/")[1]
    tracer = machine.container("sleep 3600", name="tracer", target=app, capabilities=["SYS_PTRACE"])
    assert machine.execute(tracer, "ls", f"{ROOT}/")[2] == 0


def test_root_may_what_its_capabilities_let_it() -> None:
    machine = Machine()
    plain = machine.container("dd if=/dev/zero of=/dev/null", name="plain", dropped=["CHOWN"])
    keeper = machine.container("sleep 3600", name="keeper", capabilities=["SYS_TIME"])
    machine.run(5_000)
    assert machine.execute(plain, "chown", "1", "/etc")[1:] == ("chown: /etc: Operation not permitted\n", 1)
    assert machine.execute(keeper, "chown", "1", "/etc")[2] == 0
    assert machine.execute(plain, "date", "-s", "12:00:00")[1:] == ("date: can't set date: Operation not permitted\n", 1)
    assert machine.execute(keeper, "date", "+%T", "-s", "12:00:00") == ("12:00:00\n", "", 0)
    assert "R     " in (line := machine.execute(plain, "top", "-bn1")[0].splitlines()[4]) and line.endswith("% dd if=/dev/zero of=/dev/null")
    assert int(line.split("%")[-2].split()[-1]) > 20


def test_pgrep_names_the_oldest_or_the_newest_process_alone() -> None:
    machine = Machine()
    container = machine.container("sleep 3600 & sleep 3600 & wait")
    every = machine.execute(container, "pgrep", "sleep")[0].split()
    assert len(every) == 2
    assert machine.execute(container, "pgrep", "-o", "sleep")[0].split() == every[:1]
    assert machine.execute(container, "pgrep", "-n", "sleep")[0].split() == every[1:]


def test_host_pid_sees_every_process_of_the_machine_and_may_end_one() -> None:
    machine = Machine()
    app = machine.container("sleep 3600", pod="app")
    machine.pod("looker", host_pid=True)
    looker = machine.container("sleep 7200", pod="looker")
    rows = [line.split() for line in machine.execute(looker, "ps")[0].splitlines()[1:]]
    commands = {" ".join(row[3:]): row[0] for row in rows}
    assert commands["/sbin/init"] == "1"
    assert "/usr/bin/containerd" in commands and "sleep 7200" in commands
    pid = commands["sleep 3600"]
    assert int(pid) >= 1000 and machine.execute(app, "pgrep", "sleep")[0] == "1\n"
    assert machine.execute(looker, "cat", f"/proc/{pid}/cmdline")[0] == "sleep\x003600\x00"
    assert machine.execute(looker, "sh", "-c", f"cd /proc/{pid}/root && ls -d home")[2] == 0
    assert machine.execute(looker, "sh", "-c", f"readlink /proc/{pid}/ns/pid; readlink /proc/self/ns/pid")[0].count("pid:") == 2
    looker_again = machine.restored()
    assert f"{pid} root" in looker_again.execute(looker, "ps")[0].replace("    ", "").replace("  ", "")
    assert machine.execute(looker, "kill", "-9", "1")[2] == 1
    assert machine.execute(looker, "kill", "-9", pid)[2] == 0
    assert machine.node.status(app).state == "exited"
    assert machine.node.status(looker).state == "running"


def test_every_container_says_the_kernel_of_its_machine_and_an_image_its_own_release() -> None:
    machine = Machine()
    say = "uname -r; python --version"
    told = {}
    for tag in ("3.9-slim", "3.12-slim", "slim"):
        made = machine.node.create_container(machine.pod(f"pod-{tag}"), "c", image=f"python:{tag}", command=["sleep", "3600"])
        machine.node.start_container(made)
        told[tag] = machine.execute(made, "sh", "-c", say)[0].split("\n")[:2]
    assert told == {"3.9-slim": ["6.18.44", "Python 3.9.23"], "3.12-slim": ["6.18.44", "Python 3.12.11"], "slim": ["6.18.44", "Python 3.13.7"]}
