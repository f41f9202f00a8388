"""kubectl create KIND: objects made from flags (S/kubectl/pkg/cmd/create)."""

from __future__ import annotations

import base64
import re
from typing import Any

from ... import selectors
from ...apiserver import key_pairs
from ...apiserver.errors import ApiError
from ...objects import thaw
from ...resources import BY_PLURAL
from ..builder import targets
from ..flags import Flag
from ..generators import content_hash
from ..manifests import clean
from ..output import struct_json
from ..output.go_values import to_json
from ..pod_specs import ENV_NAME
from ..pruning import LAST_APPLIED
from ..terminal import KubectlError
from ..verbs import CHANGING, Call, verb
from .set import resource_list

Json = dict[str, Any]
MAKING = (*CHANGING, Flag("save-config", "bool"), Flag("validate", "opt", default="strict", bare="strict"))


def named(call: Call) -> str:
    if len(call.arguments) != 1:
        raise call.usage_error(f"exactly one NAME is required, got {len(call.arguments)}")
    return call.arguments[0]


def required(call: Call, *names: str) -> None:
    missing = [name for name in names if not call.flags.given(name)]
    if missing:
        listed = ", ".join(f'"{name}"' for name in missing)
        raise KubectlError(f"error: required flag(s) {listed} not set\n")


# How each generator goes on when the server refuses (S/kubectl/pkg/cmd/create/create_*.go); the others give the server's words alone
FAILED = {"deployments": "deployment: ", "jobs": "job: ", "cronjobs": "cronjob: ", "ingresses": "ingress: ", "configmaps": "configmap: ",
          "secrets": "secret ", "services": "{kind} service: ", "resourcequotas": "quota: ", "priorityclasses": "priorityclass: ",
          "poddisruptionbudgets": "poddisruptionbudgets: ", "rolebindings": "rolebinding: ", "clusterrolebindings": "clusterrolebinding: ",
          "serviceaccounts": "serviceaccount: "}


def make(call: Call, plural: str, obj: Json) -> None:
    resource = BY_PLURAL[plural]
    namespace = call.namespace if resource.namespaced else ""
    if resource.namespaced and call.flags["namespace"]:
        obj["metadata"]["namespace"] = namespace
    if call.flags["save-config"]:
        held = obj["metadata"].get("annotations") or {}
        obj["metadata"]["annotations"] = {**held, LAST_APPLIED: struct_json(obj) + "\n"}
    try:
        made: Any = obj if call.dry == "client" else call.request("create", resource, "", namespace, obj, fieldValidation="Strict")
    except ApiError as error:
        if (words := FAILED.get(plural)) is None:
            raise
        if plural == "services":
            words = words.format(kind=(obj.get("spec") or {}).get("type", "ClusterIP"))
        raise KubectlError(f"error: failed to create {words}{error.message}\n") from None
    call.show(resource, made, "created", typed=True)


def skeleton(plural: str, name: str, **members: Any) -> Json:
    resource = BY_PLURAL[plural]
    return {"apiVersion": resource.api_version, "kind": resource.kind, "metadata": {"name": name}, **members}


def _container_name(call: Call, image: str) -> str:
    """The last part of an image's name, made fit for a container's (sanitizeAndUniquify)."""
    name = image.rsplit("/", 1)[-1].split(":")[0].split("@")[0]
    if re.search(r"[^a-z0-9-]", name):
        clean_name = re.sub(r"[^a-z0-9-]+", "-", name.lower()).strip("-")
        return f"{clean_name}-{call.terminal.api.cluster.random.name(5, 'create-deployment', image)}"
    return name


@verb("create deployment", *MAKING, Flag("image", "list"), Flag("replicas", "int", short="r", default=1),
      Flag("port", "int", default=-1), aliases="deploy",
      summary="Create a deployment with the specified name", usage="create deployment NAME --image=image -- [COMMAND] [args...]")
def deployment(call: Call) -> None:
    required(call, "image")
    name = named(call)
    flags = call.flags
    if len(flags["image"]) > 1 and call.after:
        raise KubectlError("error: cannot specify multiple --image options and command\n")
    containers: list[Json] = []
    for image in flags["image"]:
        container: Json = {"image": image, "name": _container_name(call, image), "resources": {}}
        if call.after:
            container["command"] = call.after
        containers.append(container)
    if flags["port"] >= 0 and containers:
        containers[0]["ports"] = [{"containerPort": flags["port"]}]
    obj = skeleton("deployments", name, spec={
        "replicas": flags["replicas"], "selector": {"matchLabels": {"app": name}}, "strategy": {},
        "template": {"metadata": {"labels": {"app": name}}, "spec": {"containers": containers}}}, status={})
    obj["metadata"]["labels"] = {"app": name}
    make(call, "deployments", obj)


