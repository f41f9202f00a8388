"""Which Kubernetes this is."""

KUBERNETES_VERSION = "v1.36.2"
