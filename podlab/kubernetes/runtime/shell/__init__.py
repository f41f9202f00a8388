"""The shell: importing it registers /bin/sh."""

from . import machine

__all__ = ["machine"]
