"""Approved certificate signing requests get a certificate of the cluster's authority."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from cryptography.x509 import load_pem_x509_certificate

from podlab.kubernetes.apiserver import certificate_requests
from podlab.kubernetes.kubectl.run import run_to_end
from podlab.kubernetes.runtime import x509
from tests.kubernetes.runtime.lab import Lab

CLIENT = "kubernetes.io/kube-apiserver-client"
# openssl req -new, a key on P-256: O=dev, CN=jane, and the names jane.example.com and 10.0.34.2
REQUEST = """\
-----BEGIN CERTIFICATE REQUEST-----
MIIBDDCBswIBADAdMQwwCgYDVQQKDANkZXYxDTALBgNVBAMMBGphbmUwWTATBgcq
hkjOPQIBBggqhkjOPQMBBwNCAAS2jegzfiJ/mevuNncXUHTLJE0ZWRtNwtANMQea
oUPp2l1E6TRMg750wJRWD7appJT2mK04+j/q1lkaUGh2dIzQoDQwMgYJKoZIhvcN
AQkOMSUwIzAhBgNVHREEGjAYghBqYW5lLmV4YW1wbGUuY29thwQKACICMAoGCCqG
SM49BAMCA0gAMEUCIQD1wXKTW72Zkg0htfAgk4Z+m8Cx72FWd0A9AvrRSm4XugIg
MF9beF22YqLtkp+uhCWp7KKfjISme/+hxBn7455Otr0=
-----END CERTIFICATE REQUEST-----
"""


def asked(usages: list[str], signer: str, approved: bool = True) -> tuple[Lab, dict[str, Any]]:
    """The request's status a second after its approval."""
    lab = Lab(1)
    spec = {"request": base64.b64encode(REQUEST.encode()).decode(), "signerName": signer, "usages": usages, "expirationSeconds": 86_400}
    body = {"apiVersion": "certificates.k8s.io/v1", "kind": "CertificateSigningRequest", "metadata": {"name": "jane"}, "spec": spec}
    lab.create("certificatesigningrequests", body, None)
    if approved:
        held = lab.cluster.etcd.get("certificatesigningrequests", "jane")
        assert held is not None
        told = {**held, "status": {"conditions": [{"type": "Approved", "status": "True", "reason": "Test", "message": ""}]}}
        lab.cluster.apply({"at": lab.cluster.now, "do": "request", "verb": "update", "resource": "certificatesigningrequests", "namespace": None,
                           "name": "jane", "body": told, "subresource": "approval"})  # fmt: skip
    lab.settle(1)
    kept = lab.cluster.etcd.get("certificatesigningrequests", "jane")
    assert kept is not None
    return lab, dict(kept.get("status") or {})


@pytest.mark.slow
def test_an_approved_request_gets_the_certificate_that_it_asks_for() -> None:
    lab, status = asked(["client auth", "digital signature"], CLIENT)
    (one,) = x509.certificates(base64.b64decode(status["certificate"]).decode())
    assert (one.subject, one.issuer, one.is_ca) == ("CN=jane,O=dev", "CN=kubernetes", False)
    assert one.sans == (("DNS", "jane.example.com"), ("IP_ADDRESS", "10.0.34.2"))
    assert 0 <= lab.cluster.now + 86_100_000 - one.end < 3_000  # the day begins five minutes early
    words = run_to_end(lab.cluster, ["describe", "csr", "jane"], namespace="default")[1].split()
    assert " ".join(words[words.index("Duration:") - 1 :]) == (
        "Requested Duration: 24h Status: Approved,Issued Subject: Common Name: jane Serial Number: Organization: dev "
        "Subject Alternative Names: DNS Names: jane.example.com IP Addresses: 10.0.34.2 Events: <none>")


@pytest.mark.slow
@pytest.mark.parametrize(("usages", "signer", "approved", "failed"), [
    (["client auth"], CLIENT, False, None), (["client auth"], "example.com/mine", True, None),
    (["client auth", "server auth"], CLIENT, True, "invalid usage for client certificate: server auth"),
    (["digital signature"], CLIENT, True, "missing required usage for client certificate: client auth"),
])  # fmt: skip
def test_no_certificate_without_approval_signer_and_fitting_usages(usages: list[str], signer: str, approved: bool, failed: str | None) -> None:
    _, status = asked(usages, signer, approved)
    assert "certificate" not in status
    assert [one["message"] for one in status.get("conditions") or () if one["type"] == "Failed"] == ([failed] if failed else [])


@pytest.mark.parametrize("serial", [1, 0x7F, 0x80, 1 << 126, 1 << 127, (1 << 128) - 1])
def test_a_certificate_is_read_by_others_whatever_its_serial_number(serial: int) -> None:
    text = certificate_requests.issue(certificate_requests.read(REQUEST), ["client auth"], 86_400, 1_795_219_200_000, serial)
    assert load_pem_x509_certificate(text.encode()).serial_number == serial
