"""Python distributions, from their METADATA; and what wheels say lies inside of them (PEP 770, *.dist-info/sboms)."""

from __future__ import annotations

import json
from email.message import Message
from email.parser import BytesParser
from pathlib import PurePosixPath
from typing import Any

from packageurl import PackageURL

from daemonset.image.sbom.contents import Contents
from daemonset.image.sbom.part import Part

MAX_LICENCE_CHARACTERS = 100
"""Some put the whole text of their licence into the field for its name: that is no name."""
NO_NAME = ("OSI Approved",)


def distributions(contents: Contents) -> list[Part]:
    return [
        _distribution(BytesParser().parsebytes(content), _inside(contents, PurePosixPath(path).parent))
        for path, content in contents.matching("*/site-packages/*.dist-info/METADATA").items()
    ]


def _distribution(metadata: Message, inside: tuple[Part, ...]) -> Part:
    name, version = str(metadata["Name"]), str(metadata["Version"])
    purl = PackageURL("pypi", name=name.lower().replace("_", "-"), version=version)
    return Part(name, version, purl, _licences(metadata), inside)


def _licences(metadata: Message) -> tuple[str, ...]:
    """The expression (PEP 639), else the field that was there before it, else the classifiers."""
    for field in ("License-Expression", "License"):
        said = str(metadata[field] or "").strip()
        if said and len(said) <= MAX_LICENCE_CHARACTERS and "\n" not in said:
            return (said,)
    classifiers = (str(said).split(" :: ") for said in metadata.get_all("Classifier", []))
    return tuple(levels[-1] for levels in classifiers if levels[0] == "License" and levels[-1] not in NO_NAME)


def _inside(contents: Contents, dist_info: PurePosixPath) -> tuple[Part, ...]:
    documents = contents.matching(f"{dist_info}/sboms/*.json").values()
    rows = [row for document in documents for row in json.loads(document).get("components", [])]
    parts = {part.purl.to_string(): part for row in rows if (part := _part(row))}
    return tuple(part for _, part in sorted(parts.items()) if part.purl.type != "pypi")


def _part(row: dict[str, Any]) -> Part | None:
    if not row.get("purl") or not row.get("version"):
        return None
    said = [choice.get("expression") or choice.get("license", {}).get("id") for choice in row.get("licenses", [])]
    return Part(row["name"], row["version"], PackageURL.from_string(row["purl"]), tuple(filter(None, said)))
