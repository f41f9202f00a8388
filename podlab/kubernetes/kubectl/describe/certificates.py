"""CertificateSigningRequests: who asks for what, read out of the request itself."""

from __future__ import annotations

import base64
from collections.abc import Sequence

from ... import times
from ...apiserver import certificate_requests
from ...apiserver.tables.configuration import certificate_signing_request_cells
from ...apiserver.tables.texts import format_labels, rfc1123z
from ...objects import Map
from ...runtime.x509 import BadCertificate
from .events import Reader, describe_events, events_of
from .writer import Page

SUBJECT = {"O": "Organization", "OU": "Organizational Unit", "C": "Country", "L": "Locality", "ST": "Province"}


def describe_certificatesigningrequest(page: Page, client: Reader, obj: Map, show_events: bool) -> None:
    """describeCertificateSigningRequest; kubectl ends with an error where the request cannot be read, here its subject is left out."""
    metadata, spec = obj["metadata"], obj["spec"]
    page.field("Name", metadata["name"])
    page.field("Labels", format_labels(metadata.get("labels")))
    page.field("Annotations", format_labels(metadata.get("annotations")))
    page.field("CreationTimestamp", rfc1123z(metadata["creationTimestamp"]))
    page.field("Requesting User", spec.get("username", ""))
    page.field("Signer", spec["signerName"])
    if (seconds := spec.get("expirationSeconds")) is not None:
        page.field("Requested Duration", times.human_duration(seconds * 1000))
    page.field("Status", certificate_signing_request_cells(obj, page.now)[-1])
    try:
        request = certificate_requests.read(base64.b64decode(spec["request"]).decode("ascii", "replace"))
        subject, names = certificate_requests.subject_of(request), certificate_requests.alternatives_of(request)
    except (BadCertificate, IndexError, ValueError):
        return
    page.line(0, "Subject:")
    page.line(0, f"\tCommon Name:\t{next((value for kind, value in reversed(subject) if kind == 'CN'), '')}")
    page.line(0, "\tSerial Number:\t")
    for kind, title in SUBJECT.items():
        _listed(page, title, [value for held, value in subject if held == kind])
    if any(names.values()):
        page.line(0, "Subject Alternative Names:")
        for title, values in names.items():
            _listed(page, title, values)
    if show_events:
        describe_events(page, events_of(client, obj, "CertificateSigningRequest"))


def _listed(page: Page, title: str, values: Sequence[str]) -> None:
    if values:
        page.line(0, f"\t{title}:\t" + "\n\t\t".join(values))
