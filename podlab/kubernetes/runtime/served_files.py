"""Files as web servers give them out: which one a path means, and its type."""

from __future__ import annotations

from .process import Errno
from .system import Sys

TYPES = {
    "html": "text/html",
    "htm": "text/html",
    "css": "text/css",
    "js": "application/javascript",
    "json": "application/json",
    "txt": "text/plain",
    "xml": "text/xml",
    "svg": "image/svg+xml",
    "png": "image/png",
    "jpg": "image/jpeg",
    "ico": "image/x-icon",
    "yaml": "text/plain",
    "md": "text/plain",
}


def find_file(sys: Sys, path: str, index: tuple[str, ...] | list[str] = ()) -> tuple[str, str]:
    """("file", its path), ("directory", path) for one without an index file, or ("missing" | "forbidden", path)."""
    try:
        found = sys.look(path)
    except Errno as error:
        return ("forbidden" if error.name == "EACCES" else "missing"), path
    if not found.is_dir:
        return "file", path
    for name in index:
        candidate = f"{path.rstrip('/')}/{name}"
        if sys.find(candidate) is not None:
            return "file", candidate
    return "directory", path


def mime_type(path: str, default: str = "application/octet-stream") -> str:
    return TYPES.get(path.rpartition(".")[2], default)
