"""kubectl apply -k: the kustomization files of beginners (resources, names, labels, images, replicas, generators, patches).

What a kustomization.yaml asks beyond that is refused by name, never ignored.
Source: sigs.k8s.io/kustomize/api/types/kustomization.go.
"""

from __future__ import annotations

import hashlib
import posixpath
from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from ..apiserver import schema
from ..apiserver.patch import json_patch, strategic_merge
from ..objects import thaw
from ..resources import by_api_kind
from .disk import HOME
from .manifests import Manifest, clean, parse
from .output.go_values import to_json
from .pod_specs import template_of
from .references import image_fields, name_references
from .terminal import KubectlError, Terminal

FILES = ("kustomization.yaml", "kustomization.yml", "Kustomization")
KNOWN = {"apiVersion", "kind", "metadata", "resources", "bases", "namePrefix", "nameSuffix", "namespace", "commonLabels",
         "labels",
         "commonAnnotations", "images", "replicas", "configMapGenerator", "secretGenerator", "generatorOptions", "patches",
         "patchesStrategicMerge", "patchesJson6902"}

Json = dict[str, Any]
DEPRECATED = {"bases": "resources", "commonLabels": "labels", "patchesJson6902": "patches", "patchesStrategicMerge": "patches"}
HASHED, NAMES = "$hashed", "$names"  # marks: its name is to end with its content's hash; the names that it had before, by which patches know it
FIRST = ("Namespace", "ResourceQuota", "StorageClass", "CustomResourceDefinition", "ServiceAccount", "PodSecurityPolicy", "Role", "ClusterRole",
         "RoleBinding", "ClusterRoleBinding", "ConfigMap", "Secret", "Endpoints", "Service", "LimitRange", "PriorityClass", "PersistentVolume",
         "PersistentVolumeClaim", "Deployment", "StatefulSet", "CronJob", "PodDisruptionBudget")
LAST = ("MutatingWebhookConfiguration", "ValidatingWebhookConfiguration")
ALPHABET = str.maketrans("013ae", "ghkmt")  # kustomize's hash encoding: no vowels, no digits that look like letters


def build(terminal: Terminal, directory: str) -> list[Manifest]:
    """The objects of a directory with a kustomization file. Raises KubectlError."""
    warned: list[str] = []
    objects = _build(terminal.files, clean(directory) or ".", [], warned)
    terminal.err("".join(f"# Warning: '{member}' is deprecated. Please use '{DEPRECATED[member]}' instead. Run 'kustomize edit fix' to update your "
                         "Kustomization automatically.\n" for member in warned))
    _hash_names(objects)
    return [Manifest("", obj) for obj in sorted(objects, key=_place)]


def _hash_names(objects: list[Json]) -> None:
    """The suffixes of what was generated, once everything else is done (KustTarget.addHashesToNames)."""
    renamed: dict[tuple[str, str], str] = {}
    for obj in objects:
        obj.pop(NAMES, None)
        if obj.pop(HASHED, False):
            name = obj["metadata"]["name"]
            renamed[obj["kind"], name] = obj["metadata"]["name"] = f"{name}-{content_hash(obj, '')}"
    for obj in objects:
        name_references(obj, renamed)


def _place(obj: Json) -> tuple[int, str, str, str]:
    """Where an object stands in what kubectl builds: ReorderOptionLegacy (kustomize/api/krusty, LegacyOrderTransformer)."""
    kind, metadata = obj.get("kind", ""), obj.get("metadata") or {}
    group, _, version = obj.get("apiVersion", "").rpartition("/")
    rank = FIRST.index(kind) if kind in FIRST else len(FIRST) + (1 + LAST.index(kind) if kind in LAST else 0)
    return rank, f"{group or '~G'}_{version}_{kind}", metadata.get("namespace") or "~X", metadata.get("name", "")


