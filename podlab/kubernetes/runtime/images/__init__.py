"""The image catalogue: importing this package fills it, one module a family."""

from . import agnhost, busybox, databases, elasticsearch, fluentd, httpd, languages, nginx, podlab, redis, samples, stand_ins, tooling

__all__ = [
    "agnhost", "busybox", "databases", "elasticsearch", "fluentd", "httpd", "languages", "nginx", "podlab", "redis", "samples", "stand_ins",
    "tooling",
]  # fmt: skip
