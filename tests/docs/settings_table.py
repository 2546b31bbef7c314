"""Write the table of docs/reference/settings.md.

``python -m tests.docs.settings_table`` does. The table is made from the adapter's own
list of settings, as the site makes it.
"""

import importlib.util

from tests.emulator import PROJECT

PAGE = PROJECT / "docs" / "reference" / "settings.md"
MARK = "<!-- `python -m tests.docs.settings_table` writes this table -->\n"


def renew(page: str) -> str:
    """Return the page with the table of all settings below its mark."""
    before, mark, rest = page.partition(MARK)
    return before + mark + _make_table() + "\n\n" + rest.partition("\n\n")[2]


def _make_table() -> str:
    spec = importlib.util.spec_from_file_location(
        "site_hooks", PROJECT / "packaging" / "site_hooks.py"
    )
    assert spec
    assert spec.loader
    hooks = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(hooks)
    return str(hooks.settings_table())


if __name__ == "__main__":
    PAGE.write_text(renew(PAGE.read_text("utf-8")), "utf-8")
