"""Debian packages, from the records in var/lib/dpkg/status.d and their copyright files."""

from __future__ import annotations

import re
from email.message import Message
from email.parser import BytesParser

from packageurl import PackageURL

from daemonset.image.sbom.contents import Contents
from daemonset.image.sbom.part import Part

RECORDS = "var/lib/dpkg/status.d/*"
DOCUMENTS = "usr/share/doc"
LICENCE = re.compile(r"^License:[ \t]*(\S.*)$", re.MULTILINE)
"""Of a copyright file in Debian's machine-readable format 1.0 (DEP 5)."""
MACHINE_READABLE = "Format:"


def release(contents: Contents) -> tuple[str, str]:
    """The distribution's identifier and version: "debian", "12"."""
    lines = contents.files["usr/lib/os-release"].decode().splitlines()
    settings = dict(line.split("=", 1) for line in lines if "=" in line)
    return settings["ID"].strip('"'), settings["VERSION_ID"].strip('"')


def packages(contents: Contents) -> list[Part]:
    distribution = release(contents)
    records = contents.matching(RECORDS).items()
    return [
        _package(BytesParser().parsebytes(content), contents, distribution)
        for path, content in records
        if not path.endswith(".md5sums")
    ]


def _package(record: Message, contents: Contents, distribution: tuple[str, str]) -> Part:
    name, version = str(record["Package"]), str(record["Version"])
    qualifiers = {"arch": str(record["Architecture"]), "distro": "-".join(distribution)}
    if record["Source"]:
        qualifiers["upstream"] = str(record["Source"]).split()[0]
    purl = PackageURL("deb", distribution[0], name, version, qualifiers)
    return Part(name, version, purl, _licences(contents, name))


def _licences(contents: Contents, name: str) -> tuple[str, ...]:
    directory = contents.links.get(f"{DOCUMENTS}/{name}", name)
    text = contents.files.get(f"{DOCUMENTS}/{directory}/copyright", b"").decode(errors="replace")
    if not text.startswith(MACHINE_READABLE):
        return ()
    return tuple(sorted({licence.strip() for licence in LICENCE.findall(text)}))
