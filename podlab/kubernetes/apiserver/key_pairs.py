"""What is wrong with the certificate and the key of a Secret of type kubernetes.io/tls, in Go's words (crypto/tls X509KeyPair, encoding/pem).

An elliptic key is compared with its certificate where its file has the public part too; of a certificate only the outermost shape is judged.
"""

from __future__ import annotations

import re
from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Iterator, Mapping
from typing import Any

from ..runtime import x509

BLOCK = re.compile(rb"^-----BEGIN ([^\n]+?)-----[ \t]*\r?\n(?:[^\n:-][^\n:]*:[^\n]*\n)*+([^-]*+)^-----END \1-----[ \t]*\r?$", re.MULTILINE)
CERTIFICATE, KEY = "CERTIFICATE", "PRIVATE KEY"
SEQUENCE, INTEGER, OCTETS, PUBLIC = 0x30, 0x02, 0x04, 0xA1
RSA_MEMBERS = 9  # of an RSAPrivateKey (RFC 8017, A.1.2)


def complaint(data: Mapping[str, Any]) -> str:
    """ "" where nothing is wrong that is seen here."""
    chain, keys = (list(_blocks(data.get(name) or "")) for name in ("tls.crt", "tls.key"))
    found = [der for label, der in chain if label == CERTIFICATE]
    if not found:
        return f"tls: {_no_certificate([label for label, _ in chain])}"
    key = next((der for label, der in keys if label == KEY or label.endswith(f" {KEY}")), None)
    if key is None:
        return f"tls: {_no_key([label for label, _ in keys])}"
    outer = _elements(found[0])
    if not outer or outer[0][0] != SEQUENCE:
        return "x509: malformed certificate"
    if len(outer) > 1:
        return "x509: trailing data"
    parts = _key(key)
    if parts is None:
        return "tls: failed to parse private key"
    return _mismatch(found[0], parts)


def _no_certificate(labels: list[str]) -> str:
    if not labels:
        return "failed to find any PEM data in certificate input"
    if len(labels) == 1 and labels[0].endswith(KEY):
        return "failed to find certificate PEM data in certificate input, but did find a private key; PEM inputs may have been switched"
    return f'failed to find "{CERTIFICATE}" PEM block in certificate input after skipping PEM blocks of the following types: [{" ".join(labels)}]'


def _no_key(labels: list[str]) -> str:
    if not labels:
        return "failed to find any PEM data in key input"
    if labels == [CERTIFICATE]:
        return "found a certificate rather than a key in the PEM for the private key"
    return ('failed to find PEM block with type ending in "PRIVATE KEY" in key input after skipping PEM blocks of the following types: '
            f"[{' '.join(labels)}]")


def _blocks(encoded: str) -> Iterator[tuple[str, bytes]]:
    """(label, DER) of each block that can be read; a block whose letters are no base64 is passed over, as Go passes over it."""
    for label, body in BLOCK.findall(b64decode(encoded)):
        try:
            yield label.decode("utf-8", "replace"), b64decode(b"".join(body.split()), validate=True)
        except (ValueError, Base64Error):
            continue


def _elements(der: bytes) -> list[tuple[int, bytes, bytes]]:
    """What stands in a sequence; nothing where it cannot be read."""
    try:
        return x509.elements(der)
    except x509.BadCertificate:
        return []


def _key(der: bytes) -> list[tuple[int, bytes, bytes]] | None:
    """The members of a private key: of PKCS #1, of SEC 1, or of what PKCS #8 has inside."""
    outer = _elements(der)
    parts = _elements(outer[0][1]) if len(outer) == 1 and outer[0][0] == SEQUENCE else []
    tags = [tag for tag, _, _ in parts[:3]]
    if tags == [INTEGER, SEQUENCE, OCTETS]:
        inner = _elements(parts[2][1])
        return (_elements(inner[0][1]) if inner and inner[0][0] == SEQUENCE else []) or parts
    return parts if tags[:2] in ([INTEGER, OCTETS], [INTEGER, INTEGER]) else None


def _mismatch(certificate: bytes, parts: list[tuple[int, bytes, bytes]]) -> str:
    """What is wrong between the two."""
    fields = _elements((_elements(_elements(certificate)[0][1]) or [(0, b"", b"")])[0][1])
    places = [content for tag, content, _ in fields if tag == SEQUENCE]  # signature, issuer, validity, subject, subjectPublicKeyInfo
    info = _elements(places[4]) if len(places) > 4 else []
    if len(info) < 2:
        return ""
    bits = info[1][1]
    public = _elements(bits[1:])
    numbers = _elements(public[0][1]) if public and public[0][0] == SEQUENCE else []
    if len(parts) > 1 and bool(numbers) != (len(parts) >= RSA_MEMBERS):
        return "tls: private key type does not match public key type"
    own = [content for tag, content, _ in parts if tag == PUBLIC]
    if numbers:
        same = numbers[0][1] == parts[1][1]
    else:
        same = not own or [content for _, content, _ in _elements(own[0])] == [bits]
    return "" if same else "tls: private key does not match public key"
