"""What each reader makes of a small image's files."""

from hashlib import sha256

import pytest

from daemonset.image.sbom import debian, npm, python
from daemonset.image.sbom.contents import Contents
from daemonset.image.sbom.part import Known, Library, Part


def by_name(parts: list[Part]) -> dict[str, Part]:
    return {part.name: part for part in parts}


def test_contents_keep_what_says_what_is_there_and_count_all(contents: Contents) -> None:
    assert not [path for path in contents.files if path.endswith(".py")]
    assert contents.sizes_bytes["railbird"] >= 5
    assert contents.sizes_bytes["Python dependencies"] > 0 < contents.sizes_bytes["Debian"]


def test_distribution_has_its_expression_and_what_its_wheel_says_is_inside(contents: Contents) -> None:
    part = by_name(python.distributions(contents))["Crypt_Ed"]
    assert (part.reference, part.licences) == ("pkg:pypi/crypt-ed@1", ("MIT OR 0BSD",))
    assert [(inside.reference, inside.licences) for inside in part.parts] == [
        ("pkg:generic/openssl@4", ("Zlib",)),
        ("placeless@2", ()),
    ]


def test_distribution_has_the_libraries_that_were_copied_into_it(contents: Contents) -> None:
    """By its record, and with the hash of what is there, which need not be the record's."""
    libraries = by_name(python.distributions(contents))["Crypt_Ed"].libraries
    assert libraries == (Library("crypt_ed.libs/libwebp-0c5118d0.so.7.2.0", sha256(b"of another project").hexdigest()),)


@pytest.mark.parametrize(
    ("name", "known"), [("Crypt_Ed", Known.INCOMPLETE), ("old", Known.UNKNOWN), ("pure", Known.AS_SAID)]
)
def test_distribution_with_machine_code_is_not_known_whole(contents: Contents, name: str, known: Known) -> None:
    assert by_name(python.distributions(contents))[name].known is known


def test_distribution_with_its_licence_as_text_is_classified(contents: Contents) -> None:
    assert by_name(python.distributions(contents))["old"].licences == ("MIT License",)


def test_package_says_what_scanners_ask_for(contents: Contents) -> None:
    part = by_name(debian.packages(contents))["libc6"]
    assert part.reference == "pkg:deb/debian/libc6@2.36-9%2Bdeb12u14?arch=arm64&distro=debian-12&upstream=glibc"
    assert part.licences == ("Expat", "GPL-2")


def test_copyright_that_no_machine_reads_names_no_licence(contents: Contents) -> None:
    assert by_name(debian.packages(contents))["libstd"].licences == ()


def test_copyright_is_found_through_a_link(contents: Contents) -> None:
    linked = Contents(dict(contents.files), {"usr/share/doc/libstd": "libc6"})
    assert by_name(debian.packages(linked))["libstd"].licences == ("Expat", "GPL-2")


def test_each_record_is_one_package(contents: Contents) -> None:
    assert sorted(by_name(debian.packages(contents))) == ["libc6", "libstd"]


def test_modules_have_their_scope(contents: Contents) -> None:
    purls = {part.reference: part.licences for part in npm.modules(contents)}
    assert purls == {"pkg:npm/hls.js@1.7.4": ("Apache-2.0",), "pkg:npm/%40a/b@1": ()}
