"""PodSecurity: the Pod Security Standards that a namespace enforces by its label (staging/src/k8s.io/pod-security-admission).

`enforce` refuses, `warn` is told with the answer, `audit` is heard by nobody here. Every check is one function from a Pod's spec to what it
forbids: nothing, or (reason, detail) in the server's words.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ..errors import FieldError, forbidden, invalid
from ..pipeline import Context

Object = Mapping[str, Any]
Finding = tuple[str, str] | None

ENFORCE, WARN = "pod-security.kubernetes.io/enforce", "pod-security.kubernetes.io/warn"
MODES = (ENFORCE, "pod-security.kubernetes.io/audit", WARN)
LEVELS = ("privileged", "baseline", "restricted")
VERSION = re.compile(r"latest|v1\.(0|[1-9][0-9]*)")

MOST_PODS = 3000  # defaultNamespaceMaxPodsToCheck

# check_capabilities_baseline.go: what containers get anyway
DEFAULT_CAPABILITIES = frozenset({"AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD", "NET_BIND_SERVICE",
                                  "SETFCAP", "SETGID", "SETPCAP", "SETUID", "SYS_CHROOT"})
# check_sysctls.go, as of 1.32
SAFE_SYSCTLS = frozenset({
    "kernel.shm_rmid_forced", "net.ipv4.ip_local_port_range", "net.ipv4.tcp_syncookies", "net.ipv4.ping_group_range",
    "net.ipv4.ip_unprivileged_port_start", "net.ipv4.ip_local_reserved_ports", "net.ipv4.tcp_keepalive_time",
    "net.ipv4.tcp_fin_timeout", "net.ipv4.tcp_keepalive_intvl", "net.ipv4.tcp_keepalive_probes", "net.ipv4.tcp_rmem",
    "net.ipv4.tcp_wmem"})
SAFE_VOLUMES = ("configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "image", "persistentVolumeClaim", "projected",
                "secret")


def validate(obj: Object, ctx: Context) -> None:
    """Raises ApiError 403 with everything in a Pod that its namespace's level forbids."""
    if said := _violations(ENFORCE, obj["spec"], obj["metadata"]["namespace"], ctx):
        raise forbidden("", "pods", obj["metadata"].get("name") or "", f"violates {said}")


def validate_update(new: Object, old: Object, ctx: Context) -> None:
    """As `validate`, for an update that could make a Pod worse: a Pod that was there before its namespace's level may still be labelled."""
    if is_significant(new["spec"], old["spec"]):
        validate(new, ctx)


def is_significant(new: Object, old: Object) -> bool:
    """Whether a Pod's new spec has other images or a new ephemeral container (isSignificantPodUpdate)."""
    return new != old and (any(_images(new, member) != _images(old, member) for member in ("containers", "initContainers"))
                           or bool(_images(new, "ephemeralContainers") - _images(old, "ephemeralContainers")))


def _images(spec: Object, member: str) -> set[tuple[str, str]]:
    return {(one["name"], one.get("image") or "") for one in spec.get(member) or ()}


def warnings(spec: Object, namespace: str, ctx: Context) -> list[str]:
    """What a Pod, or a template of Pods, has that its namespace wants to be warned of."""
    said = _violations(WARN, spec, namespace, ctx)
    return [f"would violate {said}"] if said else []


def _violations(mode: str, spec: Object, name: str, ctx: Context) -> str:
    """`PodSecurity "baseline:latest": ...`, or nothing."""
    namespace = ctx.find("namespaces", name)
    level, version = _policy(mode, namespace) if namespace else ("privileged", "")
    said = ", ".join(f"{reason} ({detail})" for reason, detail in _findings(level, spec))
    return f'PodSecurity "{level}:{version}": {said}' if said else ""


