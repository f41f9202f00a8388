"""A container's environment, and $(NAME) in commands.

Sources: pkg/kubelet/kubelet_pods.go (makeEnvironmentVariables, getServiceEnvVarMap), pkg/kubelet/envvars/envvars.go,
third_party/forked/golang/expansion/expand.go, pkg/fieldpath/fieldpath.go, pkg/api/v1/resource/helpers.go.
"""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from .. import quantity
from ..objects import EMPTY, Map, dig, memo
from .podspec import Part

if TYPE_CHECKING:
    from .agent import Agent


REFERENCE = re.compile(r"\$(?:\$|\(([^)]*)\))")
WORD_MAX = 131_072  # characters of one variable or argument (MAX_ARG_STRLEN, include/uapi/linux/binfmts.h)
WORDS_MAX = 2_097_152  # of all together (execve(2), the limit of arguments and environment with the usual stack)
POINTER = 8  # bytes that execve(2) counts for each of them besides
TOO_LONG = "argument list too long"  # E2BIG


class ConfigError(Exception):
    """A container's configuration that cannot be made: the text after `Error: `."""


def make(kubelet: Agent, pod: Map, one: Part, ip: str) -> dict[str, str]:
    """All variables of a container, in the order of precedence. Raises ConfigError."""
    namespace = pod["metadata"]["namespace"]
    services = service_variables(kubelet, namespace, pod["spec"].get("enableServiceLinks", True) is not False)
    result: dict[str, str] = {}
    taken = 0
    for source in one.spec.get("envFrom") or ():
        found = _from_source(kubelet, namespace, source)
        result.update(found)
        taken += len(found) * POINTER
        if taken > WORDS_MAX:
            raise ConfigError(TOO_LONG)
    length = sum(map(len, result)) + sum(map(len, result.values()))
    if length > WORDS_MAX:
        raise ConfigError(TOO_LONG)
    own: dict[str, str] = {}
    known = {**services, **result}
    for entry in one.spec.get("env") or ():
        name, reference = entry["name"], entry.get("valueFrom")
        if reference:
            value = _value_from(kubelet, pod, one, reference, ip)
            if value is None:
                continue
        else:
            value = expand(entry.get("value") or "", known)
        length += len(value)
        if length > WORDS_MAX:
            raise ConfigError(TOO_LONG)
        own[name] = known[name] = value
    return {**services, **result, **own}


def expand(text: str, variables: dict[str, str]) -> str:
    """`$(NAME)` by its value, `$$` by `$`; what is not defined stays as it is written. Raises ConfigError where that would be too long."""
    if "$" not in text:
        return text
    length = 0

    def meant(found: re.Match[str]) -> str:
        nonlocal length
        value = "$" if found[1] is None else variables.get(found[1], found[0])
        length += len(value)
        if length > WORD_MAX:
            raise ConfigError(TOO_LONG)
        return value

    return REFERENCE.sub(meant, text)


def expand_all(words: Iterable[str], variables: dict[str, str]) -> list[str]:
    """Each of a command's words. Raises ConfigError."""
    found, length = [], 0
    for word in words:
        found.append(expand(word, variables))
        length += len(found[-1])
        if length > WORDS_MAX:
            raise ConfigError(TOO_LONG)
    return found


def config_source(kubelet: Agent, plural: str, name: str, namespace: str) -> Map | None:
    """The data of a ConfigMap or Secret as text."""
    found = kubelet.cluster.etcd.get(plural, f"{namespace}/{name}")
    return None if found is None else memo(found, "kubelet-data", data_of)


def data_of(obj: Map) -> Map:
    if obj["kind"] == "Secret":
        return Map(_decoded(obj.get("data") or EMPTY))
    return Map({**(obj.get("data") or EMPTY), **_decoded(obj.get("binaryData") or EMPTY)})


def _decoded(data: Map) -> dict[str, str]:
    return {key: b64decode(value).decode("utf-8", "surrogateescape") for key, value in data.items()}


def _from_source(kubelet: Agent, namespace: str, source: Map) -> dict[str, str]:
    plural, word, reference = (
        ("configmaps", "configmap", source.get("configMapRef"))
        if source.get("configMapRef")
        else ("secrets", "secret", source.get("secretRef"))
    )
    if not reference:
        return {}
    data = config_source(kubelet, plural, reference["name"], namespace)
    if data is None:
        if reference.get("optional"):
            return {}
        raise ConfigError(f'{word} "{reference["name"]}" not found')
    prefix = source.get("prefix") or ""
    return {prefix + key: data[key] for key in sorted(data)}


def _value_from(kubelet: Agent, pod: Map, one: Part, reference: Map, ip: str) -> str | None:
    namespace = pod["metadata"]["namespace"]
    if field := reference.get("fieldRef"):
        return field_value(kubelet, pod, field["fieldPath"], ip)
    if wanted := reference.get("resourceFieldRef"):
        return resource_value(kubelet, pod, one, wanted)
    for member, plural, word, kind in (
        ("configMapKeyRef", "configmaps", "configmap", "ConfigMap"),
        ("secretKeyRef", "secrets", "secret", "Secret"),
    ):
        if key_ref := reference.get(member):
            data = config_source(kubelet, plural, key_ref["name"], namespace)
            if data is None:
                if key_ref.get("optional"):
                    return None
                raise ConfigError(f'{word} "{key_ref["name"]}" not found')
            if key_ref["key"] not in data:
                if key_ref.get("optional"):
                    return None
                raise ConfigError(f"couldn't find key {key_ref['key']} in {kind} {namespace}/{key_ref['name']}")
            return str(data[key_ref["key"]])
    if file_ref := reference.get("fileKeyRef"):
        return _from_file(kubelet, pod, file_ref)
    return None


