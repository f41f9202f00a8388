"""Bringing a sandbox and its containers up: back-off, creation, start, and the record that is kept of each run.

Source: pkg/kubelet/kuberuntime/kuberuntime_container.go (startContainer), kuberuntime_manager.go (doBackOff),
pkg/kubelet/kubelet_pods.go (GeneratePodHostNameAndDomain, ensureHostsFile), pkg/kubelet/network/dns/dns.go.
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Any

from .. import quantity
from ..objects import EMPTY, Map
from ..runtime import procfs
from ..runtime.container_status import StartError
from ..runtime.volumes import HOSTS
from ..times import go_duration
from . import backoff, cri, env, images, pressure, volume_content, volumes
from .podspec import EPHEMERAL, POD, Part, allocated_spec, full_name, part
from .runs import read_end
from .state import Worker, fail, newest

if TYPE_CHECKING:
    from .agent import Agent

CREATE_MS = 12  # CreateContainer, as recorded
START_MS = 58  # StartContainer, as recorded
SANDBOX_APART_MS = 40  # of Pods that begin or end together the recordings show sandboxes 8 to 600 ms apart, the median 65 and 46
LEAST_SHARES, MOST_SHARES = 2, 262_144  # MinShares, MaxShares
CLUSTER_DNS = "10.96.0.10"


# ---- the sandbox


def runtime_refuses(kubelet: Agent, spec: Map) -> str | None:
    """Why no sandbox can be made for a RuntimeClass: there is none of the name, or containerd knows no such handler
    (LookupRuntimeHandler, pkg/kubelet/runtimeclass; containerd's internal/cri/config, GetSandboxRuntime). None: it can."""
    name = spec.get("runtimeClassName")
    if not name:
        return None
    found = kubelet.cluster.etcd.get("runtimeclasses", name)
    if found is None:
        return f'failed to get runtime handler: failed to lookup RuntimeClass {name}: runtimeclass.node.k8s.io "{name}" not found'
    node = kubelet.cluster.etcd.get("nodes", kubelet.node)
    known = [one.get("name", "") for one in ((node or EMPTY).get("status") or EMPTY).get("runtimeHandlers") or ()]
    if found["handler"] in known:
        return None
    return f'rpc error: code = Unknown desc = failed to get sandbox runtime: no runtime for "{found["handler"]}" is configured'


def run_sandbox(kubelet: Agent, worker: Worker, pod: Map) -> None:
    """RunPodSandbox, then the Pod's volumes."""
    spec, sandbox = pod["spec"], worker["sandbox"]
    name, namespace, host = worker["name"], worker["namespace"], bool(spec.get("hostNetwork"))
    hostname, domain = _names(spec, name, namespace)
    if host:
        hostname, domain = kubelet.node, ""
    uts = domain if domain and spec.get("setHostnameAsFQDN") else hostname
    cri.run_sandbox(
        kubelet.machine,
        worker["uid"],
        name=name,
        namespace=namespace,
        hostname=uts,
        ip=sandbox["ip"],
        host_network=host,
        share_pid=bool(spec.get("shareProcessNamespace")),
        host_pid=bool(spec.get("hostPID")),
        users=_users(worker["uid"]) if spec.get("hostUsers") is False else 0,
        hosts=_hosts(spec, sandbox["ip"], hostname, domain),
        resolv_conf=_resolv_conf(spec, namespace),
        domain=domain,
        names=f"{domain}\t{hostname}" if domain else hostname,
        sysctls={one["name"].replace("/", "."): one["value"] for one in (spec.get("securityContext") or EMPTY).get("sysctls") or ()},
    )
    if not host:
        kubelet.network.add_host(sandbox["ip"], worker["uid"], kubelet.node)
    volumes.create(kubelet, worker, pod)
    if pressure.has_limits(pod):
        pressure.watch(kubelet)


def sandbox_turn(kubelet: Agent) -> int:
    """The runtime makes and ends the sandboxes of a node one after another: ms until it is this one's turn."""
    turn = max(kubelet.now, int(kubelet.state["sandboxes_at"]))
    kubelet.state["sandboxes_at"] = turn + SANDBOX_APART_MS
    return turn - kubelet.now


def remove_sandbox(kubelet: Agent, worker: Worker) -> None:
    stop_sandbox(kubelet, worker)
    kubelet.machine.remove_sandbox(worker["uid"])


def stop_sandbox(kubelet: Agent, worker: Worker) -> None:
    """StopPodSandbox: whatever runs is killed, the address is free again."""
    sandbox = worker["sandbox"]
    if sandbox is None or sandbox.get("stopped"):
        return
    kubelet.machine.stop_sandbox(worker["uid"])
    sandbox["ready"], sandbox["stopped"] = False, True
    if not sandbox["host"]:
        kubelet.network.remove_host(sandbox["ip"])


def _names(spec: Map, name: str, namespace: str) -> tuple[str, str]:
    """(hostname, its full name or "") of a Pod (GeneratePodHostNameAndDomain, pkg/kubelet/kubelet_pods.go)."""
    if spec.get("hostnameOverride"):
        return spec["hostnameOverride"], ""
    hostname = (spec.get("hostname") or name)[:63].rstrip("-.")
    return hostname, f"{hostname}.{spec['subdomain']}.{namespace}.svc.cluster.local" if spec.get("subdomain") else ""


def _hosts(spec: Map, ip: str, hostname: str, domain: str) -> str:
    """/etc/hosts where it is not the usual one (ensureHostsFile, pkg/kubelet/kubelet_pods.go)."""
    aliases = spec.get("hostAliases")
    if not aliases and not spec.get("hostNetwork"):
        return ""
    lines = [
        "# Kubernetes-managed hosts file.",
        "127.0.0.1\tlocalhost",
        "::1\tlocalhost ip6-localhost ip6-loopback",
        "fe00::0\tip6-localnet",
        "fe00::0\tip6-mcastprefix",
        "fe00::1\tip6-allnodes",
        "fe00::2\tip6-allrouters",
        f"{ip}\t{domain + chr(9) if domain else ''}{hostname}",
    ]
    if spec.get("hostNetwork"):
        lines = ["# Kubernetes-managed hosts file (host network).", *HOSTS.splitlines()]
    if aliases:
        lines += ["", "# Entries added by HostAliases."]
        lines += ["\t".join([alias["ip"], *(alias.get("hostnames") or ())]) for alias in aliases]
    return "\n".join(lines) + "\n"


def _resolv_conf(spec: Map, namespace: str) -> str:
    policy, config = spec.get("dnsPolicy", "ClusterFirst"), spec.get("dnsConfig") or EMPTY
    servers, searches = [], []
    options: dict[str, str] = {}  # by their names
    if policy == "ClusterFirstWithHostNet" or (policy == "ClusterFirst" and not spec.get("hostNetwork")):
        servers, options = [CLUSTER_DNS], {"ndots": "ndots:5"}
        searches = [f"{namespace}.svc.cluster.local", "svc.cluster.local", "cluster.local"]
    elif policy != "None":
        servers = ["8.8.8.8"]
    servers = [*servers, *(s for s in config.get("nameservers") or () if s not in servers)]
    searches = [*searches, *(s for s in config.get("searches") or () if s not in searches)]
    for option in config.get("options") or ():
        text = f"{option['name']}:{option['value']}" if option.get("value") else str(option["name"])
        options.pop(option["name"], None)
        options[option["name"]] = text
    lines = ([f"search {' '.join(searches)}"] if searches else []) + [f"nameserver {server}" for server in servers]
    return "\n".join(lines + ([f"options {' '.join(options.values())}"] if options else [])) + "\n"


# ---- one container


def _as_allocated(kubelet: Agent, worker: Worker) -> Map:
    """The Pod without what a resize asks for in vain (UpdatePodFromAllocation)."""
    pod = kubelet.pod(worker)
    return Map({**pod, "spec": allocated_spec(worker, pod["spec"])}) if "allocated" in worker else pod


def step_container(kubelet: Agent, worker: Worker, name: str) -> int | None:
    """startContainer, unless the container has to wait after its last end (doBackOff)."""
    pod = _as_allocated(kubelet, worker)
    one = part(pod, name)
    ended = next((run for run in reversed(worker["runs"].get(name, ())) if run["state"] == "exited"), None)
    if ended is not None and one.kind != EPHEMERAL:
        key = f"{name} {one.spec['image']} {sorted((one.spec.get('resources') or EMPTY).items())}"
        left = backoff.left(worker["restart"], key, ended["finished"], kubelet.now)
        if left:
            wait = go_duration(worker["restart"][key]["ms"])
            message = f"back-off {wait} restarting failed container={name} pod={full_name(pod)}"
            kubelet.tell(
                worker,
                "kubelet-backoff",
                container=name,
                seconds=worker["restart"][key]["ms"] // 1000,
                restarts=worker["runs"][name][-1]["attempt"],
            )
            kubelet.record(
                worker, "Warning", "BackOff", f"Back-off restarting failed container {name} in pod {full_name(pod)}", one.path
            )
            fail(worker, one, "CrashLoopBackOff", message, left)
            worker["waits"][name] = {"what": "backoff", "since": ended["finished"], "until": kubelet.now + left}
            return None
        backoff.raise_(worker["restart"], key, ended["finished"], kubelet.now)
    if worker.get("unpulled") and images.lacks_a_volume(worker, one):
        return None
    worker["steps"][1:1] = [["pull", name], ["create", name], ["start", name]]
    return None


def step_create(kubelet: Agent, worker: Worker, name: str) -> int | None:
    pod = _as_allocated(kubelet, worker)
    one = part(pod, name)
    worker["waits"][name] = {"what": "create", "since": kubelet.now, "until": kubelet.now + CREATE_MS + START_MS}
    try:
        options = container_options(kubelet, worker, pod, one)
    except env.ConfigError as error:
        kubelet.tell(worker, "kubelet-config-error", container=name, message=str(error))
        kubelet.record(worker, "Warning", "Failed", f"Error: {error}", one.path)
        fail(worker, one, "CreateContainerConfigError", str(error))
        return None
    runs = worker["runs"].setdefault(name, [])
    attempt = runs[-1]["attempt"] + 1 if runs else 0
    if runs and not runs[-1]["id"]:  # a place kept by RestartAllContainers
        attempt = runs.pop()["attempt"]
    if runs:
        read_end(kubelet, worker, name, runs[-1])
    try:
        _load_profiles(pod, one)
        container_id = kubelet.machine.create_container(worker["uid"], name, attempt=attempt, **options)
    except StartError as error:
        kubelet.record(worker, "Warning", "Failed", f"Error: {error.message}", one.path)
        fail(worker, one, error.reason, error.message)
        return None
    shown, image_id = images.names(one.spec["image"])
    runs.append(
        {
            "id": container_id,
            "attempt": attempt,
            "image": shown,
            "imageID": image_id,
            "spec": one.spec["image"],
            "state": "created",
            "exitCode": 0,
            "reason": "",
            "message": "",
            "started": 0,
            "finished": 0,
        }
    )
    if (user := kubelet.machine.user_of(container_id)) != [0, 0, 0]:
        runs[-1]["user"] = user
    worker["ended"] = [entry for entry in worker["ended"] if entry[0] != name]
    for old in runs[:-2]:  # MaxPerPodContainerCount: one dead instance is kept
        kubelet.machine.remove_container(old["id"])
    del runs[:-2]
    kubelet.tell(worker, "kubelet-container-created", container=name)
    kubelet.record(worker, "Normal", "Created", "Container created", one.path)
    return START_MS


def step_start(kubelet: Agent, worker: Worker, name: str) -> int | None:
    pod = _as_allocated(kubelet, worker)
    one = part(pod, name)
    run = worker["runs"][name][-1]
    worker["waits"].pop(name, None)
    worker["did"] = True
    try:
        kubelet.machine.start_container(run["id"])
    except StartError as error:
        run.update(state="exited", exitCode=error.exit_code, reason=error.reason, message=error.message, finished=kubelet.now)
        kubelet.tell(worker, "kubelet-container-start-failed", container=name, message=error.message)
        kubelet.record(worker, "Warning", "Failed", f"Error: {error.message}", one.path)
        fail(worker, one, "RunContainerError", error.message)
        return None
    run.update(state="running", started=kubelet.now)
    worker["reasons"].pop(name, None)
    worker["actual"][name] = one.spec.get("resources") or EMPTY
    if whole := pod["spec"].get("resources"):
        worker["actual"].setdefault(POD, whole)
    worker["resize-restart"].pop(name, None)
    kubelet.tell(worker, "kubelet-container-started", container=name)
    kubelet.record(worker, "Normal", "Started", "Container started", one.path)
    if (one.spec.get("lifecycle") or EMPTY).get("postStart"):
        worker["steps"].insert(1, ["post-start", name])
    return None


def _root_words(uid: int | None, user: str) -> str:
    """verifyRunAsNonRoot (security_context.go): what is wrong with a container that must not run as root; "" when nothing is."""
    if uid is not None:
        return "" if uid else "container's runAsUser breaks non-root policy"
    if user in ("", "0"):
        return "container has runAsNonRoot and image will run as root"
    return "" if user.isdigit() else f"container has runAsNonRoot and image has non-numeric user ({user}), cannot verify user is non-root"


def container_options(kubelet: Agent, worker: Worker, pod: Map, one: Part) -> dict[str, Any]:
    """Arguments of create_container. Raises ConfigError."""
    spec = one.spec
    variables = env.make(kubelet, pod, one, worker["sandbox"]["ip"])
    mine, whole = spec.get("securityContext") or EMPTY, pod["spec"].get("securityContext") or EMPTY
    uid, gid = mine.get("runAsUser", whole.get("runAsUser")), mine.get("runAsGroup", whole.get("runAsGroup"))
    user = f"{'' if uid is None else uid}{'' if gid is None else f':{gid}'}"
    if uid is None and gid is not None:
        user = f"0:{gid}"
    if mine.get("runAsNonRoot", whole.get("runAsNonRoot")) and (wrong := _root_words(uid, images.user_of(spec["image"]))):
        raise env.ConfigError(f'{wrong} (pod: "{full_name(pod)}", container: {one.name})')
    groups = [*(whole.get("supplementalGroups") or ()), *([whole["fsGroup"]] if whole.get("fsGroup") is not None else [])]
    profile = mine.get("seccompProfile") or whole.get("seccompProfile") or EMPTY
    target = ""
    if one.kind == EPHEMERAL and (wanted := spec.get("targetContainerName")):
        run = newest(worker, wanted)
        target = run["id"] if run else ""
    return {
        "image": spec["image"],
        "command": env.expand_all(spec.get("command") or (), variables),
        "args": env.expand_all(spec.get("args") or (), variables),
        "env": variables,
        "working_dir": spec.get("workingDir", ""),
        "mounts": volume_content.mounts(one, variables),
        "limits": limits(spec, pod["spec"]),
        "user": user,
        "groups": groups,
        "strict_groups": whole.get("supplementalGroupsPolicy") == "Strict",
        "tty": bool(spec.get("tty")),
        "stdin": bool(spec.get("stdin")),
        "read_only_root": bool(mine.get("readOnlyRootFilesystem")),
        "termination_path": spec.get("terminationMessagePath", "/dev/termination-log"),
        "target": target,
        "no_new_privs": mine.get("allowPrivilegeEscalation") is False,
        "seccomp": 2 if not mine.get("privileged") and profile.get("type") in ("RuntimeDefault", "Localhost") else 0,
        "privileged": bool(mine.get("privileged")),
        "dropped": () if mine.get("privileged") else (mine.get("capabilities") or EMPTY).get("drop") or (),
        "capabilities": ("ALL",) if mine.get("privileged") else (mine.get("capabilities") or EMPTY).get("add") or (),
    }


def _users(uid: str) -> int:
    """The first of the 65536 users that a Pod with its own user namespace has on its node (pkg/kubelet/userns, one block a Pod)."""
    return procfs.USERS * (1 + zlib.crc32(uid.encode()) % 65_000)


def _load_profiles(pod: Map, one: Part) -> None:
    """No profile lies on our nodes (seccompProfileRoot is empty, AppArmor has only the runtime's own): one that is named is missing.
    Raises StartError."""
    mine, whole = one.spec.get("securityContext") or EMPTY, pod["spec"].get("securityContext") or EMPTY
    profile = mine.get("seccompProfile") or whole.get("seccompProfile") or EMPTY
    if profile.get("type") == "Localhost" and not mine.get("privileged"):
        path = f"/var/lib/kubelet/seccomp/{profile.get('localhostProfile', '')}"
        raise StartError(
            f'failed to create containerd container: cannot load seccomp profile "{path}": open {path}: no such file or directory',
            reason="CreateContainerError",
        )
    profile = mine.get("appArmorProfile") or whole.get("appArmorProfile") or EMPTY
    if profile.get("type") == "Localhost" and not mine.get("privileged"):
        raise StartError(
            f"failed to get container spec opts: failed to generate apparmor spec opts: apparmor profile not found "
            f"{profile.get('localhostProfile', '')}",
            reason="CreateContainerError",
        )


def limits(spec: Map, whole: Map) -> dict[str, int]:
    """{"memory": bytes, "cpu": millicores} of a container; where it has none, the Pod's own (getCPULimit and getMemoryLimit of
    kuberuntime_container_linux.go); where both are missing, unlimited. "shares": of the CPU, where more than the least
    (MilliCPUToShares of the request, else of the limit; pkg/kubelet/cm/helpers_linux.go)."""
    resources = spec.get("resources") or EMPTY
    given = {**((whole.get("resources") or EMPTY).get("limits") or EMPTY), **(resources.get("limits") or EMPTY)}
    asked = (resources.get("requests") or EMPTY).get("cpu") or given.get("cpu")
    found = {}
    if "memory" in given:
        found["memory"] = quantity.value(given["memory"])
    if "cpu" in given:
        found["cpu"] = quantity.milli(given["cpu"])
    if asked and (shares := quantity.milli(asked) * 1024 // 1000) > LEAST_SHARES:
        found["shares"] = min(shares, MOST_SHARES)
    return found
