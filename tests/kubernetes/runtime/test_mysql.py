"""MySQL: statements and their errors in its words, accounts, data that outlives the process, and the manual's replicated StatefulSet."""

from __future__ import annotations

from typing import Any

import pytest

from podlab.kubernetes.runtime.images.mysql_client import table
from podlab.kubernetes.runtime.images.mysql_words import SqlError, statements, translate

from .lab import Lab, own

CONF = {"primary.cnf": "[mysqld]\nlog-bin\n", "replica.cnf": "[mysqld]\nsuper-read-only\n"}
FAULT = ("You have an error in your SQL syntax; check the manual that corresponds to your MySQL server version for the right syntax to use "
         "near")
SCRIPT = "CREATE TABLE seeded (a INT);\n-- a note; with a semicolon\nINSERT INTO seeded VALUES (1), (2);\n"


def furnished() -> Lab:
    lab = Lab(1)
    lab.create("configmaps", {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "seed"}, "data": {
        "a.sql": SCRIPT, "b.sh": "mysql -uroot -p$MYSQL_ROOT_PASSWORD $MYSQL_DATABASE -e 'insert into seeded values (0)'"}})  # fmt: skip
    given = {"MYSQL_ROOT_PASSWORD": "root", "MYSQL_DATABASE": "shop", "MYSQL_USER": "kim", "MYSQL_PASSWORD": "pw"}
    mounts = [{"name": "seed", "mountPath": "/docker-entrypoint-initdb.d"}, {"name": "data", "mountPath": "/var/lib/mysql"}]
    env = [{"name": name, "value": value} for name, value in given.items()]
    lab.pod("db", containers=[{"name": "m", "image": "mysql:8.4", "env": env, "volumeMounts": mounts}],
            spec={"volumes": [{"name": "seed", "configMap": {"name": "seed"}}, {"name": "data", "emptyDir": {}}]}, labels={"app": "db"})  # fmt: skip
    lab.service("db", "db", port=3306, target=3306)
    lab.client("client", "mysql:8.4", node="node-1")
    lab.settle(60)
    return lab


@pytest.fixture
def lab() -> Lab:
    return own(furnished)


def ask(lab: Lab, sql: str, options: str = "-uroot -proot", database: str = "") -> str:
    out, err, _ = lab.run("client", f"mysql -h db {options} {database}", stdin=sql)
    return out + "".join(line + "\n" for line in err.splitlines() if "insecure" not in line)


@pytest.mark.slow
def test_statements_give_what_mysql_gives(lab: Lab) -> None:
    for sql, said in (
        ("create table item (id int auto_increment primary key, name varchar(20) not null unique, price decimal(8,2) default 0);", ""),
        ("insert into item (name, price) values ('연필', 500), ('펜', 1500.5);", ""),
        ("select * from item", "id\tname\tprice\n1\t연필\t500.00\n2\t펜\t1500.50\n"),
        ("select count(*), avg(id), 1/2, null from item", "count(*)\tavg(id)\t1/2\tnull\n2\t1.5000\t0.5000\tNULL\n"),
        ("select name as n from item where price > 1000 order by id desc limit 1", "n\n펜\n"),
        ("insert into item (name) values ('연필')", "ERROR 1062 (23000) at line 1: Duplicate entry '연필' for key 'item.name'\n"),
        ("insert into item (price) values (1)", "ERROR 1364 (HY000) at line 1: Field 'name' doesn't have a default value\n"),
        ("insert into item values (1)", "ERROR 1136 (21S01) at line 1: Column count doesn't match value count at row 1\n"),
        ("select a from item", "ERROR 1054 (42S22) at line 1: Unknown column 'a' in 'field list'\n"),
        ("select 1;\nselect * from nope", "1\n1\nERROR 1146 (42S02) at line 2: Table 'shop.nope' doesn't exist\n"),
        ("selec 1", f"ERROR 1064 (42000) at line 1: {FAULT} 'selec 1' at line 1\n"),
        ("update item set price = price + 1 where id = 1; select price from item where id = 1", "price\n501.00\n"),
        ("describe item", "Field\tType\tNull\tKey\tDefault\tExtra\nid\tint\tNO\tPRI\tNULL\tauto_increment\nname\tvarchar(20)\tNO\tUNI\tNULL\t\n"
                          "price\tdecimal(8,2)\tYES\t\t0\t\n"),
        ("show tables", "Tables_in_shop\nitem\nseeded\n"),
        ("show variables like 'Server\\_i_'", "Variable_name\tValue\nserver_id\t1\n"),
        ("show variables like '" + "%" * 60 + "1'", ""),  # each % a place to try again: no end of them
        ("show variables like '" + "%" * 101 + "'", "ERROR 3024 (HY000) at line 1: Query execution was interrupted, maximum statement "
                                                     "execution time exceeded\n"),
        ("drop table item; create database shop", "ERROR 1007 (HY000) at line 1: Can't create database 'shop'; database exists\n"),
        ("use nope", "ERROR 1049 (42000) at line 1: Unknown database 'nope'\n"),
        ("select sum(a), count(*) from seeded", "sum(a)\tcount(*)\n3\t3\n"),
    ):  # fmt: skip
        assert (sql, ask(lab, sql, database="shop")) == (sql, said)