def _from_file(kubelet: Agent, pod: Map, wanted: Map) -> str | None:
    """A variable from a file that an init container wrote into an emptyDir (EnvFiles; pkg/kubelet/util/env, ParseEnv)."""
    text = kubelet.machine.volume_file(pod["metadata"]["uid"], wanted["volumeName"], wanted["path"])
    if text is None:
        if wanted.get("optional"):
            return None
        raise ConfigError(f'environment file "{wanted["path"]}" not found in volume "{wanted["volumeName"]}"')
    for line in text.splitlines():
        name, equals, value = line.strip().partition("=")
        if name == wanted["key"] and equals:
            if len(value) < 2 or value[0] != "'" or value[-1] != "'":
                raise ConfigError("couldn't parse env file")
            return value[1:-1]
    if wanted.get("optional"):
        return None
    raise ConfigError(f'environment variable key "{wanted["key"]}" not found in file "{wanted["path"]}"')


def field_value(kubelet: Agent, pod: Map, path: str, ip: str) -> str:
    """A fieldRef's value (fieldpath.ExtractFieldPathAsString and podFieldSelectorRuntimeValue)."""
    if path in ("status.podIP", "status.podIPs"):
        return ip
    if path in ("status.hostIP", "status.hostIPs"):
        return kubelet.host_ip
    if path == "spec.serviceAccountName":
        return str(pod["spec"].get("serviceAccountName", ""))
    metadata: Any = pod["metadata"]
    for member in ("labels", "annotations"):
        if path == f"metadata.{member}":
            return "\n".join(f'{key}="{_escaped(value)}"' for key, value in sorted((metadata.get(member) or EMPTY).items()))
        if path.startswith(f"metadata.{member}['"):
            return str((metadata.get(member) or EMPTY).get(path[len(f"metadata.{member}['") : -2], ""))
    return str(dig(pod, path, ""))


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def resource_value(kubelet: Agent, pod: Map, one: Part, wanted: Map) -> str:
    """A resourceFieldRef's value: request or limit over the divisor, rounded up; a limit that is not set is the Pod's, or the node's (1.34). Raises
    ConfigError."""
    which, _, name = wanted["resource"].partition(".")
    spec = one.spec
    if (other := wanted.get("containerName")) and other != one.name:
        found = [*pod["spec"]["containers"], *(pod["spec"].get("initContainers") or ())]
        chosen = next((held for held in found if held["name"] == other), None)
        if chosen is None:
            raise ConfigError(f"container {other} not found")
        spec = chosen
    given = ((spec.get("resources") or EMPTY).get(which) or EMPTY).get(name)
    if given is None and which == "limits":
        given = dig(pod, "spec.resources.limits", EMPTY).get(name)
    if given is None and which == "limits":
        given = dig(kubelet.client.find("nodes", kubelet.node) or EMPTY, f"status.allocatable.{name}", "0")
    divisor = quantity.parse(str(wanted.get("divisor") or "1"))
    amount = quantity.parse(str(given or "0"))
    return str(-(-amount // (divisor or 1)))


def service_variables(kubelet: Agent, namespace: str, links: bool) -> dict[str, str]:
    """Variables in Docker's link style for the Services of the namespace, and always for the API server's."""
    etcd = kubelet.cluster.etcd
    chosen: dict[str, Map] = {}
    if (master := etcd.get("services", "default/kubernetes")) is not None:
        chosen["kubernetes"] = master
    if links:
        for service in etcd.list("services", namespace):
            chosen[service["metadata"]["name"]] = service
    result: dict[str, str] = {}
    for name in sorted(chosen):
        result.update(memo(chosen[name], "kubelet-variables", _variables_of))
    return result


def _variables_of(service: Map) -> Map:
    spec, name = service["spec"], service["metadata"]["name"]
    ip = spec.get("clusterIP")
    if not ip or ip == "None" or not spec.get("ports"):
        return EMPTY
    prefix = name.upper().replace("-", "_")
    first = spec["ports"][0]
    result = {f"{prefix}_SERVICE_HOST": ip, f"{prefix}_SERVICE_PORT": str(first["port"])}
    for port in spec["ports"]:
        if port.get("name"):
            result[f"{prefix}_SERVICE_PORT_{port['name'].upper().replace('-', '_')}"] = str(port["port"])
    result[f"{prefix}_PORT"] = f"{first.get('protocol', 'TCP').lower()}://{ip}:{first['port']}"
    for port in spec["ports"]:
        protocol = port.get("protocol", "TCP")
        stem = f"{prefix}_PORT_{port['port']}_{protocol}"
        result[stem] = f"{protocol.lower()}://{ip}:{port['port']}"
        result[f"{stem}_PROTO"] = protocol.lower()
        result[f"{stem}_PORT"] = str(port["port"])
        result[f"{stem}_ADDR"] = ip
    return Map(result)
