"""PostgreSQL: statements and their errors in its words, psql's looks, roles, and data that outlives the process."""

from __future__ import annotations

import pytest

from podlab.kubernetes.runtime.images.pg_table import aligned
from podlab.kubernetes.runtime.images.pg_words import PgError, statements, translate

from .lab import Lab, own

SHELL = """#!/bin/bash
set -e
psql -v ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" <<-EOSQL
	CREATE USER docker;
	CREATE DATABASE docker;
	INSERT INTO seeded VALUES (0);
EOSQL
"""
SCRIPT = "create table seeded (a int);\n-- a note; with a semicolon\ninsert into seeded values (1), (2);\n"
MISFIT = "ERROR:  invalid input syntax for type integer: \"x\"\nLINE 1: insert into seeded values ('x')\n                                   ^\n"


def furnished() -> Lab:
    lab = Lab(1)
    lab.create("configmaps", {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "seed"}, "data": {
        "a.sql": SCRIPT, "b.sh": SHELL, "pw": "pw\n"}})  # fmt: skip
    given = {"POSTGRES_USER": "kim", "POSTGRES_DB": "shop", "POSTGRES_PASSWORD_FILE": "/docker-entrypoint-initdb.d/pw",
             "PGDATA": "/var/lib/postgresql/data/pgdata"}  # fmt: skip
    mounts = [{"name": "seed", "mountPath": "/docker-entrypoint-initdb.d"}, {"name": "data", "mountPath": "/var/lib/postgresql/data"}]
    env = [{"name": name, "value": value} for name, value in given.items()]
    lab.pod("db", containers=[{"name": "p", "image": "postgres:17", "env": env, "volumeMounts": mounts}],
            spec={"volumes": [{"name": "seed", "configMap": {"name": "seed"}}, {"name": "data", "emptyDir": {}}]}, labels={"app": "db"})  # fmt: skip
    lab.service("db", "db", port=5432, target=5432)
    lab.client("client", "postgres:17-alpine", node="node-1")
    lab.settle(60)
    return lab


@pytest.fixture
def lab() -> Lab:
    return own(furnished)


def ask(lab: Lab, sql: str, options: str = "-U kim -At shop", key: str = "pw") -> str:
    out, err, _ = lab.run("client", f"PGPASSWORD={key} psql -h db {options}", stdin=sql)
    return out + err


@pytest.mark.slow
def test_statements_give_what_postgresql_gives(lab: Lab) -> None:
    for sql, said in (
        ("create table item (id serial primary key, name varchar(5) not null unique, price numeric(8,2) default 0 check (price >= 0), ok boolean)",
         "CREATE TABLE\n"),
        ("insert into item (name, price, ok) values ('연필', 500, true), ('Pen', 1500.5, false)", "INSERT 0 2\n"),
        ("select * from item", "id|name|price|ok\n1|연필|500.00|t\n2|Pen|1500.50|f\n"),
        ("select count(*), avg(id), 1/2, null, 1 = 1 from item", "count|avg|?column?|?column?|?column?\n2|1.5000000000000000|0||t\n"),
        ("select name from item where name like 'p%' or name ilike 'P%'", "name\nPen\n"),
        ("insert into item (name) values ('Pen')",
         'ERROR:  duplicate key value violates unique constraint "item_name_key"\nDETAIL:  Key (name)=(Pen) already exists.\n'),
        ("insert into item (price) values (1)", 'ERROR:  null value in column "name" of relation "item" violates not-null constraint\n'),
        ("insert into item (name, price) values ('x', -1)", 'ERROR:  new row for relation "item" violates check constraint "item_price_check"\n'),
        ("insert into item (name) values ('toolong')", "ERROR:  value too long for type character varying(5)\n"),
        ("insert into seeded values ('x')", MISFIT),
        ("select a from item", 'ERROR:  column "a" does not exist\nLINE 1: select a from item\n               ^\n'),
        ("select 1;\nselect *\nfrom nope;", '?column?\n1\n(1 row)\nERROR:  relation "nope" does not exist\nLINE 2: from nope\n             ^\n'),
        ("selec 1;", 'ERROR:  syntax error at or near "selec"\nLINE 1: selec 1\n        ^\n'),
        ("select 1/0", "ERROR:  division by zero\n"),
        ("insert into seeded select i from generate_series(3, 5) i", "INSERT 0 3\n"),
        ("select count(*) from seeded where a = 0", "count\n1\n"),
        ("delete from seeded where a > 2 returning a", "a\n3\n4\n5\n(3 rows)\nDELETE 3\n"),
        ("update item set price = price + 1 where id = 1", "UPDATE 1\n"),
        ("drop table item; drop table item", 'DROP TABLE\nERROR:  table "item" does not exist\n'),
        ("select tablename from pg_tables where schemaname = 'public'", "tablename\nseeded\n"),
        ("select sum(a) from seeded", "sum\n3\n"),
        ("select 1, current_date = now()::date as same", "?column?|same\n1|t\n"),
        ("\\c nope", '\\connect: connection to server at "db" ({}), port 5432 failed: FATAL:  database "nope" does not exist\n'),
    ):  # fmt: skip
        found = ask(lab, sql, "-U kim -A -P footer=on shop")
        address = lab.out("client", "getent hosts db").split()[0] if "{}" in said else ""
        for one in ("(1 row)\n", "(2 rows)\n"):
            found = found if one in said else found.replace(one, "")
        assert (sql, found) == (sql, said.replace("{}", address))


