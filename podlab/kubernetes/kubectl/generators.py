"""The ConfigMaps and Secrets that a kustomization makes of literals and files (sigs.k8s.io/kustomize/api/internal/generators)."""

from __future__ import annotations

import base64
import hashlib
import posixpath
from collections.abc import Iterator, Mapping
from typing import Any

from .disk import HOME
from .output.go_values import to_json
from .terminal import KubectlError

Json = dict[str, Any]
HASHED = "$hashed"  # a mark: its name is to end with its content's hash
ALPHABET = str.maketrans("013ae", "ghkmt")  # kustomize's hash encoding: no vowels, no digits that look like letters


def generated(files: Mapping[str, str], directory: str, spec: Json) -> Iterator[tuple[str, Json]]:
    """(behavior, object)"""
    options = spec.get("generatorOptions") or {}
    for member, kind in (("configMapGenerator", "ConfigMap"), ("secretGenerator", "Secret")):
        for entry in spec.get(member) or ():
            data: dict[str, str] = {}
            for literal in entry.get("literals") or ():
                key, equals, value = str(literal).partition("=")
                if not equals or not key:
                    raise KubectlError(f"error: loading KV pairs: literal sources [{literal}]: invalid literal source {literal}, expected "
                                       "key=value\n")
                quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "'\""
                data[key] = value[1:-1] if quoted else value
            for file in entry.get("files") or ():
                key, equals, where = str(file).partition("=")
                where = where if equals else key
                data[key if equals else posixpath.basename(key)] = file_text(files, directory, where)
            for env in [*(entry.get("envs") or ()), *([entry["env"]] if entry.get("env") else ())]:
                for line in file_text(files, directory, env).splitlines():
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
            if (entry.get("options") or {}).get("immutable", options.get("immutable", False)):
                obj["immutable"] = True
            if entry.get("namespace"):
                obj["metadata"]["namespace"] = entry["namespace"]
            yield entry.get("behavior") or "create", obj


def content_hash(obj: Json, name: str) -> str:
    """The suffix that makes a changed ConfigMap or Secret a new one. create --append-hash counts its `name` in (kubectl/pkg/util/hash), kustomize
    hashes an object without one (kustomize/api/hasher)."""
    whole: Json = {"data": obj.get("data") or "", "kind": obj["kind"], "name": name}
    if obj["kind"] == "Secret":
        whole["type"] = obj.get("type", "")
    return hashlib.sha256(to_json(whole).encode()).hexdigest()[:10].translate(ALPHABET)


def file_text(files: Mapping[str, str], directory: str, name: str) -> str:
    path = posixpath.normpath(posixpath.join(directory, name))
    if path not in files:
        whole = posixpath.join(HOME, path)
        raise KubectlError(f"error: loading KV pairs: file sources: [{name}]: evalsymlink failure on '{whole}' : lstat {whole}: no such file or "
                           "directory\n")
    return files[path]
