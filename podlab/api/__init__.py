"""The Kubernetes REST API over HTTP, for clients that nobody here wrote: kubectl, k9s, Lens, client libraries."""
