"""The shell: importing it registers /bin/sh."""

from . import start

__all__ = ["start"]
