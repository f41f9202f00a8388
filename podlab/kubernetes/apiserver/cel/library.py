"""The functions and methods of expressions: of text and lists, quantities, addresses and optional values.

Sources: cel-go's ext/strings.go; apiserver/pkg/cel/library: lists.go, quantity.go, cidr.go, ip.go.
"""

from __future__ import annotations

import ipaddress
import itertools
import json
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from ... import quantity
from ...runtime import linear
from .values import STEPS_MAX, TOO_MUCH, Amount, Authorizer, CelError, Decision, Json, Maybe


def equal(a: Json, b: Json) -> bool:
    return bool(a == b) and (isinstance(a, bool) == isinstance(b, bool))


def _matches(text: str, pattern: str) -> bool:
    return linear.compiled(pattern, re.ASCII).search(text) is not None


def _replaced(text: str, old: str, new: str) -> str:
    """Refused before it is made: a text of some thousand letters can grow to gigabytes."""
    if len(text) + text.count(old) * len(new) > STEPS_MAX:
        raise CelError(TOO_MUCH)
    return text.replace(old, new)


def _joined(items: list[Json], by: str = "") -> str:
    if sum(map(len, items)) + len(items) * len(by) > STEPS_MAX:
        raise CelError(TOO_MUCH)
    return by.join(items)


OF_TEXT: dict[str, Callable[..., Json]] = {
    "startsWith": str.startswith, "endsWith": str.endswith, "contains": lambda text, part: part in text, "matches": _matches,
    "lowerAscii": str.lower, "upperAscii": str.upper, "trim": str.strip, "split": lambda text, by, limit=-1: text.split(by, limit - 1
                                                                                                                     if limit > 0 else -1),
    "replace": _replaced, "indexOf": str.find, "lastIndexOf": str.rfind,
    "substring": lambda text, start, end=None: text[start:end], "charAt": lambda text, at: text[at:at + 1],
}
OF_LISTS: dict[str, Callable[..., Json]] = {
    "join": _joined, "isSorted": lambda items: all(a <= b for a, b in itertools.pairwise(items)),
    "sum": sum, "min": min, "max": max, "indexOf": lambda items, one: items.index(one) if one in items else -1,
}


def written(found: Json) -> str:
    """string(): what a value is as text."""
    return found if isinstance(found, str) else str(found) if isinstance(found, (*NETWORKS, *ADDRESSES)) else json.dumps(found)


def _formatted(text: str, values: list[Json]) -> str:
    """'%s of %d'.format([a, b]) (cel-go's strings extension): %s and %d only."""
    left, room = iter(values), STEPS_MAX - len(text)

    def said(found: re.Match[str]) -> str:
        nonlocal room
        shown = "%" if found[1] == "%" else written(next(left))
        room -= len(shown)
        if room < 0:
            raise CelError(TOO_MUCH)
        return shown

    try:
        return re.sub(r"%([sd%])", said, text)
    except StopIteration:
        raise CelError("index out of bounds") from None


def of_maybe(name: str, held: Maybe, *given: Json) -> Json:
    if name == "hasValue":
        return held.there
    if name == "orValue" and len(given) == 1:
        return held.held if held.there else given[0]
    if name == "or" and len(given) == 1:
        return held if held.there else given[0]
    if name == "value" and held.there:
        return held.held
    raise CelError("optional.none() dereference" if name == "value" else "no such overload")


NARROWED = ("path", "group", "resource", "subresource", "namespace", "name")


def of_authorizer(name: str, held: Authorizer, *given: Json) -> Json:
    if name in NARROWED and len(given) == 1:
        return replace(held, wanted=(*held.wanted, (name, given[0])))
    if name == "serviceAccount" and len(given) == 2:
        return replace(held, user=f"system:serviceaccount:{given[0]}:{given[1]}")
    if name == "check" and len(given) == 1:
        said = held.ask(held.user, {**dict(held.wanted), "verb": given[0]})
        return Decision(bool(said["allowed"]), str(said.get("reason") or ""))
    raise CelError("no such overload")


OF_DECISIONS: dict[str, Callable[[Decision], Json]] = {
    "allowed": lambda held: held.allowed, "reason": lambda held: held.reason, "errored": lambda held: False, "error": lambda held: "",
}


def _amount(text: Json) -> Amount:
    try:
        return Amount(quantity.parse(text))
    except quantity.QuantityError as error:
        raise CelError(str(error)) from None


def _held(read: Callable[[Json], Json], text: Json) -> bool:
    try:
        read(text)
    except (CelError, ValueError):
        return False
    return True


def _cidr(text: Json) -> Any:
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        raise CelError(f"network address parse error during conversion from string: {text}") from None


def _ip(text: Json) -> Any:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        raise CelError(f"IP Address {written(text)!r} parse error during conversion from string") from None


def _within(network: Any, other: Json) -> bool:
    inner = _cidr(other) if isinstance(other, str) else other
    return bool(inner.version == network.version and inner.subnet_of(network))


def _inside(network: Any, address: Json) -> bool:
    return (_ip(address) if isinstance(address, str) else address) in network


NETWORKS = (ipaddress.IPv4Network, ipaddress.IPv6Network)
ADDRESSES = (ipaddress.IPv4Address, ipaddress.IPv6Address)
OF_TEXT["format"] = _formatted
MADE: dict[str, Callable[[Json], Json]] = {
    "quantity": _amount, "isQuantity": lambda text: _held(_amount, text), "ip": _ip, "isIP": lambda text: _held(_ip, text), "cidr": _cidr,
    "isCIDR": lambda text: _held(_cidr, text),
}
OF_AMOUNTS: dict[str, Callable[..., Json]] = {
    "isLessThan": lambda a, b: a < b, "isGreaterThan": lambda a, b: a > b, "compareTo": lambda a, b: (a > b) - (a < b),
    "isInteger": lambda a: a.denominator == 1, "asInteger": int, "add": lambda a, b: Amount(a + b), "sub": lambda a, b: Amount(a - b),
    "sign": lambda a: (a > 0) - (a < 0),
}
OF_ADDRESSES: dict[str, Callable[..., Json]] = {
    "family": lambda one: one.version, "containsIP": _inside, "containsCIDR": _within, "prefixLength": lambda one: one.prefixlen,
    "ip": lambda one: one.network_address,
}
