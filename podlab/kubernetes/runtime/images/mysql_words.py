"""MySQL's statements in SQLite's words: sqlglot reads them, names get their database, types and functions their counterparts.

Source: dev.mysql.com/doc/refman (statements), /doc/mysql-errors (numbers, states and messages of errors).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import sqlglot
from sqlglot import exp
from sqlglot.errors import ParseError, SqlglotError

from .sql_bounds import too_wordy
from .sql_store import quoted

BEGINNINGS = {"SELECT", "INSERT", "REPLACE", "UPDATE", "DELETE", "CREATE", "DROP", "ALTER", "TRUNCATE", "WITH", "(SELECT"}
LONGEST = 20_000  # characters of a statement


class SqlError(Exception):
    """ERROR number (state): text."""

    def __init__(self, number: int, state: str, text: str) -> None:
        super().__init__(text)
        self.number, self.state, self.text = number, state, text


@dataclass(frozen=True)
class Translated:
    """One statement for SQLite. `kind` is sqlglot's name of it in capitals (SELECT, INSERT, CREATE ...)."""

    kind: str
    sql: str
    databases: tuple[str, ...]
    tables: tuple[tuple[str, str], ...]  # (database, table) that it names
    fractions: tuple[int, ...] = ()  # columns of the result that MySQL shows with four digits after the point (div_precision_increment)
    columns: tuple[str, ...] = ()  # an INSERT's, if it names them
    values: tuple[tuple[str, ...], ...] = ()  # an INSERT's rows, as far as they are literals


def syntax(near: str, line: int = 1) -> SqlError:
    return SqlError(
        1064,
        "42000",
        "You have an error in your SQL syntax; check the manual that corresponds to your MySQL server version for the right "
        f"syntax to use near '{near[:80]}' at line {line}",
    )


def statements(text: str) -> Iterator[tuple[str, str, int]]:
    """(statement, what ended it: ";", "\\G", "\\g" or "" for an unfinished rest, its first line) as the client parts them."""
    start, at, line, began = 0, 0, 1, 1
    while at < len(text):
        found = TOKEN.match(text, at)
        token = found[0] if found else text[at]
        if not text[start:at].strip():
            began = line + token[: len(token) - len(token.lstrip())].count("\n")
        if token in (";", "\\G", "\\g"):
            if text[start:at].strip():
                yield text[start:at].strip(), token, began
            start = at + len(token)
        at += len(token)
        line += token.count("\n")
    if text[start:].strip():
        yield text[start:].strip(), "", began


# What is left open goes to the end of the text, so that no character is looked at twice.
STRINGS = r"'(?:[^'\\]|\\.|'')*(?:'|\Z)|\"(?:[^\"\\]|\\.|\"\")*(?:\"|\Z)|`[^`]*(?:`|\Z)"
NOTES = r"--(?:[ \t][^\n]*)?(?:\n|\Z)|#[^\n]*(?:\n|\Z)"
TOKEN = re.compile(rf"{STRINGS}|{NOTES}|/\*.*?(?:\*/|\Z)|\\[Gg]|[^;'\"`\\#/-]+", re.DOTALL)
COMMENT = re.compile(rf"({STRINGS})|{NOTES}|/\*!\d*(.*?)(?:\*/|\Z)|/\*.*?(?:\*/|\Z)", re.DOTALL)


WORD = re.compile(rf"{STRINGS}|\w+|.", re.DOTALL)


def bare(statement: str) -> str:
    """Without comments; what stands in /*! ... */ is MySQL's to read."""
    return COMMENT.sub(lambda found: found[1] or found[2] or " ", statement).strip()


def bounded(statement: str) -> str:
    """The statement, if it is short enough to be read in a turn. Raises SqlError 1153."""
    if len(statement) > LONGEST or too_wordy(statement):
        raise SqlError(1153, "08S01", "Got a packet bigger than 'max_allowed_packet' bytes")
    return statement


