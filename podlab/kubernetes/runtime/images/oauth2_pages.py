"""oauth2-proxy's own pages: sign in, and errors."""

from __future__ import annotations

from html import escape

from .. import http
from ..http import text_answer
from ..process import Data

STYLE = (
    "body{margin:0;background:#fff;color:#363636;font-family:sans-serif;font-size:16px;text-align:center}"
    ".section{padding:40px 20px}.box{max-width:400px;margin:0 auto;padding:30px 20px;border-radius:6px;box-shadow:0 4px 14px #ccc}"
    "button,.button{display:inline-block;padding:10px 18px;border:0;border-radius:6px;background:#00b89c;color:#fff;font-size:16px}"
    ".button{text-decoration:none}"
    ".title{font-size:40px;font-weight:600;margin:0 0 12px}footer{padding:24px;background:#fafafa;font-size:14px}"
)


def _page(title: str, body: str, options: Data, version: str) -> str:
    note = options["footer"]
    footer = "" if note == "-" else f"<footer>{escape(note) if note else f'Secured with OAuth2 Proxy version {escape(version)}'}</footer>\n"
    return (
        f'<!DOCTYPE html>\n<html lang="en" charset="utf-8">\n<head>\n<meta charset="utf-8">\n<title>{escape(title)}</title>\n'
        f"<style>{STYLE}</style>\n</head>\n<body>\n"
        f'<section class="section">\n<div class="box">\n{body}</div>\n</section>\n{footer}</body>\n</html>\n'
    )


def sign_in_page(options: Data, provider: str, redirect: str, status: int, version: str) -> http.Message:
    """The button that leads to the provider; 403 where somebody wanted another page, 200 where they asked for this one."""
    banner = options["banner"]
    domains = [domain for domain in options["email-domain"] if domain != "*"]
    listed = " or ".join("@" + domain.lstrip("@") for domain in domains)
    message = banner if banner and banner != "-" else f"Authenticate using {listed}" if domains else ""
    body = (
        f'<form method="GET" action="{escape(options["proxy-prefix"])}/start">\n<input type="hidden" name="rd" value="{escape(redirect)}">\n'
        + (f"<p>{escape(message)}</p>\n" if message and banner != "-" else "")
        + f'<button type="submit">Sign in with {escape(provider)}</button>\n</form>\n'
    )
    return text_answer(_page("Sign In", body, options, version), status, "text/html; charset=utf-8", [("Cache-Control", "no-cache, no-store")])


def error_page(options: Data, status: int, message: str, version: str, headers: list[tuple[str, str]]) -> http.Message:
    title = f"{status} {http.REASONS.get(status, '')}"
    told = message or "The page you are looking for could not be found."
    body = (
        f'<div class="title">{status}</div>\n<h2>{escape(http.REASONS.get(status, ""))}</h2>\n<p>{escape(told)}</p>\n'
        f'<p><a class="button" href="/">Go back</a></p>\n'
        f'<form method="GET" action="{escape(options["proxy-prefix"])}/sign_in"><input type="hidden" name="rd" value="/">'
        '<button type="submit">Sign in</button></form>\n'
    )
    return text_answer(_page(title, body, options, version), status, "text/html; charset=utf-8", headers)
