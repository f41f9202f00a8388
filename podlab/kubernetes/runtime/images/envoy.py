"""envoyproxy/envoy: a proxy that is told everything by its configuration file (envoy_config.py says which parts of it are read).

Source: envoyproxy.io/docs (v1.3x): command line options, static configuration, the docker image's entry point.
"""

from __future__ import annotations

import hashlib
from typing import Any

from .. import sockets, x509
from ..image import Entry, Image, add
from ..process import HUP, INT, TERM, Data, Errno, Process
from ..program import MEBIBYTE, Event, Program, register
from ..system import Sys
from .base import PATH, base_tree
from .envoy_clusters import Clusters, endpoints, new_host
from .envoy_config import ConfigError, Reader, address, invalid
from .envoy_log import say
from .envoy_requests import Envoy
from .envoy_schema import DOWNSTREAM_TLS, HCM, ROUTER, TCP_PROXY, UPSTREAM_TLS

CONFIG = "/etc/envoy/envoy.yaml"
MEMORY = 24 * MEBIBYTE
PATCHES = {"1.14": 7, "1.15": 5, "1.16": 5, "1.17": 4, "1.30": 11, "1.31": 10, "1.32": 13, "1.33": 12, "1.34": 10, "1.35": 6}
"""The newest patch of each minor version here."""
TAGS = tuple(tag for minor, last in PATCHES.items() for tag in (f"v{minor}-latest", *(f"v{minor}.{patch}" for patch in range(last + 1))))
LATEST = "1.35.6"
V2_UNTIL, ROOT_UNTIL = 17, 14  # the last minor versions that read the v2 API, and whose image runs Envoy as root
FLAGS = ("--disable-hot-restart", "--allow-unknown-static-fields", "--reject-unknown-dynamic-fields", "--enable-mutex-tracing")
DEFAULT_YAML = """admin:
  address:
    socket_address:
      protocol: TCP
      address: 0.0.0.0
      port_value: 9901
static_resources: {}
"""


def version(sys: Sys) -> str:
    """From the image's tag."""
    tag = str(sys.container["image"]).rpartition("/")[2].partition(":")[2].partition("@")[0].removeprefix("distroless-").removeprefix("v")
    minor = tag.removesuffix("-latest")
    return f"{minor}.{PATCHES[minor]}" if minor in PATCHES else minor or LATEST


def _minor(sys: Sys) -> int:
    """The minor version; of an image with versions of its own that builds on Envoy, a recent one."""
    major, _, rest = version(sys).partition(".")
    minor = rest.partition(".")[0]
    return int(minor) if f"{major}.{minor}" in PATCHES else V2_UNTIL + 1


def entrypoint(proc: Process, sys: Sys) -> int | None:
    """/docker-entrypoint.sh: puts `envoy` before options, and goes on as the user envoy (101) when it was root."""
    words = proc["argv"][1:]
    words = ["envoy", *words] if not words or words[0].startswith("-") else words
    if proc["uid"] == 0 and _minor(sys) > ROOT_UNTIL and words[0] == "envoy" and proc["env"].get("ENVOY_UID", "101") != "0":
        proc["uid"], proc["gid"], proc["groups"] = int(proc["env"].get("ENVOY_UID", "101")), 101, [101]
    try:
        sys.exec(words)
    except Errno as error:
        sys.err(f"/docker-entrypoint.sh: line 28: exec: {words[0]}: {'not found' if error.name == 'ENOENT' else error.text}\n")
    return 127


def run(proc: Process, sys: Sys, event: Event) -> int | None:
    if "listening" not in proc["data"]:
        code = _start(proc, sys)
        if code is not None:
            return code
    code = Envoy(proc, sys).run()
    _say_end(sys)
    return code