def translate(statement: str, database: str, variables: dict[str, str | int]) -> Translated:
    """Raises SqlError (1064, 1046 without a database, 1193 for an unknown variable)."""
    replaces = re.match(r"(?i)replace\b(?=\s+(into\s+)?[`\w])", statement)
    if statement.split(None, 1)[0].upper() not in BEGINNINGS:
        raise syntax(statement)
    try:
        tree = sqlglot.parse_one("INSERT" + statement[7:] if replaces else statement, read="mysql")
    except ParseError as error:
        one = error.errors[0] if error.errors else {}
        raise syntax(f"{one.get('highlight', '')}{one.get('end_context', '')}", int(one.get("line") or 1)) from None
    except (SqlglotError, RecursionError, ValueError) as error:
        raise syntax(statement) from error
    if isinstance(tree, exp.Command) or tree is None:
        raise syntax(statement)
    fractions: tuple[int, ...] = ()
    columns, values = _given(tree)
    try:
        if isinstance(tree, exp.Select):
            fractions = tuple(at for at, one in enumerate(tree.expressions) if isinstance(one.unalias(), exp.Avg | exp.Div))
            _headings(tree, statement)
        tree = tree.transform(_adapted)
        if isinstance(tree, exp.Create) and tree.args["kind"] == "TABLE":
            _create(tree)
        elif isinstance(tree, exp.Alter):
            for part in tree.find_all(exp.ColumnDef):
                _column(part)
        tables = _place(tree, database)
        _variables(tree, variables)
        if isinstance(tree, exp.Insert):
            _insert(tree)
        sql = f"DELETE FROM {tree.expressions[0].sql('sqlite')}" if isinstance(tree, exp.TruncateTable) else tree.sql("sqlite")
    except (SqlglotError, RecursionError, ValueError, AttributeError, KeyError) as error:
        raise syntax(statement) from error
    if replaces:
        sql = sql.replace("INSERT INTO", "REPLACE INTO", 1)
    kind = "REPLACE" if replaces else type(tree).__name__.upper()
    return Translated(
        kind, sql, tuple(sorted({one for one, _ in tables} | ({database} if database else set()))), tuple(tables), fractions, columns, values
    )


# ---- names


def _place(tree: exp.Expr, database: str) -> list[tuple[str, str]]:
    """Gives every table its database. A CREATE INDEX wants it before the index's name."""
    with_names = {cte.alias for cte in tree.find_all(exp.CTE)}
    found = []
    for table in list(tree.find_all(exp.Table)):
        if table.name.lower() == "dual" and not table.db:
            if table.parent is not None:
                table.parent.pop()
            continue
        if not table.name or (table.name in with_names and not table.db):
            continue
        if not table.db:
            if not database:
                raise SqlError(1046, "3D000", "No database selected")
            table.set("db", exp.to_identifier(database, quoted=True))
        found.append((table.db, table.name))
    index = tree.this if isinstance(tree, exp.Create) and tree.args["kind"] == "INDEX" else None
    if isinstance(index, exp.Index):
        table = index.args["table"]
        index.set("this", exp.Var(this=f"{quoted(table.db)}.{quoted(index.name)}"))
        table.set("db", None)
    for reference in tree.find_all(exp.Reference):  # SQLite's foreign keys are within one database
        for table in reference.find_all(exp.Table):
            table.set("db", None)
    return found


def _headings(tree: exp.Select, statement: str) -> None:
    """What a column of the result is called: the very words that asked for it."""
    asked = _items(statement)
    named = []
    for at, one in enumerate(tree.expressions):
        plain = isinstance(one, exp.Column | exp.Star | exp.Alias) or one.is_star
        words = str(one.this) if isinstance(one, exp.Literal) else asked[at] if len(asked) == len(tree.expressions) else one.sql("mysql")
        named.append(one if plain else exp.alias_(one, words, quoted=True))
    tree.set("expressions", named)


def _items(statement: str) -> list[str]:
    """The words between SELECT and FROM, parted at their commas."""
    items, depth, words = [""], 0, re.match(r"(?i)select\s+(?:distinct\s+)?", statement)
    for found in WORD.finditer(statement, words.end() if words else 0):
        word = found[0]
        if depth == 0 and word.lower() in ("from", "limit", "order", "into"):
            break
        depth += {"(": 1, ")": -1}.get(word, 0)
        if depth == 0 and word == ",":
            items.append("")
        else:
            items[-1] += word
    return [one.strip() for one in items]


def _given(tree: exp.Expr) -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]:
    """An INSERT's columns and rows, for the words of its errors."""
    if not isinstance(tree, exp.Insert) or not isinstance(tree.expression, exp.Values):
        return (), ()
    columns = tuple(one.name for one in tree.this.expressions) if isinstance(tree.this, exp.Schema) else ()
    return columns, tuple(tuple(one.name for one in row.expressions) for row in tree.expression.expressions if isinstance(row, exp.Tuple))


def _variables(tree: exp.Expr, variables: dict[str, str | int]) -> None:
    for one in list(tree.find_all(exp.SessionParameter)):
        name = one.name.lower()
        if name not in variables:
            raise SqlError(1193, "HY000", f"Unknown system variable '{one.name}'")
        value = variables[name]
        one.replace(exp.Literal.string(value) if isinstance(value, str) else exp.Literal.number(value))
    for unset in list(tree.find_all(exp.Parameter)):
        unset.replace(exp.null())


# ---- what SQLite has other words for

