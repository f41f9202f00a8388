"""JSON Web Tokens signed with RS256 (RFC 7515, 7518), and the small RSA keys that a simulated identity provider signs with.

The algorithm is the real one, so every JWT library verifies a token with the published JWKS. Only the key is small: 512 bits, the least
that holds a SHA-256 signature (RFC 8017 9.2), where dex uses 2,048. Making one takes milliseconds and each cluster has its own.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from typing import Any

Key = dict[str, str]
"""{"kid", "n", "d"}: the key's name, modulus and private exponent, hexadecimal; the public exponent is always 65537."""
Claims = dict[str, Any]

PUBLIC = 65537
BITS = 512
SIZES = (BITS, 2048)  # of keys that are verified with: a cluster's own tokens have the real size
DIGEST_INFO = bytes.fromhex("3031300d060960864801650304020105000420")  # DER: SHA-256 (RFC 8017 9.2, note 1)
WITNESSES = (2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37)
TOKEN_MAX = 20_000  # characters


class BadToken(Exception):
    """A token that must not be trusted; the text says why, in go-oidc's words."""


def encode(data: bytes) -> str:
    """base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decode(text: str) -> bytes:
    """Raises ValueError."""
    try:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (binascii.Error, UnicodeEncodeError) as error:
        raise ValueError(str(error)) from None


# ---- keys


def new_key(seed: str) -> Key:
    """The key of a seed: the same seed gives the same key."""
    first = _prime(f"{seed}/p")
    second = _prime(f"{seed}/q")
    modulus = first * second
    private = pow(PUBLIC, -1, (first - 1) * (second - 1))
    return {"kid": hashlib.sha256(f"{modulus:x}".encode()).hexdigest()[:40], "n": f"{modulus:x}", "d": f"{private:x}"}


def _prime(seed: str) -> int:
    """The first prime of a seed's sequence: its two highest bits set, so that the product of two has all BITS, and no factor of 65537."""
    high = 3 << BITS // 2 - 2
    turn = 0
    while True:
        found = int.from_bytes(hashlib.sha256(f"{seed}/{turn}".encode()).digest(), "big") | high | 1
        if (found - 1) % PUBLIC and all(found % small for small in WITNESSES) and _is_prime(found):
            return found
        turn += 1


def _is_prime(number: int) -> bool:
    """Miller and Rabin's test."""
    odd, twos = number - 1, 0
    while odd % 2 == 0:
        odd, twos = odd // 2, twos + 1
    for base in WITNESSES:
        x = pow(base, odd, number)
        if x in (1, number - 1):
            continue
        for _ in range(twos - 1):
            x = x * x % number
            if x == number - 1:
                break
        else:
            return False
    return True


def public(key: Key) -> dict[str, str]:
    """The key as it stands in a JSON Web Key Set."""
    modulus = bytes.fromhex(key["n"].zfill(BITS // 4))
    return {"use": "sig", "kty": "RSA", "kid": key["kid"], "alg": "RS256", "n": encode(modulus), "e": "AQAB"}


# ---- tokens


def sign(key: Key, claims: Claims) -> str:
    """The signed token, in compact form."""
    head = json.dumps({"alg": "RS256", "kid": key["kid"]}, separators=(",", ":"))
    text = f"{encode(head.encode())}.{encode(json.dumps(claims, separators=(',', ':')).encode())}"
    number = pow(padded(hashlib.sha256(text.encode()).digest()), int(key["d"], 16), int(key["n"], 16))
    return f"{text}.{encode(number.to_bytes(BITS // 8, 'big'))}"


def padded(digest: bytes, size: int = BITS // 8) -> int:
    """EMSA-PKCS1-v1_5 of a SHA-256, for a modulus of `size` bytes."""
    tail = DIGEST_INFO + digest
    return int.from_bytes(b"\x00\x01" + b"\xff" * (size - 3 - len(tail)) + b"\x00" + tail, "big")


def parse(token: str) -> tuple[dict[str, Any], Claims]:
    """(header, claims) of a token, not verified. Raises BadToken."""
    parts = token.split(".")
    if len(parts) != 3 or len(token) > TOKEN_MAX:
        raise BadToken("oidc: malformed jwt: go-jose/go-jose: compact JWS format must have three parts")
    try:
        head, claims = (json.loads(decode(part)) for part in parts[:2])
    except (ValueError, RecursionError) as error:
        raise BadToken(f"oidc: malformed jwt payload: {error}") from None
    if not isinstance(head, dict) or not isinstance(claims, dict):
        raise BadToken("oidc: malformed jwt payload: not an object")
    return head, claims


def verify(token: str, keys: list[Any], *, issuer: str, audiences: list[str], now: int) -> Claims:
    """The claims of a token that one of the JWKS `keys` has signed, for one of the audiences, still valid. `now`: virtual ms. Raises BadToken."""
    head, claims = parse(token)
    if claims.get("iss") != issuer:
        raise BadToken(f"oidc: id token issued by a different provider, expected \"{issuer}\" got \"{claims.get('iss')}\"")
    expiry = claims.get("exp")
    if isinstance(expiry, bool) or not isinstance(expiry, (int, float)) or not now // 1000 <= expiry < 1e12:
        raise BadToken(f"oidc: token is expired (Token Expiry: {expiry})")
    if not any(_signed_by(token, key) for key in keys if isinstance(key, dict) and key.get("kid") == head.get("kid")):
        raise BadToken("failed to verify signature: failed to verify id token signature")
    audience = claims.get("aud")
    held = audience if isinstance(audience, list) else [audience]
    if not any(one in audiences for one in held):
        raise BadToken(f"audience claims [{' '.join(str(one) for one in held)}] do not match any of allowed audiences [{' '.join(audiences)}]")
    return claims


def _signed_by(token: str, key: dict[str, Any]) -> bool:
    text, _, signature = token.rpartition(".")
    try:
        modulus = int.from_bytes(decode(str(key.get("n"))), "big")
        number = int.from_bytes(decode(signature), "big")
    except ValueError:
        return False
    bits = modulus.bit_length()
    digest = hashlib.sha256(text.encode()).digest()
    return key.get("kty") == "RSA" and bits in SIZES and number < modulus and pow(number, PUBLIC, modulus) == padded(digest, bits // 8)
