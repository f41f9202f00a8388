"""What a log line never holds."""

import logging

from podlab.logs import Line

TOKEN = "t0ken-" + "x" * 37


def logged(text: str, *arguments: object, error: Exception | None = None) -> str:
    found = logging.LogRecord("podlab", logging.WARNING, "", 0, text, arguments, (type(error), error, None) if error else None)
    return Line(fmt="{levelname} {message}", style="{").format(found)


def test_no_token_stands_in_a_line_or_a_traceback() -> None:
    for text in (f"/k8s/{TOKEN}/api", f"authorization: bearer {TOKEN}", f"?next=%2Fk8s%2F{TOKEN}%2Fapi",
                 f"base64url.bearer.authorization.k8s.io.{TOKEN}"):
        assert TOKEN not in logged("%s failed", text)
        assert TOKEN not in logged("failed", error=ValueError(f"no such host: {text}"))


def test_what_a_visitor_sends_begins_no_line_of_its_own_and_is_cut() -> None:
    assert logged("from %s", "a\n2026-01-01 ERROR forged\x1b[2J\x00\u2028") == "WARNING from a\\x0a2026-01-01 ERROR forged\\x1b[2J\\x00\\x2028"
    assert len(logged("Not Found: %s", "a" * 100_000)) < 1_100
