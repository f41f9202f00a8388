"""The image catalogue: importing this package fills it, one module a family."""

from . import (
    agnhost,
    busybox,
    databases,
    dex,
    e2e,
    elasticsearch,
    envoy,
    fluent_bit,
    fluentd,
    httpd,
    kiada,
    kiada_suite,
    kubectl,
    languages,
    legacy,
    linkerd,
    loki,
    mongo,
    nginx,
    oauth2_proxy,
    orders,
    podlab,
    redis,
    samples,
    shop,
    stand_ins,
    tooling,
    vector,
    zookeeper,
)

__all__ = [
    "agnhost", "busybox", "databases", "dex", "e2e", "elasticsearch", "envoy", "fluent_bit", "fluentd", "httpd", "kiada", "kiada_suite", "kubectl",
    "languages", "legacy", "linkerd", "loki", "mongo", "nginx", "oauth2_proxy", "orders", "podlab", "redis", "samples", "shop", "stand_ins",
    "tooling", "vector", "zookeeper",
]  # fmt: skip
