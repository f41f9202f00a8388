"""PodLab: learn Kubernetes Pods on a cluster of your own."""
