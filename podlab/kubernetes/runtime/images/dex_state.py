"""What all of dex shares: its log, its storage, and whom it knows."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qsl

from ...times import stamp
from .. import http
from ..http import text_answer
from ..process import Data, Errno, Process
from ..system import Sys
from . import dex_config

KEPT = 60  # auth requests, codes and refresh tokens that are remembered, each kind; the oldest go first
HASH_US = 60_000  # CPU time of one bcrypt comparison at cost 10, order of magnitude


def log(sys: Sys, level: str, message: str, **facts: str) -> None:
    """A line of log/slog's text handler."""

    def quoted(value: str) -> str:
        return json.dumps(value, ensure_ascii=False) if not value or any(char in value for char in ' "=') else value

    told = "".join(f" {name}={quoted(value)}" for name, value in facts.items())
    sys.err(f"time={stamp(sys.now, '%Y-%m-%dT%H:%M:%S.')}{sys.now % 1000:03d}Z level={level} msg={quoted(message)}{told}\n")


def load(proc: Process, sys: Sys) -> None:
    """What a former life has left in the storage's file, the signing key among it."""
    path = proc["data"]["config"]["storage"]["file"]
    if path and sys.find(path) is not None:
        try:
            found = json.loads(sys.read_file(path))
        except (ValueError, RecursionError, Errno):
            return
        if isinstance(found, dict) and isinstance(found.get("key"), dict):
            proc["data"]["store"].update(found)


def save(proc: Process, sys: Sys) -> None:
    """To the storage's file, where there is one."""
    path = proc["data"]["config"]["storage"]["file"]
    if path:
        try:
            sys.write_file(path, json.dumps(proc["data"]["store"]))
        except Errno as error:
            log(sys, "ERROR", "failed to write to storage", err=error.text.lower())


def remember(proc: Process, sys: Sys, kind: str, entry: Data) -> str:
    """Stores an entry under a new unguessable name."""
    held: Data = proc["data"]["store"][kind]
    name = "".join("abcdefghijklmnopqrstuvwxyz234567"[sys.random(32)] for _ in range(25))
    held[name] = entry
    for old in list(held)[:-KEPT]:
        del held[old]
    save(proc, sys)
    return name


def json_answer(value: Any, status: int = 200, headers: list[tuple[str, str]] | None = None) -> http.Message:
    return text_answer(json.dumps(value, indent=2, ensure_ascii=False), status, "application/json", headers)


def form_of(request: http.Message) -> dict[str, str]:
    """The fields of a form that was sent."""
    wanted = request.method == "POST" and "urlencoded" in request.get("Content-Type").lower()
    return dict(parse_qsl(request.body, keep_blank_values=True)) if wanted else {}


def grants(config: Data) -> list[str]:
    """server.go: the password grant needs oauth2.passwordConnector; grantTypes, when given, restricts the rest."""
    all_of = ["authorization_code", "client_credentials", "refresh_token"]
    found = [one for one in all_of if one in config["grants"] or (not config["grants"] and one != "client_credentials")]
    return sorted([*found, "password"]) if config["password_connector"] and (not config["grants"] or "password" in config["grants"]) else found


def identity(proc: Process, sys: Sys, connector_id: str, login: str, password: str) -> Data | None:
    """Who has this name and password, by a connector."""
    config = proc["data"]["config"]
    connector = next((one for one in config["connectors"] if one["id"] == connector_id), None)
    if connector is not None and connector["type"] == "mockPassword":
        if (login, password) != (connector["username"], connector["password"]):
            return None
        return {"id": "0-385-28089-0", "username": "Kilgore Trout", "email": "kilgore@kilgore.trout", "groups": [], "connector": connector_id}
    if connector is None or connector["type"] != "local":
        return None
    user = next((one for one in config["passwords"] if one["email"].lower() == login.lower()), None)
    if user is None:
        return None
    sys.charge(HASH_US)
    found = dex_config.matches(user["hash"], password)
    if found is None:
        log(sys, "ERROR", "podlab cannot work out this bcrypt hash: use one that it knows", email=user["email"])
    return {"connector": connector_id, **{key: user[key] for key in ("id", "username", "email", "groups")}} if found else None
