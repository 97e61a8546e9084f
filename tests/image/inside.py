"""Run by the image's own Python, inside of it: says as JSON what cannot be loaded there. Nothing else of the tests is
there, so it needs no more than the standard library and what it looks at."""

import contextlib
import importlib
import io
import json
import pkgutil
import ssl
import subprocess
import sys
import warnings
from pathlib import Path

LIBRARIES = ("usr/lib/*-linux-gnu/*.so*", "usr/lib/python3.11/lib-dynload/*.so", "opt/railbird/lib/**/*.so*")
LOADER = "usr/lib*/**/ld-linux-*"
PROGRAMS = ("/usr/bin/python3.11", "/usr/sbin/nft")
PACKAGES = ("gateway", "loadgen", "node_tuner", "qos")


def unresolved() -> dict[str, str]:
    """Of programs and libraries: what the dynamic loader does not find for them."""
    root = Path("/")
    loader = next(root.glob(LOADER))
    files = [*PROGRAMS, *(str(path) for pattern in LIBRARIES for path in root.glob(pattern))]
    said = {path: subprocess.run([loader, "--list", path], capture_output=True, text=True) for path in files}
    broken = {
        path: ended.stdout + ended.stderr
        for path, ended in said.items()
        if ended.returncode or "not found" in ended.stdout
    }
    return broken if len(files) > 100 else {"*": f"only {len(files)} files were looked at"}


def not_importable() -> dict[str, str]:
    """Of our own modules, each of them."""
    warnings.simplefilter("error")
    broken = {}
    for package in map(importlib.import_module, PACKAGES):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            try:
                importlib.import_module(module.name)
            except Exception as error:
                broken[module.name] = repr(error)
    return broken


def drawn() -> int:
    """Bytes of a plot with words in it, by matplotlib as the load generator has it."""
    from matplotlib.figure import Figure

    figure = Figure()
    figure.subplots().set_title("delay, ms")
    file = io.BytesIO()
    figure.savefig(file, format="png")
    return len(file.getvalue())


if __name__ == "__main__":
    with contextlib.redirect_stdout(sys.stderr):
        found = {
            "unresolved": unresolved(),
            "not_importable": not_importable(),
            "authorities": len(ssl.create_default_context().get_ca_certs()),
            "drawn_bytes": drawn(),
        }
    print(json.dumps(found))
