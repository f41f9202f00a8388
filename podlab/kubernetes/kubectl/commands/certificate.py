"""kubectl certificate approve|deny (S/kubectl/pkg/cmd/certificates), and plugin list."""

from __future__ import annotations

from typing import Any

from ...objects import thaw
from ...resources import BY_PLURAL
from ...times import rfc3339
from ..builder import FILES, Info, select
from ..flags import Flag
from ..terminal import Command, KubectlError
from ..verbs import PRINTING, Call, fail_with, verb

REQUESTS = BY_PLURAL["certificatesigningrequests"]
OTHER = {"Approved": "Denied", "Denied": "Approved"}


@verb("certificate approve", *FILES, *PRINTING, Flag("force", "bool"), summary="Approve a certificate signing request",
      usage="certificate approve (-f FILENAME | NAME)")
def approve(call: Call) -> Command:
    return (yield from _judge(call, "Approved", "approved"))


@verb("certificate deny", *FILES, *PRINTING, Flag("force", "bool"), summary="Deny a certificate signing request",
      usage="certificate deny (-f FILENAME | NAME)")
def deny(call: Call) -> Command:
    return (yield from _judge(call, "Denied", "denied"))


def _judge(call: Call, kind: str, word: str) -> Command:
    if not call.arguments and not call.flags["filename"] and not call.flags["kustomize"]:
        raise KubectlError("error: one or more CSRs must be specified as <name> or -f <filename>\n")
    infos: list[Info] = []
    if call.arguments:
        infos = [Info(REQUESTS, "", name, {}) for name in call.arguments]
    else:
        infos, wrong = yield from select(call)
        fail_with(wrong)
    for info in infos:
        held: Any = thaw(call.request("get", REQUESTS, info.name))
        conditions = held.setdefault("status", {}).setdefault("conditions", [])
        if any(one["type"] == OTHER[kind] for one in conditions):
            raise KubectlError(f"error: certificate signing request \"{info.name}\" is already {OTHER[kind]}\n")
        if not any(one["type"] == kind for one in conditions):
            conditions.append({"type": kind, "status": "True", "reason": f"Kubectl{'Approve' if kind == 'Approved' else 'Deny'}",
                               "message": f"This CSR was {word} by kubectl certificate {call.name.split()[-1]}.",
                               "lastUpdateTime": rfc3339(call.now), "lastTransitionTime": rfc3339(call.now)})
            held = call.request("update", REQUESTS, info.name, "", held, "approval")
        call.show(REQUESTS, held, word)
    return 0


@verb("plugin list", Flag("name-only", "bool"), summary="List all visible plugin executables on a user's PATH", usage="plugin list")
def plugins(call: Call) -> None:
    raise KubectlError("error: unable to find any kubectl plugins in your PATH\n")
