"""Edits of a module's source: statements replaced, imports where they are needed."""

import ast
from collections.abc import Collection, Iterable, Iterator

BLOCKS = ("body", "orelse", "finalbody")
"""Where a statement has statements of its own."""


class Edit:
    """What takes the place of a statement's lines, or goes before or behind them."""

    def __init__(self, node: ast.stmt | ast.expr, text: str) -> None:
        self.first = node.lineno
        self.last = node.end_lineno or node.lineno
        self.text = text

    @classmethod
    def before(cls, node: ast.stmt, text: str) -> "Edit":
        """Return one that inserts a text."""
        edit = cls(node, text)
        edit.last = edit.first - 1
        return edit

    @classmethod
    def behind(cls, node: ast.stmt, text: str) -> "Edit":
        """Return one that appends a text."""
        edit = cls(node, text)
        edit.first = edit.last + 1
        edit.last = edit.first - 1
        return edit


def changed(source: str, edits: Iterable[Edit]) -> str:
    """Return a source with the edits made."""
    lines = source.splitlines()
    for edit in sorted(edits, key=lambda edit: edit.first, reverse=True):
        lines[edit.first - 1 : edit.last] = edit.text.splitlines()
    return "\n".join(lines) + "\n"


def late_imports(tree: ast.Module, late: Collection[str]) -> Iterator[Edit]:
    """Move imports that only functions use to where these use them."""
    for node in tree.body:
        if not (isinstance(node, ast.Import) and node.names[0].name in late):
            continue
        name = node.names[0].name
        users = [*find_users(tree.body, name)]
        if any(isinstance(each, ast.ClassDef) or each in tree.body for each in users):
            continue
        yield Edit(node, "")
        for user in users:
            yield Edit.before(user, " " * user.col_offset + f"import {name}")


def find_users(statements: list[ast.stmt], name: str) -> Iterator[ast.stmt]:
    """Yield the innermost statements that read a name."""
    for statement in statements:
        blocks = [
            block
            for each in (statement, *getattr(statement, "handlers", []))
            for block in (getattr(each, kind, []) for kind in BLOCKS)
        ]
        within = sum(count(each, name) for block in blocks for each in block)
        if count(statement, name) > within:
            yield statement
        else:
            for block in blocks:
                yield from find_users(block, name)


def count(tree: ast.AST, name: str) -> int:
    """Count where a name is read."""
    return sum(
        isinstance(each, ast.Name) and each.id == name for each in ast.walk(tree)
    )
