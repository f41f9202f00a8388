"""kubectl cluster-info dump: nodes, then a namespace's events, workloads, Pods and logs (S/kubectl/pkg/cmd/clusterinfo/clusterinfo_dump.go)."""

from __future__ import annotations

from typing import Any

from ...apiserver.errors import ApiError
from ...resources import BY_PLURAL
from ..flags import Flag
from ..output import printer, struct_text
from ..terminal import KubectlError
from ..verbs import Call, verb

# What is asked of each namespace, and the file that it goes to
KINDS = (("events", "events"), ("replicationcontrollers", "replication-controllers"), ("services", "services"), ("daemonsets", "daemonsets"),
         ("deployments", "deployments"), ("replicasets", "replicasets"), ("pods", "pods"))
EXTENSIONS = {"json": ".json", "yaml": ".yaml"}


@verb("cluster-info dump", Flag("output", short="o", default="json"), Flag("output-directory"), Flag("namespaces", "list"),
      Flag("all-namespaces", "bool", "A"), Flag("template"), Flag("allow-missing-template-keys", "bool", default=True),
      Flag("show-managed-fields", "bool"), Flag("pod-running-timeout", "duration", default=20_000),
      summary="Dump relevant information for debugging and diagnosis", usage="cluster-info dump [flags]")
def dump(call: Call) -> None:
    flags = call.flags
    if flags["output"] == "name":
        raise KubectlError("error: list types are not supported by name printing: *v1.NodeList\n")
    show = struct_text if flags["output"] == "json" else printer(flags["output"], template=flags["template"],
                                                                  allow_missing=flags["allow-missing-template-keys"])
    extension = EXTENSIONS.get(flags["output"], ".txt")
    _put(call, f"nodes{extension}", show(_list(call, "nodes", "")))
    if flags["all-namespaces"]:
        namespaces = [one["metadata"]["name"] for one in call.request("list", "namespaces")["items"]]
    else:
        namespaces = flags["namespaces"] or ["kube-system", call.namespace]
    for namespace in namespaces:
        for plural, name in KINDS:
            _put(call, f"{namespace}/{name}{extension}", show(_list(call, plural, namespace)))
        for pod in call.request("list", "pods", "", namespace)["items"]:
            members = ("initContainers", "containers")
            texts = [_log(call, pod, one["name"]) for member in members for one in pod["spec"].get(member) or ()]
            _put(call, f"{namespace}/{pod['metadata']['name']}/logs.txt", "".join(texts))
    if _directory(call):
        call.terminal.out(f"Cluster info dumped to {flags['output-directory']}\n")


def _directory(call: Call) -> str:
    """Where the files go; "" for the screen."""
    wanted = call.flags["output-directory"] or ""
    return "" if wanted == "-" else wanted


def _put(call: Call, name: str, text: str) -> None:
    directory = _directory(call)
    if not directory:
        call.terminal.out(text)
    elif call.terminal.save is None:
        raise KubectlError(f"error: open {directory}/{name}: no such file or directory\n")
    else:
        call.terminal.save(f"{directory}/{name}", text)


def _list(call: Call, plural: str, namespace: str) -> Any:
    """A kind's list as the typed client has it: its items do not say what they are."""
    resource = BY_PLURAL[plural]
    found = call.request("list", plural, "", namespace)
    items = [{key: value for key, value in one.items() if key not in ("apiVersion", "kind")} for one in found["items"]]
    if not call.flags["show-managed-fields"]:
        items = [{**one, "metadata": {key: value for key, value in one["metadata"].items() if key != "managedFields"}} for one in items]
    return {"apiVersion": resource.api_version, "items": items, "kind": f"{resource.kind}List",
            "metadata": {"resourceVersion": str(call.terminal.api.cluster.etcd.revision)}}


def _log(call: Call, pod: Any, container: str) -> str:
    metadata = pod["metadata"]
    about = f"logs for container {container} of pod {metadata['namespace']}/{metadata['name']} ====\n"
    try:
        node = pod["spec"].get("nodeName")
        lines = call.terminal.api.cluster.kubelet(node).logs(metadata["uid"], container) if node else []
        text = "".join(line.text + ("" if line.partial else "\n") for line in lines)
    except ApiError as error:
        text = f"Request log error: {error.message}\n"
    return f"==== START {about}{text}==== END {about}"
