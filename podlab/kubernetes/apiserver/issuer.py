"""The key with which accounts' tokens are signed, and what the issuer tells of it (pkg/serviceaccount/openidmetadata.go).

The key is no secret: it stands here, all clusters have it, and whoever wants can sign with it. What makes a token hold is its keyed `jti`
(account_tokens.py). The signature is there so that tokens are read and verified as real ones are, by the published JSON Web Key Set.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache
from typing import Any

from ..addresses import CONTROL_PLANE
from ..runtime import jwt

ISSUER = "https://kubernetes.default.svc.cluster.local"
KID = "m0zffThq58erm8bnaCUrP7G4Z_AExYMi55dMc1IkZ90"  # base64url of the SHA-256 of the public key in DER
PRIME_1 = (
    "fd721ec9fc4aa49b10123d3119287ec8078c5e83f8c106f1e81bbb0f54ad6573de647fe0e2cc32beeefe6864d1dae40411c4e07eb491920f780729b8352f0963"
    "5d2444d78dbbfa174565e6843dd3667d37f33c642a4e2eed6b281cd497fff6405d2a751cebb3ab79003aa1f9616496b357d338b837b9f73d132e49340ad55123"
)
PRIME_2 = (
    "d22c031abc620e145a7c407a7a9c2654ed9283ea639487d9baae93ca1420b98450a85df6912c1d94518abbc53ddea97678bd25120d186831ee7615402cd1a2a7"
    "4c3781bd854cca1fb1c540b50bfbcb9641ac91c66d6117e2a8c4a5e019290efed3cde8d53f87c1d3106c4c6114e871ed5cbe9f4fc14c498d5a601595a3a4f6c3"
)
P, Q = int(PRIME_1, 16), int(PRIME_2, 16)
D, INVERSE = pow(jwt.PUBLIC, -1, (P - 1) * (Q - 1)), pow(Q, -1, P)
SIZE = 256  # bytes of a signature
CONFIGURATION, KEYS = "/.well-known/openid-configuration", "/openid/v1/jwks"


@lru_cache(maxsize=512)
def signature(text: str) -> str:
    """RS256 of a token's header and claims."""
    return jwt.encode(signed(hashlib.sha256(text.encode()).digest()))


def signed(digest: bytes) -> bytes:
    """RSASSA-PKCS1-v1_5 of a SHA-256: RFC 8017, 8.2.1, by the two primes (5.1.2), which takes a quarter of the time."""
    number = jwt.padded(digest, SIZE)
    one, two = pow(number, D % (P - 1), P), pow(number, D % (Q - 1), Q)
    return (two + (one - two) * INVERSE % P * Q).to_bytes(SIZE, "big")


def configuration() -> dict[str, Any]:
    return {"issuer": ISSUER, "jwks_uri": f"https://{CONTROL_PLANE}:6443{KEYS}", "response_types_supported": ["id_token"],
            "subject_types_supported": ["public"], "id_token_signing_alg_values_supported": ["RS256"]}


def keys() -> dict[str, Any]:
    return {"keys": [{"use": "sig", "kty": "RSA", "kid": KID, "alg": "RS256", "n": jwt.encode((P * Q).to_bytes(SIZE, "big")), "e": "AQAB"}]}
