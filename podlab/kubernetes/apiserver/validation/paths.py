"""Paths inside volumes, and file modes (pkg/apis/core/validation/validation.go)."""

from __future__ import annotations

from ..errors import FieldError
from . import words
from .metadata import Errors


def descending_path(target: str, path: str, errors: Errors) -> None:
    """validateLocalDescendingPath: relative, and without `..`."""
    if target.startswith("/"):
        errors.append(FieldError.invalid(path, target, "must be a relative path"))
    no_backsteps(target, path, errors)


def no_backsteps(target: str, path: str, errors: Errors) -> None:
    if ".." in target.split("/"):
        errors.append(FieldError.invalid(path, target, "must not contain '..'"))


def unreserved_path(target: str, path: str, errors: Errors) -> None:
    """ValidateLocalNonReservedPath."""
    descending_path(target, path, errors)
    if target.startswith("..") and not target.startswith("../"):
        errors.append(FieldError.invalid(path, target, "must not start with '..'"))


def file_mode(mode: int | None, path: str, errors: Errors) -> None:
    if mode is not None and not 0 <= mode <= 0o777:
        errors.append(FieldError.invalid(path, mode, words.FILE_MODE))
