import os
import subprocess
import sys
from pathlib import Path

import pytest

from podlab import environment
from tests.browser.harness import unconfigured

ROOT = Path(__file__).resolve().parent.parent
SHOW = """
from django.conf import settings
print(settings.DEBUG, settings.SESSION_COOKIE_SECURE, settings.DATABASES["default"]["ENGINE"])
"""


def settings_under(data: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    environ = {**unconfigured(os.environ), "DJANGO_SETTINGS_MODULE": "podlab.settings", "PODLAB_DATA": str(data), **variables}
    return subprocess.run([sys.executable, "-c", SHOW], cwd=ROOT, env=environ, capture_output=True, text=True)


@pytest.mark.slow
def test_on_a_learners_machine_nothing_need_be_set(tmp_path: Path) -> None:
    assert settings_under(tmp_path).stdout.split() == ["False", "False", "django.db.backends.sqlite3"]


@pytest.mark.slow
def test_a_hosted_server_must_be_given_its_secret_key(tmp_path: Path) -> None:
    refused = settings_under(tmp_path, PODLAB_HOSTS="podlab.example")
    assert refused.returncode != 0 and "SECRET_KEY must be set" in refused.stderr
    hosted = settings_under(tmp_path, PODLAB_HOSTS="podlab.example", SECRET_KEY="k" * 50, DATABASE_URL="postgres://u:p@db/x")
    assert hosted.stdout.split() == ["False", "True", "django.db.backends.postgresql"]


@pytest.mark.slow
def test_debug_pages_are_refused_on_a_hosted_server(tmp_path: Path) -> None:
    refused = settings_under(tmp_path, PODLAB_HOSTS="podlab.example", SECRET_KEY="k" * 50, PODLAB_DEBUG="1")
    assert refused.returncode != 0 and "PODLAB_DEBUG" in refused.stderr


def test_the_secret_key_is_made_once_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    key = environment.secret_key(hosted=False, directory=tmp_path)
    assert len(key) >= 50
    assert environment.secret_key(hosted=False, directory=tmp_path) == key
    assert [(path.name, path.stat().st_mode & 0o777) for path in tmp_path.iterdir()] == [("secret_key", 0o600)]


def test_database_urls_are_read(tmp_path: Path) -> None:
    found = environment.database("postgresql://user:p%40ss@db.example:6543/pod%2Flab?sslmode=require", tmp_path / "x")
    assert {name: found[name] for name in ["NAME", "USER", "PASSWORD", "HOST", "PORT", "OPTIONS"]} == {
        "NAME": "pod/lab",
        "USER": "user",
        "PASSWORD": "p@ss",
        "HOST": "db.example",
        "PORT": "6543",
        "OPTIONS": {"sslmode": "require"},
    }
    assert environment.database("", tmp_path / "x.sqlite3")["NAME"] == str(tmp_path / "x.sqlite3")
    assert environment.database("sqlite:////data/y.sqlite3", tmp_path / "x")["NAME"] == "/data/y.sqlite3"
    with pytest.raises(Exception, match="DATABASE_URL must start with"):
        environment.database("mysql://db/x", tmp_path / "x")
