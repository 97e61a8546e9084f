"""Settings of leaving without ending a round (docs/drain.md)."""

import re
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, AnyHttpUrl, Field, TypeAdapter

from gateway.config.section import Section

ASK_AGAIN_S = 3.0
"""Who plays LL-HLS asks again within a target duration, two seconds mostly, and learns by the answer where to go on."""

_URL: TypeAdapter[AnyHttpUrl] = TypeAdapter(AnyHttpUrl)
_WRITTEN = re.compile(r"\s*https?://[^\s/\\]+/?\s*", re.IGNORECASE)
"""Parsers forgive what is written otherwise; nobody can be meant by it."""


def _base_url(value: str) -> str:
    """In its plain form, fit for a header, without a slash at its end: paths of ours are put behind it. Pages take an
    origin alone."""
    url = _URL.validate_python(value)
    beyond = (url.query, url.fragment, url.username, url.password)
    if not _WRITTEN.fullmatch(value) or url.path not in (None, "/") or any(each is not None for each in beyond):
        raise ValueError("expected a base URL, such as https://edge-b.example, without user, path, query and fragment")
    return str(url).rstrip("/")


class DrainSettings(Section):
    """How long rounds and players get, and where players go on."""

    rounds_s: float = Field(120.0, ge=0, le=86_400, description="Open rounds get so long; then they are aborted.")
    notice_s: float = Field(
        0.0, ge=0, le=120, description="From the order on nobody is moved for so long: load balancers look meanwhile."
    )
    spread_s: float = Field(3.0, ge=0, le=60, description="The players of a table are moved over so long.")
    leave_s: float = Field(
        5.0, ge=0, le=60, description="Who was told to move and is still here so long after the spread is sent away."
    )
    elsewhere: tuple[Annotated[str, AfterValidator(_base_url)], ...] = ()
    """Base URLs of other edges, which players get by turns; empty: they come again by the address they came by."""
    file: Path | None = None
    """While there is a file of this name the gateway drains; None: nobody looks."""
    retry_after_s: int = Field(5, ge=0, le=3600, description="What refused clients are told to wait.")

    @property
    def longest_s(self) -> float:
        """From the order until the last session is gone."""
        return max(self.rounds_s, self.notice_s) + self.spread_s + self.leave_s + ASK_AGAIN_S
