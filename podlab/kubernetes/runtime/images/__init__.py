"""The image catalogue: importing this package fills it, one module a family."""

from . import (
    agnhost,
    busybox,
    databases,
    dex,
    elasticsearch,
    envoy,
    fluentd,
    httpd,
    languages,
    legacy,
    linkerd,
    nginx,
    oauth2_proxy,
    orders,
    podlab,
    redis,
    samples,
    stand_ins,
    tooling,
)

__all__ = [
    "agnhost", "busybox", "databases", "dex", "elasticsearch", "envoy", "fluentd", "httpd", "languages", "legacy", "linkerd", "nginx", "oauth2_proxy",
    "orders", "podlab", "redis", "samples", "stand_ins", "tooling",
]  # fmt: skip
