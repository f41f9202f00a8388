"""What the environment says, read once by settings.py: switches, lists, the secret key and the database's address."""

import os
import secrets
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured


def switch(name: str, default: bool = False) -> bool:
    """True for 1, true, yes, on; anything else that is set is False."""
    value = os.environ.get(name)
    return default if value is None else value.strip().lower() in {"1", "true", "yes", "on"}


def number(name: str, default: float, *, least: float, most: float) -> float:
    """A number between two bounds."""
    text = os.environ.get(name, "").strip()
    try:
        value = float(text) if text else default
    except ValueError:
        raise ImproperlyConfigured(f"{name} must be a number") from None
    if not least <= value <= most:
        raise ImproperlyConfigured(f"{name} must lie between {least:g} and {most:g}")
    return value


def words(name: str) -> list[str]:
    """A comma-separated list; empty when unset."""
    return [word.strip() for word in os.environ.get(name, "").split(",") if word.strip()]


def secret_key(hosted: bool, directory: Path) -> str:
    """SECRET_KEY; on a learner's own machine one is made on the first run and kept in `directory`, readable by its owner alone.

    A hosted PodLab must be given one: losing it silently would end every session and void every resume code.
    """
    if key := os.environ.get("SECRET_KEY"):
        return key
    if hosted:
        raise ImproperlyConfigured("SECRET_KEY must be set when PODLAB_HOSTS is (a long random string, kept secret)")
    path = directory / "secret_key"
    if not path.exists():
        directory.mkdir(parents=True, exist_ok=True)
        draft = directory / f"secret_key.{os.getpid()}"
        draft.touch(mode=0o600)
        draft.write_text(secrets.token_urlsafe(50))
        try:
            os.link(draft, path)  # fails if another process was first: then both read the same key
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return path.read_text().strip()


def database(url: str, default_file: Path) -> dict[str, Any]:
    """Django's DATABASES entry for DATABASE_URL (postgresql://user:password@host:port/name?option=value, or sqlite:///file)."""
    parts = urlsplit(url)
    if parts.scheme in {"postgres", "postgresql"}:
        return {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": unquote(parts.path.lstrip("/")),
            "USER": unquote(parts.username or ""),
            "PASSWORD": unquote(parts.password or ""),
            "HOST": unquote(parts.hostname or ""),
            "PORT": str(parts.port or ""),
            "OPTIONS": dict(parse_qsl(parts.query)),
        }
    if url and parts.scheme != "sqlite":
        raise ImproperlyConfigured("DATABASE_URL must start with postgresql:// or sqlite:///")
    # IMMEDIATE takes the write lock at BEGIN, where the busy timeout applies; DEFERRED fails at once on upgrading a read lock.
    # synchronous stays FULL (SQLite's default): an acknowledged request survives a power cut, not only a killed process.
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": parts.path.removeprefix("/") or str(default_file),
        "OPTIONS": {
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,  # seconds to wait for the one writer
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA foreign_keys=ON;",
        },
        # Tests too use a file: an in-memory database would be private to one thread.
        "TEST": {"NAME": str(default_file.with_name(f"test-{os.getpid()}.sqlite3"))},
    }
