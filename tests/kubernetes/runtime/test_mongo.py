"""MongoDB: documents that outlive the process, the shell's scripts, a replica set's primary, and the quiz service that keeps its data there."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from podlab.kubernetes.runtime.images import mongo_script, mongo_store, mongo_tokens

from .lab import Lab, own

SEED = 'db.getSiblingDB("kiada").questions.insertMany([{id: 7, text: "Why?", correctAnswerIndex: 1, answers: ["x", "y"]}]);\n'


def furnished() -> Lab:
    lab = Lab(1)
    lab.create("configmaps", {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "seed"}, "data": {"seed.js": SEED}})
    volumes = [{"name": "seed", "configMap": {"name": "seed"}}, {"name": "data", "hostPath": {"path": "/var/quiz"}}]
    mounts = [{"name": "seed", "mountPath": "/docker-entrypoint-initdb.d"}, {"name": "data", "mountPath": "/data/db"}]
    probe: dict[str, Any] = {"httpGet": {"port": 8080, "path": "/healthz/ready"}}
    lab.pod("quiz", containers=[{"name": "mongo", "image": "mongo:7", "volumeMounts": mounts},
                                {"name": "api", "image": "luksa/quiz-api:0.2", "readinessProbe": probe}], spec={"volumes": volumes})  # fmt: skip
    for number in range(2):
        lab.pod(f"set-{number}", "mongo:7", command=["mongod", "--bind_ip_all", "--replSet", "rs"], labels={"app": "set"},
                spec={"hostname": f"set-{number}", "subdomain": "set"})  # fmt: skip
    lab.create("services", {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "set"},
                            "spec": {"clusterIP": "None", "selector": {"app": "set"}, "ports": [{"name": "mongodb", "port": 27017}]}})  # fmt: skip
    lab.service("quiz", "quiz", target=8080)
    lab.client("client", "curlimages/curl:latest", node="node-1")
    lab.settle(100)
    return lab


@pytest.fixture
def lab() -> Lab:
    return own(furnished)


def shell(lab: Lab, script: str, pod: str = "quiz", place: str = "kiada") -> str:
    out, err, _ = lab.run(pod, f"mongosh {place} --quiet --file /dev/stdin", "mongo" if pod == "quiz" else "", stdin=script)
    return out + err


def value(lab: Lab, expression: str) -> str:
    return lab.out("quiz", f"mongosh kiada --quiet --eval '{expression}'", "mongo").rstrip("\n")


def test_a_fresh_database_runs_the_scripts_of_its_folder(lab: Lab) -> None:
    assert "running /docker-entrypoint-initdb.d/seed.js" in lab.logs("quiz", "mongo")
    assert value(lab, "db.questions.countDocuments()") == "1"


def test_the_service_answers_from_the_database(lab: Lab) -> None:
    assert [one["ready"] for one in lab.status("quiz")["containerStatuses"]] == [True, True]
    assert json.loads(lab.out("client", "curl -s quiz/questions/random")) == {"id": 7, "text": "Why?", "correctAnswerIndex": 1, "answers": ["x", "y"]}
    assert lab.out("client", "curl -s quiz/questions/9") == "ERROR: Question 9 not found\n"
    answer = """curl -s -X POST -d '{"questionId": 7, "answerIndex": 0}' quiz/questions/7/answers"""
    assert json.loads(lab.out("client", answer))["correct"] is False
    assert value(lab, "db.responses.countDocuments({correct: false})") == "1"


def test_a_browser_is_told_that_this_is_no_web_server(lab: Lab) -> None:
    assert lab.out("client", f"curl -s {lab.ip('quiz')}:27017").startswith("It looks like you are trying to access MongoDB over HTTP")


def test_a_script_loops_asks_and_catches(lab: Lab) -> None:
    script = """
      // three months of readings
      var from = new Date("2024-1-31Z"), made = [];
      for (var i = 0; i < 6; i++) { made.push({ n: i, even: i % 2 == 0, at: new Date(from.getTime() + i * 20 * 24 * 3600 * 1000) }); }
      db.readings.insertMany(made);
      db.readings.updateOne({ n: 5 }, { $inc: { n: 10 } });
      const cursor = db.readings.aggregate([{ $match: { at: { $gte: from } } },
        { $group: { _id: { $dateTrunc: { date: "$at", unit: "month" } }, total: { $sum: 1 }, even: { $sum: { $cond: ["$even", 1, 0] } } } }]);
      while (cursor.hasNext()) { var one = cursor.next(); print(JSON.stringify(one)); }
      try { rs.status(); } catch (e) { print(e.codeName); }
      function twice(x) { return x * 2; }
      print(`last ${twice(db.readings.find({}).sort({ n: -1 }).limit(1).toArray()[0].n)}`);
      do { made.pop(); if (made.length == 2) break; } while (true)
      print(made.map(m => m.n).join("-"), String(db.readings.findOneAndDelete({ n: 0 }).at));
      quit(made.length);
    """
    out, err, code = lab.run("quiz", "mongosh kiada --quiet --file /dev/stdin", "mongo", stdin=script)
    assert (out.splitlines(), err, code) == ([
        '{"_id":"2024-01-01T00:00:00.000Z","total":1,"even":1}', '{"_id":"2024-02-01T00:00:00.000Z","total":1,"even":0}',
        '{"_id":"2024-03-01T00:00:00.000Z","total":2,"even":1}', '{"_id":"2024-04-01T00:00:00.000Z","total":1,"even":1}',
        '{"_id":"2024-05-01T00:00:00.000Z","total":1,"even":0}', "NoReplicationEnabled", "last 30",
        "0-1 Wed Jan 31 2024 00:00:00 GMT+0000 (Coordinated Universal Time)"], "", 2)  # fmt: skip


def test_values_are_shown_as_the_shell_shows_them(lab: Lab) -> None:
    assert value(lab, 'db.kept.insertOne({_id: "a", n: 1})') == "{ acknowledged: true, insertedId: 'a' }"
    assert value(lab, "db.kept.findOne()") == "{ _id: 'a', n: 1 }"
    out, _, _ = lab.run("quiz", "mongosh --quiet", "mongo", stdin="use kiada\nshow collections\nvar x = 2\nx +\n 3\n")
    assert value(lab, "use other;") == "switched to db other"
    assert "switched to db kiada" in out and "kept\n" in out and out.rstrip().endswith("5\nkiada>")


def test_what_a_script_may_not_say_is_told(lab: Lab) -> None:
    assert "ReferenceError: nothing is not defined" in shell(lab, "print(nothing)")
    assert "SyntaxError" in shell(lab, "print(")
    assert "is not a function" in shell(lab, "db.readings.jump()")


def test_a_script_sleeps_through_a_checkpoint(lab: Lab) -> None:
    begun = lab.begin("quiz", """mongosh kiada --quiet --eval 'var n = 0; while (n < 3) { sleep(1000); n++; print("n " + n) }'""", "mongo")
    lab.settle(1.8)
    other = lab.restored()
    out, _, code = other.end("quiz", begun)
    assert (out.split("n ", 1)[-1].splitlines()[-1][-1], code) == ("3", 0)


def test_a_set_has_a_primary_once_it_is_initiated_and_clients_find_it(lab: Lab) -> None:
    everybody = "mongodb+srv://set.default.svc.cluster.local/kiada?tls=false"
    assert "NotYetInitialized" in shell(lab, "rs.status()", "set-0")
    members = ", ".join(f'{{_id: {number}, host: "set-{number}.set.default.svc.cluster.local:27017"}}' for number in range(2))
    assert "1" in shell(lab, f'print(rs.initiate({{_id: "rs", members: [{members}]}}).ok)', "set-0")
    assert shell(lab, 'db.t.insertOne({a: 1}); print(db.t.countDocuments())', "set-1", everybody) == "1\n"
    assert "NotWritablePrimary" in shell(lab, "db.t.insertOne({a: 1})", "set-1")
    states = re.findall(r"PRIMARY|SECONDARY", shell(lab, "print(rs.status())", "set-1"))
    assert states == ["PRIMARY", "SECONDARY"]


@pytest.mark.slow
def test_a_member_that_is_added_belongs_to_the_set() -> None:
    world = Lab(1)
    for number in range(2):
        world.pod(f"m-{number}", "mongo:3.4.24", labels={"app": "m"}, command=["mongod", "--replSet", "rs0"],
                  spec={"hostname": f"m-{number}", "subdomain": "m"})  # fmt: skip
    world.service("m", "m", 27017, 27017, clusterIP="None", publishNotReadyAddresses=True)
    world.settle(25)
    first = "mongo --quiet --host m-0.m --eval"
    assert '"mongod"' in world.out("m-1", f"{first} 'print(JSON.stringify(db.serverStatus()))'").replace("'", '"')
    world.out("m-0", "mongo --quiet --eval 'rs.initiate({_id: \"rs0\", members: [{_id: 0, host: \"m-0.m:27017\"}]})'")
    assert "NodeNotFound" in "".join(map(str, world.run("m-0", "mongo --quiet --eval 'rs.add(\"nobody.m\")'")))
    assert "ok: 1" in world.out("m-1", f"{first} 'rs.add(\"m-1.m\")'")
    states = "print(rs.status().members.map(function(m) { return m.name + m.stateStr }).join())"
    assert world.out("m-1", f"mongo --quiet --eval '{states}'") == "m-0.m:27017PRIMARY,m-1.m:27017SECONDARY\n"
    world.out("m-0", "mongo --quiet --eval 'rs.remove(\"m-1.m\")'")
    assert world.out("m-0", f"mongo --quiet --eval '{states}'") == "m-0.m:27017PRIMARY\n"


def test_an_import_drops_and_fills_a_collection(lab: Lab) -> None:
    lab.run("quiz", "sh -c 'cat > /tmp/some.json'", "mongo", stdin='{"id": 1}\n{"id": 2,\n "text": "b"}\n')
    _, err, code = lab.run("quiz", "mongoimport mongodb://127.0.0.1/kiada --collection some --file /tmp/some.json --drop", "mongo")
    assert code == 0 and err.rstrip().endswith("2 document(s) imported successfully. 0 document(s) failed to import.")
    assert value(lab, "db.some.countDocuments()") == "2"


def test_documents_outlive_the_pod(lab: Lab) -> None:
    lab.cluster.apply({"at": lab.cluster.now, "do": "request", "verb": "delete", "resource": "pods", "namespace": "default", "name": "quiz"})
    lab.settle(40)
    lab.pod("again", "mongo:7", spec={"volumes": [{"name": "data", "hostPath": {"path": "/var/quiz"}}]},
            volumeMounts=[{"name": "data", "mountPath": "/data/db"}])  # fmt: skip
    lab.settle(20)
    assert lab.out("again", "mongosh kiada --quiet --eval 'db.questions.countDocuments()'") == "1\n"


def test_deep_and_endless_scripts_are_refused() -> None:
    with pytest.raises(mongo_tokens.Wrong):
        mongo_script.parse("(" * 5000 + "1")
    with pytest.raises(mongo_tokens.Unfinished):
        mongo_script.parse("if (a) {")


@pytest.mark.parametrize(("query", "found"), [
    ({"n": {"$gt": 1}}, [2, 3]), ({"n": {"$in": [1, 3]}}, [1, 3]), ({"$or": [{"n": 1}, {"t.u": "x"}]}, [1, 2]), ({"t": {"$exists": True}}, [2]),
    ({"at": {"$lt": {"$date": 5}}}, [1]), ({"n": {"$not": {"$eq": 2}}}, [1, 3]),
])  # fmt: skip
def test_a_query_finds_what_fits(query: dict[str, Any], found: list[int]) -> None:
    documents = [{"n": 1, "at": {"$date": 1}}, {"n": 2, "t": {"u": "x"}}, {"n": 3, "at": {"$date": 9}}]
    assert [one["n"] for one in documents if mongo_store.matches(one, query)] == found


@pytest.mark.slow
def test_the_shell_before_mongosh_greets_in_its_own_words_with_the_release_of_its_image() -> None:
    lab = Lab(1)
    lab.pod("old", "mongo:3.4.1", node="node-1")
    lab.pod("new", "mongo:6.0", node="node-1")
    lab.settle(90)
    greeting = "MongoDB shell version v3.4.1\nconnecting to: mongodb://127.0.0.1:27017\nMongoDB server version: 3.4.1\n"
    assert lab.out("old", "/usr/bin/mongo --eval 'print(1)'").startswith(greeting)
    assert lab.out("old", "mongo --quiet --eval 'print(db.serverStatus().version)'") == "3.4.1\n"
    assert "Using MongoDB:\t\t6.0.26\n" in lab.out("new", "mongosh --eval 'print(1)'")
