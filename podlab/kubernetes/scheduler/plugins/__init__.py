"""Scheduler plugins, one family a file, named as Kubernetes names them."""
