"""The gRPC health protocol (grpc.health.v1.Health/Check) in the terms of our HTTP messages: the same call, without HTTP/2 frames.

A server that does not speak gRPC answers without the content type, as one whose HTTP/2 preface never comes.
"""

from __future__ import annotations

from . import http

CHECK = "/grpc.health.v1.Health/Check"
CONTENT_TYPE = "application/grpc"
CODES = {0: "OK", 5: "NotFound", 12: "Unimplemented"}  # google.golang.org/grpc/codes


def question(host: str, port: int, service: str) -> str:
    """The text of a request for a service's health; "" asks for the whole server's."""
    return http.request("POST", CHECK, f"{host}:{port}", [("Content-Type", CONTENT_TYPE)], service).text()


def is_check(request: http.Message) -> bool:
    return request.path == CHECK and request.get("Content-Type") == CONTENT_TYPE


def reply(code: int = 0, state: str = "SERVING", message: str = "") -> http.Message:
    """`code` of CODES; `state` SERVING or NOT_SERVING where it is 0."""
    return http.response(200, state if code == 0 else "", [("Content-Type", CONTENT_TYPE), ("Grpc-Status", str(code)), ("Grpc-Message", message)])
