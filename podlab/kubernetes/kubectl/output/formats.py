"""The formats of -o but the tables: json, yaml, name, jsonpath, go-template, custom-columns and their files."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ...apiserver.ownership import records
from ...objects import Map, without
from ...resources import by_api_kind
from ..terminal import KubectlError
from . import go_yaml, kyaml
from .custom_columns import CustomColumns
from .go_template import GoTemplate
from .go_template_parse import TemplateError
from .go_values import as_list, go_syntax, quote, sprint, to_json
from .jsonpath import JSONPath, JSONPathError
from .sorting import sort_objects

TEMPLATES = ("go-template", "go-template-file", "jsonpath", "jsonpath-as-json", "jsonpath-file", "template", "templatefile")
PLAIN = ("json", "kyaml", "name", "yaml")  # in capitals too
CLIENT_FORMATS = tuple(sorted((*TEMPLATES, *PLAIN)))  # of commands that change things
GET_FORMATS = tuple(sorted((*CLIENT_FORMATS, "custom-columns", "custom-columns-file", "wide")))
FILES = {"go-template-file": "go-template", "templatefile": "go-template", "jsonpath-file": "jsonpath",
         "custom-columns-file": "custom-columns-file"}  # what the file holds

Print = Callable[[Any], str]
ReadFile = Callable[[str], str]


def _no_files(path: str) -> str:
    raise OSError(f"open {path}: no such file or directory")


def printer(spec: str, *, allowed: Sequence[str] = CLIENT_FORMATS, template: str | None = None, allow_missing: bool = True,
            no_headers: bool = False, read_file: ReadFile = _no_files) -> Print:
    """What prints one object (or a List) in the format that `-o SPEC` names: the printer of a whole command.

    YAML puts `---` between the objects of one printer. `template` is --template's text; `read_file` gives a file's text or
    raises OSError with Go's words. Raises KubectlError for an unknown format or a template that does not parse; the printer
    itself raises it where the template does not fit the object.
    """
    form, equals, argument = spec.partition("=")
    if form.lower() in PLAIN:
        form = form.lower()
    if not equals and template is not None:
        form, argument = form or "go-template", template
    if form not in allowed or form == "wide" or (equals and form in PLAIN):
        raise KubectlError(f'error: unable to match a printer suitable for the output format "{spec}", allowed formats are: '
                           f"{','.join(allowed)}\n")
    if form == "json":
        return lambda obj: to_json(obj, indent=4) + "\n"
    if form == "kyaml":
        return lambda obj: kyaml.from_json(to_json(obj))
    if form == "yaml":
        return _yaml_printer()
    if form == "name":
        return _names
    if not argument:
        raise KubectlError("error: custom-columns format specified but no custom columns given\n" if form.startswith("custom-columns")
                           else "error: template format specified but no template given\n")
    if form in FILES:
        form, argument = FILES[form], _read(form, argument, read_file)
    if form.startswith("custom-columns"):
        return _columns_printer(form, argument, no_headers)
    if form.startswith("jsonpath"):
        return _jsonpath_printer(argument, allow_missing, as_json=form == "jsonpath-as-json")
    return _template_printer(argument, allow_missing)


def render(spec: str, objects: Sequence[Map], *, single: bool, sort_by: str | None = None, template: str | None = None,
           allow_missing: bool = True, no_headers: bool = False, show_managed_fields: bool = False,
           read_file: ReadFile = _no_files) -> str:
    """`kubectl get -o SPEC`: one object, or unless `single` a List of them. Raises KubectlError."""
    show = printer(spec, allowed=GET_FORMATS, template=template, allow_missing=allow_missing, no_headers=no_headers,
                   read_file=read_file)
    shown = sort_objects(objects, sort_by) if sort_by else list(objects)
    shown = [as_asked(obj, spec, show_managed_fields=show_managed_fields) for obj in shown]
    return show(shown[0] if single and len(shown) == 1 else as_list(shown))


def as_asked(obj: Any, spec: str, *, show_managed_fields: bool | None) -> Any:
    """An object with its field managers, which -o yaml and json show only if told to (OmitManagedFieldsPrinter), templates always."""
    if spec.lower() in (*PLAIN, "") and not show_managed_fields:
        return obj if "managedFields" not in (obj.get("metadata") or {}) else Map(without(obj, "metadata.managedFields"))
    return records.shown(obj)


def _yaml_printer() -> Print:
    printed = 0

    def show(obj: Any) -> str:
        nonlocal printed
        printed += 1
        return ("---\n" if printed > 1 else "") + go_yaml.dump(obj)
    return show


def _names(obj: Any) -> str:
    """`pod/web`, `deployment.apps/web`; of a List, each of its items."""
    if obj.get("kind") == "List":
        return "".join(_names(item) for item in obj["items"])
    resource = by_api_kind(obj.get("apiVersion", ""), obj.get("kind", ""))
    group = resource.group if resource else obj.get("apiVersion", "").rpartition("/")[0]
    return f"{obj.get('kind', '').lower()}{'.' + group if group else ''}/{(obj.get('metadata') or {}).get('name') or '<unknown>'}\n"


def _read(form: str, path: str, read_file: ReadFile) -> str:
    try:
        return read_file(path)
    except OSError as error:
        what = f"error reading template {path}, {error}" if form == "custom-columns-file" else \
            f"error reading --template {path}, {error}"
        raise KubectlError(f"error: {what}\n") from error


def _columns_printer(form: str, argument: str, no_headers: bool) -> Print:
    make = CustomColumns.from_spec if form == "custom-columns" else CustomColumns.from_template
    try:
        columns = make(argument, headers=not no_headers)
    except ValueError as error:  # a JSONPathError too
        raise KubectlError(f"error: {error}\n") from error

    def show(obj: Any) -> str:
        try:
            return columns.render(obj["items"] if obj.get("kind") == "List" else [obj])
        except ValueError as error:
            raise KubectlError(f"error: {error}\n") from error
    return show


def _jsonpath_printer(template: str, allow_missing: bool, *, as_json: bool) -> Print:
    try:
        path = JSONPath(template, allow_missing=allow_missing)
    except JSONPathError as error:
        raise KubectlError(f"error: error parsing jsonpath {template}, {error}\n") from error

    def show(obj: Any) -> str:
        try:
            if as_json:
                return "".join(to_json(values, indent=4) + "\n" for values in path.results(obj))
            return path.render(obj)
        except JSONPathError as error:
            raise KubectlError(
                f"error: error executing jsonpath {quote(template)}: Error executing template: {error}. Printing more "
                f"information for debugging the template:\n\ttemplate was:\n\t\t{template}\n"
                f"\tobject given to jsonpath engine was:\n\t\t{go_syntax(obj)}\n\n\n") from error
    return show


def _template_printer(template: str, allow_missing: bool) -> Print:
    try:
        parsed = GoTemplate(template, allow_missing=allow_missing)
    except (TemplateError, JSONPathError) as error:
        raise KubectlError(f"error: error parsing template {template}, {error}\n") from error

    def show(obj: Any) -> str:
        try:
            return parsed.render(obj)
        except TemplateError as error:
            printed = (f"{error.printed}Error executing template: {error}. Printing more information for debugging the template:\n"
                       f"\ttemplate was:\n\t\t{template}\n\traw data was:\n\t\t{to_json(obj)}\n"
                       f"\tobject given to template engine was:\n\t\t{sprint(obj)}\n\n")
            raise KubectlError(f"error: error executing template {quote(template)}: {error}\n", printed=printed) from error
    return show

