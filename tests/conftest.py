"""Shared by every test: plain static files, and a last word about what could not run (an error where CI=true)."""

import gc
import os

import pytest


def pytest_addoption(parser: pytest.Parser, pluginmanager: pytest.PytestPluginManager) -> None:
    """tools/test_fast.sh does without the plugin for Django, whose fixtures begin and end around every test, and the engine without asyncio's."""
    for plugin, names in (("django", ["DJANGO_SETTINGS_MODULE"]), ("asyncio", ["asyncio_mode", "asyncio_default_fixture_loop_scope"])):
        if not pluginmanager.hasplugin(plugin):
            for name in names:
                parser.addini(name, f"of the plugin for {plugin}, which is not here")


def pytest_configure(config: pytest.Config) -> None:
    plugin = config.pluginmanager.hasplugin("django")
    if not plugin:
        config.addinivalue_line("markers", "django_db: of the plugin for Django, which is not here; such a test is deselected")
        if "DJANGO_SETTINGS_MODULE" not in os.environ:  # engine and projection know no Django
            return
    import django
    from django.conf import settings

    # Unit tests render pages without a front-end build; the browser tests' server uses the real, hashed files.
    settings.STORAGES["staticfiles"]["BACKEND"] = "django.contrib.staticfiles.storage.StaticFilesStorage"
    settings.WHITENOISE_AUTOREFRESH = True  # look for a static file when it is asked for, not for all at every client's beginning
    database = settings.DATABASES["default"]
    if database["ENGINE"].endswith("sqlite3"):  # nothing of a test's database need survive a power cut
        database["OPTIONS"]["init_command"] += " PRAGMA synchronous=OFF;"
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # the real one takes half a second a sign-in, on purpose
    if not plugin:
        django.setup()
        return
    # Nobody has permissions of Django's here; after each test that commits, they would all be written anew
    from django.contrib.auth.management import create_permissions
    from django.contrib.contenttypes.management import create_contenttypes
    from django.db.models.signals import post_migrate

    post_migrate.disconnect(create_permissions, dispatch_uid="django.contrib.auth.management.create_permissions")
    post_migrate.disconnect(create_contenttypes)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A test of hypothesis is many lives; and which tests have a database."""
    for item in items:
        if getattr(getattr(item, "obj", None), "is_hypothesis_test", False):
            item.add_marker(pytest.mark.slow)
        if item.get_closest_marker("django_db") or {"db", "transactional_db"} & {*getattr(item, "fixturenames", ())}:
            item.add_marker(pytest.mark.database)


def pytest_collection_finish() -> None:
    """What is there by now stays: the search for garbage need not look through it at every turn."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 10, 10)


@pytest.hookimpl(trylast=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Rate limits are counted in the cache: each test that touches the database starts with none. (No fixture: each costs every test a little.)"""
    if item.get_closest_marker("django_db"):
        from django.core.cache import cache

        cache.clear()


def not_run(terminal: pytest.TerminalReporter) -> list[str]:
    skipped = terminal.stats.get("skipped", [])
    reasons = [report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr for report in skipped]
    return [f"{report.nodeid}: {reason}" for report, reason in zip(skipped, reasons, strict=True)]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if missing := not_run(terminalreporter):
        terminalreporter.section("COULD NOT RUN", red=True)
        for line in missing:
            terminalreporter.line(line)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    terminal = session.config.pluginmanager.get_plugin("terminalreporter")
    if terminal and os.environ.get("CI") == "true" and not_run(terminal) and exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