FUNCTIONS = {
    exp.CurrentVersion: "version",
    exp.CurrentSchema: "database",
    exp.Rand: "rand",
    exp.CurrentTimestamp: "now",
    exp.CurrentDate: "curdate",
    exp.CurrentTime: "curtime",
}


def _adapted(node: exp.Expr) -> exp.Expr:
    for kind, name in FUNCTIONS.items():
        if isinstance(node, kind):
            return exp.Anonymous(this=name)
    if isinstance(node, exp.Select) and node.args.get("locks"):
        node.set("locks", None)
    return node


OURS = "my_"  # before a type's name: the module sqlite3 turns some types into objects of Python's, by name and for the whole process
CONSTRAINTS = (
    exp.NotNullColumnConstraint,
    exp.DefaultColumnConstraint,
    exp.PrimaryKeyColumnConstraint,
    exp.UniqueColumnConstraint,
    exp.CheckColumnConstraint,
    exp.AutoIncrementColumnConstraint,
    exp.Reference,
)
IN_THE_KEY = (exp.NotNullColumnConstraint, exp.PrimaryKeyColumnConstraint, exp.AutoIncrementColumnConstraint)


def _create(tree: exp.Create) -> None:
    """A table's columns and keys; keys that are only for speed are left out."""
    tree.set("properties", None)
    if not isinstance(tree.this, exp.Schema):
        return
    parts, counted = [], False
    for part in tree.this.expressions:
        if isinstance(part, exp.ColumnDef):
            counted = _column(part) or counted
        elif isinstance(part, exp.IndexColumnConstraint):
            continue
        elif isinstance(part, exp.UniqueColumnConstraint) and isinstance(part.this, exp.Schema):
            part = exp.UniqueColumnConstraint(this=exp.Schema(expressions=part.this.expressions))
        parts.append(part)
    tree.this.set("expressions", [part for part in parts if not (counted and isinstance(part, exp.PrimaryKey))])


def _column(part: exp.ColumnDef) -> bool:
    """A type that SQLite reads, and the constraints that it knows. True for the counted key, which has but one form there."""
    kinds = [one for one in part.args.get("constraints") or [] if isinstance(one.kind, CONSTRAINTS)]
    counted = any(isinstance(one.kind, exp.AutoIncrementColumnConstraint) for one in kinds)
    if counted:
        kinds = [one for one in kinds if not isinstance(one.kind, IN_THE_KEY)]
        kinds += [exp.ColumnConstraint(kind=exp.PrimaryKeyColumnConstraint()), exp.ColumnConstraint(kind=exp.AutoIncrementColumnConstraint())]
        part.set("kind", exp.DataType.build("INTEGER", dialect="sqlite"))
    else:
        part.set("kind", _type(part.args.get("kind")))
        if re.search("text|char", part.args["kind"].sql("sqlite")):
            kinds.append(exp.ColumnConstraint(kind=exp.CollateColumnConstraint(this=exp.Var(this="NOCASE"))))
    for one in kinds:
        if isinstance(one.kind, exp.DefaultColumnConstraint) and isinstance(one.kind.this, exp.Anonymous):
            one.kind.set("this", exp.Paren(this=one.kind.this))
    part.set("constraints", kinds)
    return counted


def _type(kind: exp.Expr | None) -> exp.DataType:
    """In MySQL's spelling where SQLite keeps it: it takes any words for a type, and tells them again."""
    if not isinstance(kind, exp.DataType):
        return exp.DataType(this=exp.DataType.Type.USERDEFINED, kind=f"{OURS}text")
    words = kind.sql("mysql").lower().replace(", ", ",").replace("character set", "").strip()
    if kind.this.name in ("ENUM", "SET"):
        words = "text"
    if kind.this.name == "DECIMAL":
        sizes = [one.name for one in kind.expressions]
        words = f"decimal_{sizes[1] if len(sizes) > 1 else 0}({','.join((*sizes, '0')[:2] if sizes else ('10', '0'))})"
    return exp.DataType(this=exp.DataType.Type.USERDEFINED, kind=OURS + words)


def type_of(kept: str, whole: str) -> str:
    """A column's type in MySQL's words; `whole` is what it says for an int."""
    words = re.sub(r"^decimal_\d+", "decimal", kept.lower().removeprefix(OURS))
    return whole if words in ("integer", "int") else words


def _insert(tree: exp.Insert) -> None:
    conflict = tree.args.get("conflict")
    if conflict is not None:
        for one in list(conflict.find_all(exp.Anonymous)):
            if one.name.upper() == "VALUES":
                one.replace(exp.column(one.expressions[0].name, table="excluded"))
        sets = ", ".join(one.sql("sqlite") for one in conflict.expressions)
        tree.set("conflict", exp.Var(this=f"ON CONFLICT DO UPDATE SET {sets}"))
