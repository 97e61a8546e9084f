"""The host's own settings, which tests may turn: one test process at a time, and they are put back."""

import fcntl
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_LOCK = Path(tempfile.gettempdir(), "railbird-tests-host-sysctls.lock")


@contextmanager
def kept(*names: str) -> Iterator[None]:
    """Hold these for this test alone; afterwards they are as they were. Those that this kernel has not are left out."""
    paths = [path for path in (Path("/proc/sys", *name.split(".")) for name in names) if path.exists()]
    with _LOCK.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        originals = {path: path.read_text() for path in paths}
        try:
            yield
        finally:
            for path, original in originals.items():
                path.write_text(original)
        assert {path: path.read_text() for path in paths} == originals
