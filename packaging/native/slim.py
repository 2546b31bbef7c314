"""A module less what no run needs: docstrings, annotations of functions, overloads."""

import ast
from typing import TypeVar

Function = ast.FunctionDef | ast.AsyncFunctionDef
Scope = TypeVar(
    "Scope", ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef
)
OVERLOADS = {"overload", "t.overload", "_t.overload", "typing.overload"}


def slim(source: str) -> ast.Module:
    """Parse a module, and take away what no run needs."""
    tree = ast.parse(source)
    Slimmer().visit(tree)
    return ast.fix_missing_locations(tree)


class Slimmer(ast.NodeTransformer):
    """Takes it away. What classes say of their attributes stays: some are read."""

    def visit_Module(self, node: ast.Module) -> ast.Module:
        """Drop the docstring."""
        return self._without_texts(node)

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.ClassDef:
        """Drop the docstrings."""
        return self._without_texts(node)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST | None:
        """Drop the docstring and what it returns, or all of an overload."""
        node.returns = None
        return None if is_overload(node) else self._without_texts(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AST | None:
        """Drop the docstring and what it returns, or all of an overload."""
        node.returns = None
        return None if is_overload(node) else self._without_texts(node)

    def visit_arg(self, node: ast.arg) -> ast.arg:
        """Drop the annotation."""
        node.annotation = None
        return node

    def _without_texts(self, node: Scope) -> Scope:
        self.generic_visit(node)
        kept = [each for each in node.body if not is_text(each)]
        node.body[:] = kept or [ast.Pass()]
        return node


def is_text(statement: ast.stmt) -> bool:
    """Tell whether a statement is a docstring: of a scope, or of an attribute."""
    match statement:
        case ast.Expr(value=ast.Constant(value=str())):
            return True
    return False


def is_overload(node: Function) -> bool:
    """Tell whether a function is there for type checkers alone."""
    return any(ast.unparse(each) in OVERLOADS for each in node.decorator_list)
