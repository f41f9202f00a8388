"""dex's pages: choose a way to log in, log in, grant access, an error."""

from __future__ import annotations

from html import escape

from .. import http
from ..http import text_answer

STYLE = (
    "body{margin:0;background:#efefef;color:#333;font-family:sans-serif;font-size:16px}"
    ".navbar{background:#fff;padding:12px 20px;box-shadow:0 1px 2px #ccc;font-weight:bold}"
    ".panel{background:#fff;max-width:360px;margin:24px auto;padding:22px 26px;border-radius:4px;box-shadow:0 2px 8px #bbb;text-align:center}"
    "h2{margin:0 0 16px;font-size:20px;font-weight:500}label{display:block;text-align:left;font-size:13px;margin:10px 0 4px}"
    "input{box-sizing:border-box;width:100%;padding:9px;border:1px solid #999;border-radius:4px;font-size:16px}"
    "button,.button{display:block;box-sizing:border-box;width:100%;margin-top:16px;padding:10px;border:0;border-radius:4px;background:#1b6ac9;"
    "color:#fff;font-size:15px;text-decoration:none}.plain{background:#e3e3e3;color:#333}"
    ".error{color:#a00;background:#fbe9e9;padding:8px;border-radius:4px;margin-top:14px;font-size:14px}ul{text-align:left}"
)
CLAIMS = {"email": "View your email address", "profile": "View basic profile information", "groups": "View your groups",
          "offline_access": "Have offline access"}


def _page(body: str, status: int = 200) -> http.Message:
    text = (
        f'<!DOCTYPE html>\n<html>\n<head>\n<meta charset="utf-8">\n<title>dex</title>\n<style>{STYLE}</style>\n</head>\n<body>\n'
        f'<div class="navbar">dex</div>\n<div class="panel">\n{body}</div>\n</body>\n</html>\n'
    )
    return text_answer(text, status, "text/html; charset=utf-8")


def login_page(ways: list[tuple[str, str]]) -> http.Message:
    """`ways`: (a connector's name, where to go on)."""
    links = "".join(f'<a class="button" href="{escape(url)}">Log in with {escape(name)}</a>\n' for name, url in ways)
    return _page(f"<h2>Log in to dex</h2>\n{links}")


def password_page(target: str, login: str, prompt: str, *, wrong: bool) -> http.Message:
    error = f'<div class="error">Invalid {escape(prompt)} and password.</div>\n' if wrong else ""
    return _page(
        f'<h2>Log in to Your Account</h2>\n<form method="post" action="{escape(target)}">\n'
        f'<label for="login">{escape(prompt)}</label>\n<input id="login" name="login" type="text" required placeholder="{escape(prompt.lower())}" '
        f'value="{escape(login)}">\n'
        f'<label for="password">Password</label>\n<input id="password" name="password" type="password" required placeholder="password">\n'
        f"{error}"
        '<button id="submit-login" type="submit">Login</button>\n</form>\n',
        401 if wrong else 200,
    )


def approval_page(target: str, request: str, client: str, scopes: list[str]) -> http.Message:
    wanted = "".join(f"<li>{text}</li>" for scope, text in CLAIMS.items() if scope in scopes)
    fields = f'<input type="hidden" name="req" value="{escape(request)}">'
    return _page(
        f"<h2>Grant Access</h2>\n<div>{escape(client)} would like to:</div>\n<ul>{wanted}</ul>\n"
        f'<form method="post" action="{escape(target)}">{fields}<input type="hidden" name="approval" value="approve">'
        '<button type="submit">Grant Access</button></form>\n'
        f'<form method="post" action="{escape(target)}">{fields}<input type="hidden" name="approval" value="rejected">'
        '<button type="submit" class="plain">Cancel</button></form>\n'
    )


def error_page(status: int, message: str) -> http.Message:
    return _page(f"<h2>{escape(http.REASONS.get(status, ''))}</h2>\n<p>{escape(message)}</p>\n", status)
