"""PostgreSQL's statements in SQLite's words: sqlglot reads them, names get their schema, types and functions their counterparts.

Source: postgresql.org/docs/17 (SQL commands, data types, appendix A: error codes), src/backend/parser's and src/bin/psql's messages.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import sqlglot
from sqlglot import exp
from sqlglot.errors import ParseError, SqlglotError

from .sql_bounds import WORDS, too_wordy
from .sql_store import quoted

BEGINNINGS = {"SELECT", "INSERT", "UPDATE", "DELETE", "CREATE", "DROP", "ALTER", "TRUNCATE", "WITH", "VALUES", "TABLE", "(SELECT"}
LONGEST = 20_000  # characters of a statement


class PgError(Exception):
    """ERROR:  text, with the word that it points at, DETAIL and HINT. `severity` FATAL ends the connection."""

    def __init__(self, state: str, text: str, at: str = "", detail: str = "", hint: str = "", severity: str = "ERROR") -> None:
        super().__init__(text)
        self.state, self.text, self.at, self.detail, self.hint, self.severity = state, text, at, detail, hint, severity


@dataclass(frozen=True)
class Translated:
    """One statement for SQLite. `kind` is sqlglot's name of it in capitals (SELECT, INSERT, CREATE ...), `tag` psql's words for it."""

    kind: str
    tag: str
    sql: tuple[str, ...]
    tables: tuple[tuple[str, str], ...]  # (schema, table) that it names, the one that it changes first
    truths: tuple[int, ...] = ()  # columns of the result that are true or false
    averages: tuple[int, ...] = ()  # those with sixteen digits after the point
    columns: tuple[str, ...] = ()  # an INSERT's, if it names them
    values: tuple[tuple[str, ...], ...] = ()  # an INSERT's rows, as far as they are literals


# What is left open goes to the end of the text, so that no character is looked at twice.
STRINGS = r"'(?:[^']|'')*(?:'|\Z)|\"[^\"]*(?:\"|\Z)|\$(?P<tag>\w*)\$.*?(?:\$(?P=tag)\$|\Z)"
NOTES = r"--[^\n]*(?:\n|\Z)|/\*.*?(?:\*/|\Z)"
TOKEN = re.compile(rf"{STRINGS}|{NOTES}|\\[^\n]*|[^;'\"$\\/-]+", re.DOTALL)
COMMENT = re.compile(rf"({STRINGS})|{NOTES}", re.DOTALL)


def statements(text: str) -> Iterator[tuple[str, str, int]]:
    r"""(statement, what ended it: ";", "\" for a command of psql's own or "" for an unfinished rest, its first line) as psql parts them."""
    start, at, line, began = 0, 0, 1, 1
    while at < len(text):
        found = TOKEN.match(text, at)
        piece = found[0] if found else text[at]
        if not text[start:at].strip():
            began = line + piece[: len(piece) - len(piece.lstrip())].count("\n")
        if piece[0] == "\\":
            sends = re.match(r"\\gx?(?=\s|$)", piece)
            piece = sends[0] if sends else piece
            if text[start:at].strip():
                yield text[start:at].strip(), piece if sends else "", began
            if not sends:
                yield piece.strip(), "\\", line
            start = at + len(piece)
        elif piece == ";":
            if text[start:at].strip():
                yield text[start:at].strip(), ";", began
            start = at + 1
        at += len(piece)
        line += piece.count("\n")
    if text[start:].strip():
        yield text[start:].strip(), "", began


def bare(statement: str) -> str:
    """Without comments."""
    return COMMENT.sub(lambda found: found[1] or " ", statement).strip().rstrip(";").strip()


def syntax(near: str) -> PgError:
    if not near:
        return PgError("42601", "syntax error at end of input")
    return PgError("42601", f'syntax error at or near "{near}"', near)


def bounded(statement: str) -> str:
    """The statement, if it is short enough to be read in a turn. Raises PgError."""
    if len(statement) > LONGEST:
        raise PgError("54000", f"statement is longer than the {LONGEST} characters that podlab reads")
    if too_wordy(statement):
        raise PgError("54000", f"statement has more than the {WORDS} words and signs that podlab reads")
    return statement


def translate(statement: str, schema_of: Callable[[str], str]) -> Translated:
    """`schema_of` tells where a table without a schema is. Raises PgError."""
    first = re.match(r"\(?\s*\w+", statement)
    if first is None or first[0].replace(" ", "").upper().lstrip("(") not in BEGINNINGS:
        raise syntax(first[0] if first else statement[:1])
    try:
        tree = sqlglot.parse_one(statement, read="postgres")
    except ParseError as error:
        one = error.errors[0] if error.errors else {}
        word = str(one.get("highlight") or "")
        raise syntax("" if not str(one.get("end_context") or "").strip() and word and statement.endswith(word) and "Required" in
                     str(one.get("description")) else word) from None  # fmt: skip
    except (SqlglotError, RecursionError, ValueError) as error:
        raise syntax(statement.split()[0]) from error
    if isinstance(tree, exp.Command) or tree is None:
        raise syntax(statement.split()[0])
    try:
        for name in tree.find_all(exp.Identifier):
            if not name.args.get("quoted"):
                name.set("this", name.name.lower())
        columns, values = given(tree)
        truths, averages = _headings(tree)
        tree = tree.transform(_adapted)
        if isinstance(tree, exp.Create) and tree.args["kind"] == "TABLE":
            _create(tree)
        elif isinstance(tree, exp.Alter):
            for part in tree.find_all(exp.ColumnDef):
                _column(part, tree.this.name)
        tables = place(tree, lambda table: schema_of(table.name))
        sql = _written(tree)
    except (SqlglotError, RecursionError, ValueError, AttributeError, KeyError, TypeError) as error:
        raise syntax(statement.split()[0]) from error
    kind = type(tree).__name__.upper()
    return Translated(kind, _tag(tree, kind), sql, tuple(tables), truths, averages, columns, values)


def _written(tree: exp.Expr) -> tuple[str, ...]:
    if isinstance(tree, exp.TruncateTable):
        return tuple(f"DELETE FROM {one.sql('sqlite')}" for one in tree.expressions)
    if isinstance(tree, exp.Drop):
        kind, exists = str(tree.args["kind"]), "IF EXISTS " if tree.args.get("exists") else ""
        return tuple(f"DROP {kind} {exists}{one.sql('sqlite')}" for one in tree.args["tables"])
    return (tree.sql("sqlite"),)


def _tag(tree: exp.Expr, kind: str) -> str:
    if kind == "TRUNCATETABLE":
        return "TRUNCATE TABLE"
    if isinstance(tree, exp.Create) and isinstance(tree.expression, exp.Query) and tree.args["kind"] == "TABLE":
        return "SELECT"
    return f"{kind} {tree.args['kind']}" if isinstance(tree, exp.Create | exp.Drop | exp.Alter) else kind


# ---- names


def place(tree: exp.Expr, home: Callable[[exp.Table], str]) -> list[tuple[str, str]]:
    """Gives every table its schema. A CREATE INDEX wants it before the index's name."""
    with_names = {cte.alias for cte in tree.find_all(exp.CTE)}
    found = []
    for table in list(tree.find_all(exp.Table)):
        if not table.name or (table.name in with_names and not table.db):
            continue
        table.set("catalog", None)
        if not table.db:
            table.set("db", exp.to_identifier(home(table), quoted=True))
        found.append((table.db, table.name))
    index = tree.this if isinstance(tree, exp.Create) and tree.args["kind"] == "INDEX" else None
    if isinstance(index, exp.Index):
        table = index.args["table"]
        keys = [one.this if isinstance(one, exp.Ordered) else one for one in index.args["params"].args.get("columns") or []]
        name = index.name or "_".join([table.name, *(one.name for one in keys), "idx"])
        index.set("this", exp.Var(this=f"{quoted(table.db)}.{quoted(name)}"))
        index.set("params", exp.IndexParameters(columns=keys))
        table.set("db", None)
    for reference in tree.find_all(exp.Reference):  # SQLite's foreign keys are within one database
        for table in reference.find_all(exp.Table):
            table.set("db", None)
    return found


CALLED = {exp.CurrentTimestamp: "now", exp.CurrentVersion: "version", exp.CurrentSchema: "current_schema", exp.GroupConcat: "string_agg"}
TRUE_OR_FALSE = (exp.Predicate, exp.Boolean, exp.Not, exp.And, exp.Or)


def _headings(tree: exp.Expr) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Names the columns of a result as PostgreSQL does; which of them are true or false, and which are averages."""
    if isinstance(tree, exp.Values):
        return (), ()
    if not isinstance(tree, exp.Select):
        return (), ()
    named, truths, averages = [], [], []
    for at, one in enumerate(tree.expressions):
        inner = one.unalias()
        while isinstance(inner, exp.Paren):
            inner = inner.this
        if isinstance(inner, TRUE_OR_FALSE):
            truths.append(at)
        if isinstance(inner, exp.Avg):
            averages.append(at)
        plain = isinstance(one, exp.Column | exp.Star | exp.Alias) or one.is_star
        named.append(one if plain else exp.alias_(one, _called(inner), quoted=True))
    tree.set("expressions", named)
    return tuple(truths), tuple(averages)


def _called(node: exp.Expr) -> str:
    for kind, name in CALLED.items():
        if isinstance(node, kind):
            return name
    if isinstance(node, exp.Cast):
        inner = node.this
        return inner.name if isinstance(inner, exp.Column) else _type_name(node.to) if isinstance(inner, exp.Literal) else _called(inner)
    if isinstance(node, exp.Anonymous):
        return node.name.lower()
    if isinstance(node, exp.Boolean):
        return "bool"
    if isinstance(node, exp.Case | exp.Exists | exp.Coalesce):
        return type(node).__name__.lower()
    if isinstance(node, exp.Func) and not isinstance(node, TRUE_OR_FALSE):
        return node.sql_name().lower()
    return "?column?"


def given(tree: exp.Expr) -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]:
    """An INSERT's columns and rows, for the words of its errors."""
    if not isinstance(tree, exp.Insert) or not isinstance(tree.expression, exp.Values):
        return (), ()
    columns = tuple(one.name for one in tree.this.expressions) if isinstance(tree.this, exp.Schema) else ()
    return columns, tuple(tuple(one.name for one in row.expressions) for row in tree.expression.expressions if isinstance(row, exp.Tuple))


# ---- what SQLite has other words for

FUNCTIONS = {
    exp.CurrentVersion: "version",
    exp.CurrentSchema: "current_schema",
    exp.CurrentDatabase: "current_database",
    exp.CurrentUser: "current_user",
    exp.SessionUser: "current_user",
    exp.Rand: "random",
    exp.CurrentTimestamp: "now",
    exp.CurrentDate: "today",
    exp.Uuid: "gen_random_uuid",
}


CASTS = ("TEXT", "VARCHAR", "CHAR", "INT", "BIGINT", "SMALLINT", "DOUBLE", "FLOAT", "DECIMAL")  # those that SQLite does


def _adapted(node: exp.Expr) -> exp.Expr:
    for kind, name in FUNCTIONS.items():
        if isinstance(node, kind):
            return exp.Anonymous(this=name)
    if isinstance(node, exp.Div):
        node.set("expression", exp.Anonymous(this="nonzero", expressions=[node.expression]))
    elif isinstance(node, exp.Date):
        return exp.Anonymous(this="to_day", expressions=[node.this.transform(_adapted)])
    elif isinstance(node, exp.Extract):
        return exp.Anonymous(this="date_part", expressions=[exp.Literal.string(node.name.lower()), node.expression.transform(_adapted)])
    elif isinstance(node, exp.Cast) and node.to.this.name not in CASTS:
        inner = node.this.transform(_adapted)
        return exp.Anonymous(this="to_day", expressions=[inner]) if node.to.this.name == "DATE" else exp.Paren(this=inner)
    elif isinstance(node, exp.GroupConcat) and isinstance(node.this, exp.Order):  # SQLite sorts there as of 3.44 only
        node.set("this", node.this.this)
    elif isinstance(node, exp.Select) and node.args.get("locks"):
        node.set("locks", None)
    elif isinstance(node, exp.OnConflict):
        keys = node.args.get("conflict_keys") or []
        node.set("conflict_keys", [one.this if isinstance(one, exp.Ordered) else one for one in keys])
    elif isinstance(node, exp.Table) and isinstance(node.this, exp.GenerateSeries):
        return _series(node)
    return node


def _series(table: exp.Table) -> exp.Expr:
    """generate_series(first, last) in FROM."""
    name = quoted(table.alias or "generate_series")
    series = table.this
    step = series.args.get("step")
    first, last, more = series.args["start"].sql("sqlite"), series.args["end"].sql("sqlite"), step.sql("sqlite") if step else "1"
    text = (f"SELECT * FROM (WITH RECURSIVE s({name}) AS (SELECT {first} UNION ALL SELECT {name} + {more} FROM s WHERE {name} + {more} <= {last}) "
            f"SELECT {name} FROM s) AS {name}")  # fmt: skip
    found = sqlglot.parse_one(text, read="sqlite").find(exp.Subquery)
    if found is None:
        raise ValueError(text)
    return found


OURS = "pg_"  # before a type's name: the module sqlite3 turns some types into objects of Python's, by name and for the whole process
CONSTRAINTS = (exp.NotNullColumnConstraint, exp.DefaultColumnConstraint, exp.PrimaryKeyColumnConstraint, exp.UniqueColumnConstraint,
               exp.CheckColumnConstraint, exp.Reference)  # fmt: skip
SERIALS = ("SERIAL", "BIGSERIAL", "SMALLSERIAL")
WHOLE = {"INT": "integer", "BIGINT": "bigint", "SMALLINT": "smallint"}
NAMES = {"varchar": "character varying", "char": "character", "bool": "boolean", "timestamp": "timestamp without time zone",
         "timestamptz": "timestamp with time zone", "decimal": "numeric", "float": "double precision", "double": "double precision",
         "int": "integer", "time": "time without time zone"}  # fmt: skip


def _create(tree: exp.Create) -> None:
    tree.set("properties", None)
    if not isinstance(tree.this, exp.Schema):
        return
    parts: list[exp.Expr] = []
    table, counted = tree.this.this.name, ""
    for part in tree.this.expressions:
        if isinstance(part, exp.ColumnDef) and _column(part, table):
            counted = part.name
        parts.append(part)
    # SQLite's counted key is the whole key; a key said beside the columns is said twice then
    tree.this.set("expressions", [part for part in parts if not (counted and _is_key(part, counted))])


def _is_key(part: exp.Expr, counted: str) -> bool:
    inner = part.expressions[0] if isinstance(part, exp.Constraint) and part.expressions else part
    return isinstance(inner, exp.PrimaryKey) and [one.name for one in inner.expressions] == [counted]


def _column(part: exp.ColumnDef, table: str) -> bool:
    """A type that SQLite reads, and the constraints that it knows; what does not fit the type is kept out by a check. True for a counted key."""
    every = part.args.get("constraints") or []
    kinds = [one for one in every if isinstance(one.kind, CONSTRAINTS)]
    held = part.args.get("kind")
    name = held.this.name if isinstance(held, exp.DataType) else "TEXT"
    identity = any(isinstance(one.kind, exp.GeneratedAsIdentityColumnConstraint) for one in every)
    if name in SERIALS or identity:
        part.set("kind", exp.DataType.build("INTEGER", dialect="sqlite"))
        own = [exp.ColumnConstraint(kind=exp.PrimaryKeyColumnConstraint()), exp.ColumnConstraint(kind=exp.AutoIncrementColumnConstraint())]
        part.set("constraints", own)
        return True
    words = _type_name(held) if isinstance(held, exp.DataType) else "text"
    if name == "DECIMAL" and isinstance(held, exp.DataType):
        sizes = [one.name for one in held.expressions]
        words = f"numeric_{sizes[1] if len(sizes) > 1 else 0}({','.join((*sizes, '0')[:2])})" if sizes else "numeric"
    part.set("kind", exp.DataType(this=exp.DataType.Type.USERDEFINED, kind=OURS + words.replace(" ", "_")))
    for one in kinds:
        if isinstance(one.kind, exp.DefaultColumnConstraint):
            one.kind.set("this", exp.Paren(this=one.kind.this))
        elif isinstance(one.kind, exp.CheckColumnConstraint) and not one.this:
            one.set("this", exp.to_identifier(f"{table}_{part.name}_check", quoted=True))
    here = quoted(part.name)
    size = next((one.name for one in held.expressions), "") if isinstance(held, exp.DataType) and name in ("VARCHAR", "CHAR") else ""
    rule = f"length({here}) <= {size}" if size.isdigit() else f"typeof({here}) IN ('integer', 'null')" if name in WHOLE else ""
    if rule:
        kinds.append(exp.ColumnConstraint(this=exp.to_identifier(f"pg_type {words} {part.name}", quoted=True), kind=exp.CheckColumnConstraint(
            this=sqlglot.parse_one(rule, read="sqlite"))))  # fmt: skip
    part.set("constraints", kinds)
    return False


def _type_name(kind: exp.DataType) -> str:
    """As \\d tells it."""
    words = kind.sql("postgres").lower().replace(", ", ",")
    head, bracket, rest = words.partition("(")
    return NAMES.get(head.strip(), head.strip()) + bracket + rest


def type_of(kept: str) -> str:
    """A column's type in PostgreSQL's words."""
    if not kept.startswith(OURS):
        return "integer" if kept.upper().startswith("INT") else kept.lower()
    return re.sub(r"^numeric_\d+", "numeric", kept.removeprefix(OURS).replace("_", " ").replace("numeric ", "numeric_"))
