"""kubectl apply -k: kustomizations (resources, components, names, labels, images, replicas, generators, patches, replacements).

What a kustomization.yaml asks beyond that is refused by name, never ignored.
Source: sigs.k8s.io/kustomize/api/types/kustomization.go.
"""

from __future__ import annotations

import fnmatch
import posixpath
import re
from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from .. import selectors
from ..apiserver import schema
from ..apiserver.errors import ApiError
from ..apiserver.patch import json_patch, strategic_merge
from ..bounded_yaml import Loader, document
from ..objects import thaw
from ..resources import by_api_kind
from .disk import HOME
from .generators import HASHED, content_hash, file_text, generated
from .manifests import Manifest, clean, parse
from .marks import mark
from .references import image_fields, name_references
from .replacements import replace
from .terminal import KubectlError, Terminal

FILES = ("kustomization.yaml", "kustomization.yml", "Kustomization")
KNOWN = {"apiVersion", "kind", "metadata", "resources", "bases", "namePrefix", "nameSuffix", "namespace", "commonLabels",
         "labels",
         "commonAnnotations", "images", "replicas", "configMapGenerator", "secretGenerator", "generatorOptions", "patches",
         "patchesStrategicMerge", "patchesJson6902", "components", "replacements", "sortOptions"}
OUT = {"buildMetadata", "configurations", "crds", "generators", "helmChartInflationGenerator", "helmCharts", "helmGlobals", "inventory", "openapi",
       "transformers", "validators", "vars"}  # what kustomize has beyond that
LISTS = {"resources", "bases", "components", "labels", "images", "replicas", "configMapGenerator", "secretGenerator", "patches", "replacements",
         "patchesStrategicMerge", "patchesJson6902"}
MAPS, TEXTS = {"metadata", "commonLabels", "commonAnnotations", "generatorOptions", "sortOptions"}, {"namePrefix", "nameSuffix", "namespace"}
COMPONENT = "kustomize.config.k8s.io/v1alpha1"

Json = dict[str, Any]
DEPRECATED = {"bases": "resources", "commonLabels": "labels", "patchesJson6902": "patches", "patchesStrategicMerge": "patches"}
ACCUMULATING = "error: accumulating resources: accumulation err='accumulating resources"
SCALED = ("Deployment", "StatefulSet", "ReplicaSet", "ReplicationController")
CANNOT = "error: invalid Kustomization: json: cannot unmarshal"
PATCH_SHOWN = 200  # characters of a patch that cannot be read
NAMES = "$names"  # a mark: the names that it had before, by which patches know it
FIRST = ("Namespace", "ResourceQuota", "StorageClass", "CustomResourceDefinition", "ServiceAccount", "PodSecurityPolicy", "Role", "ClusterRole",
         "RoleBinding", "ClusterRoleBinding", "ConfigMap", "Secret", "Endpoints", "Service", "LimitRange", "PriorityClass", "PersistentVolume",
         "PersistentVolumeClaim", "Deployment", "StatefulSet", "CronJob", "PodDisruptionBudget")
LAST = ("MutatingWebhookConfiguration", "ValidatingWebhookConfiguration")


def build(terminal: Terminal, directory: str) -> list[Manifest]:
    """The objects of a directory with a kustomization file. Raises KubectlError."""
    warned: list[str] = []
    sorting: Json = {}
    try:
        objects = _build(terminal.files, clean(directory) or ".", [], warned, sorting)
    except (AttributeError, KeyError, TypeError) as error:  # deeper in than _checked looks, a text stands for a list or the like
        raise KubectlError(f"{CANNOT} a value into the Go struct field that it is written for\n") from error
    terminal.err("".join(f"# Warning: '{member}' is deprecated. Please use '{DEPRECATED[member]}' instead. Run 'kustomize edit fix' to update your "
                         "Kustomization automatically.\n" for member in warned))
    _hash_names(objects)
    return [Manifest(directory, obj) for obj in _sorted(objects, sorting)]


def _sorted(objects: list[Json], options: Json) -> list[Json]:
    """In the order of sortOptions; kubectl's own is the legacy one."""
    if options.get("order") == "fifo":
        return objects
    chosen = options.get("legacySortOptions") or {}
    if not chosen:
        return sorted(objects, key=_place)
    first, last = list(chosen.get("orderFirst") or ()), list(chosen.get("orderLast") or ())

    def place(obj: Json) -> tuple[int, str, str, str]:
        kind = obj.get("kind", "")
        rank = first.index(kind) - len(first) if kind in first else last.index(kind) + 1 if kind in last else 0
        return rank, *_place(obj)[1:]
    return sorted(objects, key=place)


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