# ---- configuration


SOURCES = (Flag("from-literal", "array"), Flag("from-file", "array"), Flag("from-env-file", "array"), Flag("append-hash", "bool"))


def _data(call: Call, kind: str, name: str) -> dict[str, str]:
    files = call.terminal.files
    data: dict[str, str] = {}

    def add(key: str, value: str) -> None:
        if not re.fullmatch(r"[-._a-zA-Z0-9]+", key):
            raise KubectlError(f'error: "{key}" is not a valid key name for a {kind}: a valid config key must consist of '
                               f'alphanumeric characters, \'-\', '
                               "'_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is "
                               "'[-._a-zA-Z0-9]+')\n")
        if key in data:
            raise KubectlError(f'error: cannot add key "{key}", another key by that name already exists in Data for {kind} '
                               f'"{name}"\n'
                               if kind == "ConfigMap" else f"error: cannot add key {key}, another key by that name already "
                               f"exists\n")
        data[key] = value
    if call.flags.get("from-env-file") and (call.flags["from-file"] or call.flags["from-literal"]):
        raise KubectlError("error: from-env-file cannot be combined with from-file or from-literal\n")
    for source in call.flags["from-file"]:
        key, equals, path = source.partition("=")
        if "=" in path:  # util.ParseFileSource
            raise KubectlError("error: key names or file paths cannot contain '='\n")
        if equals and not (key and path):
            raise KubectlError(f"error: file path for key name {key} missing\n" if key else f"error: key name for file path {path} missing\n")
        path = clean(path if equals else key)
        if path in files:
            add(key if equals else path.rsplit("/", 1)[-1], files[path])
            continue
        inside = sorted(file for file in files if file.startswith(path + "/") and "/" not in file[len(path) + 1:])
        if not inside:
            raise KubectlError(f"error: error reading {path}: no such file or directory\n")
        for file in inside:
            add(file.rsplit("/", 1)[-1], files[file])
    for literal in call.flags.get("from-literal", ()):
        key, equals, value = literal.partition("=")
        if not equals or not key:
            raise KubectlError(f"error: invalid literal source {literal}, expected key=value\n")
        add(key, value)
    for source in call.flags.get("from-env-file", ()):
        if clean(source) not in files:
            raise KubectlError(f"error: error reading {source}: no such file or directory\n")
        for line in files[clean(source)].splitlines():
            if line.strip() and not line.lstrip().startswith("#"):
                key, equals, value = line.lstrip().partition("=")
                if not re.fullmatch(ENV_NAME, key):
                    raise KubectlError(f'error: "{key}" is not a valid key name: a valid environment variable name must consist of alphabetic '
                                       "characters, digits, '_', '-', or '.', and must not start with a digit (e.g. 'my.env-name',  or "
                                       "'MY_ENV.NAME',  or 'MyEnvName1', regex used for validation is '[-._a-zA-Z][-._a-zA-Z0-9]*')\n")
                add(key, value)
    return data


def _hashed(call: Call, obj: Json) -> Json:
    if call.flags["append-hash"]:
        obj["metadata"]["name"] += "-" + content_hash(obj, obj["metadata"]["name"])
    return obj


@verb("create configmap", *MAKING, *SOURCES, aliases="cm", summary="Create a config map from a local file, directory or literal "
      "value",
      usage="create configmap NAME [--from-file=[key=]source] [--from-literal=key1=value1] [--dry-run=server|client|none]")
def configmap(call: Call) -> None:
    name = named(call)
    data = _data(call, "ConfigMap", name)
    make(call, "configmaps", _hashed(call, skeleton("configmaps", name, **({"data": data} if data else {}))))


def _encoded(data: dict[str, str]) -> dict[str, str]:
    return {key: base64.b64encode(value.encode("utf-8", "surrogateescape")).decode() for key, value in data.items()}


@verb("create secret generic", *MAKING, *SOURCES, Flag("type"), summary="Create a secret from a local file, directory, or "
      "literal value",
      usage="create secret generic NAME [--type=string] [--from-file=[key=]source] [--from-literal=key1=value1] "
      "[--dry-run=server|client|none]")
def secret(call: Call) -> None:
    name = named(call)
    data = _encoded(_data(call, "Secret", name))
    obj = skeleton("secrets", name, **({"data": data} if data else {}))
    if call.flags["type"]:
        obj["type"] = call.flags["type"]
    make(call, "secrets", _hashed(call, obj))


