"""Certificates as the files of a Secret have them: PEM, X.509 in DER, and whether one is signed by another.

Read: names, validity, subject alternative names, the CA flag; keys on P-256 (with SHA-256) and RSA (PKCS #1 v1.5 with SHA-256).
Source: RFC 5280, RFC 5758, RFC 8017 section 8.2, SEC 1 section 4.1. Nothing is secret here, so nothing is constant-time.
"""

from __future__ import annotations

import hashlib
import re
from base64 import b64decode
from binascii import Error as Base64Error
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

PEM = re.compile(r"-----BEGIN ([A-Z0-9 ]{1,60})-----([A-Za-z0-9+/=\s]+)-----END \1-----")
NAMES = {"2.5.4.3": "CN", "2.5.4.10": "O", "2.5.4.11": "OU", "2.5.4.6": "C", "2.5.4.7": "L", "2.5.4.8": "ST"}
SAN, BASIC = "2.5.29.17", "2.5.29.19"
ECDSA, RSA = "1.2.840.10045.4.3.2", "1.2.840.113549.1.1.11"  # each with SHA-256
DIGEST_INFO = bytes.fromhex("3031300d060960864801650304020105000420")  # RFC 8017, section 9.2, note 1

# The curve P-256: FIPS 186-4, D.1.2.3.
P = 0xFFFFFFFF00000001000000000000000000000000FFFFFFFFFFFFFFFFFFFFFFFF
N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
G = (
    0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
    0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5,
)


# A file may hold whatever a person put there, and arithmetic with numbers of any size takes any time.
RSA_BITS, EXPONENT_BITS, CURVE_BYTES = 8_192, 32, 32
OID_PART = 1 << 64
ISSUERS_MAX = 16  # of one name that are tried: a signature on the curve takes some 10 ms


class BadCertificate(Exception):
    """What is no certificate, or none that can be read here."""


@dataclass(frozen=True)
class Certificate:
    """One certificate. Times are ms; `sans` is [("DNS" or "URI" or "IP_ADDRESS" or "EMAIL", value)]."""

    subject: str
    issuer: str
    end: int
    sans: tuple[tuple[str, str], ...]
    is_ca: bool
    serial: int
    key: bytes  # the bits of subjectPublicKey
    algorithm: str
    signed: bytes  # what the signature is over
    signature: bytes


def _read(data: bytes, at: int = 0) -> tuple[int, bytes, int]:
    """(tag, content, where the next element begins)."""
    try:
        tag, length, at = data[at], data[at + 1], at + 2
        if length & 0x80:
            count = length & 0x7F
            length, at = int.from_bytes(data[at : at + count], "big"), at + count
    except IndexError:
        raise BadCertificate("ends too early") from None
    if at + length > len(data):
        raise BadCertificate("ends too early")
    return tag, data[at : at + length], at + length


def elements(data: bytes) -> list[tuple[int, bytes, bytes]]:
    """(tag, content, whole element) of each element of a sequence."""
    found, at = [], 0
    while at < len(data):
        tag, content, after = _read(data, at)
        found.append((tag, content, data[at:after]))
        at = after
    return found


