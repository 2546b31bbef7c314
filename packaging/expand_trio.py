"""Write the attrs classes of trio's core out as plain ones, in a copy of its packages.

attrs compiles the methods of 36 classes at each import: a third of the adapter's start.
Here they are written into the modules, as attrs wrote them: it keeps their source for
tracebacks. What differs afterwards: no class has `__attrs_attrs__` or annotations of
its fields, so that attrs' own functions (`evolve`, `fields`) do not know it, and an
`outcome.Error` of no exception has a TypeError with fewer arguments. Imports that only
functions need go to where these need them; and msgspec imports the submodules that the
adapter does not use once they are asked for.

The output depends on the packages alone, once PYTHONHASHSEED is set: attrs salts hashes
with a hash of the class's name. Run by `expand`, in a process that has these packages.
"""

import ast
import importlib
import inspect
import linecache
import re
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import attr
from source_edits import Edit, changed, late_imports

PACKAGES = ("trio/_core", "outcome")
MODULES = (
    *("trio/_deprecate.py", "trio/_sync.py", "trio/_threads.py", "trio/_util.py"),
)
LATE = {"copy", "inspect", "traceback", "warnings"}
"""Modules that most runs do not need, and that take long to import."""

OTHER_SYSTEMS = ("_io_kqueue.py", "_io_windows.py", "_windows_cffi.py")
"""Which can't be imported here, and are not needed."""

REPLACED = {
    "trio/_core/_run.py": (
        # Tasks that wait until all others do: of those there are none at a start.
        ("from sortedcontainers import SortedDict\n", "\n"),
        ("attrs.Factory(SortedDict)", "attrs.Factory(dict)"),
        (
            "        self.waiting_for_idle[key] = task\n",
            """\
        if not self.waiting_for_idle:
            from sortedcontainers import SortedDict

            self.waiting_for_idle = SortedDict()
        self.waiting_for_idle[key] = task
""",
        ),
    ),
    "msgspec/__init__.py": (
        (
            "from . import inspect, json, msgpack, structs, toml, yaml\n",
            "from . import json, structs\n",
        ),
        (
            "from ._version import __version__\n",
            """from ._version import __version__


def __getattr__(name):
    if name not in {"inspect", "msgpack", "toml", "yaml"}:
        raise AttributeError(f"module 'msgspec' has no attribute {name!r}")
    from importlib import import_module

    return import_module(f"msgspec.{name}")
""",
        ),
    ),
    "msgspec/json.py": (
        (
            "from ._json_schema import schema, schema_components\n",
            """

def __getattr__(name):
    if name not in {"schema", "schema_components"}:
        raise AttributeError(f"module 'msgspec.json' has no attribute {name!r}")
    from . import _json_schema

    return getattr(_json_schema, name)
""",
        ),
    ),
}
"""What stands in a module once, and what takes its place."""

DECORATORS = {"attr.s", "attrs.define", "attrs.frozen", "define"}
FIELDS = {"attr.ib", "attrs.field", "attrs.Factory"}
SCOPE = {
    "NOTHING": "NOTHING",
    "_cached_setattr_get": "setattr_of",
    r"_config\._run_validators": "is_validating",
    r"_compat\.repr_context": "repr_context",
}
"""Names in the scope of attrs' methods, and in the module of helpers."""

ATTRS = "_attrs"
HELPERS = Path(__file__).with_name("attrs_methods.py")

STATE = """
def __getstate__(self):
    return {{name: getattr(self, name) for name in {names!r}}}

def __setstate__(self, state):
    set_to = object.__setattr__.__get__(self)
    pairs = zip({names!r}, state) if isinstance(state, tuple) else state.items()
    for name, value in pairs:
        if name in {names!r}:
            set_to(name, value)
"""
ORDER = {"__lt__": "<", "__le__": "<=", "__gt__": ">", "__ge__": ">="}
COMPARED = """
def {0}(self, other):
    if other.__class__ is self.__class__:
        return ({2}) {1} ({3})
    return NotImplemented
"""


