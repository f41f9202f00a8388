"""kubectl create KIND: Services and Ingresses (S/kubectl/pkg/cmd/create)."""

from __future__ import annotations

import re

from ...apiserver.validation.words import bad_port_name
from ..flags import Flag
from ..terminal import KubectlError
from ..verbs import Call, verb
from .create import MAKING, Json, make, named, required, skeleton

# ---- services

PORT_MAX = 65535
SUBDOMAIN = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*"


def _ports(call: Call, node_port: int = 0) -> list[Json]:
    ports: list[Json] = []
    for text in call.flags["tcp"]:
        left, colon, right = text.partition(":")
        if not left.isdigit():
            raise KubectlError(f'error: strconv.ParseUint: parsing "{left}": invalid syntax\n')
        if not 0 <= int(left) <= PORT_MAX:
            raise KubectlError(f'error: strconv.ParseUint: parsing "{left}": value out of range\n')
        target: int | str = int(right) if right.isdigit() else right if colon else int(left)
        if isinstance(target, int) and colon and not 0 < target <= PORT_MAX:
            raise KubectlError("error: must be between 1 and 65535, inclusive\n")
        if isinstance(target, str) and (wrong := bad_port_name(target)):
            raise KubectlError(f"error: {','.join(wrong)}\n")
        port: Json = {"name": text.replace(":", "-"), "port": int(left), "protocol": "TCP", "targetPort": target}
        if node_port:
            port["nodePort"] = node_port
        ports.append(port)
    return ports


def _service(call: Call, kind: str, *, node_port: int = 0) -> None:
    name = named(call)
    ports = _ports(call, node_port)
    if not ports and not (kind == "ExternalName" or call.flags.get("clusterip") == "None"):
        raise KubectlError("error: at least one tcp port specifier must be provided\n")
    spec: Json = {"selector": {"app": name}, "type": kind}
    if ports:
        spec["ports"] = ports
    if call.flags.get("clusterip"):
        spec["clusterIP"] = call.flags["clusterip"]
    if kind == "ExternalName":
        if not re.fullmatch(SUBDOMAIN, call.flags["external-name"]):
            raise KubectlError(f"error: invalid service external name {call.flags['external-name']}\n")
        spec["externalName"] = call.flags["external-name"]
    obj = skeleton("services", name, spec=spec, status={"loadBalancer": {}})
    obj["metadata"]["labels"] = {"app": name}
    make(call, "services", obj)


TCP = Flag("tcp", "list")


@verb("create service clusterip", *MAKING, TCP, Flag("clusterip"), summary="Create a ClusterIP service",
      usage="create service clusterip NAME [--tcp=<port>:<targetPort>] [--dry-run=server|client|none]")
def clusterip(call: Call) -> None:
    _service(call, "ClusterIP")


@verb("create service nodeport", *MAKING, TCP, Flag("node-port", "int", default=0), summary="Create a NodePort service",
      usage="create service nodeport NAME [--tcp=port:targetPort] [--dry-run=server|client|none]")
def nodeport(call: Call) -> None:
    _service(call, "NodePort", node_port=call.flags["node-port"])


@verb("create service loadbalancer", *MAKING, TCP, summary="Create a LoadBalancer service",
      usage="create service loadbalancer NAME [--tcp=port:targetPort] [--dry-run=server|client|none]")
def loadbalancer(call: Call) -> None:
    _service(call, "LoadBalancer")


@verb("create service externalname", *MAKING, TCP, Flag("external-name"), summary="Create an ExternalName service",
      usage="create service externalname NAME --external-name external.name [--dry-run=server|client|none]")
def externalname(call: Call) -> None:
    required(call, "external-name")
    _service(call, "ExternalName")


# ---- ingress


BACKEND = re.compile(r"[-a-z0-9]+:[-a-z0-9]+")
RULE = re.compile(r"(?P<host>[^/=]*)(?P<path>/[^=]*)=(?P<service>[^:,]+):(?P<port>[^,]+)(?P<tls>,tls(=(?P<secret>[^,]+))?)?")


def _backend(service: str, port: str) -> Json:
    return {"service": {"name": service, "port": {"number": int(port)} if port.isdigit() else {"name": port}}}


@verb("create ingress", *MAKING, Flag("rule", "array"), Flag("class"), Flag("default-backend"), Flag("annotation", "array"),
      aliases="ing",
      summary="Create an ingress with the specified name", usage="create ingress NAME "
      "--rule=host/path=service:port[,tls[=secret]]")
def ingress(call: Call) -> None:
    name, flags = named(call), call.flags
    if not flags["default-backend"] and not flags["rule"]:
        raise KubectlError("error: not enough information provided: every ingress has to either specify a default-backend "
                           "(which catches all traffic) or a "
                           "list of rules (which catch specific paths)\n")
    for text in flags["annotation"]:
        if "=" not in text or text.startswith("="):
            raise KubectlError(f"error: annotation {text} is invalid and should be in format key=[value]\n")
    spec: Json = {}
    if flags["class"]:
        spec["ingressClassName"] = flags["class"]
    if flags["default-backend"]:
        if not BACKEND.fullmatch(flags["default-backend"]):
            raise KubectlError("error: default-backend should be in format servicename:serviceport\n")
        spec["defaultBackend"] = _backend(*flags["default-backend"].split(":"))
    hosts: dict[str, list[Json]] = {}
    tls: list[Json] = []
    for text in flags["rule"]:
        match = RULE.fullmatch(text)
        if match is None:
            raise KubectlError(f"error: rule {text} is invalid and should be in format "
                               f"host/path=svcname:svcport[,tls[=secret]]\n")
        path, kind = (match["path"][:-1], "Prefix") if match["path"].endswith("*") else (match["path"], "Exact")
        hosts.setdefault(match["host"], []).append({"backend": _backend(match["service"], match["port"]), "path": path,
                                                    "pathType": kind})
        if match["tls"]:
            entry: Json = {"hosts": [match["host"]]} if match["host"] else {}
            if match["secret"]:
                entry["secretName"] = match["secret"]
            tls.append(entry)
    if hosts:
        spec["rules"] = [{**({"host": host} if host else {}), "http": {"paths": paths}} for host, paths in hosts.items()]
    if tls:
        spec["tls"] = tls
    obj = skeleton("ingresses", name, spec=spec, status={"loadBalancer": {}})
    if flags["annotation"]:
        obj["metadata"]["annotations"] = dict(pair.partition("=")[::2] for pair in flags["annotation"])
    make(call, "ingresses", obj)
