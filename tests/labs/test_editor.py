"""The editor's server side: lint with lines, completion from the schema, and text that stays text."""

import pytest

from podlab.kubernetes.cluster import Cluster
from podlab.labs import limits, lint, panels, suggest

POD = "apiVersion: v1\nkind: Pod\nmetadata:\n  name: web\nspec:\n  containers:\n  - name: a\n    image: nginx\n"


@pytest.fixture(scope="module")
def cluster() -> Cluster:
    made = Cluster.create(1, 1_795_219_200_000)
    made.run_for(2)
    return made


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        (POD.replace("image:", "imagee:"), 8, 'unknown field "spec.containers[0].imagee"'),
        (POD.replace("name: web", "name: Web"), 4, "metadata.name: Invalid value"),
        (POD + "    ports:\n    - containerPort: 99999\n", 10, "must be between 1 and 65535"),
        (POD + "    ports:\n    - containerPort: 'x'\n", 10, "cannot unmarshal string"),
        (POD + "---\n" + POD.replace("kind: Pod", "kind: Pot"), 11, 'no matches for kind "Pot"'),
        ("a: [", 1, "did not find expected node content"),
        ("kind: Pod", 1, "apiVersion not set"),
    ],
)
def test_a_problem_has_its_line_and_a_korean_line(cluster: Cluster, text: str, line: int, words: str) -> None:
    found = lint.problems(cluster, text)
    assert [(problem.line, words in problem.message) for problem in found] == [(line, True)]
    assert found[0].told


def test_a_good_manifest_has_no_problem_and_leaves_the_cluster_as_it_was(cluster: Cluster) -> None:
    before = cluster.checkpoint()
    assert lint.problems(cluster, POD) == [] == lint.problems(cluster, "\n")
    assert cluster.checkpoint() == before


@pytest.mark.parametrize(
    ("text", "some"),
    [
        ("", ["apiVersion", "kind"]),
        ("apiVersion: apps/v1\nkind: ", ["DaemonSet", "Deployment"]),
        (POD + "    re", ["readinessProbe", "resources"]),
        (POD + "    readinessProbe:\n      httpGet:\n        ", ["path", "port"]),
        (POD + "  ", ["restartPolicy", "volumes"]),
        (POD + "  restartPolicy: ", ["Always", "Never"]),
        (POD + "    tty: ", ["true", "false"]),
        (POD + "    ports:\n    - ", ["containerPort"]),
    ],
)
def test_completion_fits_the_place(text: str, some: list[str]) -> None:
    words = [word.text for word in suggest.words(text)]
    assert set(some) <= set(words)
    assert "image" not in words  # it is there already, or has no place


def test_completion_knows_nothing_of_a_map_of_ones_own() -> None:
    assert suggest.words("apiVersion: v1\nkind: Pod\nmetadata:\n  labels:\n    ") == []


def test_terminal_output_stays_text_and_obeys_only_a_clear() -> None:
    assert "&lt;b&gt;" in panels.terminal_text("out", "<b>")
    assert panels.terminal_text("out", "\x1b[31mred\x1b[0m\x07") == panels.terminal_text("out", "red")
    cleared = panels.terminal_text("out", "old\x1b[H\x1b[2Jnew")
    assert 'hx-swap-oob="innerHTML"' in cleared and "old" not in cleared
    assert limits.writable("a\udcff\x00b") == "a\ufffd\ufffdb"


def test_a_terminal_that_writes_without_end_is_told_to_wait() -> None:
    done = []
    submit = limits.Writes(done.append)
    with pytest.raises(limits.ApiError, match="Too many requests"):
        for number in range(5_000):
            submit({"do": "request", "body": {"n": number}})
    assert 500 < len(done) < 1_000
    with pytest.raises(limits.ApiError, match="Request entity too large"):
        limits.Writes(done.append)({"do": "request", "body": "x" * 1_000_000})


def test_a_cluster_that_is_full_says_so_as_a_quota() -> None:
    full = Cluster.create(1, 0, {"nodes": [{"name": "n", "cpu": "2", "memory": "2Gi"}], "limits": {"pods": 0}})
    with pytest.raises(limits.ApiError, match='pods "web" is forbidden: exceeded quota: podlab, requested: pods=1'):
        full.client("kubernetes-admin").create(
            "pods", {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web"},
                     "spec": {"containers": [{"name": "a", "image": "nginx"}]}}, "default")