def expand(site_packages: Path, python: str = sys.executable) -> None:
    """Expand the packages in a directory, in place.

    Raises:
        SystemExit: attrs or trio are not as this expects them.
    """
    command = [python, "-S", "-B", __file__, str(site_packages)]
    environ = {"PYTHONHASHSEED": "0", "PYTHONPATH": str(site_packages)}
    if subprocess.run(command, env=environ).returncode:  # noqa: S603 - our own command
        raise SystemExit("trio's core can't be expanded")


def main() -> None:
    """Expand the packages in the directory that the command line names."""
    site_packages = Path(sys.argv[1])
    importlib.import_module("trio")
    sources = {site_packages / name: replaced(site_packages, name) for name in REPLACED}
    for path in find_modules(site_packages):
        source = sources.get(path) or path.read_text("utf-8")
        sources[path] = expanded(source, module_name(path, site_packages))
    for path, source in sources.items():
        path.write_text(source, "utf-8")
    shutil.copy(HELPERS, site_packages / "outcome" / HELPERS.name)


def replaced(site_packages: Path, name: str) -> str:
    """Return a module's source with what takes the place of its texts.

    Raises:
        SystemExit: One of them is not there once.
    """
    source = (site_packages / name).read_text("utf-8")
    for text, other in REPLACED[name]:
        if source.count(text) != 1:
            raise SystemExit(f"{name} does not have {text!r} once")
        source = source.replace(text, other)
    return source


def find_modules(site_packages: Path) -> list[Path]:
    """Return the modules to expand, in order."""
    found = [site_packages / name for name in MODULES]
    for package in PACKAGES:
        found += (site_packages / package).glob("*.py")
    return sorted(path for path in found if path.name not in OTHER_SYSTEMS)


def module_name(path: Path, site_packages: Path) -> str:
    """Return the name by which a file is imported."""
    parts = path.relative_to(site_packages).with_suffix("").parts
    return ".".join(parts).removesuffix(".__init__")


def expanded(source: str, module: str) -> str:
    """Return a module's source with its attrs classes written out.

    Raises:
        SystemExit: It still needs attrs then.
    """
    tree = ast.parse(source)
    edits = [*late_imports(tree, LATE)]
    for node in tree.body:
        if isinstance(node, ast.ClassDef) and any(map(is_attrs, node.decorator_list)):
            edits += Expansion(node, module).edits()
        elif isinstance(node, ast.Import) and node.names[0].name in {"attr", "attrs"}:
            edits.append(Edit(node, f"from outcome import {HELPERS.stem} as {ATTRS}"))
        elif isinstance(node, ast.ImportFrom) and node.module == "attrs":
            edits.append(Edit(node, ""))
    result = changed(source, edits)
    for left in ast.walk(ast.parse(result)):
        if isinstance(left, ast.Name) and left.id in {"attr", "attrs", "define"}:
            raise SystemExit(f"{module}:{left.lineno} still uses attrs")
    return result


def is_attrs(decorator: ast.expr) -> bool:
    """Tell whether a decorator makes an attrs class."""
    call = decorator.func if isinstance(decorator, ast.Call) else decorator
    return ast.unparse(call) in DECORATORS


