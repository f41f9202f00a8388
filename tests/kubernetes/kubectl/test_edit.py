"""kubectl edit and its relatives: what is edited is saved, refused with reasons in the file, or kept; vi opens the page's editor.

What is printed is what kubectl 1.32 printed for the same edits of the same objects.
"""

from __future__ import annotations

import re

import pytest

from podlab.kubernetes.kubectl.page_editor import PageEditor
from tests.kubernetes.kubectl.given import Screen, cluster

CM = "apiVersion: v1\\nkind: ConfigMap\\nmetadata: {name: %s}\\ndata: {k: %s}\\n"
KEPT = r'A copy of your changes has been stored to "/tmp/kubectl-edit-\d+\.yaml"' "\n"
GIVEN_UP = KEPT + r"error: Edit cancelled, no valid changes were saved\." "\n"
AGAIN = r"You can run `kubectl replace -f (/tmp/kubectl-edit-\d+\.yaml)` to try this update again\." "\n"


@pytest.fixture
def screen() -> Screen:
    screen = Screen(cluster(), page_editor=PageEditor(10_000))
    for name, value in (("c1", "one"), ("c2", "x")):
        assert screen.type(f"printf '{CM % (name, value)}' | kubectl apply -f -") == f"configmap/{name} created\n"
    return screen


@pytest.mark.parametrize(("editor", "command", "said"), [
    ("sed -i 's/: one/: two/'", "edit cm c1", "configmap/c1 edited\n"),
    ("true", "edit cm c1", r"Edit cancelled, no changes made\." "\n"),
    ("sed -i 1d", "edit cm c1", r"Edit cancelled, no changes made\." "\n"),
    ("false", "edit cm c1", 'error: there was a problem with the editor "false"\n'),
    ("nothing", "edit cm c1", 'error: unable to launch the editor "nothing"\n'),
    (" ", "edit cm c1", 'error: unable to launch the editor " "\n'),
    ("'sed' -i 's/: one/: two/'", "edit cm c1", "configmap/c1 edited\n"),
    ("sed -i '/^[^#]/d'", "edit cm c1", 'error: configmaps "c1" is invalid\n' + GIVEN_UP),
    ("sed -i s/^data:/data/", "edit cm c1", 'error: configmaps "c1" is invalid\n' + GIVEN_UP),
    ("sed -i 's/^apiVersion: v1/apiVersion: v9/'", "edit cm c1", GIVEN_UP),
    ("sed -i 's/  name: c1/  name: c3/'", "edit cm c1", KEPT + "error: At least one of apiVersion, kind and name was changed\n"),
    ("sed -i s/^data:/datum:/", "edit cm c1", 'error: configmaps "c1" is invalid\n' + GIVEN_UP),
    ("sed -i 's/resourceVersion: .*/resourceVersion: 1/; s/one/two/'", "edit cm c1", 'error: configmaps "c1" could not be patched: Operation cannot '
     r'be fulfilled on configmaps "c1": the object has been modified; please apply your changes to the latest version and try again' "\n" + AGAIN),
    ("sed -i 's/namespace: default/namespace: other/'", "edit cm c1", KEPT + 'error: the namespace from the provided object "other" does not match '
     "the namespace \"default\"\\. You must pass '--namespace=other' to perform this operation\\.\n"),
    ("sed -i 's/: x/: y/'", "edit cm c1 c2", "configmap/c1 skipped\nconfigmap/c2 edited\n"),
    ("sed -i 's/k: one/k: two/'", "edit cm c1 --output-patch", r'Patch: \{"data":\{"k":"two"\}\}' "\nconfigmap/c1 edited\n"),
    ("sed -i 's/\"one\"/\"two\"/'", "edit cm c1 -o json", r'\{\n    "apiVersion": "v1",\n    "data": \{\n        "k": "two"\n[^}]*\}[\s\S]*\}\n'),
    ("sed -i 's/k: one/k: two/'", "apply edit-last-applied cm c1", "configmap/c1 edited\n"),
    ("true", "apply edit-last-applied cm c1", r"Edit cancelled, no changes made\." "\n"),
])
def test_what_an_editor_leaves_is_saved_or_refused_as_kubectl_does(screen: Screen, editor: str, command: str, said: str) -> None:
    found = screen.type(f'KUBE_EDITOR="{editor}" kubectl {command}', 1)
    assert re.fullmatch(said, found), found


def test_true_is_another_value_than_one(screen: Screen) -> None:
    screen.type("kubectl create service clusterip s --tcp=1:2")
    assert screen.type("KUBE_EDITOR=\"sed -i 's/port: 1$/port: true/'\" kubectl edit service s", 1).startswith('error: services "s" is invalid\n')


