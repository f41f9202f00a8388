"""Learners, their clusters, and the live page: the rows that are stored and the door from the web to a cluster."""
