"""Pods and Pod templates (pkg/apis/core/validation/validation.go: ValidatePodCreate, ValidatePodUpdate and below)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ... import quantity
from ...objects import Map, memo
from ..defaults_pods import aggregated
from ..errors import FieldError
from . import words
from .containers import (
    PodFacts,
    validate_containers,
    validate_ephemeral_containers,
    validate_image_spaces,
    validate_init_containers,
)
from .metadata import Errors, complain, validate_annotations, validate_label_name, validate_labels
from .paths import descending_path
from .resources import HUGE_PAGES, validate_requirements
from .scheduling import validate_affinity, validate_spread, validate_tolerations
from .security import validate_host_users, validate_os, validate_pod_security_context
from .volumes import validate_volumes
from .windows import containers_with_paths, validate_host_process

Object = Mapping[str, Any]

DNS_POLICIES = ["ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"]
DELETION_COST = "controller.kubernetes.io/pod-deletion-cost"
SECCOMP, SECCOMP_OF = "seccomp.security.alpha.kubernetes.io/pod", "container.seccomp.security.alpha.kubernetes.io/"
APPARMOR_OF = "container.apparmor.security.beta.kubernetes.io/"
MIRROR = "kubernetes.io/config.mirror"


def create(pod: Object, errors: Errors, already_seen: Map | None) -> None:
    """ValidatePodCreate without its metadata. A frozen spec that was found good is not looked at again."""
    validate_pod_annotations(pod, "metadata.annotations", errors)
    if already_seen is None or memo(already_seen, "pod spec errors", _spec_is_good) is False:
        _validate_whole_spec(pod["spec"], pod["metadata"].get("name") or "", errors)
    _validate_annotated_profiles(pod, "spec", errors)


def _spec_is_good(spec: Map) -> bool:
    errors: Errors = []
    _validate_whole_spec(spec, "", errors)
    return not errors and not any("ephemeral" in volume for volume in spec.get("volumes") or ())


def _validate_whole_spec(spec: Object, pod_name: str, errors: Errors) -> None:
    validate_pod_spec(spec, "spec", errors, is_pod=True, pod_name=pod_name)
    for member in ("containers", "initContainers"):
        for i, container in enumerate(spec.get(member) or ()):
            validate_image_spaces(container, f"spec.{member}[{i}]", errors)
    if spec.get("ephemeralContainers"):
        errors.append(FieldError.forbidden("spec.ephemeralContainers", "cannot be set on create"))
    if spec.get("nodeName") and spec.get("schedulingGates"):
        errors.append(FieldError.forbidden("spec.nodeName", "cannot be set until all schedulingGates have been cleared"))


def _validate_annotated_profiles(obj: Object, path: str, errors: Errors) -> None:
    """Where an old annotation and a field say both what confines a container, they say the same.

    validateSeccompAnnotationsAndFields, validateAppArmorAnnotationsAndFieldsMatchOnCreate.
    """
    annotations, spec = (obj.get("metadata") or {}).get("annotations"), obj.get("spec") or {}
    if not annotations:
        return
    whole = spec.get("securityContext") or {}
    asked = [(annotations.get(SECCOMP), whole.get("seccompProfile"), path)]
    asked += [(annotations.get(SECCOMP_OF + one.get("name", "")), (one.get("securityContext") or {}).get("seccompProfile"), here)
              for one, here in containers_with_paths(spec, path)]
    for said, profile, here in asked:
        _same_profile(said, profile, f"{here}.securityContext.seccompProfile", "seccomp", errors)
    if (spec.get("os") or {}).get("name") != "windows":
        for one, here in containers_with_paths(spec, path):
            profile = (one.get("securityContext") or {}).get("appArmorProfile") or whole.get("appArmorProfile")
            _same_profile(annotations.get(APPARMOR_OF + one.get("name", "")), profile, f"{here}.securityContext.appArmorProfile",
                          "apparmor", errors)


def _same_profile(said: str | None, profile: Object | None, path: str, what: str, errors: Errors) -> None:
    if said is None or profile is None:
        return
    kind = profile.get("type")
    alike = {"Unconfined": ("unconfined",), "RuntimeDefault": ("runtime/default", *(["docker/default"] if what == "seccomp" else []))}
    if (kind in alike and said not in alike[kind]) or (kind == "Localhost" and not said.startswith("localhost/")):
        errors.append(FieldError.forbidden(f"{path}.type", f"{what} type in annotation and field must match"))
    elif kind == "Localhost" and said.removeprefix("localhost/") != profile.get("localhostProfile"):
        errors.append(FieldError.forbidden(f"{path}.localhostProfile", f"{what} profile in annotation and field must match"))


def validate_pod_annotations(obj: Object, path: str, errors: Errors) -> None:
    """ValidatePodSpecificAnnotations."""
    annotations = obj.get("metadata", {}).get("annotations") or {}
    spec = obj.get("spec") or {}
    if MIRROR in annotations and not spec.get("nodeName"):
        errors.append(FieldError.invalid(f"{path}[{MIRROR}]", annotations[MIRROR],
                                         "must set spec.nodeName if mirror pod annotation is set"))
    cost = annotations.get(DELETION_COST)
    if cost is not None:
        digits = cost.removeprefix("-")
        good = digits.isdigit() and (digits == "0" or digits[0] != "0") and -(2**31) <= int(cost) < 2**31
        if not good:
            errors.append(FieldError.invalid(f"{path}[{DELETION_COST}]", cost, "must be a 32bit integer"))
    for key in sorted(annotations):
        if key == SECCOMP or key.startswith(SECCOMP_OF):
            _seccomp_annotation(annotations[key], f"{path}.{key}", errors)
        elif key.startswith(APPARMOR_OF):
            _apparmor_annotation(key.removeprefix(APPARMOR_OF), annotations[key], spec, f"{path}[{key}]", errors)


def _seccomp_annotation(profile: str, path: str, errors: Errors) -> None:
    """ValidateSeccompProfile."""
    if profile.startswith("localhost/"):
        descending_path(profile.removeprefix("localhost/"), path, errors)
    elif profile not in ("runtime/default", "docker/default", "unconfined"):
        errors.append(FieldError.invalid(path, profile, "must be a valid seccomp profile"))


def _apparmor_annotation(container: str, profile: str, spec: Object, path: str, errors: Errors) -> None:
    """ValidateAppArmorPodAnnotations."""
    if all(one.get("name") != container for one, _ in containers_with_paths(spec, "")):
        errors.append(FieldError.invalid(path, container, "container not found"))
    if profile not in ("", "runtime/default", "unconfined") and not profile.startswith("localhost/"):
        errors.append(FieldError.invalid(path, profile, f'invalid AppArmor profile name: "{profile}"'))


def validate_template(template: Object, path: str, errors: Errors) -> None:
    """ValidatePodTemplateSpec."""
    metadata = template.get("metadata") or {}
    validate_labels(metadata.get("labels"), f"{path}.labels", errors)
    validate_annotations(metadata.get("annotations"), f"{path}.annotations", errors)
    validate_pod_annotations(template, f"{path}.annotations", errors)
    spec = template.get("spec") or {}
    validate_pod_spec(spec, f"{path}.spec", errors, is_pod=False)
    _validate_annotated_profiles(template, f"{path}.spec", errors)
    if spec.get("ephemeralContainers"):
        errors.append(FieldError.forbidden(f"{path}.spec.ephemeralContainers",
                                           "ephemeral containers not allowed in pod template"))


def validate_pod_spec(spec: Object, path: str, errors: Errors, is_pod: bool, pod_name: str = "") -> None:
    """ValidatePodSpec, in its order."""
    volumes = validate_volumes(spec.get("volumes") or [], pod_name, f"{path}.volumes", errors)
    claims = _validate_resource_claims(spec.get("resourceClaims") or [], f"{path}.resourceClaims", errors)
    restart = spec.get("restartPolicy", "")
    facts = PodFacts(volumes, claims, spec.get("terminationGracePeriodSeconds"), restart, spec.get("hostUsers") is not False)
    containers, initial = spec.get("containers") or [], spec.get("initContainers") or []
    validate_containers(containers, facts, f"{path}.containers", errors)
    validate_init_containers(initial, containers, facts, f"{path}.initContainers", errors)
    if spec.get("ephemeralContainers"):
        validate_ephemeral_containers(spec, facts, f"{path}.ephemeralContainers", errors)
    if spec.get("resources"):
        _validate_pod_resources(spec, f"{path}.resources", errors)
    if spec.get("hostNetwork"):
        _validate_host_network_ports(containers, path, is_pod, errors)
    _one_of(restart, ["Always", "OnFailure", "Never"], f"{path}.restartPolicy", errors)
    _one_of(spec.get("dnsPolicy", ""), DNS_POLICIES, f"{path}.dnsPolicy", errors)
    validate_labels(spec.get("nodeSelector"), f"{path}.nodeSelector", errors)
    validate_pod_security_context(spec, f"{path}.securityContext", errors)
    validate_affinity(spec.get("affinity"), f"{path}.affinity", errors)
    _validate_dns(spec.get("dnsConfig"), spec.get("dnsPolicy", ""), f"{path}.dnsConfig", errors)
    for i, gate in enumerate(spec.get("readinessGates") or ()):
        validate_label_name(gate.get("conditionType", ""), f"{path}.readinessGates[{i}].conditionType", errors)
    _validate_gates(spec.get("schedulingGates") or [], f"{path}.schedulingGates", errors)
    validate_spread(spec.get("topologySpreadConstraints") or [], f"{path}.topologySpreadConstraints", errors)
    if spec.get("securityContext") or any(container.get("securityContext") for container in containers):
        validate_host_process(spec, path, errors)
    validate_host_users(spec, path, errors)
    if spec.get("hostnameOverride") is not None:
        _validate_hostname_override(spec, path, errors)
    for member, check in (("serviceAccountName", words.bad_subdomain), ("nodeName", words.bad_subdomain)):
        if spec.get(member):
            complain(errors, f"{path}.{member}", spec[member], check(spec[member]))
    deadline = spec.get("activeDeadlineSeconds")
    if deadline is not None and not 1 <= deadline <= 2**31 - 1:
        errors.append(FieldError.invalid(f"{path}.activeDeadlineSeconds", deadline, words.out_of_range(1, 2**31 - 1)))
    for member in ("hostname", "subdomain"):
        if spec.get(member):
            complain(errors, f"{path}.{member}", spec[member], words.bad_label(spec[member]))
    validate_tolerations(spec.get("tolerations") or [], f"{path}.tolerations", errors)
    for i, alias in enumerate(spec.get("hostAliases") or ()):
        complain(errors, f"{path}.hostAliases[{i}].ip", alias.get("ip", ""), words.bad_ip(alias.get("ip", "")))
        for j, name in enumerate(alias.get("hostnames") or ()):
            complain(errors, f"{path}.hostAliases[{i}].hostnames[{j}]", name, words.bad_subdomain(name))
    for member in ("priorityClassName", "runtimeClassName"):
        if spec.get(member) or (member == "runtimeClassName" and spec.get(member) is not None):
            complain(errors, f"{path}.{member}", spec[member], words.bad_subdomain(spec[member]))
    if spec.get("preemptionPolicy") is not None:
        _one_of(spec["preemptionPolicy"], ["PreemptLowerPriority", "Never"], f"{path}.preemptionPolicy", errors)
    if spec.get("overhead"):
        validate_requirements({"limits": spec["overhead"]}, f"{path}.overhead", errors)
    validate_os(spec, path, errors)
    _validate_env_files(spec, path, errors)


def _validate_env_files(spec: Object, path: str, errors: Errors) -> None:
    """validateFileKeyRefVolumes: files of variables lie in emptyDirs."""
    sources: dict[str, Object] | None = None
    for container, here in containers_with_paths(spec, path):
        for i, variable in enumerate(container.get("env") or ()):
            reference = (variable.get("valueFrom") or {}).get("fileKeyRef")
            if reference is None:
                continue
            if sources is None:
                sources = {volume.get("name", ""): volume for volume in spec.get("volumes") or ()}
            name, at = reference.get("volumeName", ""), f"{here}.env[{i}].valueFrom.fileKeyRef.volumeName"
            if name not in sources:
                errors.append(FieldError.not_found(at, name))
            elif "emptyDir" not in sources[name]:
                errors.append(FieldError.invalid(at, name, "referenced volume must be of type emptyDir"))


def _one_of(value: str, allowed: list[str], path: str, errors: Errors) -> None:
    if not value:
        errors.append(FieldError.required(path))
    elif value not in allowed:
        errors.append(FieldError.not_supported(path, value, allowed))


def _validate_resource_claims(claims: list[Object], path: str, errors: Errors) -> tuple[str, ...]:
    names: dict[str, None] = {}
    for i, claim in enumerate(claims):
        here, name = f"{path}[{i}]", claim.get("name", "")
        shown = {"Name": name, "ResourceClaimName": claim.get("resourceClaimName"),
                 "ResourceClaimTemplateName": claim.get("resourceClaimTemplateName")}
        if not name:
            errors.append(FieldError.required(f"{here}.name"))
        elif name in names:
            errors.append(FieldError.duplicate(f"{here}.name", name))
        else:
            complain(errors, f"{here}.name", name, words.bad_label(name))
            names[name] = None
        given = [member for member in ("resourceClaimName", "resourceClaimTemplateName") if claim.get(member) is not None]
        if len(given) > 1:
            errors.append(FieldError.invalid(here, shown, "at most one of `resourceClaimName` or `resourceClaimTemplateName` may "
                                                          "be specified"))
        if not given:
            errors.append(FieldError.invalid(here, shown,
                                             "must specify one of: `resourceClaimName`, `resourceClaimTemplateName`"))
        for member in given:
            complain(errors, f"{here}.{member}", claim[member], words.bad_subdomain(claim[member]))
    return tuple(names)


def _validate_pod_resources(spec: Object, path: str, errors: Errors) -> None:
    level = spec["resources"]
    if (spec.get("os") or {}).get("name") == "windows":
        errors.append(FieldError.forbidden(path, "may not be set for a windows pod"))
        return
    if level.get("claims") is not None:
        errors.append(FieldError.forbidden(f"{path}.claims", "claims may not be set for Resources at pod-level"))
    validate_requirements(level, path, errors, pod_level=True)
    for kind in ("requests", "limits"):
        bounds = level.get(kind) or {}
        for name, total in sorted(aggregated(spec, kind).items()) if bounds else ():
            if name in bounds and (kind == "requests" or name.startswith(HUGE_PAGES)) and quantity.parse(total) > quantity.parse(bounds[name]):
                errors.append(FieldError.invalid(f"{path}.{kind}[{name}]", bounds[name],
                                                 f"must be greater than or equal to aggregate container {kind} of {total}"))
    for i, container in enumerate(spec.get("containers") or ()):
        for name, limit in sorted(((container.get("resources") or {}).get("limits") or {}).items()):
            bound = (level.get("limits") or {}).get(name)
            if bound is not None and quantity.parse(limit) > quantity.parse(bound):
                errors.append(FieldError.invalid(f"{path}.containers[{i}][{name}].limits", limit,
                                                 f"must be less than or equal to pod limits of {bound}"))


def _validate_host_network_ports(containers: list[Object], path: str, is_pod: bool, errors: Errors) -> None:
    for i, container in enumerate(containers):
        for j, port in enumerate(container.get("ports") or ()):
            host = port.get("hostPort", 0)
            if (is_pod or host) and host != port.get("containerPort"):
                errors.append(FieldError.invalid(f"{path}.containers[{i}].ports[{j}].hostPort", host,
                                                 "must match `containerPort` when `hostNetwork` is true"))


def _validate_dns(config: Object | None, policy: str, path: str, errors: Errors) -> None:
    if policy == "None":
        if config is None:
            errors.append(FieldError.required(path, "must provide `dnsConfig` when `dnsPolicy` is None"))
            return
        if not config.get("nameservers"):
            errors.append(FieldError.required(f"{path}.nameservers",
                                              "must provide at least one DNS nameserver when `dnsPolicy` is None"))
            return
    if config is None:
        return
    servers, searches = config.get("nameservers") or [], config.get("searches") or []
    if len(servers) > 3:  # MaxDNSNameservers
        errors.append(FieldError.invalid(f"{path}.nameservers", servers, "must not have more than 3 nameservers"))
    for i, server in enumerate(servers):
        complain(errors, f"{path}.nameservers[{i}]", server, words.bad_ip(server))
    if len(searches) > 32:  # MaxDNSSearchPaths
        errors.append(FieldError.invalid(f"{path}.searches", searches, "must not have more than 32 search paths"))
    if len(" ".join(searches)) > 2048:  # MaxDNSSearchListChars
        errors.append(FieldError.invalid(f"{path}.searches", searches,
                                         "must not have more than 2048 characters (including spaces) in the search list"))
    for i, search in enumerate(searches):
        if search != ".":
            name = search.removesuffix(".")
            complain(errors, f"{path}.searches[{i}]", name, words.bad_subdomain_with_underscore(name))
    for i, option in enumerate(config.get("options") or ()):
        if not option.get("name"):
            errors.append(FieldError.required(f"{path}.options[{i}]", "must not be empty"))


def _validate_gates(gates: list[Object], path: str, errors: Errors) -> None:
    seen: set[str] = set()
    for i, gate in enumerate(gates):
        name = gate.get("name", "")
        validate_label_name(name, f"{path}[{i}]", errors)
        if name in seen:
            errors.append(FieldError.duplicate(f"{path}[{i}]", name))
        seen.add(name)


def _validate_hostname_override(spec: Object, path: str, errors: Errors) -> None:
    name = spec["hostnameOverride"]
    if spec.get("setHostnameAsFQDN"):
        errors.append(FieldError.forbidden(f"{path}.hostnameOverride", "may not be specified when setHostnameAsFQDN is true"))
    if spec.get("hostNetwork"):
        errors.append(FieldError.forbidden(f"{path}.hostnameOverride", "may not be specified when hostNetwork is true"))
    if len(name) > 64:
        errors.append(FieldError.too_long(f"{path}.hostnameOverride", 64))
    complain(errors, f"{path}.hostnameOverride", name, words.bad_subdomain(name))
