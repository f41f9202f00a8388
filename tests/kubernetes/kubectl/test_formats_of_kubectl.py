"""What the real kubectl (v1.32.4, `create ... --dry-run=client -o FORMAT`) printed of some objects, or refused to.

`kyaml` in the lists of formats, and what it prints, are 1.35's.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from podlab.kubernetes.kubectl.output import go_sort, printer, render, sort_objects
from podlab.kubernetes.kubectl.terminal import KubectlError
from podlab.kubernetes.objects import freeze

RECORDED = json.loads((Path(__file__).parent / "formats_of_kubectl.json").read_text())
OBJECTS = {name: freeze(obj) for name, obj in RECORDED["objects"].items()}


def pod(name: str, **more: Any) -> Any:
    return freeze({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "managedFields": [{"manager": "x"}]}, **more})


@pytest.mark.parametrize("case", RECORDED["cases"], ids=[f"{c['object']}-{c['format'][:60]}" for c in RECORDED["cases"]])
def test_an_object_prints_as_kubectl_prints_it(case: dict[str, str]) -> None:
    try:
        stdout, stderr = printer(case["format"])(OBJECTS[case["object"]]), ""
    except KubectlError as error:
        stdout, stderr = "", error.text.split("object given")[0]
    assert (stdout, stderr) == (case["stdout"], case["stderr"])


def test_several_objects_are_a_list_without_managed_fields() -> None:
    assert render("yaml", [pod("a"), pod("b")], single=False) == """\
apiVersion: v1
items:
- apiVersion: v1
  kind: Pod
  metadata:
    name: a
- apiVersion: v1
  kind: Pod
  metadata:
    name: b
kind: List
metadata:
  resourceVersion: ""
