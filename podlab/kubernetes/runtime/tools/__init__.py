"""The tools of busybox: importing this registers them all."""

from . import basics

__all__ = ["basics"]