@pytest.mark.slow
def test_accounts_may_what_they_were_given(lab: Lab) -> None:
    assert ask(lab, "show tables", "-ukim -ppw", "shop").startswith("Tables_in_shop\n")
    assert "Access denied for user 'kim'@'%' to database 'mysql'" in ask(lab, "select * from mysql.user", "-ukim -ppw")
    assert f"ERROR 1045 (28000): Access denied for user 'kim'@'{lab.ip('client')}' (using password: NO)" in ask(lab, "select 1", "-ukim")
    assert "ERROR 2005 (HY000): Unknown MySQL server host 'nope' (-2)" in lab.run("client", "mysql -h nope -e 'select 1'")[1]
    assert ask(lab, "create user 'lee'@'%' identified by 'x'; grant all on shop.* to 'lee'@'%'") == ""
    assert ask(lab, "select sum(a) from shop.seeded", "-ulee -px") == "sum(a)\n3\n"


@pytest.mark.slow
def test_hostile_statements_end_and_the_server_goes_on(lab: Lab) -> None:
    loop = "with recursive c as (select 1 n union all select n + 1 from c) select count(*) from c"
    assert "ERROR 3024" in ask(lab, loop)
    for sql in ("attach database '/etc/passwd' as x", "pragma database_list", "select load_extension('x')", "select " + "(" * 900 + "1" + ")" * 900,
                "create table shop.sqlite_master (a int)", "select zeroblob(1000000000)", "select randomblob(9)",
                "insert into mysql.user values ('a')", "create database `../../tmp/x`", "select * from `../mysql`.user", "'" * 5_000, "/*" * 5_000,
                "select x'00ff'", "select @x, @@nope"):  # fmt: skip
        ask(lab, sql, "--force -uroot -proot")
    assert ask(lab, "select 1") == "1\n1\n"
    assert lab.status("db")["containerStatuses"][0]["restartCount"] == 0


@pytest.mark.slow
def test_data_is_there_after_the_server_was_killed_and_a_dump_makes_it_again(lab: Lab) -> None:
    ask(lab, "create table shop.kept (a int, b varchar(9)); insert into shop.kept values (1, 'it''s')")
    lab.run("db", "kill 1")
    lab.settle(30)
    dump, _, _ = lab.run("client", "mysqldump -h db -uroot -proot shop kept")
    assert "INSERT INTO `kept` VALUES (1,'it\\'s');\n" in dump
    assert ask(lab, f"create database copy; use copy; {dump} select * from kept") == "a\tb\n1\tit's\n"
    assert lab.restored().run("client", "mysql -h db -uroot -proot -e 'select b from shop.kept'")[0] == "b\nit's\n"


MOUNTS = [{"name": "data", "mountPath": "/var/lib/mysql"}, {"name": "conf", "mountPath": "/etc/mysql/conf.d"}]


@pytest.mark.slow
def test_a_replica_shows_what_its_source_has_and_refuses_to_write() -> None:
    lab = Lab(1)
    lab.create("configmaps", {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "conf"}, "data": CONF})
    for name in ("primary", "replica"):
        volumes: list[Any] = [
            {"name": "data", "emptyDir": {}},
            {"name": "conf", "configMap": {"name": "conf", "items": [{"key": f"{name}.cnf", "path": "x.cnf"}]}},
        ]
        lab.pod(name, spec={"volumes": volumes}, labels={"app": name}, containers=[
            {"name": "m", "image": "mysql:5.7", "env": [{"name": "MYSQL_ALLOW_EMPTY_PASSWORD", "value": "1"}], "volumeMounts": MOUNTS},
            {"name": "x", "image": "gcr.io/google-samples/xtrabackup:1.0", "command": ["sleep", "infinity"], "volumeMounts": MOUNTS}])  # fmt: skip
    lab.service("primary", "primary", port=3306, target=3306)
    lab.settle(60)

    def said(pod: str, sql: str) -> str:
        out, err, _ = lab.run(pod, "mysql", "m", stdin=sql)
        return out + err

    assert (
        said("primary", "create database test; create table test.messages (message varchar(250)); insert into test.messages values ('hello')") == ""
    )
    follow = "change master to master_host='primary', master_user='root', master_log_file='mysql-bin.000001', master_log_pos=154; start slave"
    assert said("replica", follow) == ""
    assert said("replica", "select * from test.messages") == "message\nhello\n"
    assert "super-read-only" in said("replica", "insert into test.messages values ('no')")
    said("primary", "insert into test.messages values ('later')")
    assert said("replica", "select count(*) from test.messages; show slave status").startswith("count(*)\n2\n")
    copy = "mkdir /tmp/c; xtrabackup --backup --slave-info --stream=xbstream | xbstream -x -C /tmp/c"
    out, _, _ = lab.run("replica", f"{copy}; cat /tmp/c/xtrabackup_slave_info; ls /tmp/c/test", "x")
    assert out.startswith("CHANGE MASTER TO MASTER_LOG_FILE='mysql-bin.000001', MASTER_LOG_POS=") and out.endswith(";\nmessages.ibd\n")


def test_a_text_is_parted_into_statements_as_the_client_does() -> None:
    assert list(statements("select 1;\n# x;\nselect ';' ; show slave status\\G\nrest")) == [
        ("select 1", ";", 1), ("# x;\nselect ';'", ";", 2), ("show slave status", "\\G", 3), ("rest", "", 4)]  # fmt: skip


def test_a_statement_that_wants_a_database_says_so() -> None:
    with pytest.raises(SqlError, match="No database selected"):
        translate("select * from t", "", {})
    assert translate("replace into t values (1)", "d", {}).sql == 'REPLACE INTO "d".t VALUES (1)'


def test_a_terminal_sees_a_frame_with_numbers_at_the_right() -> None:
    assert table(["n", "이름"], [[1, "연필"], [20, None]], [True, False]) == (
        "+----+------+\n| n  | 이름 |\n+----+------+\n|  1 | 연필 |\n| 20 | NULL |\n+----+------+\n")  # fmt: skip
