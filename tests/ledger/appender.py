"""`python -m tests.ledger.appender DIRECTORY SEED`: appends rounds until it is killed, and prints each that is on the
disk.

Its disk is slow, and takes a line in pieces, as POSIX lets it: so most kills come half way through one.
"""

import os
import random
import sys
import time
from itertools import count
from pathlib import Path

from gateway import log
from gateway.clock import WallClock, monotonic_s
from gateway.ledger.ledger import Ledger
from tests.ledger.conftest import FILE_BYTES

PIECE_BYTES = 97
PIECE_S = 0.0003

_pwrite = os.pwrite


def _slow_pwrite(descriptor: int, payload: bytes, offset: int) -> int:
    time.sleep(PIECE_S)
    return _pwrite(descriptor, payload[:PIECE_BYTES], offset)


def main(directory: str, seed: str) -> None:
    """Never returns."""
    log.configure("json", "error")
    os.pwrite = _slow_pwrite  # type: ignore[assignment]
    chance = random.Random(seed)
    ledger = Ledger(Path(directory), "ledger", FILE_BYTES, WallClock.anchored())
    for number in count():
        names = [f"{seed}:{number}:{index}" for index in range(chance.randint(1, 4))]
        for name in names:
            ledger.append("round", {"roundId": name, "padding": "x" * chance.randint(0, 400)}, monotonic_s())
        assert ledger.flush(10.0)
        print(*names, sep="\n", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
