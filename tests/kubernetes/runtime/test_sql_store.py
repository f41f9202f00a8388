"""What a hostile statement or a hand-made table's file may do to whoever serves it: nothing, and not for long."""

from __future__ import annotations

import json
import sqlite3
import time
from pathlib import Path

import pytest

from podlab.kubernetes.runtime.images import mysql_commands, pg_commands
from podlab.kubernetes.runtime.images.sql_bounds import too_wordy
from podlab.kubernetes.runtime.images.sql_store import Store, TooMuch

T = "CREATE TABLE t (a int, s text)"
LOOP = "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c LIMIT 100000) "


def files(*create: str, rows: tuple[list[object], ...] = (), name: str = "t") -> dict[str, dict[str, str]]:
    return {"d": {name: "".join(json.dumps(line) + "\n" for line in ({"name": name, "create": create, "next": 0}, *rows))}}


def run(sql: str, held: dict[str, dict[str, str]] | None = None) -> list[list[object]]:
    with Store(held or files(T), {("date", 1): lambda value: value}) as store:
        return store.run(sql).rows


@pytest.mark.parametrize("create", [
    ("ATTACH '{0}'AS/* */ y", "CREATE TABLE/* */ y.t (a)"), ("VACUUM INTO/* */ '{0}'",), (f"CREATE TABLE t AS {LOOP}SELECT * FROM c",),
    (f"{T}; DROP TABLE t",), (T, "CREATE TRIGGER x AFTER INSERT ON t BEGIN SELECT 1; END"), ("CREATE VIRTUAL TABLE t USING fts5(a)",),
    ("CREATE TABLE t (a int, s text AS (printf('%60000d', a)) STORED)",), (T, "CREATE INDEX i ON t (printf('%60000d', a))")])  # fmt: skip
def test_a_tables_file_may_hold_nothing_but_tables(create: tuple[str, ...], tmp_path: Path) -> None:
    place = tmp_path / "x"
    with pytest.raises(ValueError):
        Store(files(*(one.format(place) for one in create)), {})
    assert not place.exists()


@pytest.mark.parametrize("text", ["", "null", '{"create":3}', '{"create":[3],"name":"t","next":0}', "[" * 100_000,
                                  files(T, rows=([10**30, 1],))["d"]["t"], files(T, rows=([{}, []],))["d"]["t"]])  # fmt: skip
def test_a_file_that_is_none_of_ours_is_told_of(text: str) -> None:
    with pytest.raises(ValueError):
        Store({"d": {"t": text}}, {})


@pytest.mark.parametrize("sql", [
    *(f"{LOOP}SELECT {what} FROM c" for what in (
        "sum(length(printf('%60000d', n)))", "sum(instr(printf('%1000d', n), printf('%500d', n) || 'x'))",
        "sum(length(replace(printf('%1000d', n), ' ', printf('%1000d', n))))", "sum(length(trim(printf('%01000d', n), printf('%900d', n))))",
        f"sum(printf('%1000d', n) LIKE '%{' ' * 90}x%')", "printf('%1000d', n)", "group_concat(n)")),
    "WITH c0 AS (SELECT 1)" + "".join(f", c{i} AS (SELECT 1 FROM c{i - 1} a JOIN c{i - 1} b)" for i in range(1, 30)) + " SELECT 1 FROM c29",
    f"INSERT INTO d.t {LOOP}SELECT n, printf('%200d', n) FROM c"])  # fmt: skip
def test_a_statement_that_would_work_for_long_is_ended(sql: str) -> None:
    with pytest.raises(TooMuch):
        run(sql)


def test_views_of_views_are_counted_before_anybody_reads_them() -> None:
    views = {f"v{i}": files(f"CREATE VIEW v{i} AS SELECT 1 FROM v{i - 1} a JOIN v{i - 1} b", name=f"v{i}")["d"][f"v{i}"] for i in range(1, 30)}
    with pytest.raises(TooMuch):
        Store({"d": {"v0": files("CREATE VIEW v0 AS SELECT 1 x", name="v0")["d"]["v0"], **views}}, {})


@pytest.mark.parametrize("sql", ["SELECT date('now', '+1 day')", "SELECT strftime('%s', 'now')", "SELECT current_timestamp", "ATTACH 'x' AS y",
                                 "PRAGMA writable_schema = 1", "SELECT * FROM pragma_database_list", 'CREATE TABLE d."../x" (a)'])
def test_no_statement_sees_a_clock_or_another_file(sql: str) -> None:
    with pytest.raises(sqlite3.Error):
        run(sql)


def test_long_values_are_kept_and_texts_are_looked_for_as_sqlite_does() -> None:
    assert run("SELECT length(s) FROM d.t", files(T, rows=([1, "x" * 20_000],))) == [[20_000]]
    assert run("SELECT 'Apple' LIKE 'a_p%e', 'a%b' LIKE 'a!%b' ESCAPE '!', 'ab' LIKE '%a', 'xay' LIKE '%%a%', NULL LIKE 'a', instr('abc', 'c'), "
               "replace('aa', 'a', 'bc'), trim('xax', 'x')") == [[1, 1, 0, 1, None, 3, "bcbc", "a"]]


def test_a_statement_of_many_words_is_not_read() -> None:
    assert too_wordy("select 1" + ",1" * 5_000)
    assert not too_wordy("select '" + "word " * 5_000 + "'")


@pytest.mark.parametrize("sql", ["grant " + " " * 19_000, "grant a" + " on" * 700, "grant a on b" + " to" * 700])
def test_no_command_is_read_over_and_over(sql: str) -> None:
    began = time.process_time()
    for pattern, _ in (*mysql_commands.COMMANDS, *pg_commands.COMMANDS):
        pattern.fullmatch(sql)
    assert time.process_time() - began < 2  # 0.1 s at the most; it was minutes
