"""Where /proc and /sys are: elsewhere in tests, and where a container has the host's mounted."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Roots:
    """The two trees that the kernel tells of itself by."""

    proc: Path = Path("/proc")
    sys: Path = Path("/sys")