class Expansion:
    """One class: what attrs made of it, as source."""

    def __init__(self, node: ast.ClassDef, module: str) -> None:
        self.node = node
        self.made: type = getattr(importlib.import_module(module), node.name)
        self.fields = {each.name: each for each in attr.fields(self.made)}
        """As attrs knows them, the inherited ones too."""
        self.written = {
            statement.target.id: statement
            for statement in node.body
            if isinstance(statement, ast.AnnAssign)
            and isinstance(statement.target, ast.Name)
            and statement.target.id in self.fields
        }
        """The statements that declare the class's own."""
        script = linecache.getlines(f"<attrs generated methods {module}.{node.name}>")
        self.generated = {
            method.name: "".join(script[method.lineno - 1 : method.end_lineno])
            for method in ast.parse("".join(script)).body
            if isinstance(method, ast.FunctionDef)
        }

    def edits(self) -> Iterator[Edit]:
        """Take the decorator and the fields away, and append the methods."""
        for decorator in filter(is_attrs, self.node.decorator_list):
            yield Edit(decorator, "")
        for statement in self.written.values():
            yield Edit(statement, "")
        text = "\n".join(["", *self.attributes(), "", *self.methods()])
        yield Edit.behind(self.node, textwrap.indent(text, "    "))

    def attributes(self) -> Iterator[str]:
        """Yield the assignments in the class's body."""
        made = vars(self.made)
        yield f"__match_args__ = {made['__match_args__']!r}"
        if "__slots__" in made:
            yield f"__slots__ = {made['__slots__']!r}"
        if is_by_attrs(made.get("__setattr__")):
            yield f"__setattr__ = {ATTRS}.frozen_setattr"
            yield f"__delattr__ = {ATTRS}.frozen_delattr"

    def methods(self) -> Iterator[str]:
        """Yield the methods that are attrs' own."""
        written = {
            each.name for each in self.node.body if isinstance(each, ast.FunctionDef)
        }
        for name, text in self.generated.items():
            if name not in written:
                yield self.standing_alone(text)
        made = vars(self.made)
        if "__slots__" in made and "__getstate__" not in written:
            yield STATE.format(names=state_names(self.made))
        if is_by_attrs(made.get("__lt__")):
            ordered = [name for name, field in self.fields.items() if field.order]
            for name, operator in ORDER.items():
                ours, theirs = (
                    "".join(f"{owner}.{field}, " for field in ordered)
                    for owner in ("self", "other")
                )
                yield COMPARED.format(name, operator, ours, theirs)

    def standing_alone(self, text: str) -> str:
        """Replace the names that attrs puts into the scope of a method."""
        default = r"attr_dict\['(\w+)'\]\.default"
        text = re.sub(default, lambda found: self.default(found[1]), text)
        factory = r"__attr_factory_(\w+)\(\)"
        text = re.sub(factory, lambda found: self.made_by_factory(found[1]), text)
        validator = r"__attr_validator_(\w+)\(self, \w+, (self\.\w+)\)"
        text = re.sub(validator, self.checked, text)
        for name, helper in SCOPE.items():
            text = re.sub(rf"\b{name}\b", f"{ATTRS}.{helper}", text)
        return text.replace(f"if {ATTRS}.is_validating is True", "if True")

    def made_by_factory(self, name: str) -> str:
        """Return the call of a field's factory."""
        factory = self.default(name)
        if factory.startswith("lambda: "):
            return factory.removeprefix("lambda: ")
        return f"{factory}()"

    def checked(self, found: re.Match[str]) -> str:
        """Return the call of a field's validator, which is `instance_of`."""
        kind = self.fields[found[1]].validator.type.__name__
        return f"{ATTRS}.check_instance({found[1]!r}, {kind}, {found[2]})"

    def default(self, name: str) -> str:
        """Return the expression of a field's default, or of its factory.

        Raises:
            SystemExit: It has none.
        """
        if name not in self.written:  # inherited, and a constant
            return repr(self.fields[name].default)
        value = self.written[name].value
        while isinstance(value, ast.Call) and ast.unparse(value.func) in FIELDS:
            options = {each.arg: each.value for each in value.keywords}
            found = options.get("factory", options.get("default"))
            value = found or next(iter(value.args), None)
        if value is None:
            raise SystemExit(f"{self.node.name}.{name} has no default")
        return ast.unparse(value)


def is_by_attrs(method: object) -> bool:
    """Tell whether a method is one that attrs has put into a class."""
    return (
        inspect.isfunction(method) and "attr" in Path(method.__code__.co_filename).parts
    )


def state_names(made: type) -> tuple[str, ...]:
    """Return what attrs pickles of a class with slots."""
    found = inspect.getclosurevars(vars(made)["__getstate__"]).nonlocals
    names: tuple[str, ...] = found["state_attr_names"]
    return names


if __name__ == "__main__":
    main()
