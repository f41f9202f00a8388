"""Other systems, as a small HTTP server of our own: a learning platform with its key, and a store of statements."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import jwt
from jwcrypto.jwk import JWK

KEY, OTHER_KEY = (JWK.generate(kty="RSA", size=2048, kid=kid) for kid in ("one", "two"))


class Server:
    """What came in is in `asked`; `status` is the answer to what is posted."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, dict[str, str], str]] = []
        self.status = 200
        self.key = KEY
        self.unwanted = ""  # what is posted with this in it is answered 400
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self._answer(200, {"keys": [{**json.loads(outer.key.export_public()), "alg": "RS256"}]})

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
                outer.asked.append((self.path, dict(self.headers), body))
                if self.path == "/token":
                    self._answer(200, {"access_token": "let-me-in", "token_type": "bearer", "expires_in": 60})
                else:
                    self._answer(400 if outer.unwanted and outer.unwanted in body else outer.status, [])

            def _answer(self, status: int, body: Any) -> None:
                data = json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *arguments: Any) -> None:
                """Quiet."""

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_address[1]}"


@contextmanager
def serving() -> Iterator[Server]:
    server = Server()
    thread = threading.Thread(target=server.http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield server
    server.http.shutdown()
    server.http.server_close()


def token(url: str, nonce: str, *, key: JWK = KEY, kid: str = "one", custom: dict[str, Any] | None = None, **change: Any) -> str:
    """An id_token of the platform at `url` for its client "podlab"."""
    claim, now = "https://purl.imsglobal.org/spec/lti/claim/", int(time.time())
    body = {
        "iss": url, "aud": "podlab", "sub": "user-7", "iat": now, "exp": now + 300, "nonce": nonce, "name": "하늘",
        claim + "message_type": "LtiResourceLinkRequest", claim + "version": "1.3.0", claim + "deployment_id": "1",
        claim + "target_link_uri": "http://testserver/lti/launch/", claim + "resource_link": {"id": "link-1"},
        claim + "roles": ["http://purl.imsglobal.org/vocab/lis/v2/membership#Learner"], claim + "custom": custom or {},
        "https://purl.imsglobal.org/spec/lti-ags/claim/endpoint": {
            "scope": ["https://purl.imsglobal.org/spec/lti-ags/scope/score"], "lineitem": f"{url}/lines/3"},
        **{(claim + name if name in ("deployment_id", "message_type", "roles") else name): value for name, value in change.items()},
    }
    return jwt.encode({k: v for k, v in body.items() if v is not None}, key.export_to_pem(private_key=True, password=None), "RS256", {"kid": kid})
