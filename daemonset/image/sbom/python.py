"""Python distributions, from their METADATA; what wheels say lies inside of them (PEP 770, *.dist-info/sboms); and what
lies there whether they say so or not: shared libraries, by RECORD, which names every file of a wheel."""

from __future__ import annotations

import csv
import json
import re
from email.message import Message
from email.parser import BytesParser
from pathlib import PurePosixPath
from typing import Any

from packageurl import PackageURL

from daemonset.image.sbom.contents import Contents
from daemonset.image.sbom.part import Known, Library, Part

MAX_LICENCE_CHARACTERS = 100
"""Some put the whole text of their licence into the field for its name: that is no name."""
NO_NAME = ("OSI Approved",)
PYTHON_MODULE = re.compile(r"\.(cpython-[^/]*|abi3)\.so$")
"""Of the distribution itself; any other machine code was copied from another project."""


def distributions(contents: Contents) -> list[Part]:
    return [
        _distribution(BytesParser().parsebytes(content), contents, PurePosixPath(path).parent)
        for path, content in contents.matching("*/site-packages/*.dist-info/METADATA").items()
    ]


def _distribution(metadata: Message, contents: Contents, dist_info: PurePosixPath) -> Part:
    name, version = str(metadata["Name"]), str(metadata["Version"])
    purl = PackageURL("pypi", name=name.lower().replace("_", "-"), version=version)
    code = _machine_code(contents, dist_info)
    copied = tuple(one for one in code if not PYTHON_MODULE.search(one.path))
    known = Known.INCOMPLETE if copied else Known.UNKNOWN if code else Known.AS_SAID
    return Part(name, version, purl, _licences(metadata), _inside(contents, dist_info), copied, known)


def _machine_code(contents: Contents, dist_info: PurePosixPath) -> list[Library]:
    record = contents.files.get(f"{dist_info}/RECORD", b"").decode().splitlines()
    paths = sorted(row[0] for row in csv.reader(record) if row)
    found = ((path, contents.sha256.get(f"{dist_info.parent}/{path}")) for path in paths)
    return [Library(path, sha256) for path, sha256 in found if sha256]


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
    parts = {part.reference: part for row in rows if (part := _part(row))}
    return tuple(part for _, part in sorted(parts.items()) if part.purl is None or part.purl.type != "pypi")


def _part(row: dict[str, Any]) -> Part | None:
    if not row.get("version"):
        return None
    said = [choice.get("expression") or choice.get("license", {}).get("id") for choice in row.get("licenses", [])]
    purl = PackageURL.from_string(row["purl"]) if row.get("purl") else None
    return Part(row["name"], row["version"], purl, tuple(filter(None, said)))
