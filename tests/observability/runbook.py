"""A runbook, read: what is named in it, and where."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_FENCE = re.compile(r"^```(?P<language>\w*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
_SPAN = re.compile(r"`([^`\n]+(?:\n[^`\n]+)?)`")
_LOG = re.compile(r"\b[Ll]og:? ((?:`[^`\n]+`(?:, | and )?)+)")
_LINK = re.compile(r"\]\(([^)\s]+)\)")


@dataclass(frozen=True)
class Runbook:
    """Markdown."""

    path: Path
    text: str

    @classmethod
    def read(cls, path: Path) -> "Runbook":
        """Of a file."""
        return cls(path, path.read_text(encoding="utf-8"))

    @property
    def lines(self) -> list[str]:
        """All of them."""
        return self.text.splitlines()

    @property
    def headings(self) -> list[str]:
        """Of the second level, in order."""
        return [line.removeprefix("## ") for line in self.lines if line.startswith("## ")]

    @property
    def sections(self) -> dict[str, str]:
        """Heading -> what is below it."""
        _, *parts = re.split(r"^## (.+)$", self.text, flags=re.MULTILINE)
        return dict(zip(parts[::2], parts[1::2], strict=True))

    @property
    def expressions(self) -> list[str]:
        """PromQL that stands by itself, one a line."""
        fences = (found["text"] for found in _FENCE.finditer(self.text) if found["language"] == "promql")
        return [line for text in fences for line in text.splitlines() if line]

    @property
    def spans(self) -> list[str]:
        """Code within sentences, on one line each."""
        return [re.sub(r"\s+", " ", span) for span in _SPAN.findall(_FENCE.sub("", self.text))]

    @property
    def commands(self) -> Iterator[str]:
        """Of a shell, continued lines put together; an expression is none."""
        yield from self.spans
        for found in _FENCE.finditer(self.text):
            if found["language"] != "promql":
                yield from found["text"].replace("\\\n", "").splitlines()

    @property
    def events(self) -> list[str]:
        """Lines of the log that are to be looked for."""
        return [event for found in _LOG.finditer(self.text) for event in _SPAN.findall(found[1])]

    @property
    def links(self) -> list[str]:
        """Targets that are files of ours."""
        return [link for link in _LINK.findall(self.text) if "://" not in link]


def anchors(path: Path) -> set[str]:
    """What the headings of a page are reached by, as forges make it."""
    titles = re.findall(r"^#+ (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}
