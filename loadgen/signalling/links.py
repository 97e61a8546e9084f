"""The Link header (RFC 8288), as far as a player follows it: where else a refusal says that the same is to be had."""

import re
from collections.abc import Mapping

from yarl import URL

MAX_LINK_CHARS = 4_096
"""Of the header; one address is below 200."""

_LINK = re.compile(r"<([^<>]*)>((?:\s*;\s*[\w*-]+(?:\s*=\s*(?:\"[^\"]*\"|[^\s\";,]*))?)*)")
_RELATION = re.compile(r";\s*rel\s*=\s*(?:\"([^\"]*)\"|([^\s\";,]*))", re.IGNORECASE)


def alternate_in(headers: Mapping[str, str], asked: str) -> str | None:
    """The first `rel="alternate"` of the Link header, relative to the URL that was `asked`; None where there is none
    that is an address. Whether it may be followed is for the caller to judge."""
    for target, parameters in _LINK.findall(headers.get("Link", "")[:MAX_LINK_CHARS]):
        relation = _RELATION.search(parameters)
        if relation is not None and "alternate" in (relation[1] or relation[2]).lower().split():
            return _joined(asked, target)
    return None


def _joined(asked: str, target: str) -> str | None:
    try:
        return str(URL(asked).join(URL(target)))
    except ValueError:
        return None