def _build(files: Mapping[str, str], directory: str, above: list[str], warned: list[str]) -> list[Json]:
    directory = posixpath.normpath(directory)
    path = next((p for p in (posixpath.normpath(posixpath.join(directory, name)) for name in FILES) if p in files), None)
    if path is None:
        if not any(name.startswith(directory.rstrip("/") + "/") for name in files) and directory != ".":
            raise KubectlError(f"error: must build at directory: not a valid directory: evalsymlink failure on '{directory}' : "
                               f"lstat {posixpath.join(HOME, directory)}: no such file or directory\n")
        raise KubectlError(f"error: unable to find one of 'kustomization.yaml', 'kustomization.yml' or 'Kustomization' in "
                           f"directory '{posixpath.normpath(posixpath.join(HOME, directory))}'\n")
    if directory in above:
        raise KubectlError(f"error: cycle detected: candidate root '{directory}' contains visited root\n")
    found = parse(files[path], path, strict=True)
    if not found:
        raise KubectlError("error: kustomization.yaml is empty\n")
    spec: Json = found[0].object
    unknown = sorted(set(spec) - KNOWN)
    if unknown:
        raise KubectlError(f"error: {path}: the field \"{unknown[0]}\" of a kustomization is not available here\n")
    warned += [member for member in DEPRECATED if spec.get(member)]
    objects: list[Json] = []
    for entry in [*(spec.get("resources") or ()), *(spec.get("bases") or ())]:
        objects += _resource(files, directory, str(entry), [*above, directory], warned)
    objects += _generated(files, directory, spec)
    renamed: dict[tuple[str, str], str] = {}
    for patch in _patches(files, directory, spec):
        _patch(objects, *patch)
    for obj in objects:
        _transform(obj, spec, renamed)
    for obj in objects:
        name_references(obj, renamed)
    return objects


def _resource(files: Mapping[str, str], directory: str, entry: str, above: list[str], warned: list[str]) -> list[Json]:
    path = posixpath.normpath(posixpath.join(directory, entry))
    if path in files:
        return [thaw(manifest.object) for manifest in parse(files[path], path, strict=True)]
    if any(file.startswith(path + "/") for file in files):
        return _build(files, path, above, warned)
    raise KubectlError(f"error: accumulating resources: accumulation err='accumulating resources from '{entry}': open {entry}: "
                       f"no such file or "
                       "directory'\n")


def _generated(files: Mapping[str, str], directory: str, spec: Json) -> Iterator[Json]:
    import base64

    options = spec.get("generatorOptions") or {}
    for member, kind in (("configMapGenerator", "ConfigMap"), ("secretGenerator", "Secret")):
        for entry in spec.get(member) or ():
            data: dict[str, str] = {}
            for literal in entry.get("literals") or ():
                key, _, value = str(literal).partition("=")
                data[key] = value
            for file in entry.get("files") or ():
                key, equals, where = str(file).partition("=")
                where = where if equals else key
                data[key if equals else posixpath.basename(key)] = _file(files, directory, where)
            for env in [*(entry.get("envs") or ()), *([entry["env"]] if entry.get("env") else ())]:
                for line in _file(files, directory, env).splitlines():
                    if line.strip() and not line.startswith("#"):
                        key, _, value = line.partition("=")
                        data[key] = value
            if kind == "Secret":
                data = {key: base64.b64encode(value.encode()).decode() for key, value in data.items()}
            obj: Json = {"apiVersion": "v1", "data": data, "kind": kind, "metadata": {"name": entry["name"]}}
            if kind == "Secret":
                obj["type"] = entry.get("type", "Opaque")
            for what in ("labels", "annotations"):
                marks = {**(options.get(what) or {}), **((entry.get("options") or {}).get(what) or {})}
                if marks:
                    obj["metadata"][what] = marks
            if not (entry.get("options") or {}).get("disableNameSuffixHash", options.get("disableNameSuffixHash", False)):
                obj[HASHED] = True
            yield obj


def content_hash(obj: Json, name: str) -> str:
    """The suffix that makes a changed ConfigMap or Secret a new one. create --append-hash counts its `name` in (kubectl/pkg/util/hash), kustomize
    hashes an object without one (kustomize/api/hasher)."""
    whole: Json = {"data": obj.get("data") or "", "kind": obj["kind"], "name": name}
    if obj["kind"] == "Secret":
        whole["type"] = obj.get("type", "")
    return hashlib.sha256(to_json(whole).encode()).hexdigest()[:10].translate(ALPHABET)


def _file(files: Mapping[str, str], directory: str, name: str) -> str:
    path = posixpath.normpath(posixpath.join(directory, name))
    if path not in files:
        raise KubectlError(f"error: loading KV pairs: file sources: [{name}]: open {name}: no such file or directory\n")
    return files[path]


