"""Which machine and which versions the figures are of."""

import platform
import re
from importlib.metadata import version
from pathlib import Path


def describe() -> dict[str, str]:
    """For the record: what a figure depends on."""
    return {
        "processor": _processor(),
        "kernel": platform.release(),
        "python": platform.python_version(),
        **{name: version(name) for name in ("cryptography", "uvloop", "aiortc")},
    }


def _processor() -> str:
    found = re.search(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    return found[1] if found else platform.machine()