def test_what_cannot_be_saved_is_kept_and_what_was_saved_is_not(screen: Screen) -> None:
    told = screen.type("KUBE_EDITOR='sed -i s/resourceVersion:.*/resourceVersion:\\ \\\"1\\\"/' kubectl edit cm c1", 1)
    path = re.search(AGAIN, told)
    assert path is not None and 'resourceVersion: "1"' in screen.type(f"cat {path[1]}")
    assert screen.type("KUBE_EDITOR='sed -i s/one/two/' kubectl edit cm c1", 1) == "configmap/c1 edited\n"
    assert screen.type("ls /tmp | wc -l") == "1\n"
    held = len(screen.laptop.node.state["execs"])
    screen.type("KUBE_EDITOR=true kubectl edit cm c1", 1)
    assert len(screen.laptop.node.state["execs"]) == held  # nothing stays of an editor that has ended


def test_an_edited_file_is_created_and_one_left_alone_is_not(screen: Screen) -> None:
    screen.type(f"printf '{CM % ('c4', 'q')}' > n.yaml")
    assert screen.type("KUBE_EDITOR=true kubectl create -f n.yaml --edit", 1) == "Edit cancelled, no changes made.\n"
    assert screen.type("KUBE_EDITOR='sed -i s/q/r/' kubectl create -f n.yaml --edit", 1) == "configmap/c4 created\n"
    assert screen.type("kubectl get cm c4 -o jsonpath='{.data.k}'") == "r"


def test_the_page_s_editor_opens_again_with_the_reasons_until_they_are_mended(screen: Screen) -> None:
    assert screen.type("kubectl run web --image=nginx --port=80") == "pod/web created\n"
    screen.type("kubectl edit pod web")
    page = screen.laptop.page_editor
    assert page is not None and page.opened is not None and screen.laptop.busy
    first = page.opened
    assert "kubectl-edit" in first.name and first.text.startswith("# Please edit the object below.")
    screen.laptop.close_editor(first.number, first.text.replace("containerPort: 80", "containerPort: 81"))
    assert screen.wait(1) == 'error: pods "web" is invalid\n'
    second = page.opened
    assert second is not None and second.number > first.number and "containerPort: 81" in second.text
    assert '# pods "web" was not valid:\n# * spec: Forbidden: pod updates may not change fields other than' in second.text
    screen.laptop.close_editor(first.number, "what was closed before means nothing")
    screen.laptop.close_editor(second.number, first.text.replace("image: nginx", "image: busybox"))
    assert screen.wait(0) == "pod/web edited\n" and page.opened is None and not screen.laptop.busy


def test_an_editor_that_is_closed_without_saving_or_interrupted_changes_nothing(screen: Screen) -> None:
    page = screen.laptop.page_editor
    assert page is not None
    screen.type("kubectl edit cm c1")
    assert page.opened is not None
    screen.laptop.close_editor(page.opened.number, None)
    assert screen.wait(0) == "Edit cancelled, no changes made.\n"
    screen.type("kubectl edit cm c1")
    screen.laptop.interrupt()
    screen.wait(0)
    assert page.opened is None and not screen.laptop.busy
    assert screen.type("kubectl get cm c1 -o jsonpath='{.data.k}'") == "one"


def test_vi_edits_files_one_after_another_and_makes_new_ones(screen: Screen) -> None:
    page = screen.laptop.page_editor
    assert page is not None
    screen.type("mkdir d; cd d; echo one > a.txt; vi a.txt new.txt")
    assert page.opened is not None and (page.opened.name, page.opened.text) == ("a.txt", "one\n")
    screen.laptop.close_editor(page.opened.number, "two\n")
    assert page.opened is not None and (page.opened.name, page.opened.text) == ("new.txt", "")
    screen.laptop.close_editor(page.opened.number, "made\n")
    assert page.opened is None and screen.type("cat a.txt new.txt; vi") == "two\nmade\nvi: name the file to edit: vi FILE\n"
    screen.type("nano no/such/file")
    assert page.opened is not None
    screen.laptop.close_editor(page.opened.number, "lost")
    assert screen.wait(0) == '"no/such/file" E212: Can\'t open file for writing: No such file or directory\n'


@pytest.mark.parametrize(("made", "said"), [
    ("yes | head -c 10001", "too large for this editor: 10001 bytes of 10000"), ("printf '\\377'", "not text"), ("printf '\\0'", "not text")])
def test_what_the_page_could_not_give_back_as_it_is_is_not_opened(screen: Screen, made: str, said: str) -> None:
    assert screen.type(f"{made} > f; vi f") == f"vi: f: {said}\n"
    assert screen.laptop.page_editor is not None and screen.laptop.page_editor.opened is None


def test_without_a_page_vi_says_what_there_is_instead() -> None:
    screen = Screen(cluster())
    assert "this simulated terminal has no full-screen programs" in screen.type("vi file")
    screen.type(f"printf '{CM % ('c1', 'one')}' | kubectl apply -f -")
    told = screen.type("kubectl edit cm c1", 1)
    assert told.startswith("vi: this simulated terminal") and told.endswith('error: there was a problem with the editor "vi"\n')