def _checked(spec: Json) -> Json:
    """A kustomization whose members are what they should be. Raises KubectlError in Go's words."""
    for member, value in spec.items():
        want = "slice" if member in LISTS else "map" if member in MAPS else "string" if member in TEXTS else ""
        fits = {"slice": list, "map": dict, "string": str}.get(want, object)
        if value is not None and not isinstance(value, fits):
            raise KubectlError(f"{CANNOT} {_go_kind(value)} into Go struct field Kustomization.{member} of type {want}\n")
    for member in ("commonLabels", "commonAnnotations"):
        for value in (spec.get(member) or {}).values():
            if not isinstance(value, str):
                raise KubectlError(f"{CANNOT} {_go_kind(value)} into Go struct field Kustomization.{member} of type string\n")
    for image in spec.get("images") or ():
        for member in ("name", "newName", "newTag", "digest", "tagSuffix"):
            if not isinstance(image.get(member, ""), str):
                raise KubectlError(f"{CANNOT} {_go_kind(image[member])} into Go struct field Image.images.{member} of type string\n")
    return spec


def _go_kind(value: Any) -> str:
    return "bool" if isinstance(value, bool) else "number" if isinstance(value, (int, float)) else "array" if isinstance(value, list) else \
        "object" if isinstance(value, dict) else "string"


def _build(files: Mapping[str, str], directory: str, above: list[str], warned: list[str], sorting: Json | None = None,
           onto: list[Json] | None = None) -> list[Json]:
    """The objects of a directory; `onto`: those that a component changes and adds to."""
    directory = posixpath.normpath(directory)
    path = next((p for p in (posixpath.normpath(posixpath.join(directory, name)) for name in FILES) if p in files), None)
    if path is None:
        if directory in files:
            raise KubectlError(f"error: must build at directory: '{directory}': file is not directory\n")
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
    if unknown and unknown[0] not in OUT:
        raise KubectlError(f'error: invalid Kustomization: json: unknown field "{unknown[0]}"\n')
    _checked(spec)
    if (spec.get("kind") == "Component") != (onto is not None):
        raise KubectlError(f"error: expected kind '{'Component' if onto is not None else 'Kustomization'}' for path '{directory}' but got "
                           f"'{spec.get('kind') or 'Kustomization'}'\n")
    if sorting is not None:
        sorting.update(spec.get("sortOptions") or {})
    if unknown:
        raise KubectlError(f"error: {path}: the field \"{unknown[0]}\" of a kustomization is not available here\n")
    warned += [member for member in DEPRECATED if spec.get(member)]
    objects: list[Json] = onto if onto is not None else []
    for entry in [*(spec.get("resources") or ()), *(spec.get("bases") or ())]:
        try:
            _add(objects, _resource(files, directory, str(entry), [*above, directory], warned))
        except Twice as error:
            whole = posixpath.join(HOME, directory, str(entry))
            raise KubectlError(f"error: accumulating resources: accumulation err='merging resources from '{entry}': {error}': must build at "
                               f"directory: '{whole}': file is not directory\n") from None
    _generate(objects, files, directory, spec)
    for entry in spec.get("components") or ():
        objects = _build(files, posixpath.join(directory, str(entry)), [*above, directory], warned, onto=objects)
    renamed: dict[tuple[str, str], str] = {}
    for patch in _patches(files, directory, spec):
        _patch(objects, *patch)
    for wish in spec.get("replicas") or ():
        if not any(_scaled(obj, wish) for obj in objects):
            kinds = " ".join(f"{kind}.[noVer].[noGrp]" for kind in SCALED)
            raise KubectlError(f"error: resource with name {wish.get('name')} does not match a config with the following GVK [{kinds}]\n")
    if spec.get("namespace"):
        accounts = {obj["metadata"]["name"] for obj in objects if obj["kind"] == "ServiceAccount"} | {"default"}
        for subject in (one for obj in objects for one in obj.get("subjects") or ()):
            if subject.get("kind") == "ServiceAccount" and subject.get("name") in accounts:
                subject["namespace"] = spec["namespace"]
    for obj in objects:
        _transform(obj, spec, renamed)
    for obj in objects:
        name_references(obj, renamed)
    for entry in spec.get("replacements") or ():
        if entry.get("path"):
            loaded = document(file_text(files, directory, entry["path"]), Loader)
            for one in loaded if isinstance(loaded, list) else [loaded]:
                replace(objects, one, _picked)
        else:
            replace(objects, entry, _picked)
    return objects


