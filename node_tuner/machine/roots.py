"""Where /proc and /sys are: elsewhere in tests, and where a container has the host's mounted."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Roots:
    """The trees that the kernel tells of itself by."""

    proc: Path = Path("/proc")
    sys: Path = Path("/sys")
    sysctl: Path | None = None
    """Where the node's /proc/sys, or only its `net`, is mounted to be written: a container's own is read-only, and
    nothing may be mounted over it. None: /proc/sys as it is."""

    def setting(self, name: str) -> Path:
        """The file of a sysctl, wherever it is mounted best; it need not exist."""
        path = Path(*name.split("."))
        if self.sysctl is not None and (self.sysctl / path.parts[0]).is_dir():
            return self.sysctl / path
        return self.proc / "sys" / path
