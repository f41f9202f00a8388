"""A deterministic Kubernetes 1.36 in plain Python: a cluster is a pure function of its seed and journal.

Nothing here imports Django, asyncio, threads, the wall clock or ambient randomness.
"""
