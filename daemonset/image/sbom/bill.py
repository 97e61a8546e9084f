"""The bill as CycloneDX 1.6. The same image gives the same document: it tells what wrote it, and not when or where."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import cache
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_OID, uuid5

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import HashAlgorithm, HashType, Property
from cyclonedx.model.bom import Bom, BomMetaData
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.model.license import License
from cyclonedx.output.json import JsonV1Dot6
from cyclonedx.schema import SchemaVersion
from cyclonedx.spdx import is_supported_id
from cyclonedx.validation.json import JsonStrictValidator

from daemonset.image.sbom.engine import Image
from daemonset.image.sbom.part import Known, Library, Part

IMAGE_ID = "railbird:image-id"
WRITER = "railbird:written-by"
SIZE = "railbird:bytes:"

_factory = LicenseFactory()


def document(image: Image, parts: Iterable[Part], release: tuple[str, str], sizes_bytes: Mapping[str, int]) -> str:
    """JSON; ValueError where it would not be what CycloneDX's schema asks for."""
    parts = list(parts)
    bom = Bom(serial_number=uuid5(NAMESPACE_OID, image.id))
    bom.metadata = BomMetaData(component=_image(image, sizes_bytes), timestamp=_created(image))
    system = Component(
        name=release[0], version=release[1], type=ComponentType.OPERATING_SYSTEM, bom_ref="-".join(release)
    )
    bom.components.update([system, *(_component(part) for part in parts)])
    assert bom.metadata.component is not None
    bom.register_dependency(bom.metadata.component, bom.components)
    plain = json.loads(JsonV1Dot6(bom).output_as_string())
    written = json.dumps(plain | _compositions(parts), indent=1)
    if complaint := JsonStrictValidator(SchemaVersion.V1_6).validate_str(written):
        raise ValueError(f"the bill of materials is not CycloneDX 1.6: {complaint}")
    return written


def _image(image: Image, sizes_bytes: Mapping[str, int]) -> Component:
    properties = {IMAGE_ID: image.id, WRITER: writer(), "railbird:architecture": image.architecture}
    properties |= {f"{SIZE}{name}": str(size) for name, size in sizes_bytes.items()}
    return Component(
        name=image.labels.get("org.opencontainers.image.title", image.name),
        version=image.labels.get("org.opencontainers.image.version"),
        type=ComponentType.CONTAINER,
        bom_ref=f"image-{image.id}",
        properties=(Property(name=name, value=value) for name, value in properties.items()),
    )


@cache
def writer() -> str:
    """Hexadecimal SHA-256 of what writes bills: another one may say another thing of the same image."""
    sources = (path.read_bytes() for path in sorted(Path(__file__).parent.glob("*.py")))
    return sha256(b"".join((version("cyclonedx-python-lib").encode(), *sources))).hexdigest()


def _created(image: Image) -> datetime:
    return datetime.fromisoformat(image.labels.get("org.opencontainers.image.created", "1970-01-01T00:00:00Z"))


def _component(part: Part, within: str = "") -> Component:
    """`within`: reference of what it is inside of; the same crate may lie in two wheels."""
    reference = f"{within}{part.reference}"
    inside = [_component(each, f"{reference}|") for each in part.parts]
    return Component(
        name=part.name,
        version=part.version,
        type=ComponentType.LIBRARY,
        bom_ref=reference,
        purl=part.purl,
        licenses=_licences(part.licences),
        components=(*inside, *(_file(library, f"{reference}|") for library in part.libraries)),
    )


def _file(library: Library, within: str) -> Component:
    """Without a version: the one in its name is the interface's."""
    return Component(
        name=library.path,
        type=ComponentType.FILE,
        bom_ref=f"{within}{library.path}",
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=library.sha256)],
    )


def _compositions(parts: Sequence[Part]) -> dict[str, Any]:
    """What is not known of the parts' insides; the library has no model for it."""
    rows = (
        {"aggregate": known.value, "assemblies": sorted(part.reference for part in parts if part.known is known)}
        for known in (Known.INCOMPLETE, Known.UNKNOWN)
    )
    found = [row for row in rows if row["assemblies"]]
    return {"compositions": found} if found else {}


def _licences(said: tuple[str, ...]) -> list[License]:
    """CycloneDX has one expression, or any number of identifiers and names."""
    if len(said) == 1:
        return [_factory.make_from_string(said[0])]
    return [_factory.make_with_id(one) if is_supported_id(one) else _factory.make_with_name(one) for one in said]