"""


def test_one_named_object_stands_alone_and_json_has_four_spaces() -> None:
    assert render("json", [pod("a", spec={"x": "<&>"})], single=True) == (
        '{\n    "apiVersion": "v1",\n    "kind": "Pod",\n    "metadata": {\n        "name": "a"\n    },\n    "spec": {\n'
        '        "x": "\\u003c\\u0026\\u003e"\n    }\n}\n')


def test_yaml_of_one_printer_puts_dashes_between_documents() -> None:
    show = printer("yaml")
    assert show(freeze({"a": 1})) + show(freeze({"a": 2})) == "a: 1\n---\na: 2\n"


def test_names_of_several_objects_stand_one_a_line() -> None:
    deployment = freeze({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}})
    assert render("name", [pod("a"), deployment], single=False) == "pod/a\ndeployment.apps/web\n"


def test_custom_columns_join_values_and_show_none_for_what_is_missing() -> None:
    objects = [pod("a", spec={"containers": [{"image": "x"}, {"image": "y"}], "n": 3}),
               pod("long-name", spec={"map": {"k": "v"}})]
    spec = "custom-columns=NAME:.metadata.name,IMAGES:.spec.containers[*].image,N:{.spec.n},MAP:spec.map"
    assert render(spec, objects, single=False) == (
        "NAME        IMAGES   N        MAP\n"
        "a           x,y      3        <none>\n"
        "long-name   <none>   <none>   map[k:v]\n")


def test_a_file_of_custom_columns_has_a_line_of_headers_and_a_line_of_paths() -> None:
    shown = render("custom-columns-file=cols", [pod("a")], single=False,
                   read_file=lambda path: "NAME  KIND\nmetadata.name  .kind\n")
    assert shown == "NAME   KIND\na      Pod\n"


def test_template_flag_alone_is_a_go_template() -> None:
    assert render("", [pod("a")], single=True, template="{{.kind}}") == "Pod"


@pytest.mark.parametrize(("values", "expected"), [
    (["web-2", "web-10", "web-1", "Web"], ["Web", "web-1", "web-10", "web-2"]),
    (["1Gi", "500Mi", "2Gi"], ["500Mi", "1Gi", "2Gi"]),
    ([3, 1, 2], [1, 2, 3]),
], ids=["texts by their bytes", "quantities by amount", "numbers by value"])
def test_sort_by_orders(values: list[Any], expected: list[Any]) -> None:
    found = sort_objects([pod(str(i), spec={"x": value}) for i, value in enumerate(values)], ".spec.x")
    assert [obj["spec"]["x"] for obj in found] == expected


def test_many_equals_come_in_the_order_that_gos_sort_leaves_them_in() -> None:
    """Events of a live cluster by .reason and by time, as kubectl v1.32.4 printed them: tests/services/test_same_words.py; here a short one."""
    assert go_sort([*range(12)], lambda a, b: False) == [*range(12)]  # by insertion: stable
    assert go_sort([*range(40)], lambda a, b: a % 7 < b % 7) != sorted(range(40), key=lambda n: n % 7)
    for length in (13, 49, 50, 51, 200, 1000):
        mixed = [(n * 7919) % 101 for n in range(length)]
        assert go_sort(mixed, lambda a, b: a < b) == sorted(mixed)
        assert go_sort(mixed[::-1], lambda a, b: a > b) == sorted(mixed, reverse=True)
        assert go_sort([*range(length)], lambda a, b: a > b) == [*range(length)][::-1]


def test_sort_by_puts_objects_without_the_field_first() -> None:
    found = sort_objects([pod("a", x=1), pod("b"), pod("c", x=0)], "{.x}")
    assert [obj["metadata"]["name"] for obj in found] == ["b", "c", "a"]


def test_sort_by_a_field_that_nobody_has_is_an_error() -> None:
    with pytest.raises(KubectlError) as error:
        sort_objects([pod("a")], ".nope")
    assert error.value.text == 'error: couldn\'t find any field with path "{.nope}" in the list of objects\n'


def test_kyaml_quotes_every_text_and_keeps_numbers_truths_and_nothing_bare() -> None:
    """By the rules of sigs.k8s.io/yaml/kyaml: a list of maps begins on the line of its key, other lists have a line for each."""
    held = freeze({"kind": "Odd", "apiVersion": "v1", "list": [{"a": 1}, {"b": []}], "words": ["no", "x"], "deep": [[1], [{}]],
                   "none": None, "true": True, "1e3": 1.5, "a-b": "-", "-a": "\u00e9\x01\"", "2026-01-02": 0, "a b": "<"})
    assert printer("kyaml")(held) == """---
{
  "-a": "\u00e9\\x01\\"",
  "1e3": 1.5,
  "2026-01-02": 0,
  "a b": "<",
  a-b: "-",
  apiVersion: "v1",
  deep: [[
    1,
  ], [{}]],
  kind: "Odd",
  list: [{
    a: 1,
  }, {
    b: [],
  }],
  none: null,
  "true": true,
  words: [
    "no",
    "x",
  ],
}
"""


@pytest.mark.parametrize(("text", "lines"), [
    ("one\ntwo\n", ["     one\\n\\", "     two\\n\\", '    ",']),
    ("one\n  two", ["     one\\n\\", "    \\  two\\", '    ",']),
    ("\n", ["     \\n\\", '    ",']),
])
def test_kyaml_folds_a_text_of_several_lines(text: str, lines: list[str]) -> None:
    """A line's own leading space follows a backslash; the mark of a line's end stands before the fold."""
    assert printer("kyaml")(freeze({"a": text})) == "\n".join(["---", "{", '  a: "\\', *lines, "}", ""])


def test_a_range_without_an_end_says_its_inside_once_more() -> None:
    assert printer("jsonpath={range .list[*]}{.a}-")(freeze({"list": [{"a": 1}, {"a": 2}]})) == "1-2--"


def test_a_go_template_escapes_for_javascript() -> None:
    assert printer("go-template={{js .a}}")(freeze({"a": "a='<b>'"})) == r"a\u003D\'\u003Cb\u003E\'"
