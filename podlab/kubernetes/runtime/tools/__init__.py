"""The tools of busybox: importing this registers them all."""

from . import archive, awk, basics, compress, dump, ends, expr, files, find, ipc, listing, machine, processes, search, sed, text

__all__ = [
    "archive",
    "awk",
    "basics",
    "compress",
    "dump",
    "ends",
    "expr",
    "files",
    "find",
    "ipc",
    "listing",
    "machine",
    "processes",
    "search",
    "sed",
    "text",
]
