"""Which machine and which versions the figures are of."""

import os
import platform
import re
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path


def describe() -> dict[str, str]:
    """For the record: what a figure depends on."""
    return {
        "processor": _processor(),
        "cores": str(len(os.sched_getaffinity(0))),
        "kernel": platform.release(),
        "python": platform.python_version(),
        **{name: _version(name) for name in ("railbird", "cryptography", "uvloop", "aiortc")},
    }


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:  # `python -m loadgen` in a checkout that nobody installed
        return "not installed"


def _processor() -> str:
    found = re.search(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    return found[1] if found else platform.machine()