def _scaled(obj: Json, wish: Json) -> bool:
    return (wish.get("name") in (obj["metadata"]["name"], *obj.get(NAMES, ()))
            and obj.get("kind") in SCALED)


def _id(obj: Json) -> str:
    """A ResId: `Deployment.v1.apps/web.[noNs]`."""
    group, _, version = obj.get("apiVersion", "").rpartition("/")
    metadata = obj.get("metadata") or {}
    return f"{obj.get('kind')}.{version}.{group or '[noGrp]'}/{metadata.get('name')}.{metadata.get('namespace') or '[noNs]'}"


class Twice(Exception):
    """An object is there already."""


def _add(objects: list[Json], more: list[Json]) -> None:
    """Raises Twice for an object that is there already."""
    held = {_id(obj) for obj in objects}
    for obj in more:
        if _id(obj) in held:
            raise Twice(f"may not add resource with an already registered id: {_id(obj)}")
        held.add(_id(obj))
        objects.append(obj)


def _picked(obj: Json, select: Json) -> bool:
    """Whether a target or a selector means an object: its names are patterns that fit as a whole (types.SelectorRegex)."""
    group, _, version = obj.get("apiVersion", "").rpartition("/")
    metadata = obj.get("metadata") or {}
    for member, has in (("group", (group,)), ("version", (version,)), ("kind", (obj.get("kind", ""),)),
                        ("name", (metadata.get("name", ""), *obj.get(NAMES, ()))), ("namespace", (metadata.get("namespace") or "default",))):
        wanted = select.get(member)
        if wanted and not any(_fits(str(wanted), str(one)) for one in has):
            return False
    return all(selectors.matches(selectors.parse(str(select[what])), metadata.get(member) or {})
               for what, member in (("labelSelector", "labels"), ("annotationSelector", "annotations")) if select.get(what))


def _fits(pattern: str, text: str) -> bool:
    """Names with `.*` and the like, without the patterns that take for ever."""
    return fnmatch.fnmatchcase(text, pattern.strip("^$").replace(".*", "*")) or text == pattern or any(
        text == one for one in pattern.strip("^$()").split("|"))


def _resource(files: Mapping[str, str], directory: str, entry: str, above: list[str], warned: list[str]) -> list[Json]:
    path = posixpath.normpath(posixpath.join(directory, entry))
    whole = posixpath.join(HOME, path)
    if path in files:
        return [thaw(manifest.object) for manifest in parse(files[path], path, strict=True)]
    if any(file.startswith(path + "/") for file in files):
        if path in above:
            raise KubectlError(f"{ACCUMULATING} from '{entry}': '{whole}' must resolve to a file': cycle detected: candidate root '{whole}' contains "
                               f"visited root '{whole}'\n")
        return _build(files, path, above, warned)
    missing = f"evalsymlink failure on '{whole}' : lstat {whole}: no such file or directory"
    raise KubectlError(f"{ACCUMULATING} from '{entry}': {missing}': must build at directory: not a valid directory: {missing}\n")


def _generate(objects: list[Json], files: Mapping[str, str], directory: str, spec: Json) -> None:
    """The ConfigMaps and Secrets of a kustomization, added or put into one that is there. Raises KubectlError."""
    for behavior, made in generated(files, directory, spec):
        held = next((obj for obj in objects if obj["kind"] == made["kind"] and made["metadata"]["name"] in
                     (obj["metadata"]["name"], *obj.get(NAMES, ()))), None)
        if behavior not in ("merge", "replace"):
            if held is not None and held["metadata"]["name"] == made["metadata"]["name"]:
                raise KubectlError(f"error: may not add resource with an already registered id: {_id(made)}\n")
            objects.append(made)
            continue
        if held is None:
            raise KubectlError(f"error: id {_id(made)} does not exist; cannot merge or replace\n")
        data = made.get("data") or {}
        held["data"] = {**(held.get("data") or {}), **data} if behavior == "merge" else data
        for member in ("labels", "annotations"):
            if both := {**(held["metadata"].get(member) or {}), **(made["metadata"].get(member) or {})}:
                held["metadata"][member] = both


