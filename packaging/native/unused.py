"""Definitions that nothing in the native file mentions, taken away.

What a module of the standard library, of trio or of msgspec defines, and nothing in the
file has the name of, can't be used, since no other code can be imported. A name counts
as mentioned wherever it stands: as a name, an attribute, a word of a string, in the C
code that is linked in. Where a name is computed, a string has its beginning with the
underscore: that mentions all names that begin so.
"""

import ast
import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping

Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef

HARMLESS = {
    *(
        "abstractmethod",
        "asynccontextmanager",
        "classmethod",
        "contextmanager",
        "final",
    ),
    *("property", "staticmethod", "wraps"),
}
"""Decorators that leave no trace of what they decorate."""

EXPORTS = "__all__"


def drop_unused(
    modules: Mapping[str, ast.Module], kept: Collection[str], words: Collection[str]
) -> None:
    """Drop them from all modules but those in ``kept``, until nothing more can go.

    ``words`` are those of the C code.
    """
    mentioned: Counter[str] = Counter()
    for tree in modules.values():
        mentioned.update(mentions(tree))
    others = [tree for name, tree in modules.items() if name not in kept]
    while dropped := sum(drop_from(tree, mentioned, words) for tree in others):
        print(f"{dropped} definitions that nothing mentions")


def drop_from(
    scope: ast.Module | ast.ClassDef, mentioned: Counter[str], words: Collection[str]
) -> int:
    """Drop a scope's definitions, and return how many."""
    dropped = set()
    count = 0
    for node in [*scope.body]:
        if not isinstance(node, Definition):
            continue
        within = Counter(mentions(node))
        begins = [each for each in beginnings(node.name) if mentioned[each]]
        unused = mentioned[node.name] == within[node.name] and not begins
        if unused and is_droppable(node) and node.name not in words:
            scope.body.remove(node)
            mentioned.subtract(within)
            dropped.add(node.name)
        elif isinstance(node, ast.ClassDef):
            count += drop_from(node, mentioned, words)
    if not scope.body:
        scope.body.append(ast.Pass())
        ast.fix_missing_locations(scope)
    for node in filter(is_export, scope.body):
        for each in ast.walk(node):
            if isinstance(each, ast.List | ast.Tuple):
                each.elts = [name for name in each.elts if literal(name) not in dropped]
    return count + len(dropped)


def beginnings(name: str) -> Iterator[str]:
    """Yield what may stand before a computed rest: ``visit_`` of ``visit_Name``."""
    for found in re.finditer("_", name):
        if len(name) > found.end() > 1:
            yield name[: found.end()]


def is_droppable(node: Definition) -> bool:
    """Tell whether a definition has no effect but its name."""
    special = node.name.startswith("__") and node.name.endswith("__")
    return not special and all(
        ast.unparse(each).partition("(")[0].rpartition(".")[2] in HARMLESS
        for each in node.decorator_list
    )


def is_export(node: ast.stmt) -> bool:
    """Tell whether a statement is about ``__all__``."""
    return not isinstance(node, Definition) and any(
        isinstance(each, ast.Name) and each.id == EXPORTS for each in ast.walk(node)
    )


def literal(node: ast.expr) -> object:
    """Return a constant's value."""
    return node.value if isinstance(node, ast.Constant) else None


def mentions(tree: ast.AST) -> Iterator[str]:
    """Yield each word in a tree, but for what is defined and exported in it."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.stmt) and is_export(node):
            continue
        match node:
            case ast.Name(id=name) | ast.Attribute(attr=name) | ast.keyword(arg=name):
                if name:
                    yield name
            case ast.alias(name=name):
                yield from re.findall(r"\w+", name)
            case ast.Global(names=names) | ast.Nonlocal(names=names):
                yield from names
            case ast.Constant(value=str(text)):
                yield from re.findall(r"\w+", text)
            case ast.Constant(value=bytes(data)):
                yield from re.findall(r"\w+", data.decode("latin1"))
            case ast.MatchClass(kwd_attrs=names):
                yield from names
        yield from mentions(node)
