"""What the pages load, from the package.json of each that the build leaves beside it."""

from __future__ import annotations

import json

from packageurl import PackageURL

from daemonset.image.sbom.contents import Contents
from daemonset.image.sbom.part import Part

MANIFESTS = "opt/railbird/share/node_modules/*/package.json"


def modules(contents: Contents) -> list[Part]:
    manifests = [json.loads(content) for content in contents.matching(MANIFESTS).values()]
    return [_module(manifest["name"], manifest["version"], manifest.get("license")) for manifest in manifests]


def _module(name: str, version: str, licence: str | None) -> Part:
    scope, _, rest = name.rpartition("/")
    purl = PackageURL("npm", scope or None, rest, version)
    return Part(name, version, purl, (licence,) if licence else ())