@verb("create secret tls", *MAKING, Flag("cert"), Flag("key"), Flag("append-hash", "bool"), summary="Create a TLS secret",
      usage="create secret tls NAME --cert=path/to/cert/file --key=path/to/key/file [--dry-run=server|client|none]")
def secret_tls(call: Call) -> None:
    name = named(call)
    if not call.flags["cert"] or not call.flags["key"]:
        raise KubectlError("error: key and cert must be specified\n")
    data = {}
    for key, flag in (("tls.crt", "cert"), ("tls.key", "key")):
        path = call.flags[flag]
        if clean(path) not in call.terminal.files:
            raise KubectlError(f"error: Cannot read file {path}, open {path}: no such file or directory\n")
        data[key] = call.terminal.files[clean(path)]
    encoded = _encoded(data)
    if wrong := key_pairs.complaint(encoded):
        raise KubectlError(f"error: {wrong}\n")
    make(call, "secrets", _hashed(call, skeleton("secrets", name, data=encoded, type="kubernetes.io/tls")))


@verb("create secret docker-registry", *MAKING, Flag("docker-username"), Flag("docker-password"), Flag("docker-email"),
      Flag("from-file", "array"),
      Flag("docker-server", default="https://index.docker.io/v1/"), Flag("append-hash", "bool"),
      summary="Create a secret for use with a Docker registry",
      usage="create secret docker-registry NAME --docker-username=user --docker-password=password --docker-email=email "
      "[--docker-server=string]")
def secret_docker(call: Call) -> None:
    name, flags = named(call), call.flags
    if flags["from-file"]:
        call.flags["from-file"][:] = [one if "=" in one else f".dockerconfigjson={one}" for one in flags["from-file"]]
        obj = skeleton("secrets", name, data=_encoded(_data(call, "Secret", name)), type="kubernetes.io/dockerconfigjson")
        make(call, "secrets", _hashed(call, obj))
        return
    if not flags["docker-username"] or not flags["docker-password"]:
        raise KubectlError("error: either --from-file or the combination of --docker-username, --docker-password and "
                           "--docker-server is required\n")
    user, password = flags["docker-username"], flags["docker-password"]
    entry = {"username": user, "password": password, **({"email": flags["docker-email"]} if flags["docker-email"] else {}),
             "auth": base64.b64encode(f"{user}:{password}".encode()).decode()}
    pairs = ",".join(f"{to_json(key)}:{to_json(value)}" for key, value in entry.items())
    text = f'{{"auths":{{{to_json(flags["docker-server"])}:{{{pairs}}}}}}}'
    made = skeleton("secrets", name, data=_encoded({".dockerconfigjson": text}), type="kubernetes.io/dockerconfigjson")
    make(call, "secrets", _hashed(call, made))


# ---- jobs


def _one_shot(name: str, image: str, command: list[str], restart: str) -> Json:
    container: Json = {"image": image, "name": name, "resources": {}}
    if command:
        container["command"] = command
    return {"metadata": {}, "spec": {"containers": [container], "restartPolicy": restart}}


@verb("create job", *MAKING, Flag("image"), Flag("from"), summary="Create a job with the specified name",
      usage="create job NAME --image=image [--from=cronjob/name] -- [COMMAND] [args...]")
def job(call: Call) -> None:
    name, flags = named(call), call.flags
    if bool(flags["image"]) == bool(flags["from"]):
        raise KubectlError("error: either --image or --from must be specified\n")
    if flags["from"] and call.after:
        raise KubectlError("error: cannot specify --from and command\n")
    if flags["image"]:
        make(call, "jobs", skeleton("jobs", name, spec={"template": _one_shot(name, flags["image"], call.after, "Never")},
                                    status={}))
        return
    target = targets([flags["from"]], call.customs)[0]
    found, source = target.resource, target.name
    if not source:
        raise KubectlError("error: resource(s) were provided, but no name was specified\n")
    if found is not BY_PLURAL["cronjobs"]:
        call.request("get", found, source, call.namespace if found.namespaced else "")
        raise KubectlError(f"error: unknown object type *{found.version}.{found.kind}\n")
    cron = call.request("get", "cronjobs", source, call.namespace)
    template = thaw(cron["spec"]["jobTemplate"])
    made = skeleton("jobs", name, spec=template["spec"], status={})
    made["metadata"]["annotations"] = {**(template.get("metadata", {}).get("annotations") or {}),
                                       "cronjob.kubernetes.io/instantiate": "manual"}
    if labels := template.get("metadata", {}).get("labels"):
        made["metadata"]["labels"] = labels
    made["metadata"]["ownerReferences"] = [{"apiVersion": "batch/v1", "kind": "CronJob", "name": source,
                                            "uid": cron["metadata"]["uid"], "controller": True}]
    make(call, "jobs", made)


