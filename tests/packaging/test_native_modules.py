"""What the native file has in place of the standard library's modules."""

import ast
import enum
import importlib.util
import re
import signal
import sys
from types import ModuleType

import pytest

from tests.emulator import PROJECT

NATIVE = PROJECT / "packaging/native"


def load(name: str) -> ModuleType:
    """Import a module of packaging/native."""
    spec = importlib.util.spec_from_file_location(name, NATIVE / f"{name}.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def shaken(source: str, other: str = "", words: tuple[str, ...] = ()) -> str:
    """Return a source without what nothing mentions."""
    modules = {"it": ast.parse(source), "other": ast.parse(other)}
    load("unused").drop_unused(modules, ["other"], words)
    return ast.unparse(modules["it"])


DEFINITION = "def found():\n    pass"


@pytest.mark.parametrize(
    "other",
    ["found()", "it.found", "from it import found", "x = 'found'", "x = b'a found b'"],
)
def test_what_is_mentioned_stays(other: str):
    """A function that another module names in any way is kept."""
    assert shaken(DEFINITION, other) == DEFINITION
    assert shaken(DEFINITION) == "pass"


def test_what_c_mentions_stays():
    """A function whose name is a word of the C code is kept."""
    assert shaken(DEFINITION, words=("found",)) == DEFINITION


def test_what_is_computed_stays():
    """A method whose name begins with a string that ends in an underscore is kept."""
    source = "class A:\n\n    def visit_b(self):\n        pass"

    assert shaken(source, "A; getattr(a, f'visit_{name}')") == source
    assert shaken(source, "A") == "class A:\n    pass"


def test_what_only_the_unused_mention_goes():
    """Functions that only call each other are dropped, and exported no more."""
    source = "__all__ = ['a', 'b', 'C']\ndef a(): b()\ndef b(): pass\nclass C: pass"

    assert shaken(source, "C") == "__all__ = ['C']\n\nclass C:\n    pass"


@pytest.mark.parametrize(
    "source",
    [
        "class A:\n\n    def __len__(self):\n        return 0",
        "@atexit.register\ndef a():\n    pass",
    ],
)
def test_what_has_an_effect_stays(source: str):
    """A special method and a function with a decorator that uses it are kept."""
    assert shaken(source, "A") == source


def test_signals():
    """Signals are numbers, and have the names that the standard library gives them."""
    small = load("small_signal")
    sys.modules["small_signal"] = small  # as the enum's own conversion expects

    assert small.SIGTERM == signal.SIGTERM
    assert {each.value: each.name for each in small.Signals} == {
        each.value: each.name for each in signal.Signals
    }


def test_enums():
    """An enum's members are what the standard library's are."""
    made = []
    for module in (load("small_enum"), enum):
        kind = module.EnumMeta("Kind", (module.Enum,), namespace(module))
        made.append(
            (
                kind.ONE is kind(1),
                [(each.name, each.value, repr(each)) for each in kind],
                str(kind.TWO),
                isinstance(kind.ONE, kind),
                kind.ONE == kind.TWO,
            )
        )

    assert made[0] == made[1]


def namespace(module: ModuleType) -> dict[str, object]:
    """Return what the body of an enum of two members leaves."""
    names: dict[str, object] = {}
    if module is enum:
        names = enum.EnumMeta.__prepare__("Kind", (enum.Enum,))
    names.update({"__module__": __name__, "__qualname__": "Kind"})
    names["ONE"] = 1
    names["TWO"] = 2
    return names


@pytest.mark.parametrize("compiled_before", [True, False])
def test_patterns(compiled_before: bool):
    """Regular expressions match as the standard library's, compiled before or not."""
    name = "re._compiled"
    wanted: list[tuple[str | bytes, int]] = [
        (r"(?P<a>x+)|\d", re.IGNORECASE.value),
        (b"[^a-z]{2,}", 0),
    ]
    compiled = sys.modules[name] = ModuleType(name)
    found = load("library").compile_patterns(wanted)
    vars(compiled)["PATTERNS"] = found if compiled_before else {}
    small = load("small_re")
    del sys.modules[name]
    text, data = (small.compile(*each) for each in wanted)

    assert text.search("aXX").groupdict() == {"a": "XX"}
    assert text.pattern == wanted[0][0]
    assert text.flags == re.IGNORECASE | re.UNICODE
    assert data.findall(b"a12b") == [b"12"]
    assert small.sub("(b)", r"<\1>", "abc") == re.sub("(b)", r"<\1>", "abc")
    assert small.search("B", "abc", small.I).span() == (1, 2)
    assert small.escape("a.b c") == re.escape("a.b c")
    assert small.error is re.error


IMPORTS = """
import os.path
from . import near
from ..up import x
def late():
    from json import loads
"""


def test_imports_within_functions_are_seen():
    """Each import of a module is found, relative ones by their whole name."""
    imports = load("freeze").imports

    found = imports(ast.parse(IMPORTS), "a.b.c", is_package=False)

    assert [name for _, name in found] == ["os.path", "a.b", "a.up", "json"]


def test_a_missing_module_ends_the_build():
    """What a function imports has to be in the file, or known not to be needed."""
    freeze = load("freeze")
    trees = {"found": ast.parse("def late():\n    import missing, found, _json, zlib")}

    with pytest.raises(SystemExit, match=r"found, line 2: missing$"):
        freeze.check_imports(trees, packages=())