def object_id(data: bytes) -> str:
    numbers, value = [data[0] // 40, data[0] % 40], 0
    for byte in data[1:]:
        value = value << 7 | byte & 0x7F
        if value > OID_PART:
            raise BadCertificate("no name")
        if not byte & 0x80:
            numbers.append(value)
            value = 0
    return ".".join(map(str, numbers))


def _name(data: bytes) -> str:
    """`CN=orders,O=shop`, the last part first as RFC 2253 has it."""
    parts = []
    for _, group, _ in elements(data):
        for _, pair, _ in elements(group):
            (_, kind, _), (_, value, _) = elements(pair)[:2]
            parts.append(f"{NAMES.get(object_id(kind), object_id(kind))}={value.decode('utf-8', 'replace')}")
    return ",".join(reversed(parts))


def _time(tag: int, data: bytes) -> int:
    text = data.decode("ascii", "replace").rstrip("Z")
    if tag == 0x17:  # UTCTime: two digits, 50 to 99 are the last century
        text = ("19" if text[:2] >= "50" else "20") + text
    try:
        return int(datetime.strptime(text, "%Y%m%d%H%M%S").replace(tzinfo=UTC).timestamp() * 1000)
    except ValueError:
        raise BadCertificate("not a time") from None


def blocks(text: str) -> list[tuple[str, bytes]]:
    """(label, DER) of each PEM block."""
    found = []
    for label, body in PEM.findall(text):
        try:
            found.append((label, b64decode(body, validate=False)))
        except (ValueError, Base64Error):
            continue
    return found


@lru_cache(maxsize=256)
def certificates(text: str) -> tuple[Certificate, ...]:
    """The certificates of a PEM file, in its order. Raises BadCertificate when one cannot be read."""
    try:
        return tuple(_certificate(der) for label, der in blocks(text) if label == "CERTIFICATE")
    except (IndexError, ValueError):
        raise BadCertificate("not X.509") from None


def _certificate(der: bytes) -> Certificate:
    outer = elements(_read(der)[1])
    (_, body, whole), (_, algorithm, _), (_, signature, _) = outer[:3]
    fields = elements(body)
    if fields[0][0] == 0xA0:  # version
        fields = fields[1:]
    serial, _, issuer, validity, subject, key = (content for _, content, _ in fields[:6])
    end_tag, end, _ = elements(validity)[1]
    sans: list[tuple[str, str]] = []
    is_ca = False
    for tag, content, _ in fields[6:]:
        if tag != 0xA3:
            continue
        for _, extension, _ in elements(_read(content)[1]):
            parts = elements(extension)
            kind, value = object_id(parts[0][1]), parts[-1][1]
            if kind == SAN:
                sans += [_alternative(tag, name) for tag, name, _ in elements(_read(value)[1])]
            elif kind == BASIC:
                is_ca = any(tag == 0x01 and content != b"\0" for tag, content, _ in elements(_read(value)[1]))
    return Certificate(
        _name(subject),
        _name(issuer),
        _time(end_tag, end),
        tuple(sans),
        is_ca,
        int.from_bytes(serial, "big"),
        elements(key)[1][1][1:],
        object_id(elements(algorithm)[0][1]),
        whole,
        signature[1:],
    )


def _alternative(tag: int, data: bytes) -> tuple[str, str]:
    if tag == 0x87:
        return "IP_ADDRESS", ".".join(map(str, data))
    return {0x81: "EMAIL", 0x82: "DNS", 0x86: "URI"}.get(tag, "OTHER"), data.decode("utf-8", "replace")


@lru_cache(maxsize=64)
def public_key(text: str) -> bytes:
    """The public part of a private key's PEM file, as a certificate has it. Raises BadCertificate."""
    for label, der in blocks(text):
        try:
            if label == "PRIVATE KEY":  # PKCS #8 has the other two inside
                der = elements(_read(der)[1])[2][1]
                label = "RSA PRIVATE KEY" if len(elements(_read(der)[1])) > 5 else "EC PRIVATE KEY"
            parts = elements(_read(der)[1])
            if label == "RSA PRIVATE KEY":
                body = parts[1][2] + parts[2][2]
                return b"\x30" + _length(len(body)) + body
            if label == "EC PRIVATE KEY":
                point: tuple[int, int] | None = _times(int.from_bytes(parts[1][1][:CURVE_BYTES], "big"), G)
                if point is None:
                    continue
                return b"\x04" + point[0].to_bytes(32, "big") + point[1].to_bytes(32, "big")
        except (IndexError, ValueError):
            continue
    raise BadCertificate("no private key")


def _length(count: int) -> bytes:
    if count < 0x80:
        return bytes([count])
    body = count.to_bytes((count.bit_length() + 7) // 8, "big")
    return bytes([0x80 | len(body)]) + body


def verify(chain: str, roots: str, now: int) -> str:
    """Why a chain of PEM certificates, the own one first, is not trusted: OpenSSL's words (X509_verify_cert_error_string), "" when it is.

    That a certificate's time has not come is no reason: who made it outside has a clock of their own, which may be ahead of the cluster's.
    """
    try:
        mine, trusted = certificates(chain), certificates(roots)
    except BadCertificate:
        return "unable to get local issuer certificate"
    if not mine:
        return "unable to get local issuer certificate"
    here = mine[0]
    for _ in range(8):
        if now > here.end:
            return "certificate has expired"
        if here in trusted or any(now <= root.end and _issued(root, here) for root in _candidates(trusted, here)):
            return ""
        issuer = next((one for one in _candidates(mine[1:], here) if one is not here and _issued(one, here)), None)
        if issuer is None:
            break
        here = issuer
    return "self signed certificate" if mine[0].subject == mine[0].issuer else "unable to get local issuer certificate"


def _candidates(certificates: tuple[Certificate, ...], one: Certificate) -> list[Certificate]:
    return [issuer for issuer in certificates if issuer.is_ca and issuer.subject == one.issuer][:ISSUERS_MAX]


@lru_cache(maxsize=512)
def _issued(issuer: Certificate, one: Certificate) -> bool:
    """Whether a certificate is signed by another, which names itself as it should. Keys and signatures that are none sign nothing."""
    try:
        if one.algorithm == ECDSA and len(issuer.key) == 65:
            return _ecdsa(issuer.key, one.signed, one.signature)
        return one.algorithm == RSA and issuer.key[:1] == b"\x30" and _rsa(issuer.key, one.signed, one.signature)
    except (BadCertificate, ValueError, OverflowError):
        return False


def _rsa(key: bytes, signed: bytes, signature: bytes) -> bool:
    modulus, exponent = (int.from_bytes(content, "big") for _, content, _ in elements(_read(key)[1]))
    if modulus.bit_length() > RSA_BITS or exponent.bit_length() > EXPONENT_BITS or len(signature) * 8 > RSA_BITS:
        return False
    found = pow(int.from_bytes(signature, "big"), exponent, modulus).to_bytes(len(signature), "big")
    wanted = DIGEST_INFO + hashlib.sha256(signed).digest()
    return found == b"\0\1" + b"\xff" * (len(signature) - len(wanted) - 3) + b"\0" + wanted


def _ecdsa(key: bytes, signed: bytes, signature: bytes) -> bool:
    r, s = (int.from_bytes(content, "big") for _, content, _ in elements(_read(signature)[1]))
    if not (0 < r < N and 0 < s < N):
        return False
    digest, inverse = int.from_bytes(hashlib.sha256(signed).digest(), "big"), pow(s, -1, N)
    point = (int.from_bytes(key[1:33], "big"), int.from_bytes(key[33:], "big"))
    found = _add(_times(digest * inverse % N, G), _times(r * inverse % N, point))
    return found is not None and found[0] % N == r


def _add(a: Any, b: Any) -> Any:
    """The sum of two points; None is the point at infinity."""
    if a is None or b is None:
        return a or b
    if a[0] == b[0]:
        if (a[1] + b[1]) % P == 0:
            return None
        slope = (3 * a[0] * a[0] - 3) * pow(2 * a[1], -1, P)
    else:
        slope = (b[1] - a[1]) * pow(b[0] - a[0], -1, P)
    x = (slope * slope - a[0] - b[0]) % P
    return x, (slope * (a[0] - x) - a[1]) % P


def _times(number: int, point: Any) -> Any:
    total = None
    while number:
        if number & 1:
            total = _add(total, point)
        point, number = _add(point, point), number >> 1
    return total
