"""One simulated machine's container runtime: the CRI's stand-in. The kubelet calls it; programs run in it.

Everything that lasts is in `Node.state`, plain JSON data; `restore(state)` goes on from such data exactly as if nothing had
happened. Times are virtual milliseconds; sizes are bytes; CPU is millicores.

What the kubelet uses, in the order of a Pod's life:

    run_sandbox(uid, name=, namespace=, hostname=, ip=, share_pid=, host_network=, host_pid=, hosts=, resolv_conf=)
    create_volume(uid, name, kind, files=, medium=, size_limit=)  update_volume(uid, name, files)  volume_usage(uid, name)
    create_container(uid, name, image=, command=, args=, env=, working_dir=, mounts=, limits=, user=, tty=, stdin=, attempt=)
    -> id
    start_container(id)                      raises StartError (containerd's words, exit code 128)
    status(id) -> ContainerStatus            state, exit_code, reason, message, started_at, finished_at
    signal(id, "TERM")                       to process 1; the grace period is the kubelet's own timer, after which signal(id,
    "KILL")
    exec(id, argv, ...) -> exec id           raises ExecError; read_exec, write_stdin, close_stdin, resize, exec_status,
    forget_exec
    attach(id) -> exec id                    the same calls, on process 1's own streams
    logs(id, offset=, since=, tail=, limit=) -> list[LogLine]
    usage(id) -> {"cpu_nanocores", "memory_bytes", "fs_bytes", "fs_inodes"}
    remove_container(id)  stop_sandbox(uid)  remove_sandbox(uid)

Mounts: {"path": "/data", "volume": "name", "sub_path": "", "read_only": False}. Volume files: {"relative/path": content or
{"content", "mode"}}. A container's process 1 that ends is reported by `host.on_exit`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from sys import intern
from typing import Any

from ..objects import Map
from . import accounts, logs
from . import image as images
from .container_status import ContainerStatus, StartError, exec_words
from .filesystem import new_filesystem
from .filling import untouched_etc, untouched_shm
from .host import Host
from .host_pids import HOST, boot
from .image import Image
from .kernel import EXEC_US, Kernel
from .logs import LogLine
from .mounts import Mounts
from .process import KILL, Data, Errno, Process, signal_number
from .program import PROGRAMS
from .system import Sys
from .terminal import Terminals
from .usage import Usage
from .volumes import Volumes

DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
TERMINATION_MESSAGE_BYTES = 4096
"""MaxContainerTerminationMessageLength, pkg/kubelet/container/runtime.go."""
PAUSE_BYTES = 512 * 1024


def new_state(now: int, *, cpu: int, memory: int, disk: int) -> Data:
    """The state of a machine that has just booted: `cpu` millicores, `memory` and `disk` bytes."""
    return {
        "next": 0, "booted": now, "cpu": cpu, "memory": memory, "disk": disk, "disk_other": 0, "processes": {}, "namespaces": {},
        "ready": [],
        "waiters": {}, "files": {}, "pipes": {}, "ttys": {}, "filesystems": {}, "containers": {}, "sandboxes": {}, "execs": {},
    }  # fmt: skip


class Node(Terminals, Mounts, Volumes, Usage, Kernel):
    """A machine with a container runtime. `images` finds an image by reference (default: the catalogue)."""

    def __init__(
        self, host: Host, state: Data | None = None, *, cpu: int = 2000, memory: int = 24 << 30, disk: int = 100 << 30
    ) -> None:
        super().__init__()
        self.host = host
        self.state = new_state(host.now, cpu=cpu, memory=memory, disk=disk) if state is None else state

    def restore(self, state: Data) -> None:
        """Goes on from a checkpoint's plain data."""
        self.state = state
        self._views = {}

    def on_timer(self, payload: Data) -> None:
        """The host's clock has reached a timer of this machine."""
        if "wake" in payload:
            self.on_wake(payload)
        elif "exec_timeout" in payload:
            self._exec_timeout(payload["exec_timeout"])
        elif "rested" in payload:
            self.rested()

    # Sandboxes.
    def run_sandbox(
        self, pod_uid: str, *, name: str, namespace: str, hostname: str, ip: str, share_pid: bool = False,
        host_network: bool = False, host_pid: bool = False, users: int = 0,
        hosts: str = "", resolv_conf: str = "", domain: str = "", names: str = "", sysctls: Mapping[str, str] | None = None,
    ) -> None:  # fmt: skip
        """Makes the Pod's shared surroundings: network and UTS namespace, /dev/shm, /etc/hosts, /etc/resolv.conf; /pause when
        it shares pids. `names`: what /etc/hosts calls its address, where that is not its hostname and domain. `users`: the machine's
        number for the Pod's root, where it has a user namespace of its own."""
        ns = f"n{self.number()}"
        etc, shm = f"etc/{pod_uid}", f"shm/{pod_uid}"
        self.state["sandboxes"][pod_uid] = {
            "uid": pod_uid, "name": name, "namespace": namespace, "hostname": hostname, "ip": ip, "share_pid": share_pid,
            "host_network": host_network, "ns": ns, "volumes": {}, "containers": [], "ports": {}, "state": "ready",
            "created": self.host.now,
        }  # fmt: skip
        if host_pid:
            self.state["sandboxes"][pod_uid]["host_pid"] = True
            boot(self)
        if users:
            self.state["sandboxes"][pod_uid]["users"] = users
        if sysctls:
            self.state["sandboxes"][pod_uid]["sysctls"] = dict(sysctls)
        names = names or (f"{domain}\t{hostname}" if domain else hostname)
        self.state["filesystems"][etc] = untouched_etc(self.host.now, hosts, ip, names, hostname, intern(resolv_conf))
        self.state["filesystems"][shm] = untouched_shm(self.host.now)
        if share_pid:
            self.new_process(ns, "", pod_uid, program="pause", argv=["/pause"], uid=65535, gid=65535, groups=[65535],
                memory=PAUSE_BYTES,
                             wait={"objs": [], "timer": None, "seq": 0})  # fmt: skip

    def stop_sandbox(self, pod_uid: str) -> None:
        """Kills whatever of the Pod still runs and takes its network away."""
        sandbox = self.state["sandboxes"].get(pod_uid)
        if sandbox is None:
            return
        sandbox["state"] = "notready"
        for container_id in sandbox["containers"]:
            self.signal(container_id, "KILL")

    def remove_sandbox(self, pod_uid: str) -> None:
        """Forgets the Pod: containers, volumes of its own, namespaces."""
        self.stop_sandbox(pod_uid)
        sandbox = self.state["sandboxes"].get(pod_uid)
        if sandbox is None:
            return
        for container_id in list(sandbox["containers"]):
            self.remove_container(container_id)
        for proc in self.in_namespace(sandbox["ns"]):
            self.reap(proc)
        self.state["namespaces"].pop(sandbox["ns"], None)
        self.remove_volumes(pod_uid)
        for fsid in (f"etc/{pod_uid}", f"shm/{pod_uid}"):
            self.state["filesystems"].pop(fsid, None)
        del self.state["sandboxes"][pod_uid]

    # Containers.
    def create_container(
        self, pod_uid: str, name: str, *, image: str, command: Sequence[str] = (), args: Sequence[str] = (), env: Mapping[str,
        str] | None = None,
        working_dir: str = "", mounts: Sequence[Mapping[str, Any]] = (), limits: Mapping[str, int] | None = None, user: str = "",
        groups: Sequence[int] = (), tty: bool = False, stdin: bool = False, attempt: int = 0, read_only_root: bool = False,
        termination_path: str = "/dev/termination-log", target: str = "", capabilities: Sequence[str] = (),
        dropped: Sequence[str] = (), no_new_privs: bool = False, seccomp: int = 0, strict_groups: bool = False,
        privileged: bool = False,
    ) -> str:  # fmt: skip
        """Makes a container and gives its id. `limits`: {"memory": bytes, "cpu": millicores}. `user`: "uid", "uid:gid" or a name;
        "" the image's. `capabilities`: those that it has beyond the default ones, `dropped`: those that it
        lacks. `target`: id of the container whose pid namespace it
        joins (kubectl debug --target). Raises StartError with reason CreateContainerError (no such image here, nothing to run, no such
        user or volume). `seccomp`: 2 under a filter, as /proc/PID/status says. `strict_groups`: without those that the image's /etc/group adds
        (supplementalGroupsPolicy). `privileged`: /proc and /sys may be written."""
        sandbox = self.state["sandboxes"][pod_uid]
        found = self.find_image(image)
        if found is None:
            raise StartError(f'failed to create containerd container: image "{image}" not found', reason="CreateContainerError")
        argv = [*command, *args] if command else [*found.entrypoint, *(args or found.cmd)]
        if not argv:
            raise StartError(
                "failed to generate container spec: failed to generate spec: no command specified", reason="CreateContainerError"
            )
        seed = f"{pod_uid}/{name}/{attempt}/{self.number()}"
        container_id = "containerd://" + hashlib.sha256(seed.encode()).hexdigest()
        fsid = "layer/" + container_id
        self.state["filesystems"][fsid] = new_filesystem("layer", self.host.now, layer=True)
        where: Data = {"/proc": {"fs": "proc", "at": "", "ro": not privileged}, "/sys": {"fs": "sys", "at": "", "ro": not privileged}}
        etc, shm = f"etc/{pod_uid}", f"shm/{pod_uid}"
        for file, ino in (("hosts", "2"), ("hostname", "3"), ("resolv.conf", "4")):  # in the order in which `made` makes them
            where["/etc/" + file] = {"fs": etc, "at": ino, "ro": False}
        where["/dev/shm"] = {"fs": shm, "at": "1", "ro": False}
        container: Data = {
            "id": container_id, "pod": pod_uid, "name": name, "attempt": attempt, "image": image, "argv": argv, "fs": fsid,
            "mounts": where,
            "env": {"PATH": DEFAULT_PATH, "HOSTNAME": sandbox["hostname"], **found.env, **(env or {})},
            "cwd": working_dir or found.working_dir,
            "limits": dict(limits or {}), "uid": 0, "gid": 0, "groups": [], "tty": tty, "stdin": stdin, "read_only_root": False,
            "termination_path": termination_path, "state": "created", "exit_code": 0, "signal": 0, "reason": "", "message": "",
            "started_at": 0, "finished_at": 0, "created": self.host.now, "oom": False, "main": "", "log": logs.new_log(),
            "stdin_pipe": "",
            "tty_id": "", "attached": [], "stop_signal": found.stop_signal, "ns": "", "memory_peak": 0,
            "cpu": {"window": 0, "us": 0, "before": 0, "total": 0, "tokens": 2_000_000, "at": self.host.now,
            "burn_at": self.host.now},
        }  # fmt: skip
        if capabilities:
            container["caps"] = list(capabilities)
        if dropped:
            container["dropped"] = list(dropped)
        if no_new_privs:
            container["no_new_privs"] = True
        if seccomp:
            container["seccomp"] = seccomp
        if target:
            container["ns"] = self.state["containers"][target]["ns"]
        elif sandbox["share_pid"]:
            container["ns"] = sandbox["ns"]
        elif sandbox.get("host_pid"):
            container["ns"] = HOST
        self.state["containers"][container_id] = container
        sandbox["containers"].append(container_id)
        try:
            self._identify(container, found, user or found.user, groups, () if strict_groups else accounts.groups(found))
            self.furnish(container, mounts, termination_path)
        except StartError:
            self.remove_container(container_id)
            raise
        container["read_only_root"] = self.view(container_id).root.read_only = read_only_root
        return container_id

    def user_of(self, container_id: str) -> list[int]:
        """uid, gid and groups of what the container runs."""
        container = self.state["containers"][container_id]
        return [container["uid"], container["gid"], *container["groups"]]

    def find_image(self, reference: str) -> Image | None:
        """The image of that name; a host with images of its own overrides this."""
        return images.find(reference)

    def image_of(self, container: Data) -> Image:
        found = self.find_image(container["image"])
        if found is None:
            raise LookupError
        return found

    def _identify(
        self, container: Data, image: Image, user: str, groups: Sequence[int], known: Sequence[tuple[int, tuple[str, ...]]]
    ) -> None:
        name, _, group = user.partition(":")
        uid, gid, home = 0, 0, "/root"
        wanted, column = name or "0", 2 if (name or "0").isdigit() else 0
        row = next((row for row in accounts.users_of(image) if row[column] == wanted), None)
        if row is not None:
            uid, gid, home = int(row[2]), int(row[3]), row[5]
        elif name.isdigit():
            uid, home = int(name), "/"
        elif name:
            raise StartError(f"failed to create containerd container: unable to find user {name}: no matching entries "
                             f"in passwd file",
                             reason="CreateContainerError")  # fmt: skip
        if group.isdigit():
            gid = int(group)
        mine = [number for number, members in known if row[0] in members] if row is not None else []
        container.update(uid=uid, gid=gid, groups=sorted({gid, *groups, *mine}))
        container["env"] = Map({**container["env"], "HOME": container["env"].get("HOME", home)})  # its processes share it

    def _read(self, container: Data, path: str) -> str:
        inode = self.view(container["id"]).resolve(path).inode
        return str(inode.get("s", ""))

    def start_container(self, container_id: str) -> None:
        """Starts process 1. Raises StartError in containerd's words; the container's status then shows it as exited."""
        container = self.state["containers"][container_id]
        if not container["ns"]:
            container["ns"] = f"n{self.number()}"
        proc = self._process_in(container, container["argv"])
        fds = {}
        if container["tty"]:
            container["tty_id"] = self.new_tty({"log": container_id})
            desc = self.describe({"kind": "tty", "tty": container["tty_id"]})
            fds = {"0": desc, "1": desc, "2": desc}
            self.state["ttys"][container["tty_id"]]["fg"] = proc["pgid"]
        else:
            if container["stdin"]:
                pipe = container["stdin_pipe"] = self.new_pipe()
                self.pipe_end(pipe, "w", 1)
                fds["0"] = self.pipe_desc(pipe, "r")
            else:
                fds["0"] = self.describe({"kind": "null"})
            fds["1"] = self.describe({"kind": "log", "container": container_id, "stream": "stdout"})
            fds["2"] = self.describe({"kind": "log", "container": container_id, "stream": "stderr"})
        for desc in fds.values():
            self.grab(desc)
        proc["fds"] = fds
        unfit = f"error during container init: {container['unfit']}" if "unfit" in container else ""
        try:
            if unfit:
                raise Errno("ENOTDIR")
            self._load_into(proc, container["argv"])
        except Errno as error:
            message = (
                "failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: "
                f"unable to start container process: {unfit or exec_words(container['argv'][0], error)}"
            )
            self.exit(proc, 128)
            self.reap(proc)
            if not self.in_namespace(container["ns"]):
                self.state["namespaces"].pop(container["ns"], None)
            container.update(state="exited", exit_code=128, reason="StartError", message=message, finished_at=self.host.now)
            raise StartError(message) from None
        container.update(state="running", started_at=self.host.now, main=proc["key"])
        self.ready(proc, {"on": "start"})
        self.run()

    def _process_in(self, container: Data, argv: Sequence[str], **fields: Any) -> Process:
        proc = self.new_process(
            container["ns"], container["id"], container["pod"], argv=list(argv), env=container["env"], cwd=container["cwd"],
            uid=container["uid"], gid=container["gid"], groups=container["groups"], **fields,
        )  # fmt: skip
        return proc

    def _load_into(self, proc: Process, argv: Sequence[str]) -> None:
        sys = Sys(self, proc)
        path = sys.which(argv[0])
        proc["program"], proc["argv"] = sys._load(path, list(argv))
        proc["memory"] = PROGRAMS[proc["program"]].memory
        self.charge(proc, EXEC_US)

    def container_ended(self, container: Data, proc: Process) -> None:
        """Process 1 has ended: what else the container runs is killed with it."""
        for other in self.of_container(container["id"]):
            if other is not proc and not other["exec_id"]:
                self.exit(other, 128 + KILL, KILL)
        for other in self.of_container(container["id"]):
            if other is not proc:
                self.exit(other, 128 + KILL, KILL)
        for other in self.of_container(container["id"]):
            self.reap(other)
        self.settle_burn(container)
        logs.finish(container["log"], self.host.now)
        status = proc["status"]
        reason = "OOMKilled" if container["oom"] else "Completed" if status == 0 else "Error"
        try:
            message = self._read(container, container["termination_path"])
        except Errno:
            message = ""
        raw = message.encode("utf-8", "surrogateescape")[-TERMINATION_MESSAGE_BYTES:]
        container.update(state="exited", exit_code=status, signal=proc["killed"], reason=reason, finished_at=self.host.now,
                         message=raw.decode("utf-8", "replace"))  # fmt: skip
        if container["stdin_pipe"] in self.state["pipes"]:
            self.pipe_end(container["stdin_pipe"], "w", -1)
            container["stdin_pipe"] = ""
        for exec_id in list(container["attached"]):
            self._session_over(exec_id, status)
        if not self.state["sandboxes"][container["pod"]]["share_pid"] and not self.in_namespace(container["ns"]):
            self.state["namespaces"].pop(container["ns"], None)
        self.host.on_exit(container["pod"], container["id"])

    def signal(self, container_id: str, signal: str | int) -> None:
        """Sends a signal to process 1 from outside: "TERM", "SIGKILL", 9 ... KILL ends every process of the container."""
        container = self.state["containers"].get(container_id)
        n = signal if isinstance(signal, int) else signal_number(signal)
        if container is None or container["state"] != "running" or n is None:
            return
        self.send(self.state["processes"][container["main"]], n, outside=True)
        self.run()

    def remove_container(self, container_id: str) -> None:
        """Forgets a container, its log and its layer; one that runs is killed."""
        self.signal(container_id, "KILL")
        container = self.state["containers"].pop(container_id, None)
        if container is None:
            return
        self._views.pop(container_id, None)
        for mount in container["mounts"].values():
            self.unmount(mount)
        self.state["filesystems"].pop(container["fs"], None)
        self.state["sandboxes"][container["pod"]]["containers"].remove(container_id)

    def status(self, container_id: str) -> ContainerStatus:
        """How a container is. Raises KeyError when it has been removed."""
        c = self.state["containers"][container_id]
        return ContainerStatus(c["id"], c["name"], c["attempt"], c["image"], c["state"], c["exit_code"], c["signal"],
            c["reason"], c["message"],
                               c["started_at"], c["finished_at"])  # fmt: skip

    def stop_signal(self, container_id: str) -> str:
        """What the image wants to be stopped with (STOPSIGNAL), `SIGTERM` by default."""
        return str(self.state["containers"][container_id]["stop_signal"])

    def logs(
        self, container_id: str, *, offset: int = 0, since: int = 0, tail: int | None = None, limit: int | None = None
    ) -> list[LogLine]:
        """Log lines (see logs.read). To follow: poll with `offset` = last line's offset + 1, or be told by host.on_output."""
        return logs.read(self.state["containers"][container_id]["log"], offset, since, tail, limit)
