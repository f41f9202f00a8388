"""What a line of kubectl could ask that would keep everybody waiting, and what no YAML or JSON should be: said in words, soon."""

from __future__ import annotations

import json
import time

import pytest

from podlab.kubernetes import selectors
from podlab.kubernetes.kubectl.manifests import parse
from podlab.kubernetes.kubectl.output import go_yaml
from podlab.kubernetes.kubectl.output.custom_columns import CustomColumns
from podlab.kubernetes.kubectl.output.go_template import GoTemplate
from podlab.kubernetes.objects import freeze
from tests.kubernetes.kubectl.given import Screen, cluster, with_web


@pytest.mark.parametrize(("text", "said"), [
    ("? [a]\n: b\n", "invalid map key"), ("? {a: b}\n: c\n", "invalid map key"),
    ("kind: [1]\napiVersion: {}\n", "rror"), ("apiVersion: 5\nkind: 6\n", "rror"),
], ids=["a list as a key", "a map as a key", "a kind that is a list", "a kind that is a number"])
def test_yaml_that_is_no_object_is_refused_in_words(text: str, said: str) -> None:
    screen = Screen(cluster())
    assert said in screen.type(f"kubectl apply -f - <<'EOF'\n{text}EOF")


@pytest.mark.parametrize(("template", "said"), [
    ('{{printf "%.1000000000f" 1.0}}', "%!(NOVERB)%!(EXTRA float64=1)"),
    ('{{printf "a%.99999999999999999999999s%d" "a"}}', "a%!(NOVERB)%!(EXTRA string=a)"),
    ('{{printf "%10000010d" 1}}', "%!(NOVERB)%!(EXTRA int64=1)"), ('{{printf "%.2f|%5d|%-3s|" 1.0 2 "a"}}', "1.00|    2|a  |")])
def test_a_width_or_precision_beyond_gos_is_not_written_out(template: str, said: str) -> None:
    assert GoTemplate(template).render({}) == said


@pytest.mark.slow
@pytest.mark.parametrize(("words", "said"), [
    (",".join(["pods"] * 20_001), "NAME   READY   STATUS    RESTARTS   AGE\nweb    1/1     Running   0          3s\n"),
    ("pods,services,secrets,nodes,jobs,rs,sts,ds,cm,sa,ns,pv,pvc,hpa,pdb,ing" + " a" * 1_500, "error: more than 20000 objects are asked for\n")],
    ids=["one kind is asked for once", "kinds times names"])
def test_more_objects_than_a_cluster_can_hold_are_not_shown(words: str, said: str) -> None:
    screen = Screen(with_web())
    began = time.process_time()
    assert screen.type(f"kubectl get {words}") == said
    assert time.process_time() - began < 3


@pytest.mark.slow
@pytest.mark.parametrize("command", ["get configmaps -o yaml", "get configmaps -o json", "describe configmaps"])
def test_objects_that_would_take_long_to_print_are_not_printed_all_at_once(command: str) -> None:
    world = cluster()
    for name in "abcdefg":
        world.request(verb="create", resource="configmaps", namespace="default", body={
            "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": {f"k{key:05}": "" for key in range(15_000)}})
    screen = Screen(world)
    began = time.process_time()
    assert screen.type(f"kubectl {command}") == "error: more than 120000 values or 3000000 bytes are asked for\n"
    assert time.process_time() - began < 0.5
    assert "k14999" in screen.type("kubectl get configmap a -o yaml")
    assert "7" in screen.type("kubectl get configmaps -o name | grep -c configmap/[a-g]$")


@pytest.mark.parametrize("sign", ["\t", "\x01", "\ufeff"])
def test_text_in_quotes_is_written_in_a_time_that_grows_as_it_does(sign: str) -> None:
    began = time.process_time()
    assert len(go_yaml.dump({"a": sign * 400_000})) >= 800_000
    assert time.process_time() - began < 0.2


def test_a_table_of_too_many_cells_is_not_made() -> None:
    columns = CustomColumns.from_spec(",".join(["A:.metadata.name"] * 600))
    with pytest.raises(ValueError, match="more than 50000 cells"):
        columns.render([freeze({"metadata": {"name": "x"}})] * 100)


@pytest.mark.parametrize(("text", "names"), [
    ("metadata.name=a", "a"), ("metadata.name!=a", "bc"), ("metadata.name!=a,metadata.name!=b", "c"), ("metadata.name=a,metadata.name=b", ""),
    ("metadata.name=a,metadata.name=a", "a"), ("metadata.name=a,metadata.name!=a", ""), ("", "abc")])
def test_a_field_selector_holds_with_all_its_terms(text: str, names: str) -> None:
    fits = selectors.field_matcher(text, lambda obj, path: str(obj["name"]))
    assert "".join(name for name in "abc" if fits({"name": name})) == names


@pytest.mark.slow
def test_thousands_of_terms_and_documents_are_read_soon() -> None:
    began = time.process_time()
    fits = selectors.field_matcher(",".join(f"metadata.name!=x{number}" for number in range(20_000)), lambda obj, path: str(obj["name"]))
    assert all(fits({"name": str(number)}) for number in range(2_000))
    assert len(parse(json.dumps({"kind": "A"}) * 400, "x")) == 400
    assert time.process_time() - began < 1
