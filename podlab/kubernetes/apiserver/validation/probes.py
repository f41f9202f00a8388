"""Probes, lifecycle hooks and the ports that they name (pkg/apis/core/validation/validation.go)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..errors import FieldError
from . import words
from .metadata import Errors, complain, non_negative

Object = Mapping[str, Any]

ONE_HANDLER = "may not specify more than 1 handler type"


def validate_probes_and_hooks(container: Object, grace: int | None, path: str, errors: Errors) -> None:
    lifecycle = container.get("lifecycle") or {}
    for member in ("postStart", "preStop"):
        if lifecycle.get(member) is not None:
            _validate_handler(lifecycle[member], ("exec", "httpGet", "tcpSocket", "sleep"), grace,
                              f"{path}.lifecycle.{member}", errors)
    for member in ("livenessProbe", "readinessProbe", "startupProbe"):
        if (probe := container.get(member)) is not None:
            _validate_probe(probe, member, f"{path}.{member}", errors)


def _validate_probe(probe: Object, kind: str, path: str, errors: Errors) -> None:
    _validate_handler(probe, ("exec", "httpGet", "tcpSocket", "grpc"), None, path, errors)
    for member in ("initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold"):
        non_negative(errors, f"{path}.{member}", probe.get(member))
    grace = probe.get("terminationGracePeriodSeconds")
    if grace is not None and grace <= 0:
        errors.append(FieldError.invalid(f"{path}.terminationGracePeriodSeconds", grace, "must be greater than 0"))
    if kind == "readinessProbe":
        if grace is not None:
            errors.append(FieldError.invalid(f"{path}.terminationGracePeriodSeconds", grace,
                                             "must not be set for readinessProbes"))
    elif probe.get("successThreshold", 1) != 1:
        errors.append(FieldError.invalid(f"{path}.successThreshold", probe["successThreshold"], "must be 1"))


def _validate_handler(handler: Object, allowed: tuple[str, ...], grace: int | None, path: str, errors: Errors) -> None:
    found = 0
    for member in allowed:
        action = handler.get(member)
        if action is None:
            continue
        here = f"{path}.{member}"
        if found:
            errors.append(FieldError.forbidden(here, ONE_HANDLER))
            continue
        found += 1
        if member == "exec" and not action.get("command"):
            errors.append(FieldError.required(f"{here}.command"))
        elif member == "httpGet":
            if not action.get("path"):
                errors.append(FieldError.required(f"{here}.path"))
            validate_port_number_or_name(action.get("port", 0), f"{here}.port", errors)
            if action.get("scheme") not in ("HTTP", "HTTPS"):
                errors.append(FieldError.not_supported(f"{here}.scheme", action.get("scheme", ""), ["HTTP", "HTTPS"]))
            for header in action.get("httpHeaders") or ():
                complain(errors, f"{here}.httpHeaders", header.get("name", ""), words.bad_header(header.get("name", "")))
        elif member in ("tcpSocket", "grpc"):
            validate_port_number_or_name(action.get("port", 0), f"{here}.port", errors)
        elif member == "sleep" and grace is not None and not 0 <= action.get("seconds", 0) <= grace:
            errors.append(FieldError.invalid(here, action.get("seconds", 0),
                                             f"must be non-negative and less than terminationGracePeriodSeconds ({grace})"))
    if not found:
        errors.append(FieldError.required(path, "must specify a handler type"))


def validate_port_number_or_name(port: int | str, path: str, errors: Errors) -> None:
    """ValidatePortNumOrName."""
    complain(errors, path, port, words.bad_port_name(port) if isinstance(port, str) else words.bad_port(port))