def _options(words: list[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    todo = list(words)
    short = {"-c": "--config-path", "-l": "--log-level"}
    while todo:
        word = todo.pop(0)
        name, equals, value = word.partition("=")
        name = short.get(name, name)
        if name in FLAGS or name in ("--version", "--help", "-h"):
            found[name] = "1"
        elif name.startswith("--"):
            found[name] = value if equals else (todo.pop(0) if todo else "")
        else:
            raise ConfigError(f"PARSE ERROR: Argument: {word}\n             Couldn't find match for argument")
    return found


def _start(proc: Process, sys: Sys) -> int | None:
    try:
        options = _options(proc["argv"][1:])
    except ConfigError as error:
        sys.err(f"{error}\n")
        return 1
    if "--version" in options:
        sys.out(f"\nenvoy  version: {_hash(sys)}/{version(sys)}/Clean/RELEASE/BoringSSL\n\n")
        return 0
    path = options.get("--config-path", "")
    say(sys, "info", "main", "initializing epoch 0 (base id=0, hot restart version=11.104)", "source/server/server.cc:430")
    data = proc["data"]
    try:
        reader = Reader(old=_minor(sys) <= V2_UNTIL)
        if not path and not options.get("--config-yaml"):
            raise ConfigError("At least one of --config-path or --config-yaml or Options::configProto() should be non-empty")
        text = _file(sys, path) if path else ""
        config = reader.read(text) if path else reader.read(options["--config-yaml"])
        if path and options.get("--config-yaml"):
            config = {**config, **reader.read(options["--config-yaml"])}
        data.update(config=config, path=path, version=version(sys), hash=_hash(sys), began=sys.now, stats={}, files={}, failing=False, tls={})
        data["clusters"], data["listeners"] = _clusters(sys, config), _listeners(config)
        _check_routes(data)
        _contexts(sys, data)
    except ConfigError as error:
        return _refuse(sys, path, str(error))
    for field in reader.unused:
        say(sys, "warning", "config", f"podlab: {field} is taken and has no effect in this simulation", "podlab")
    if options.get("--mode") == "validate":
        sys.out(f"configuration '{path}' OK\n")
        return 0
    admin = address(config.get("admin", {}).get("address", {}))
    if admin[1]:
        say(sys, "info", "admin", f"admin address: {admin[0]}:{admin[1]}", "source/server/admin/admin.cc:66")
    say(sys, "info", "config", f"loading {len(data['clusters'])} cluster(s)", "source/server/configuration_impl.cc:168")
    say(sys, "info", "config", f"loading {len(data['listeners'])} listener(s)", "source/server/configuration_impl.cc:172")
    listening: dict[str, int] = {}
    for key, (host, port) in {"admin": admin, **{key: address(one["address"]) for key, one in data["listeners"].items()}}.items():
        if (key == "admin" and not port) or not data["listeners"].get(key, {}).get("bind_to_port", True):
            continue
        try:
            listening[key] = sockets.listen(sys, port, host)
        except Errno as error:
            problem = f"cannot bind '{host}:{port}': {error.text}"
            return _refuse(sys, path, problem if key == "admin" else f"error adding listener '{host}:{port}': {problem}")
    data["listening"] = listening
    clusters = Clusters(proc, sys)
    for name in data["clusters"]:
        clusters.hosts(name)
    say(sys, "info", "upstream", "cm init: all clusters initialized", "source/common/upstream/cluster_manager_impl.cc:240")
    say(sys, "info", "main", "all clusters initialized. initializing init manager", "source/server/server.cc:1012")
    say(sys, "info", "config", "all dependencies initialized. starting workers", "source/common/listener_manager/listener_manager_impl.cc:944")
    say(sys, "info", "main", "starting main dispatch loop", "source/server/server.cc:1034")
    return None


def _hash(sys: Sys) -> str:
    return hashlib.sha1(version(sys).encode(), usedforsecurity=False).hexdigest()


def _refuse(sys: Sys, path: str, problem: str) -> int:
    say(sys, "critical", "main", f"error initializing configuration '{path}': {problem}", "source/server/server.cc:414")
    say(sys, "info", "main", "exiting", "source/server/server.cc:1091")
    sys.err(problem + "\n")
    return 1


def _file(sys: Sys, path: str) -> str:
    try:
        return sys.read_file(path)
    except Errno:
        raise ConfigError(f"unable to read file: {path}") from None


def _say_end(sys: Sys) -> None:
    say(sys, "info", "main", "main dispatch loop exited", "source/server/server.cc:1049")
    say(sys, "info", "main", "exiting", "source/server/server.cc:1091")


def on_signal(proc: Process, sys: Sys, n: int) -> bool:
    """TERM and INT end it at once; HUP is ignored."""
    if n in (TERM, INT):
        name = "ENVOY_SIGTERM" if n == TERM else "ENVOY_SIGINT"
        say(sys, "warning", "main", f"caught {name}", "source/server/server.cc:936")
        say(sys, "info", "main", "shutting down server instance", "source/server/server.cc:1080")
        _say_end(sys)
        sys.exit(0)
    return n == HUP


# ---- what the schema alone cannot tell


def _clusters(sys: Sys, config: Data) -> Data:
    found: Data = {}
    for one in config.get("static_resources", {}).get("clusters", []):
        name, kind = one["name"], one.get("type", "STATIC")
        if name in found:
            raise ConfigError(f"cluster manager: duplicate cluster '{name}'")
        if "connect_timeout" in one and one["connect_timeout"] <= 0:
            raise ConfigError(invalid("Cluster", "connect_timeout", "value must be greater than 0s"))
        if kind == "EDS":
            raise ConfigError("podlab: clusters of type EDS need a control plane, which is not part of this simulation")
        if one.get("lb_policy") in ("RING_HASH", "MAGLEV"):
            raise ConfigError(f"podlab: lb_policy {one['lb_policy']} is not part of this simulation of Envoy")
        if kind == "ORIGINAL_DST" and one.get("lb_policy", "ROUND_ROBIN") != "CLUSTER_PROVIDED":
            raise ConfigError(f"cluster: LB policy {one.get('lb_policy', 'ROUND_ROBIN')} is not valid for Cluster type ORIGINAL_DST. "
                              "Only 'CLUSTER_PROVIDED' is allowed with cluster type 'ORIGINAL_DST'")  # fmt: skip
        if kind == "LOGICAL_DNS" and len(endpoints(one)) != 1:
            raise ConfigError("LOGICAL_DNS clusters must have a single locality_lb_endpoint and a single lb_endpoint")
        hosts = {}
        for target, port, weight in endpoints(one):
            if kind == "STATIC":
                if not target.replace(".", "").isdigit():
                    raise ConfigError(f"malformed IP address: {target}. Consider setting resolver_name or setting cluster type to 'STRICT_DNS' or "
                                      "'LOGICAL_DNS'")  # fmt: skip
                hosts[f"{target}:{port}"] = new_host((target, port), "", sys.now, weight)
        found[name] = {"config": one, "hosts": hosts, "turn": 0, "resolved": -1 << 40, "began": sys.now}
        if one.get("health_checks"):
            found[name]["checks"] = {}
    return found


def _listeners(config: Data) -> Data:
    found: Data = {}
    for one in config.get("static_resources", {}).get("listeners", []):
        host, port = address(one.get("address", {}))
        key = f"{host}:{port}"
        one.setdefault("filter_chains", [one["default_filter_chain"]] if "default_filter_chain" in one else [])
        if not one["filter_chains"]:
            raise ConfigError(f"error adding listener '{key}': no filter chains specified")
        for chain in one["filter_chains"]:
            filters = chain.get("filters", [])
            if not filters:
                raise ConfigError(f"error adding listener '{key}': no network filters are configured")
            for number, network in enumerate(filters):
                kind, name = network.get("typed_config", {}).get("@type", ""), network.get("name", "")
                if kind not in (HCM, TCP_PROXY):
                    raise ConfigError(f"Didn't find a registered implementation for '{name}' with type URL: '{kind}'")
                if number < len(filters) - 1:
                    raise ConfigError(f"Error: terminal filter named {name} of type {name} must be the last filter in "
                                      "a network filter chain.")  # fmt: skip
            if filters[-1]["typed_config"]["@type"] == HCM:
                _check_filters(filters[-1]["typed_config"])
        found[key] = one
    return found


def _check_filters(manager: Data) -> None:
    filters = manager.get("http_filters", [])
    kinds = [one.get("typed_config", {}).get("@type", "") for one in filters]
    for number, (one, kind) in enumerate(zip(filters, kinds, strict=True)):
        name = one.get("name", "")
        if not kind:
            raise ConfigError(f"Didn't find a registered implementation for '{name}' with type URL: ''")
        if kind == ROUTER and number < len(filters) - 1:
            raise ConfigError(
                f"Error: terminal filter named {name} of type envoy.filters.http.router must be the last filter in a http filter chain."
            )
        if kind != ROUTER and number == len(filters) - 1:
            raise ConfigError(f"Error: non-terminal filter named {name} of type {name} is the last filter in a http filter chain.")
    if not filters:
        raise ConfigError("podlab: http_filters is empty, so nothing would route requests: add envoy.filters.http.router")
    if "route_config" not in manager:
        raise ConfigError(invalid("HttpConnectionManager", "route_specifier", "value is required"))


def _check_routes(data: Data) -> None:
    """Every cluster that a route or a TCP proxy names must exist; a domain may stand in one virtual host."""
    for listener in data["listeners"].values():
        for chain in listener["filter_chains"]:
            manager = chain["filters"][-1]["typed_config"]
            names = [manager["cluster"]] if manager["@type"] == TCP_PROXY and "cluster" in manager else []
            seen: dict[str, str] = {}
            for host in manager.get("route_config", {}).get("virtual_hosts", []):
                if not host.get("domains"):
                    raise ConfigError(invalid("VirtualHost", "domains", "value must contain at least 1 item(s)"))
                for domain in host["domains"]:
                    if domain in seen:
                        raise ConfigError(f"Only unique values for domains are permitted. Duplicate entry of domain {domain} in route "
                                          f"{manager['route_config'].get('name', '')}")  # fmt: skip
                    seen[domain] = host["name"]
                for route in host.get("routes", []):
                    if not any(kind in route for kind in ("route", "redirect", "direct_response")):
                        raise ConfigError(invalid("Route", "action", "value is required"))
                    action = route.get("route", {})
                    names += [action["cluster"]] if "cluster" in action else []
                    names += [one["name"] for one in action.get("weighted_clusters", {}).get("clusters", [])]
                    if "route" in route and "cluster" not in action and "weighted_clusters" not in action:
                        raise ConfigError(invalid("RouteAction", "cluster_specifier", "value is required"))
            for name in names:
                if name not in data["clusters"]:
                    raise ConfigError(f"route: unknown cluster '{name}'" if manager["@type"] == HCM else f"tcp_proxy: unknown cluster '{name}'")


# ---- TLS


def _contexts(sys: Sys, data: Data) -> None:
    """Reads the files of every transport socket: data["tls"] has {"0.0.0.0:8443#0" or "cluster orders": context}."""
    for key, listener in data["listeners"].items():
        for number, chain in enumerate(listener["filter_chains"]):
            config = chain.get("transport_socket", {}).get("typed_config")
            if config is not None and config["@type"] != DOWNSTREAM_TLS:
                raise ConfigError(f"podlab: transport socket {config['@type']} on a listener")
            if config is not None:
                data["tls"][f"{key}#{number}"] = _context(sys, config, server=True)
    for name, cluster in data["clusters"].items():
        config = cluster["config"].get("transport_socket", {}).get("typed_config")
        if config is not None and config["@type"] != UPSTREAM_TLS:
            raise ConfigError(f"podlab: transport socket {config['@type']} on a cluster")
        if config is not None:
            data["tls"][f"cluster {name}"] = _context(sys, config, server=False)


def _context(sys: Sys, config: Data, *, server: bool) -> Data:
    common = config.get("common_tls_context", {})
    certificates = common.get("tls_certificates", [])
    if server and not certificates:
        raise ConfigError("No TLS certificates found for server context")
    found: Data = {"sni": config.get("sni", ""), "require": bool(config.get("require_client_certificate"))}
    for one in certificates[:1]:
        chain, chain_name = _source(sys, one.get("certificate_chain", {}))
        key, key_name = _source(sys, one.get("private_key", {}))
        try:
            mine = x509.certificates(chain)
        except x509.BadCertificate:
            mine = ()
        if not mine:
            raise ConfigError(f"Failed to load certificate chain from {chain_name}")
        try:
            if x509.public_key(key) != mine[0].key:
                raise ConfigError(f"Failed to load private key from {key_name}, Cause: error:0b000074:X.509 certificate routines:OPENSSL_internal:"
                                  "KEY_VALUES_MISMATCH")  # fmt: skip
        except x509.BadCertificate:
            raise ConfigError(
                f"Failed to load private key from {key_name}, Cause: error:0900006e:PEM routines:OPENSSL_internal:NO_START_LINE"
            ) from None
        found["chain"] = chain
    validation = common.get("validation_context", {})
    if "trusted_ca" in validation:
        trust, name = _source(sys, validation["trusted_ca"])
        try:
            if not x509.certificates(trust):
                raise x509.BadCertificate
        except x509.BadCertificate:
            raise ConfigError(f"Failed to load trusted CA certificates from {name}") from None
        found["trust"] = trust
    if validation.get("match_typed_subject_alt_names"):
        if "trusted_ca" not in validation:
            raise ConfigError("SAN-based verification of peer certificates without trusted CA is insecure and not allowed")
        found["sans"] = [_san(one) for one in validation["match_typed_subject_alt_names"]]
    return found


def _san(one: Data) -> Data:
    matcher: dict[str, Any] = one.get("matcher", {})
    how = next((key for key in ("exact", "prefix", "suffix", "contains") if key in matcher), None)
    if how is None:
        raise ConfigError("podlab: a SubjectAltNameMatcher here has one of exact, prefix, suffix, contains")
    return {"type": one.get("san_type", "SAN_TYPE_UNSPECIFIED"), "how": how, "text": matcher[how]}


def _source(sys: Sys, source: Data) -> tuple[str, str]:
    """(text, how it is called) of a DataSource."""
    if "filename" in source:
        return _file(sys, source["filename"]), source["filename"]
    if "environment_variable" in source:
        return sys.proc["env"].get(source["environment_variable"], ""), source["environment_variable"]
    return source.get("inline_string", ""), "<inline>"


register(Program("docker-entrypoint-envoy", entrypoint))
register(Program("envoy", lambda proc, sys: run(proc, sys, None), run, on_signal, MEMORY))

FILES = {
    "usr": {"local": {"bin": {"envoy": Entry(program="envoy", size=83_000_000)}}},
    "etc": {"envoy": {"envoy.yaml": DEFAULT_YAML}},
    "docker-entrypoint.sh": Entry(program="docker-entrypoint-envoy", size=864),
}
ENTRY, COMMAND = ("/docker-entrypoint.sh",), ("envoy", "-c", CONFIG)
add(
    Image(
        "docker.io/envoyproxy/envoy",
        TAGS,
        base_tree("ubuntu", FILES, users={"envoy": 101}),
        71_400_332,
        ENTRY,
        COMMAND,
        {"PATH": PATH},
        ports=(10000,),
    )
)
_BARE = {
    "usr": {"local": {"bin": {"envoy": Entry(program="envoy", size=83_000_000)}}},
    "etc": {
        "envoy": {"envoy.yaml": DEFAULT_YAML},
        "passwd": "root:x:0:0:root:/root:/sbin/nologin\nnonroot:x:65532:65532:nonroot:/home/nonroot:/sbin/nologin\n",
    },
}
add(
    Image(
        "docker.io/envoyproxy/envoy", tuple(f"distroless-{tag}" for tag in TAGS), _BARE, 44_100_203, ("/usr/local/bin/envoy",), ("-c", CONFIG),
        {"PATH": PATH}, user="65532", ports=(10000,),
    )
)  # fmt: skip