def _patches(files: Mapping[str, str], directory: str, spec: Json) -> Iterator[tuple[Any, Json]]:
    for entry in [*({"path": one} if "\n" not in str(one) else {"patch": one} for one in spec.get("patchesStrategicMerge")
                    or ()), *(spec.get("patchesJson6902") or ()), *(spec.get("patches") or ())]:
        text = entry.get("patch") or _patch_file(files, directory, entry.get("path", ""))
        try:
            bodies = [one for one in re.split(r"(?m)^---[ \t]*$", text) if one.strip()] or [text]
            for body in [document(one, Loader) for one in bodies]:
                if not isinstance(body, (dict, list)):
                    raise KubectlError("error: unable to parse SM or JSON patch from [patch: \"" + clip(text) + "\"]\n")
                yield body, entry.get("target") or {}
        except (yaml.YAMLError, ValueError) as error:
            raise KubectlError(f"error: unable to parse a patch: {error}\n") from error


def _patch_file(files: Mapping[str, str], directory: str, name: str) -> str:
    path = posixpath.normpath(posixpath.join(directory, name))
    if path not in files:
        whole = posixpath.join(HOME, path)
        raise KubectlError(f"error: trouble configuring builtin PatchTransformer with config: `\npath: {name}\n`: failed to get the patch file from "
                           f"path({name}): evalsymlink failure on '{whole}' : lstat {whole}: no such file or directory\n")
    return files[path]


def clip(text: str) -> str:
    return text if len(text) <= PATCH_SHOWN else text[:PATCH_SHOWN] + "..."


def _patch(objects: list[Json], body: Any, target: Json) -> None:
    if isinstance(body, list) and not target:
        raise KubectlError("error: must specify a target for JSON patch\n")
    names = (body.get("kind"), (body.get("metadata") or {}).get("name")) if isinstance(body, dict) else ("", "")
    hit = False
    for i, obj in reversed(list(enumerate(objects))):
        mine = (obj["metadata"]["name"], *obj.get(NAMES, ()))
        if not (_picked(obj, target) if target else obj["kind"] == names[0] and names[1] in mine):
            continue
        hit = True
        if isinstance(body, list):
            objects[i] = _operated(obj, body)
        elif body.get("$patch") == "delete":
            del objects[i]
        else:
            resource = by_api_kind(obj["apiVersion"], obj["kind"])
            own = {key: obj[key] for key in (NAMES, HASHED) if key in obj}
            named = {**body, "metadata": {**(body.get("metadata") or {}), "name": obj["metadata"]["name"]}} if target else body
            merged = strategic_merge(schema.type_of(resource) if resource else "", {key: obj[key] for key in obj if key not in own}, named)
            objects[i] = {**merged, "metadata": {**merged["metadata"], "name": obj["metadata"]["name"]}, "kind": obj["kind"],
                          "apiVersion": obj["apiVersion"], **own}
    if not hit and not target:
        name = _id(body)
        raise KubectlError(f"error: no resource matches strategic merge patch \"{name}\": no matches for Id {name}; failed to "
                           f"find unique target for patch {name}\n")


def _operated(obj: Json, operations: list[Any]) -> Json:
    """An object after a JSON patch. Raises KubectlError in the words of evanphx/json-patch."""
    for operation in operations:
        try:
            obj = json_patch(obj, [operation])
        except ApiError as error:
            what, path = (operation.get("op"), operation.get("path")) if isinstance(operation, dict) else ("", "")
            if what == "test":
                raise KubectlError(f"error: testing value {path} failed: test failed\n") from error
            raise KubectlError(f"error: {what} operation does not apply: doc is missing path: {path}: missing value\n") from error
    return obj


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
        mark(obj, "annotations", spec["commonAnnotations"], templates=True, selectors=False)
    if spec.get("commonLabels"):
        mark(obj, "labels", spec["commonLabels"], templates=True, selectors=True)
    for entry in spec.get("labels") or ():
        mark(obj, "labels", entry.get("pairs") or {}, templates=bool(entry.get("includeTemplates")
                                                                      or entry.get("includeSelectors")),
              selectors=bool(entry.get("includeSelectors")))
    for image in spec.get("images") or ():
        for container in image_fields(obj):
            name, tag = _split(container["image"])
            if name == image.get("name"):
                name = image.get("newName", name)
                tag = image.get("newTag") or tag
                if image.get("tagSuffix"):
                    tag += image["tagSuffix"]
                container["image"] = f"{name}@{image['digest']}" if image.get("digest") else f"{name}:{tag}" if tag else name
    for wish in spec.get("replicas") or ():
        if wish.get("name") in (old, *obj.get(NAMES, ())) and obj.get("kind") in ("Deployment", "ReplicaSet", "StatefulSet", "ReplicationController"):
            obj["spec"]["replicas"] = wish["count"]


def _split(image: str) -> tuple[str, str]:
    head, slash, last = image.rpartition("/")
    name, _, tag = last.partition("@")[0].partition(":")
    return head + slash + name, tag
