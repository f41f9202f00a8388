"""PEM files that people wrote: read for what they are, and soon."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable
from typing import Any

import pytest

from podlab.kubernetes.runtime import x509
from tests.kubernetes.runtime import certificates

NOW = 1_790_000_000_000  # September 2026


def der(tag: int, body: bytes) -> bytes:
    if len(body) < 0x80:
        return bytes([tag, len(body)]) + body
    length = len(body).to_bytes((len(body).bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(length)]) + length + body


def pem(label: str, body: bytes) -> str:
    return f"-----BEGIN {label}-----\n{base64.encodebytes(body).decode()}-----END {label}-----\n"


def authority(number: int) -> bytes:
    """A CA named as the one that signed ORDERS, with a key of its own that is none."""
    real = x509.blocks(certificates.CA)[0][1]
    key = x509.certificates(certificates.CA)[0].key
    return real.replace(key, b"\x04" + number.to_bytes(32, "big") + number.to_bytes(32, "big"))


HUGE = der(0x30, der(2, b"\x7f" * 50_000) + der(2, b"\x7f" * 50_000))
EC_KEY = der(0x30, der(2, b"\1") + der(4, b"\xff" * 20_000))


@pytest.mark.slow
@pytest.mark.parametrize("act", [
    lambda: x509.blocks("-----BEGIN A-----" + "\n" * 90_000 + "!"),
    lambda: x509.blocks("-----BEGIN A-----" * 5_000),
    lambda: x509.public_key(pem("EC PRIVATE KEY", EC_KEY)),
    lambda: x509._rsa(HUGE, b"x", b"\x7f" * 50_000),
    lambda: x509.verify(certificates.ORDERS, "".join(pem("CERTIFICATE", authority(n)) for n in range(2, 200)), NOW),
], ids=["white space", "beginnings", "a key of the curve", "a modulus", "many authorities of one name"])
def test_a_file_that_is_meant_to_take_long_is_read_soon(act: Callable[[], Any]) -> None:
    began = time.process_time()
    act()
    assert time.process_time() - began < 2  # it took 20 s and more; a busy machine makes half a second of a quarter


def test_a_name_without_end_is_no_name() -> None:
    with pytest.raises(x509.BadCertificate):
        x509.object_id(b"\x2a" + b"\xff" * 50_000)


def test_a_key_of_nothing_is_no_private_key() -> None:
    with pytest.raises(x509.BadCertificate):
        x509.public_key(pem("EC PRIVATE KEY", der(0x30, der(2, b"\1") + der(4, bytes(32)))))


@pytest.mark.parametrize("key", [b"\x30", der(0x30, der(2, b"\0") + der(2, b"\3")), b"\x04" + bytes(64)], ids=["no RSA", "no modulus", "no point"])
def test_a_broken_authority_has_signed_nothing(key: bytes) -> None:
    one = x509.certificates(certificates.ORDERS)[0]
    root = x509.certificates(certificates.CA)[0]
    algorithm = x509.ECDSA if len(key) == 65 else x509.RSA
    broken = x509.Certificate(**{**root.__dict__, "key": key})
    assert not x509._issued(broken, x509.Certificate(**{**one.__dict__, "algorithm": algorithm}))


def test_a_certificate_of_the_authority_is_trusted() -> None:
    assert x509.verify(certificates.ORDERS, certificates.CA, NOW) == ""


def test_a_certificate_of_somebody_whose_clock_is_ahead_is_trusted() -> None:
    assert x509.verify(certificates.ORDERS, certificates.CA, 1_700_000_000_000) == ""  # 2023; it is valid from 2026 on
