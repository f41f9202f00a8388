"""The image catalogue: importing this package fills it, one module a family."""

from . import busybox, nginx

__all__ = ["busybox", "nginx"]
