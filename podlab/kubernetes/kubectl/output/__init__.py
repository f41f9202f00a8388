"""What kubectl prints: tables (`table`), and the formats of -o (`formats`)."""

from .formats import CLIENT_FORMATS, GET_FORMATS, Print, as_asked, printer, render
from .go_sort import go_sort
from .go_structs import struct_json, struct_text
from .sorting import NoField, no_field, sort_objects
from .table import join_kinds, print_table

__all__ = ["CLIENT_FORMATS", "GET_FORMATS", "NoField", "Print", "as_asked", "go_sort", "join_kinds", "no_field", "print_table", "printer",
           "render", "sort_objects", "struct_json", "struct_text"]
