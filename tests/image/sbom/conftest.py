"""A small image's files, as an engine exports them."""

import io
import tarfile

import pytest

from daemonset.image.sbom.contents import Contents, read

PACKAGES = "opt/railbird/lib/python3.11/site-packages"
INNER = b"""{"components": [
    {"name": "openssl", "version": "4", "purl": "pkg:generic/openssl@4", "licenses": [{"expression": "Zlib"}]},
    {"name": "crypt", "version": "1", "purl": "pkg:pypi/crypt@1"}, {"name": "placeless", "version": "2"},
    {"name": "ageless"}]}"""
RECORD = b"""crypt_ed/__init__.py,sha256=abc,7
crypt_ed/_c.abi3.so,sha256=abc,7
crypt_ed.libs/libwebp-0c5118d0.so.7.2.0,sha256=abc,18
"a, b",,

"""
OLD = b"""Name: old
Version: 2
License: the whole
 text of it
Classifier: License :: OSI Approved
Classifier: License :: OSI Approved :: MIT License
"""
LIBC = b"Package: libc6\nVersion: 2.36-9+deb12u14\nArchitecture: arm64\nSource: glibc (2.36)\n"
NPM = "opt/railbird/share/node_modules"
FILES = {
    "usr/lib/os-release": b'ID=debian\nVERSION_ID="12"\n# no setting\n',
    f"{PACKAGES}/crypt_ed-1.dist-info/METADATA": b"Name: Crypt_Ed\nVersion: 1\nLicense-Expression: MIT OR 0BSD\n",
    f"{PACKAGES}/crypt_ed-1.dist-info/sboms/inner.json": INNER,
    f"{PACKAGES}/old-2.dist-info/METADATA": OLD,
    f"{PACKAGES}/crypt_ed-1.dist-info/RECORD": RECORD,
    f"{PACKAGES}/crypt_ed.libs/libwebp-0c5118d0.so.7.2.0": b"of another project",
    f"{PACKAGES}/crypt_ed/_c.abi3.so": b"its own",
    f"{PACKAGES}/crypt_ed/unlisted.so": b"of nobody's",
    f"{PACKAGES}/old-2.dist-info/RECORD": b"old/_c.cpython-311-x86_64-linux-gnu.so,,\nold/missing.so.1,,\n",
    f"{PACKAGES}/old/_c.cpython-311-x86_64-linux-gnu.so": b"its own, too",
    f"{PACKAGES}/pure-3.dist-info/METADATA": b"Name: pure\nVersion: 3\n",
    f"{PACKAGES}/pure-3.dist-info/RECORD": b"pure/__init__.py,,\n",
    f"{PACKAGES}/gateway/app.py": b"12345",
    "var/lib/dpkg/status.d/libc6": LIBC,
    "var/lib/dpkg/status.d/libc6.md5sums": b"0 no/record\n",
    "var/lib/dpkg/status.d/libstd": b"Package: libstd\nVersion: 1\nArchitecture: all\n",
    "usr/share/doc/libc6/copyright": b"Format: dep5\nLicense: GPL-2\n text\n\nLicense: Expat\n",
    "usr/share/doc/gcc-12-base/copyright": b"In our own words\nLicense: unread\n",
    f"{NPM}/hls.js/package.json": b'{"name": "hls.js", "version": "1.7.4", "license": "Apache-2.0"}',
    f"{NPM}/@a/b/package.json": b'{"name": "@a/b", "version": "1"}',
}
LINKS = {"usr/share/doc/libstd": "gcc-12-base"}


@pytest.fixture(scope="session")
def contents() -> Contents:
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        for path, content in FILES.items():
            entry = tarfile.TarInfo(path)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
        for path, target in LINKS.items():
            entry = tarfile.TarInfo(path)
            entry.type, entry.linkname = tarfile.SYMTYPE, target
            tar.addfile(entry)
    archive.seek(0)
    return read(archive)
