"""Which hosts the small Internet has (internet.py): names, addresses, ports, and the certificate that they all show."""

from __future__ import annotations

NAMESPACE = "internet"
WAY_MS = 15  # one way: a server on the same continent
HOSTS = {
    "info.cern.ch": "203.0.113.1",
    "example.com": "203.0.113.2",
    "www.example.com": "203.0.113.2",
    "example.org": "203.0.113.3",
    "www.example.org": "203.0.113.3",
    "example.net": "203.0.113.4",
    "www.example.net": "203.0.113.4",
    "google.com": "203.0.113.5",
    "www.google.com": "203.0.113.5",
    "kubernetes.io": "203.0.113.6",
    "www.kubernetes.io": "203.0.113.6",
    "k8s.io": "203.0.113.6",
    "github.com": "203.0.113.7",
    "www.github.com": "203.0.113.7",
    "httpbin.org": "203.0.113.8",
    "worldtimeapi.org": "203.0.113.9",
    "wikipedia.org": "203.0.113.10",
    "www.wikipedia.org": "203.0.113.10",
    "naver.com": "203.0.113.11",
    "www.naver.com": "203.0.113.11",
    "ifconfig.me": "203.0.113.12",
    "dns.google": "8.8.8.8",
    "one.one.one.one": "1.1.1.1",
}
"""By name, as the cluster's DNS forwards it."""
NAMES: dict[str, str] = {}
for _name, _address in HOSTS.items():
    NAMES.setdefault(_address, _name)
PORTS = (80, 443)
RESOLVERS = ("8.8.8.8", "1.1.1.1")  # answer pings; no name is asked of them here

ROOT = """\
-----BEGIN CERTIFICATE-----
MIIBPTCB5KADAgECAgEBMAoGCCqGSM49BAMCMB0xGzAZBgNVBAMMElBvZExhYiBw
dWJsaWMgcm9vdDAgFw0yMDAxMDEwMDAwMDBaGA8yMTIwMDEwMTAwMDAwMFowHTEb
MBkGA1UEAwwSUG9kTGFiIHB1YmxpYyByb290MFkwEwYHKoZIzj0CAQYIKoZIzj0D
AQcDQgAEP9QJ9PuG853tay7no+FLhbwSjk0bNrFZc3kKzwJeT5I8MdcNyQ5tJQV9
CMERE17dsa0zAMe36XRWU+XCV3Ak66MTMBEwDwYDVR0TAQH/BAUwAwEB/zAKBggq
hkjOPQQDAgNIADBFAiEAzJNFTTRBL6SAnXoH+uRU5+2s/TEo8fhSTw1Ne8C6baAC
IDwrp9mzQwKxV4bL07GYiATDxd80JSZM+zOSM37xmZBU
-----END CERTIFICATE-----
"""
"""What the system's own list of authorities (ca-certificates) stands for. Made once, the keys thrown away; holds from 2020 to 2120."""
CHAIN = """\
-----BEGIN CERTIFICATE-----
MIICaDCCAg6gAwIBAgIBAjAKBggqhkjOPQQDAjAdMRswGQYDVQQDDBJQb2RMYWIg
cHVibGljIHJvb3QwIBcNMjAwMTAxMDAwMDAwWhgPMjEyMDAxMDEwMDAwMDBaMBMx
ETAPBgNVBAMMCGludGVybmV0MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEs526
6d7UREhJiTw+0W8FEcqA+Uz8fkklR2cRM1vr3noAqBjAcLgTyqfrGlIfxPwh8Is4
tFLybHyi5l01yEjAnKOCAUUwggFBMIIBLwYDVR0RBIIBJjCCASKCDGluZm8uY2Vy
bi5jaIILZXhhbXBsZS5jb22CDSouZXhhbXBsZS5jb22CC2V4YW1wbGUub3Jngg0q
LmV4YW1wbGUub3JnggtleGFtcGxlLm5ldIINKi5leGFtcGxlLm5ldIIKZ29vZ2xl
LmNvbYIMKi5nb29nbGUuY29tgg1rdWJlcm5ldGVzLmlvgg8qLmt1YmVybmV0ZXMu
aW+CBms4cy5pb4IKZ2l0aHViLmNvbYIMKi5naXRodWIuY29tggtodHRwYmluLm9y
Z4IQd29ybGR0aW1lYXBpLm9yZ4INd2lraXBlZGlhLm9yZ4IPKi53aWtpcGVkaWEu
b3JnggluYXZlci5jb22CCyoubmF2ZXIuY29tggtpZmNvbmZpZy5tZTAMBgNVHRMB
Af8EAjAAMAoGCCqGSM49BAMCA0gAMEUCIQDt+peNxa8L8xkbiH+NMO2lCQYKKkpp
r/Gb08quVBoT/gIgFtYoH+M8CWsGb+n1SbpvIoLTTLEfB+CEgI6fOxx1600=
-----END CERTIFICATE-----
"""


def listens(address: str, port: int) -> bool:
    return port in PORTS and address not in RESOLVERS
