"""What a bill lists: one part of the image, wherever it comes from."""

from __future__ import annotations

from dataclasses import dataclass, field

from packageurl import PackageURL


@dataclass(frozen=True, slots=True)
class Part:
    """One row of the bill. `licences`: SPDX identifiers or an expression where its source has such, else its words."""

    name: str
    version: str
    purl: PackageURL
    licences: tuple[str, ...] = ()
    parts: tuple[Part, ...] = field(default=())
