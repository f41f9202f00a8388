"""Small texts that tables and descriptions share: ages, labels, selectors, roles, access modes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from ... import times

Obj = Mapping[str, Any]

# pkg/apis/core/v1/helper/helpers.go, GetAccessModesAsString: this order, whatever the object's
ACCESS_MODES = (("ReadWriteOnce", "RWO"), ("ReadOnlyMany", "ROX"), ("ReadWriteMany", "RWX"), ("ReadWriteOncePod", "RWOP"))
NODE_ROLE_PREFIX = "node-role.kubernetes.io/"
STORAGE_CLASS_ANNOTATION = "volume.beta.kubernetes.io/storage-class"
DEFAULT_CLASS_ANNOTATIONS = ("storageclass.kubernetes.io/is-default-class", "storageclass.beta.kubernetes.io/is-default-class")


@lru_cache(maxsize=8192)
def moment(timestamp: str) -> int:
    """Virtual milliseconds of an RFC 3339 time."""
    return times.parse_rfc3339(timestamp)


def since(timestamp: str | None, now: int) -> str:
    """The age of a timestamp, `<unknown>` for none (translateTimestampSince)."""
    return times.human_duration(now - moment(timestamp)) if timestamp else "<unknown>"


def age(obj: Obj, now: int) -> str:
    """The age of an object."""
    return since(obj["metadata"].get("creationTimestamp"), now)


@lru_cache(maxsize=4096)
def rfc1123z(timestamp: str | None) -> str:
    """`Sat, 21 Nov 2026 01:01:16 +0000`, English whatever the locale; Go's zero time for none."""
    if not timestamp:
        return "Mon, 01 Jan 0001 00:00:00 +0000"
    at = datetime.fromtimestamp(moment(timestamp) // 1000, UTC)
    day = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")[at.weekday()]
    month = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")[at.month - 1]
    return f"{day}, {at.day:02d} {month} {at.year} {at.hour:02d}:{at.minute:02d}:{at.second:02d} +0000"


def format_labels(labels: Mapping[str, Any] | None) -> str:
    """`a=1,b=2`, or `<none>` (labels.FormatLabels)."""
    return ",".join(f"{key}={value}" for key, value in sorted((labels or {}).items())) or "<none>"


def selector_string(selector: Obj | None) -> str:
    """A metav1.LabelSelector as kubectl's -l would take it, requirements sorted by key; "" for none or an empty one."""
    terms: list[tuple[str, str]] = [(key, f"{key}={value}") for key, value in ((selector or {}).get("matchLabels") or {}).items()]
    for expression in (selector or {}).get("matchExpressions") or ():
        key, values = expression["key"], ",".join(sorted(expression.get("values") or ()))
        terms.append((key, {"In": f"{key} in ({values})", "NotIn": f"{key} notin ({values})", "Exists": key,
                            "DoesNotExist": f"!{key}"}[expression["operator"]]))
    return ",".join(text for _, text in sorted(terms, key=lambda term: term[0]))


def format_selector(selector: Obj | None) -> str:
    """selector_string, or `<none>` (metav1.FormatLabelSelector)."""
    return selector_string(selector) or "<none>"


def node_roles(node: Obj) -> list[str]:
    """A node's roles from its labels, sorted (findNodeRoles)."""
    roles = set()
    for key, value in (node["metadata"].get("labels") or {}).items():
        if key.startswith(NODE_ROLE_PREFIX) and len(key) > len(NODE_ROLE_PREFIX):
            roles.add(key[len(NODE_ROLE_PREFIX):])
        elif key == "kubernetes.io/role" and value:
            roles.add(value)
    return sorted(roles)


def access_modes(modes: Iterable[str] | None) -> str:
    """`RWO,RWX`."""
    held = tuple(modes or ())
    return ",".join(short for mode, short in ACCESS_MODES if mode in held)


def storage_class(obj: Obj) -> str:
    """The class of a PersistentVolume or claim: the old annotation first, then the field (GetPersistentVolumeClaimClass)."""
    annotations = obj["metadata"].get("annotations") or {}
    return str(annotations.get(STORAGE_CLASS_ANNOTATION) or (obj.get("spec") or {}).get("storageClassName") or "")


def is_default_class(storage: Obj) -> bool:
    annotations = storage["metadata"].get("annotations") or {}
    return any(annotations.get(key) == "true" for key in DEFAULT_CLASS_ANNOTATIONS)


def controller_of(obj: Obj) -> Obj | None:
    """The owner reference marked as the controller."""
    return next((ref for ref in obj["metadata"].get("ownerReferences") or () if ref.get("controller")), None)


def print_bool(value: bool | None) -> str:
    """`True`, `False`, `<unset>` (printBoolPtr)."""
    return "<unset>" if value is None else "True" if value else "False"


def condition(obj: Obj, type_: str) -> Obj | None:
    """The status condition of a type."""
    return next((c for c in (obj.get("status") or {}).get("conditions") or () if c["type"] == type_), None)


def is_true(obj: Obj, type_: str) -> bool:
    """Whether the first condition of a type is True."""
    found = condition(obj, type_)
    return found is not None and found.get("status") == "True"


def join_host_port(host: str, port: Any) -> str:
    """`10.0.0.1:80`, `[::1]:80` (net.JoinHostPort)."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def load_balancer_addresses(obj: Obj) -> str:
    """Addresses in status.loadBalancer, sorted, commas between (loadBalancerStatusStringer, wide)."""
    ingress = ((obj.get("status") or {}).get("loadBalancer") or {}).get("ingress") or ()
    return ",".join(sorted({i.get("ip") or i.get("hostname") or "" for i in ingress} - {""}))


def with_more(items: list[str], count: int, shown: int) -> str:
    """`a,b,c + 2 more...`: the first `shown` of `count` items."""
    return ",".join(items) + (f" + {count - shown} more..." if count > shown else "")
