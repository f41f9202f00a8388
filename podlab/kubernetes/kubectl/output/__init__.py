"""What kubectl prints: tables (`table`), and the formats of -o (`formats`)."""

from .formats import CLIENT_FORMATS, GET_FORMATS, Print, as_asked, printer, render
from .sorting import sort_objects
from .table import join_kinds, print_table

__all__ = ["CLIENT_FORMATS", "GET_FORMATS", "Print", "as_asked", "join_kinds", "print_table", "printer", "render", "sort_objects"]
