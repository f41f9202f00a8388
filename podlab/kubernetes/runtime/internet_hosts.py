"""Which hosts the small Internet has (internet.py): names, addresses, ports, and the certificate that they all show."""

from __future__ import annotations

NAMESPACE = "internet"
WAY_MS = 15  # one way: a server on the same continent
MIRROR = "packages.example.org"  # of all distributions: the real mirrors' names are kept out of this repository
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
    MIRROR: "203.0.113.20",
    "dns.google": "8.8.8.8",
    "one.one.one.one": "1.1.1.1",
}
"""By name, as the cluster's DNS forwards it."""
NAMES: dict[str, str] = {}
for _name, _address in HOSTS.items():
    NAMES.setdefault(_address, _name)
PORTS = (80, 443)
RESOLVERS = ("8.8.8.8", "1.1.1.1")  # answer pings, and name the hosts above (dns.py)

ROOT = """\
-----BEGIN CERTIFICATE-----
MIIBPTCB5KADAgECAgEBMAoGCCqGSM49BAMCMB0xGzAZBgNVBAMMElBvZExhYiBw
dWJsaWMgcm9vdDAgFw0yMDAxMDEwMDAwMDBaGA8yMTIwMDEwMTAwMDAwMFowHTEb
MBkGA1UEAwwSUG9kTGFiIHB1YmxpYyByb290MFkwEwYHKoZIzj0CAQYIKoZIzj0D
AQcDQgAEwwICS+jyyc91QGESLq9kPdUQNJe31nMLLeSVdRZjN9NQcRm1mpvpl2ZH
qcTFm/abLlNDkAwOobhWV/SCFDvqDKMTMBEwDwYDVR0TAQH/BAUwAwEB/zAKBggq
hkjOPQQDAgNIADBFAiEAtxYzEOfjrIFR9f5Wa+AkRcE2SkamL31qGfeiTAmfZWYC
IEMS/iyp/0k0SpSWrekmp01Fua8tHRTappVGudfw1bGt
-----END CERTIFICATE-----
"""
"""What the system's own list of authorities (ca-certificates) stands for. Made once, the keys thrown away; holds from 2020 to 2120."""
CHAIN = """\
-----BEGIN CERTIFICATE-----
MIICzTCCAnSgAwIBAgIBAjAKBggqhkjOPQQDAjAdMRswGQYDVQQDDBJQb2RMYWIg
cHVibGljIHJvb3QwIBcNMjAwMTAxMDAwMDAwWhgPMjEyMDAxMDEwMDAwMDBaMBMx
ETAPBgNVBAMMCGludGVybmV0MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEql6k
7zh4oPMrdseJyJIhL1UMpGU4LTKU9mxaoO4bLpBoVeGbMTw20vqG//96/Jq7zs+z
v4N/bLpHQaDp44lyOKOCAaswggGnMIIBlQYDVR0RBIIBjDCCAYiCDGluZm8uY2Vy
bi5jaIILZXhhbXBsZS5jb22CDSouZXhhbXBsZS5jb22CC2V4YW1wbGUub3Jngg0q
LmV4YW1wbGUub3JnggtleGFtcGxlLm5ldIINKi5leGFtcGxlLm5ldIIKZ29vZ2xl
LmNvbYIMKi5nb29nbGUuY29tgg1rdWJlcm5ldGVzLmlvgg8qLmt1YmVybmV0ZXMu
aW+CBms4cy5pb4IKZ2l0aHViLmNvbYIMKi5naXRodWIuY29tggtodHRwYmluLm9y
Z4IQd29ybGR0aW1lYXBpLm9yZ4INd2lraXBlZGlhLm9yZ4IPKi53aWtpcGVkaWEu
b3JnggluYXZlci5jb22CCyoubmF2ZXIuY29tggtpZmNvbmZpZy5tZYIOZGViLmRl
Ymlhbi5vcmeCE3NlY3VyaXR5LmRlYmlhbi5vcmeCEmFyY2hpdmUudWJ1bnR1LmNv
bYITc2VjdXJpdHkudWJ1bnR1LmNvbYIWZGwtY2RuLmFscGluZWxpbnV4Lm9yZzAM
BgNVHRMBAf8EAjAAMAoGCCqGSM49BAMCA0cAMEQCIBR3j5UsTfhpLac9oJjbY1pl
GDKSWfzRYyF/XU55au/dAiAn0qPwRc0BdPI4jJmChEL/N5OLC8utyEYVYcISUMcd
hg==
-----END CERTIFICATE-----
"""


def listens(address: str, port: int) -> bool:
    return port in PORTS and address not in RESOLVERS
