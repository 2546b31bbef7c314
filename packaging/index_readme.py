"""The README for a package index, where a link into the repository leads nowhere.

Hatchling calls this for the metadata of each sdist and wheel.
"""

import re
from pathlib import Path

from hatchling.metadata.plugin.interface import MetadataHookInterface

IMAGE = re.compile(r"!\[[^]]*\]\((?!https://)[^)]*\)\n*")
LINK = re.compile(r"\[([^]]*)\]\((?!https://)([^)]*)\)")


class IndexReadme(MetadataHookInterface):
    """The hook that hatchling looks for."""

    def update(self, metadata: dict[str, object]) -> None:
        """Add the README to the project's metadata."""
        text = Path(self.root, "README.md").read_text("utf-8")
        metadata["readme"] = {
            "content-type": "text/markdown",
            "text": LINK.sub(name, IMAGE.sub("", text)),
        }


def name(link: re.Match[str]) -> str:
    """Name what a link leads to, in place of the link."""
    text, target = link.groups()
    return text if text == target else f"{text} ({target})"