def _patches(files: Mapping[str, str], directory: str, spec: Json) -> Iterator[tuple[Any, Json]]:
    for entry in [*({"path": one} if "\n" not in str(one) else {"patch": one} for one in spec.get("patchesStrategicMerge")
                    or ()), *(spec.get("patchesJson6902") or ()), *(spec.get("patches") or ())]:
        text = entry.get("patch") or _file(files, directory, entry.get("path", ""))
        try:
            body = yaml.safe_load(text)
        except yaml.YAMLError as error:
            raise KubectlError(f"error: unable to parse a patch: {error}\n") from error
        yield body, entry.get("target") or {}


def _patch(objects: list[Json], body: Any, target: Json) -> None:
    hit = False
    for i, obj in enumerate(objects):
        wanted = target or {"kind": body.get("kind"), "name": (body.get("metadata") or {}).get("name")}
        if wanted.get("kind") not in (None, obj["kind"]) or wanted.get("name") not in (None, obj["metadata"]["name"], *obj.get(NAMES, ())):
            continue
        hit = True
        resource = by_api_kind(obj["apiVersion"], obj["kind"])
        if isinstance(body, list):
            objects[i] = json_patch(obj, body)
        else:
            objects[i] = strategic_merge(schema.type_of(resource) if resource else "", obj, body)
    if not hit and not target:
        name = f"{body.get('kind')}.{body.get('apiVersion')}/{(body.get('metadata') or {}).get('name')}"
        raise KubectlError(f"error: no resource matches strategic merge patch \"{name}\": no matches for Id {name}; failed to "
                           f"find unique target for "
                           "patch\n")


def _transform(obj: Json, spec: Json, renamed: dict[tuple[str, str], str]) -> None:
    metadata = obj.setdefault("metadata", {})
    resource = by_api_kind(obj.get("apiVersion", ""), obj.get("kind", ""))
    old = metadata.get("name", "")
    if obj.get("kind") not in ("Namespace", "CustomResourceDefinition"):
        new = f"{spec.get('namePrefix') or ''}{old}{spec.get('nameSuffix') or ''}"
        if new != old:
            obj[NAMES] = [*obj.get(NAMES, ()), old]
            renamed[obj["kind"], old] = metadata["name"] = new
    if spec.get("namespace") and (resource is None or resource.namespaced):
        metadata["namespace"] = spec["namespace"]
    if spec.get("commonAnnotations"):
        _mark(obj, "annotations", spec["commonAnnotations"], templates=True, selectors=False)
    if spec.get("commonLabels"):
        _mark(obj, "labels", spec["commonLabels"], templates=True, selectors=True)
    for entry in spec.get("labels") or ():
        _mark(obj, "labels", entry.get("pairs") or {}, templates=bool(entry.get("includeTemplates")
                                                                      or entry.get("includeSelectors")),
              selectors=bool(entry.get("includeSelectors")))
    for image in spec.get("images") or ():
        for container in image_fields(obj):
            name, tag = _split(container["image"])
            if name == image.get("name"):
                name = image.get("newName", name)
                container["image"] = f"{name}@{image['digest']}" if image.get("digest") else \
                    f"{name}:{image.get('newTag', tag)}" if image.get("newTag", tag) else name
    for wish in spec.get("replicas") or ():
        if wish.get("name") in (old, *obj.get(NAMES, ())) and obj.get("kind") in ("Deployment", "ReplicaSet", "StatefulSet", "ReplicationController"):
            obj["spec"]["replicas"] = wish["count"]


def _split(image: str) -> tuple[str, str]:
    head, slash, last = image.rpartition("/")
    name, _, tag = last.partition("@")[0].partition(":")
    return head + slash + name, tag


def _mark(obj: Json, member: str, marks: dict[str, str], *, templates: bool, selectors: bool) -> None:
    def add(metadata: Json) -> None:
        metadata[member] = {**(metadata.get(member) or {}), **{key: str(value) for key, value in marks.items()}}
    add(obj["metadata"])
    template = template_of(obj)
    if template is not None and templates:
        add(template.setdefault("metadata", {}))
    if not selectors:
        return
    spec = obj.get("spec") or {}
    if obj.get("kind") in ("Service", "ReplicationController"):  # made where it is not (commonLabels' field specs: create)
        obj["spec"] = {**spec, "selector": {**(spec.get("selector") or {}), **marks}}
    elif obj.get("kind") in ("Deployment", "ReplicaSet", "StatefulSet", "DaemonSet"):
        held = spec.setdefault("selector", {})
        held["matchLabels"] = {**(held.get("matchLabels") or {}), **marks}