def validate_labels(new: Object, old: Object | None) -> None:
    """Raises ApiError 422 for a namespace's new labels that name no level or version; old ones may stay (ValidateNamespace)."""
    wrong = _wrong_labels(new)
    if wrong and (old is None or wrong != _wrong_labels(old)):
        raise invalid("", "Namespace", new["metadata"]["name"], [
            FieldError.invalid(f"metadata.labels[{label}]", value, must) for label, value, must in wrong])


def _wrong_labels(namespace: Object) -> list[tuple[str, str, str]]:
    """(label, value, what it must be) of what PolicyToEvaluate (api/helpers.go) cannot read."""
    labels = namespace["metadata"].get("labels") or {}
    wrong = []
    for mode in MODES:
        if labels.get(mode, LEVELS[0]) not in LEVELS:
            wrong.append((mode, labels[mode], f"must be one of {', '.join(LEVELS)}"))
        if not VERSION.fullmatch(labels.get(f"{mode}-version", "latest")):
            wrong.append((f"{mode}-version", labels[f"{mode}-version"], 'must be "latest" or "v1.x"'))
    return wrong


def _policy(mode: str, namespace: Object) -> tuple[str, str]:
    """(level, version) that a namespace's labels ask for."""
    labels = namespace["metadata"].get("labels") or {}
    level = labels.get(mode)
    return level if level in LEVELS else "privileged", labels.get(f"{mode}-version") or "latest"


def _findings(level: str, spec: Object) -> list[tuple[str, str]]:
    return [finding for check in CHECKS.get(level, ()) if (finding := check(spec))]


def warnings_of_namespace(new: Object, old: Object, ctx: Context) -> list[str]:
    """What a namespace's present Pods have that the stricter level it now enforces forbids (EvaluatePodsInNamespace, admission.go)."""
    (level, version), (was, was_version) = _policy(ENFORCE, new), _policy(ENFORCE, old)
    if (level, version) == (was, was_version) or (version == was_version and LEVELS.index(level) <= LEVELS.index(was)):
        return []
    name, held = new["metadata"]["name"], dict[str, list[str]]()
    for pod in ctx.list("pods", name)[:MOST_PODS]:
        if reasons := ", ".join(reason for reason, _ in _findings(level, pod["spec"])):
            held.setdefault(reasons, []).append(pod["metadata"]["name"])
    if not held:
        return []
    said = sorted(f"{min(names)}{_and_others(len(names) - 1)}: {reasons}" for reasons, names in held.items())
    return [f'existing pods in namespace "{name}" violate the new PodSecurity enforce level "{level}:{version}"', *said]


def _and_others(count: int) -> str:
    return f" (and {count} other pod{'s' if count > 1 else ''})" if count else ""


def _containers(spec: Object) -> list[Object]:
    return [one for member in ("initContainers", "containers", "ephemeralContainers") for one in spec.get(member) or ()]


def _context(one: Object) -> Object:
    return one.get("securityContext") or {}