@pytest.mark.slow
def test_a_connection_that_cannot_be_had_is_told_in_psqls_words(lab: Lab) -> None:
    said = lab.run("client", "PGPASSWORD=no psql -h db -U kim shop -c 'select 1'")
    assert said[1].endswith('port 5432 failed: FATAL:  password authentication failed for user "kim"\n')
    assert said[2] == 2
    assert "fe_sendauth: no password supplied" in lab.run("client", "psql -h db -U kim shop -c 'select 1'")[1]
    assert lab.run("client", "psql -h nope")[1] == 'psql: error: could not translate host name "nope" to address: Name or service not known\n'
    assert "Is the server running locally and accepting connections on that socket?" in lab.run("client", "psql -U kim")[1]
    assert lab.out("db", "psql -U kim shop -Atc 'select sum(a) from seeded'; pg_isready -U kim") == (
        "3\n/var/run/postgresql:5432 - accepting connections\n"
    )
    assert 'FATAL:  password authentication failed for user "kim"' in lab.logs("db")


@pytest.mark.slow
def test_roles_may_what_they_were_given(lab: Lab) -> None:
    assert ask(lab, "create user bob password 'b'; create table mine (a int); insert into mine values (7); grant select on mine to bob") == (
        "CREATE ROLE\nCREATE TABLE\nINSERT 0 1\nGRANT\n"
    )
    assert ask(lab, "select a from mine", "-U bob -At shop", "b") == "7\n"
    assert ask(lab, "delete from mine", "-U bob -At shop", "b") == "ERROR:  permission denied for table mine\n"
    assert ask(lab, "drop table mine", "-U bob -At shop", "b") == "ERROR:  must be owner of table mine\n"
    assert ask(lab, "create table his (a int)", "-U bob -At shop", "b") == "ERROR:  permission denied for schema public\n"


@pytest.mark.slow
def test_hostile_statements_end_and_the_server_goes_on(lab: Lab) -> None:
    loop = "with recursive c as (select 1 n union all select n + 1 from c) select count(*) from c"
    assert "canceling statement due to statement timeout" in ask(lab, loop)
    for sql in ("attach database '/etc/passwd' as x", "pragma database_list", "select load_extension('x')", "select " + "(" * 900 + "1" + ")" * 900,
                "create table sqlite_master (a int)", "select zeroblob(1000000000)", "insert into pg_roles values ('a')", "create schema \"../x\"",
                'create database "../../tmp/x"', 'select * from "../mysql".a', "'" * 5_000, "/*" * 5_000, "$a$" * 3_000, "\\d ../../x",
                "create table pg_catalog.x (a int)", "select * from generate_series(1, 100000000)", "\\c a'b\"c", "grant x on y to z"):  # fmt: skip
        ask(lab, sql)
    assert ask(lab, "select 1") == "1\n"
    assert lab.status("db")["containerStatuses"][0]["restartCount"] == 0


@pytest.mark.slow
def test_data_is_there_after_the_server_was_killed_and_a_dump_makes_it_again(lab: Lab) -> None:
    ask(lab, "create table kept (a int, b varchar(9)); insert into kept values (1, 'it''s')")
    lab.run("db", "kill 1")
    lab.settle(30)
    assert "Skipping initialization" in lab.logs("db")
    copied = "export PGHOST=db PGUSER=kim PGPASSWORD=pw; createdb copy && pg_dump -t kept shop | psql -q copy && psql -c 'select * from kept' copy"
    assert lab.run("client", copied)[:2] == (" a |  b   \n---+------\n 1 | it's\n(1 row)\n\n", "")
    assert lab.restored().out("client", "PGPASSWORD=pw psql -h db -U kim shop -Atc 'select b from kept'") == "it's\n"


def test_a_text_is_parted_into_statements_as_psql_does() -> None:
    assert list(statements("select 1;\n-- x;\nselect ';' \\gx\n\\d x\nselect $$a;b$$;\nrest")) == [
        ("select 1", ";", 1), ("-- x;\nselect ';'", "\\gx", 2), ("\\d x", "\\", 4), ("select $$a;b$$", ";", 5), ("rest", "", 6)]  # fmt: skip


def test_names_are_small_and_a_table_is_in_public() -> None:
    assert translate('insert into T values (1) on conflict (A) do nothing', lambda name: "public").tables == (("public", "t"),)
    with pytest.raises(PgError, match="syntax error at end of input"):
        translate("insert into t values", lambda name: "public")


def test_a_terminal_sees_titles_in_the_middle_and_numbers_at_the_right() -> None:
    assert aligned(["id", "이름"], [[1, "연필+"], [20, None]], [True, False], "(2 rows)", "List") == (
        "    List\n id |  이름  \n----+--------\n  1 | 연필+\n 20 | \n(2 rows)\n\n".replace("  이름  ", " 이름  ").replace("--------", "-------")
    )
