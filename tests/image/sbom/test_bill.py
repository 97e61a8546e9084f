"""The bill as a document."""

import json
from dataclasses import replace
from typing import Any

import pytest
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL

from daemonset.image.sbom import bill
from daemonset.image.sbom.engine import Image
from daemonset.image.sbom.part import Known, Library, Part

IMAGE = Image(
    name="localhost/railbird:dev",
    id="ab" * 32,
    architecture="arm64",
    size_bytes=1,
    labels={"org.opencontainers.image.version": "0.1.0", "org.opencontainers.image.created": "2026-11-21T20:00:00Z"},
)


def part(name: str, *licences: str, parts: tuple[Part, ...] = ()) -> Part:
    return Part(name, "1", PackageURL("generic", name=name, version="1"), licences, parts)


def written(*parts: Part) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(bill.document(IMAGE, parts, ("debian", "12"), {"Debian": 7}))
    return document


def test_bill_names_the_image(image_component: dict[str, Any]) -> None:
    assert (image_component["type"], image_component["version"]) == ("container", "0.1.0")
    properties = {row["name"]: row["value"] for row in image_component["properties"]}
    assert properties == {
        "railbird:image-id": "ab" * 32,
        "railbird:written-by": bill.writer(),
        "railbird:architecture": "arm64",
        "railbird:bytes:Debian": "7",
    }


@pytest.fixture
def image_component() -> dict[str, Any]:
    component: dict[str, Any] = written(part("a"))["metadata"]["component"]
    return component


def test_same_image_gives_the_same_bytes() -> None:
    bills = {
        bill.document(IMAGE, order, ("debian", "12"), {}) for order in ([part("a"), part("b")], [part("b"), part("a")])
    }
    assert len(bills) == 1
    assert '"timestamp": "2026-11-21T20:00:00+00:00"' in bills.pop()


@pytest.mark.parametrize(
    ("said", "licences"),
    [
        (("MIT",), [{"license": {"id": "MIT"}}]),
        (("MIT OR 0BSD",), [{"expression": "MIT OR 0BSD"}]),
        (("BSD License",), [{"license": {"name": "BSD License"}}]),
        (("MIT", "GPL-2+"), [{"license": {"id": "MIT"}}, {"license": {"name": "GPL-2+"}}]),
        (("0BSD or MIT", "MIT OR 0BSD"), [{"license": {"name": "0BSD or MIT"}}, {"license": {"name": "MIT OR 0BSD"}}]),
    ],
)
def test_licences_are_identifiers_an_expression_or_names(said: tuple[str, ...], licences: list[object]) -> None:
    component = next(row for row in written(part("a", *said))["components"] if row["name"] == "a")
    stated = [
        {key: dict(value) if isinstance(value, dict) else value for key, value in row.items()}
        for row in component["licenses"]
    ]
    assert stated == licences


def test_same_part_inside_of_two_has_two_references() -> None:
    inner = part("inner")
    document = written(part("a", parts=(inner,)), part("b", parts=(inner,)))
    references = [inside["bom-ref"] for row in document["components"] for inside in row.get("components", [])]
    assert len(set(references)) == 2


LIBRARY = Library("a.libs/libwebp-0c5118d0.so.7.2.0", 64 * "c")


def test_library_that_was_copied_in_is_a_file_with_its_hash() -> None:
    (row,) = (row for row in written(replace(part("a"), libraries=(LIBRARY,)))["components"] if row["name"] == "a")
    assert row["components"] == [
        {
            "bom-ref": f"pkg:generic/a@1|{LIBRARY.path}",
            "hashes": [{"alg": "SHA-256", "content": LIBRARY.sha256}],
            "name": LIBRARY.path,
            "type": "file",
        }
    ]


def test_part_of_which_not_all_is_known_is_said_to_be_so() -> None:
    incomplete, unknown = replace(part("b"), known=Known.INCOMPLETE), replace(part("c"), known=Known.UNKNOWN)
    document = written(part("a"), incomplete, unknown)
    assert document["compositions"] == [
        {"aggregate": "incomplete", "assemblies": ["pkg:generic/b@1"]},
        {"aggregate": "unknown", "assemblies": ["pkg:generic/c@1"]},
    ]
    assert "compositions" not in written(part("a"))


def test_part_from_nowhere_has_its_name_and_version() -> None:
    inner = Part("libwebp", "1.6.0", None)
    (row,) = (row for row in written(part("a", parts=(inner,)))["components"] if row["name"] == "a")
    assert row["components"] == [
        {"bom-ref": "pkg:generic/a@1|libwebp@1.6.0", "name": "libwebp", "type": "library", "version": "1.6.0"}
    ]


def test_system_is_a_part() -> None:
    systems = [row for row in written()["components"] if row["type"] == "operating-system"]
    assert [(row["name"], row["version"]) for row in systems] == [("debian", "12")]


def test_what_the_schema_refuses_is_not_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(JsonV1Dot6, "output_as_string", lambda self, **_: '{"bomFormat": "CycloneDX", "more": 1}')
    with pytest.raises(ValueError, match=r"not CycloneDX 1\.6"):
        written(part("a"))