def _quoted(names: Iterable[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)


def _named(names: list[str]) -> str:
    """`container "a"` or `containers "a", "b"`."""
    return f"container{'s' if len(names) > 1 else ''} {_quoted(names)}"


def _names(spec: Object, bad: Callable[[Object], Any]) -> list[str]:
    return [one.get("name", "") for one in _containers(spec) if bad(one)]


def _is_windows(spec: Object) -> bool:
    return (spec.get("os") or {}).get("name") == "windows"


# --- baseline ------------------------------------------------------------------------------------------------------


def app_armor(spec: Object) -> Finding:
    setters = ["pod"] if (_context(spec).get("appArmorProfile") or {}).get("type") == "Unconfined" else []
    if names := _names(spec, lambda one: (_context(one).get("appArmorProfile") or {}).get("type") == "Unconfined"):
        setters.append(_named(names))
    return ("forbidden AppArmor profile",
            f'{" and ".join(setters)} must not set AppArmor profile type to "Unconfined"') if setters else None


def added_capabilities(spec: Object) -> Finding:
    def extra(one: Object) -> list[str]:
        return [name for name in (_context(one).get("capabilities") or {}).get("add") or () if name not in DEFAULT_CAPABILITIES]
    names = _names(spec, extra)
    if not names:
        return None
    found = sorted({name for one in _containers(spec) for name in extra(one)})
    return "non-default capabilities", f"{_named(names)} must not include {_quoted(found)} in securityContext.capabilities.add"


def host_namespaces(spec: Object) -> Finding:
    shared = [f"{member}=true" for member in ("hostNetwork", "hostPID", "hostIPC") if spec.get(member)]
    return ("host namespaces", ", ".join(shared)) if shared else None


def host_path_volumes(spec: Object) -> Finding:
    names = [volume["name"] for volume in spec.get("volumes") or () if "hostPath" in volume]
    return ("hostPath volumes", f"volume{'s' if len(names) > 1 else ''} {_quoted(names)}") if names else None


def host_ports(spec: Object) -> Finding:
    ports = sorted({port["hostPort"] for one in _containers(spec) for port in one.get("ports") or () if port.get("hostPort")})
    if not ports:
        return None
    names = _names(spec, lambda one: any(port.get("hostPort") for port in one.get("ports") or ()))
    uses, kind = ("use" if len(names) > 1 else "uses"), ("hostPorts" if len(ports) > 1 else "hostPort")
    return "hostPort", f"{_named(names)} {uses} {kind} {', '.join(map(str, ports))}"


def host_probes(spec: Object) -> Finding:
    def hosts(one: Object) -> list[str]:
        handlers = [one.get(member) for member in ("livenessProbe", "readinessProbe", "startupProbe")]
        handlers += (one.get("lifecycle") or {}).get("postStart"), (one.get("lifecycle") or {}).get("preStop")
        return [action["host"] for handler in handlers for kind in ("httpGet", "tcpSocket")
                if (action := (handler or {}).get(kind)) and action.get("host")]
    names = sorted(_names(spec, hosts))
    if not names:
        return None
    found = sorted({host for one in _containers(spec) for host in hosts(one)})
    uses, kind = ("use" if len(names) > 1 else "uses"), "probe or lifecycle host" + ("s" if len(found) > 1 else "")
    return "probe or lifecycle host", f"{_named(names)} {uses} {kind} {_quoted(found)}"


def privileged(spec: Object) -> Finding:
    names = _names(spec, lambda one: _context(one).get("privileged"))
    return ("privileged", f"{_named(names)} must not set securityContext.privileged=true") if names else None


def proc_mount(spec: Object) -> Finding:
    names = _names(spec, lambda one: _context(one).get("procMount") not in (None, "Default"))
    if not names or spec.get("hostUsers") is False:
        return None
    found = sorted({_context(one).get("procMount") or "Default" for one in _containers(spec)} - {"Default"})
    return "procMount", f"{_named(names)} must not set securityContext.procMount to {_quoted(found)}"


def seccomp_baseline(spec: Object) -> Finding:
    return _bad_seccomp(spec, ("RuntimeDefault", "Localhost", None))


def _bad_seccomp(spec: Object, allowed: tuple[str | None, ...]) -> Finding:
    def kind(one: Object) -> str | None:
        return (_context(one).get("seccompProfile") or {}).get("type")
    setters = ["pod"] if kind(spec) not in (*allowed, None) else []
    names = _names(spec, lambda one: kind(one) not in (*allowed, None))
    if names:
        setters.append(_named(names))
    if not setters:
        return None
    found = sorted({str(kind(one)) for one in (spec, *_containers(spec)) if kind(one) not in (*allowed, None)})
    return "seccompProfile", f"{' and '.join(setters)} must not set securityContext.seccompProfile.type to {_quoted(found)}"


def sysctls(spec: Object) -> Finding:
    names = [one["name"] for one in _context(spec).get("sysctls") or () if one["name"] not in SAFE_SYSCTLS]
    return ("forbidden sysctls", ", ".join(names)) if names else None


# --- restricted ----------------------------------------------------------------------------------------------------


def privilege_escalation(spec: Object) -> Finding:
    names = [] if _is_windows(spec) else _names(spec, lambda one: _context(one).get("allowPrivilegeEscalation") is not False)
    return ("allowPrivilegeEscalation != false",
            f"{_named(names)} must set securityContext.allowPrivilegeEscalation=false") if names else None


def restricted_capabilities(spec: Object) -> Finding:
    if _is_windows(spec):
        return None

    def extra(one: Object) -> list[str]:
        return [name for name in (_context(one).get("capabilities") or {}).get("add") or () if name != "NET_BIND_SERVICE"]
    details = []
    if keeping := _names(spec, lambda one: "ALL" not in ((_context(one).get("capabilities") or {}).get("drop") or ())):
        details.append(f'{_named(keeping)} must set securityContext.capabilities.drop=["ALL"]')
    if adding := _names(spec, extra):
        found = sorted({name for one in _containers(spec) for name in extra(one)})
        details.append(f"{_named(adding)} must not include {_quoted(found)} in securityContext.capabilities.add")
    return ("unrestricted capabilities", "; ".join(details)) if details else None


def restricted_volumes(spec: Object) -> Finding:
    bad = [(volume["name"],
            kind) for volume in spec.get("volumes") or () for kind in volume if kind not in (*SAFE_VOLUMES, "name")]
    if not bad:
        return None
    names, kinds = [name for name, _ in bad], sorted({kind for _, kind in bad})
    uses, many = ("use" if len(names) > 1 else "uses"), ("types" if len(kinds) > 1 else "type")
    return "restricted volume types", (f"volume{'s' if len(names) > 1 else ''} {_quoted(names)} {uses} restricted volume {many} "
                                       f"{_quoted(kinds)}")


def run_as_non_root(spec: Object) -> Finding:
    chosen = _context(spec).get("runAsNonRoot")
    setters = ["pod"] if chosen is False else []
    if names := _names(spec, lambda one: _context(one).get("runAsNonRoot") is False):
        setters.append(_named(names))
    if setters:
        return "runAsNonRoot != true", f"{' and '.join(setters)} must not set securityContext.runAsNonRoot=false"
    silent = [] if chosen else _names(spec, lambda one: _context(one).get("runAsNonRoot") is None)
    return ("runAsNonRoot != true", f"pod or {_named(silent)} must set securityContext.runAsNonRoot=true") if silent else None


def run_as_user(spec: Object) -> Finding:
    setters = ["pod"] if _context(spec).get("runAsUser") == 0 else []
    if names := _names(spec, lambda one: _context(one).get("runAsUser") == 0):
        setters.append(_named(names))
    return ("runAsUser=0", f"{' and '.join(setters)} must not set runAsUser=0") if setters else None


def seccomp_restricted(spec: Object) -> Finding:
    if _is_windows(spec):
        return None
    if found := _bad_seccomp(spec, ("RuntimeDefault", "Localhost")):
        return found
    if _context(spec).get("seccompProfile"):
        return None
    silent = _names(spec, lambda one: not _context(one).get("seccompProfile"))
    return ("seccompProfile", f'pod or {_named(silent)} must set securityContext.seccompProfile.type to "RuntimeDefault" or '
            '"Localhost"') if silent else None


# In the order of registry.go: baseline by name, then restricted by name; a stricter check stands in for its baseline sister
BASELINE = (app_armor, added_capabilities, host_namespaces, host_path_volumes, host_ports, host_probes, privileged, proc_mount,
            seccomp_baseline, sysctls)
CHECKS: dict[str, tuple[Callable[[Object], Finding], ...]] = {
    "baseline": BASELINE,
    "restricted": (app_armor, host_namespaces, host_ports, host_probes, privileged, proc_mount, sysctls,
                   privilege_escalation, restricted_capabilities, restricted_volumes, run_as_non_root, run_as_user,
                   seccomp_restricted),
}