@verb("create cronjob", *MAKING, Flag("image"), Flag("schedule"), Flag("restart"), aliases="cj",
      summary="Create a cron job with the specified name",
      usage="create cronjob NAME --image=image --schedule='0/5 * * * ?' -- [COMMAND] [args...] [flags]")
def cronjob(call: Call) -> None:
    required(call, "image", "schedule")
    name, flags = named(call), call.flags
    once = _one_shot(name, flags["image"], call.after, flags["restart"] or "OnFailure")
    template = {"metadata": {"name": name}, "spec": {"template": once}}
    make(call, "cronjobs", skeleton("cronjobs", name, spec={"jobTemplate": template, "schedule": flags["schedule"]}, status={}))


# ---- the cluster's order


@verb("create namespace", *MAKING, aliases="ns", summary="Create a namespace with the specified name",
      usage="create namespace NAME [--dry-run=server|client|none]")
def namespace(call: Call) -> None:
    make(call, "namespaces", skeleton("namespaces", named(call), spec={}, status={}))


@verb("create serviceaccount", *MAKING, aliases="sa", summary="Create a service account with the specified name",
      usage="create serviceaccount NAME [--dry-run=server|client|none]")
def serviceaccount(call: Call) -> None:
    make(call, "serviceaccounts", skeleton("serviceaccounts", named(call)))


@verb("create quota", *MAKING, Flag("hard"), Flag("scopes"), aliases="resourcequota",
      summary="Create a quota with the specified name",
      usage="create quota NAME [--hard=key1=value1,key2=value2] [--scopes=Scope1,Scope2] [--dry-run=server|client|none]")
def quota(call: Call) -> None:
    name = named(call)
    spec: Json = {}
    if call.flags["hard"]:
        spec["hard"] = resource_list(call.flags["hard"])
    if call.flags["scopes"]:
        spec["scopes"] = call.flags["scopes"].split(",")
    make(call, "resourcequotas", skeleton("resourcequotas", name, spec=spec, status={}))


def _label_selector(text: str) -> Json:
    try:
        return selectors.as_object(text)
    except selectors.SelectorError as error:
        raise KubectlError(f'error: couldn\'t parse the selector string "{text}": {error}\n') from None


@verb("create poddisruptionbudget", *MAKING, Flag("selector"), Flag("min-available"), Flag("max-unavailable"), aliases="pdb",
      summary="Create a pod disruption budget with the specified name",
      usage="create poddisruptionbudget NAME --selector=SELECTOR --min-available=N [--dry-run=server|client|none]")
def poddisruptionbudget(call: Call) -> None:
    name, flags = named(call), call.flags
    if not flags["selector"]:
        raise KubectlError("error: a selector must be specified\n")
    if not flags["min-available"] and not flags["max-unavailable"]:
        raise KubectlError("error: one of min-available or max-unavailable must be specified\n")
    if flags["min-available"] and flags["max-unavailable"]:
        raise KubectlError("error: min-available and max-unavailable cannot be both specified\n")
    member, value = ("minAvailable", flags["min-available"]) if flags["min-available"] else ("maxUnavailable",
        flags["max-unavailable"])
    if not re.fullmatch(r"[0-9]+%?", value):
        raise KubectlError(f"error: invalid format specified for {'min' if flags['min-available'] else 'max'}-"
                           f"{'' if flags['min-available'] else 'un'}available\n")
    spec: Json = {member: int(value) if value.isdigit() else value, "selector": _label_selector(flags["selector"])}
    make(call, "poddisruptionbudgets", skeleton("poddisruptionbudgets", name, spec=spec, status={
        "currentHealthy": 0, "desiredHealthy": 0, "disruptionsAllowed": 0, "expectedPods": 0}))


@verb("create priorityclass", *MAKING, Flag("value", "int", default=0), Flag("global-default", "bool"), Flag("description"),
      Flag("preemption-policy", default="PreemptLowerPriority"), aliases="pc",
      summary="Create a priority class with the specified name",
      usage="create priorityclass NAME --value=VALUE --global-default=BOOL [--dry-run=server|client|none]")
def priorityclass(call: Call) -> None:
    obj = skeleton("priorityclasses", named(call), value=call.flags["value"], preemptionPolicy=call.flags["preemption-policy"])
    if call.flags["global-default"]:
        obj["globalDefault"] = True
    if call.flags["description"]:
        obj["description"] = call.flags["description"]
    make(call, "priorityclasses", obj)
