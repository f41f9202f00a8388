"""The tools of busybox: importing this registers them all."""

from . import awk, basics, files, machine, processes, sed, text

__all__ = ["awk", "basics", "files", "machine", "processes", "sed", "text"]
