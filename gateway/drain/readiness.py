"""What a gateway says of its drain at /readyz."""

import time
from collections.abc import Callable
from enum import Enum
from http.client import HTTPConnection, HTTPException

ANSWER_TIMEOUT_S = 2.0
LOOK_EVERY_S = 0.5
NOTICED_WITHIN_S = 10.0
"""Ten looks of the gateway at its file: one that takes players still is not looking."""


class Standing(Enum):
    """By the first line."""

    SERVING = "serving"
    """Or not ready, for reasons of its own."""
    DRAINING = "draining"
    DRAINED = "drained"
    GONE = "gone"
    """Nothing listens there."""
    UNKNOWN = "unknown"
    """Something does, and does not answer."""


def standing(host: str, port: int) -> tuple[Standing, str]:
    """Where the gateway stands, and its words for it."""
    connection = HTTPConnection(host, port, timeout=ANSWER_TIMEOUT_S)
    try:
        connection.request("GET", "/readyz")
        lines = connection.getresponse().read(4096).decode(errors="replace").splitlines()
    except ConnectionRefusedError:
        return Standing.GONE, "nothing answers"
    except (OSError, HTTPException) as error:
        return Standing.UNKNOWN, str(error) or type(error).__name__
    finally:
        connection.close()
    first = lines[0] if lines else ""
    return _BY_FIRST_LINE.get(first, Standing.SERVING), lines[1] if len(lines) > 1 else first


_BY_FIRST_LINE = {"draining": Standing.DRAINING, "drained": Standing.DRAINED}


def wait(
    look: Callable[[], tuple[Standing, str]],
    wait_s: float,
    say: Callable[[str], None],
    monotonic: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Standing:
    """Look until the gateway has drained or is gone, for `wait_s` at most; the last that was seen. It may be one that
    still serves after NOTICED_WITHIN_S. What changes is said."""
    began_s = monotonic()
    said = ""
    while True:
        seen, words = look()
        if words != said:
            say(words)
            said = words
        waited_s = monotonic() - began_s
        is_deaf = seen is Standing.SERVING and waited_s >= NOTICED_WITHIN_S
        if seen in (Standing.DRAINED, Standing.GONE) or is_deaf or waited_s >= wait_s:
            return seen
        sleep(min(LOOK_EVERY_S, wait_s - waited_s))
