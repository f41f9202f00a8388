"""Certificates for certificate signing requests: PKCS #10 is read, X.509 written (RFC 2986, RFC 5280; pkg/controller/certificates/authority).

The issuer is named like the cluster's authority, CN=kubernetes, but the signature is of the key that the accounts' tokens are signed with
(issuer.py): the authority's own private key does not exist (certificates.py). Nothing in the cluster verifies what is issued here.
"""

from __future__ import annotations

import base64
import hashlib
import ipaddress
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import NamedTuple

from ..runtime import x509
from . import issuer

INTEGER, BITS, OCTETS, SEQUENCE, UTC_TIME, GENERAL_TIME, TRUE = 0x02, 0x03, 0x04, 0x30, 0x17, 0x18, b"\x01\x01\xff"
SHA256_RSA = bytes.fromhex("300d06092a864886f70d01010b0500")
AUTHORITY = bytes.fromhex("30153113301106035504030c0a6b756265726e65746573")  # CN=kubernetes
REQUESTED = "1.2.840.113549.1.9.14"  # the attribute extensionRequest
USAGE, EXTENDED, BASIC, SAN = (bytes.fromhex(text) for text in ("0603551d0f", "0603551d25", "0603551d13", "0603551d11"))
KEY_USAGES = ("digital signature", "content commitment", "key encipherment", "data encipherment", "key agreement", "cert sign", "crl sign",
              "encipher only", "decipher only")  # fmt: skip
EXTENDED_USAGES = {"server auth": 1, "client auth": 2, "code signing": 3, "email protection": 4, "timestamping": 8, "ocsp signing": 9}
BACKDATE_MS, LONGEST_S, SHORT_S = 300_000, 365 * 86_400, 8 * 3_600  # PermissiveSigningPolicy; --cluster-signing-duration
LINE = 64
ADDRESS = 0x87
ALTERNATIVES = {0x82: "DNS Names", 0x81: "Email Addresses", 0x86: "URIs", ADDRESS: "IP Addresses"}


class Request(NamedTuple):
    """What a certificate takes over from its request, in DER; `names` is the extension of the alternative names, empty where there is none."""

    subject: bytes
    key: bytes
    names: bytes


def _element(tag: int, *parts: bytes) -> bytes:
    content = b"".join(parts)
    size = len(content)
    if size < 0x80:
        return bytes([tag, size]) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(length)]) + length + content


def read(text: str) -> Request:
    """The request in a PEM file. Raises x509.BadCertificate."""
    found = [der for label, der in x509.blocks(text) if label == "CERTIFICATE REQUEST"]
    if not found:
        raise x509.BadCertificate("no request")
    try:
        info = x509.elements(x509.elements(x509.elements(found[0])[0][1])[0][1])
        return Request(info[1][2], info[2][2], _names(info[3][1]) if len(info) > 3 else b"")
    except (IndexError, ValueError):
        raise x509.BadCertificate("not PKCS #10") from None


def _names(attributes: bytes) -> bytes:
    for _, attribute, _ in x509.elements(attributes):
        kind, values = x509.elements(attribute)[:2]
        if x509.object_id(kind[1]) == REQUESTED:
            for _, extension, whole in x509.elements(x509.elements(values[1])[0][1]):
                if extension.startswith(SAN):
                    return whole
    return b""


def issue(request: Request, usages: Iterable[str], seconds: int | None, now: int, serial: int) -> str:
    """The certificate in PEM. `seconds`: how long it is wanted for, at most a year; `now`: ms since 1970."""
    ttl = min(seconds or LONGEST_S, LONGEST_S) * 1000
    start = now - BACKDATE_MS
    end = (now if ttl < SHORT_S * 1000 else start) + ttl
    wanted = list(usages)
    bits = sum(0x8000 >> place for place, name in enumerate(KEY_USAGES) if name in wanted)
    flags = bits.to_bytes(2, "big").rstrip(b"\x00")
    unused = (flags[-1] & -flags[-1]).bit_length() - 1 if flags else 0
    purposes = [bytes.fromhex(f"06082b060105050703{EXTENDED_USAGES[name]:02x}") for name in wanted if name in EXTENDED_USAGES]
    extensions = [
        *([_element(SEQUENCE, USAGE, TRUE, _element(OCTETS, _element(BITS, bytes([unused]), flags)))] if flags else []),
        *([_element(SEQUENCE, EXTENDED, _element(OCTETS, _element(SEQUENCE, *purposes)))] if purposes else []),
        _element(SEQUENCE, BASIC, TRUE, _element(OCTETS, _element(SEQUENCE))),
        request.names,
    ]
    signed = _element(
        SEQUENCE,
        _element(0xA0, _element(INTEGER, b"\x02")),
        _element(INTEGER, serial.to_bytes(serial.bit_length() // 8 + 1, "big")),  # no byte more than the sign needs (X.690, 8.3.2)
        SHA256_RSA,
        AUTHORITY,
        _element(SEQUENCE, _time(start), _time(end)),
        request.subject,
        request.key,
        _element(0xA3, _element(SEQUENCE, *extensions)),
    )
    der = _element(SEQUENCE, signed, SHA256_RSA, _element(BITS, b"\x00", issuer.signed(hashlib.sha256(signed).digest())))
    text = base64.b64encode(der).decode()
    lines = "".join(text[at : at + LINE] + "\n" for at in range(0, len(text), LINE))
    return f"-----BEGIN CERTIFICATE-----\n{lines}-----END CERTIFICATE-----\n"


def _time(ms: int) -> bytes:
    when = datetime.fromtimestamp(ms // 1000, UTC)
    if when.year < 2050:
        return _element(UTC_TIME, when.strftime("%y%m%d%H%M%SZ").encode())
    return _element(GENERAL_TIME, when.strftime("%Y%m%d%H%M%SZ").encode())


def subject_of(request: Request) -> list[tuple[str, str]]:
    """("CN", "jane") and so on, in the request's order."""
    pairs = [x509.elements(pair) for _, group, _ in x509.elements(x509.elements(request.subject)[0][1]) for _, pair, _ in x509.elements(group)]
    return [(x509.NAMES.get(x509.object_id(kind[1]), ""), value[1].decode("utf-8", "replace")) for kind, value, *_ in pairs]


def alternatives_of(request: Request) -> dict[str, list[str]]:
    """{"DNS Names": [...], "Email Addresses", "URIs", "IP Addresses"} of the alternative names, titled as kubectl shows them."""
    found: dict[str, list[str]] = {title: [] for title in ALTERNATIVES.values()}
    if request.names:
        for tag, value, _ in x509.elements(x509.elements(x509.elements(x509.elements(request.names)[0][1])[-1][1])[0][1]):
            if tag in ALTERNATIVES:
                found[ALTERNATIVES[tag]].append(str(ipaddress.ip_address(value)) if tag == ADDRESS else value.decode("utf-8", "replace"))
    return found
