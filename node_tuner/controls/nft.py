"""Runs nft(8): its JSON in, its JSON out (libnftables-json(5)), bounded in time and output."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import threading
from collections.abc import Mapping, Sequence
from typing import IO, Any, Final

from node_tuner.errors import UnavailableError
from node_tuner.machine.capabilities import effective
from node_tuner.machine.roots import Roots

Command = Mapping[str, Any]
"""`{"add": {"table": {...}}}`."""

Listing = Sequence[Mapping[str, Any]]
"""What a table has, in order: `{"table": {...}}`, `{"chain": {...}}`, `{"rule": {...}}` ..."""

FAMILY: Final = "inet"
"""Of all our tables: IPv4 and IPv6 at once."""

LIMIT_S: Final = 20.0
"""A ruleset of 20 000 addresses loads in a tenth of a second."""

MAX_OUTPUT_BYTES: Final = 4 << 20
"""Our tables list in some kilobytes."""

_MAX_ERROR_BYTES: Final = 4096

_SEARCHED: Final = "/usr/sbin:/sbin"
"""Where Debian keeps it; the PATH of an account that is not root lacks that."""

_GARBLED: Final[Listing] = [{"garbled": {}}]
"""nft 1.0.6 writes no JSON for a table with flags, such as a dormant one; ours have none."""

_ABSENT: Final = "No such file or directory"
_FORBIDDEN: Final = "Operation not permitted"


class RefusedError(UnavailableError):
    """nft or the kernel refused it; the message is theirs."""


def transact(commands: Sequence[Command], *, is_dry: bool = False) -> None:
    """Carry out all of these, or none. Dry: the kernel checks them, and changes nothing. RefusedError says why not."""
    dry = ("--check",) if is_dry else ()
    _run("--json", *dry, "--file", "-", script=json.dumps({"nftables": commands}))


def listing(table: str) -> Listing | None:
    """What this table has; None where it is not there. UnavailableError where nobody can say."""
    try:
        answer = _run("--json", "list", "table", FAMILY, table)
    except RefusedError as error:
        if _ABSENT in str(error):
            return None
        raise
    try:
        return [item for item in json.loads(answer)["nftables"] if "metainfo" not in item]
    except json.JSONDecodeError:
        return _GARBLED


def _run(*arguments: str, script: str = "") -> str:
    command = [_binary(), *arguments]
    environment = {**os.environ, "LC_ALL": "C"}
    with _memory(script.encode()) as asked, _memory() as complaints:
        with subprocess.Popen(command, stdin=asked, stdout=subprocess.PIPE, stderr=complaints, env=environment) as nft:
            answer = _answer(nft)
        if nft.returncode:
            complaints.seek(0)
            raise _refused(complaints.read(_MAX_ERROR_BYTES).decode(errors="replace"), nft.returncode)
    return answer.decode()


def _binary() -> str:
    path = shutil.which("nft", path=f"{os.environ.get('PATH', os.defpath)}:{_SEARCHED}")
    if path is None:
        raise UnavailableError("there is no nft(8) here: install nftables")
    return path


def _memory(content: bytes = b"") -> IO[bytes]:
    """A file that needs no directory: a container's own may be read-only."""
    file = os.fdopen(os.memfd_create("nft"), "w+b")
    file.write(content)
    file.seek(0)
    return file


def _answer(nft: subprocess.Popen[bytes]) -> bytes:
    assert nft.stdout is not None
    alarm = threading.Timer(LIMIT_S, nft.kill)
    alarm.start()
    try:
        answer = nft.stdout.read(MAX_OUTPUT_BYTES + 1)
        if len(answer) > MAX_OUTPUT_BYTES:
            raise UnavailableError(f"nft lists more than {MAX_OUTPUT_BYTES} bytes, which no table of ours has")
        nft.wait()
    finally:
        alarm.cancel()
        nft.kill()  # where it has not ended: it floods, or we are to end ourselves
    return answer


def _lacking() -> str:
    if "CAP_NET_ADMIN" in effective(Roots()):
        return "needs CAP_NET_ADMIN as an ambient capability, or root with it: nft is a process of its own"
    return "needs CAP_NET_ADMIN"


def _refused(complaints: str, status: int) -> UnavailableError:
    if status == -signal.SIGKILL:
        return UnavailableError(f"nft did not end within {LIMIT_S:g} s, and was killed")
    if _FORBIDDEN in complaints:
        return UnavailableError(_lacking())
    lines = [line.rpartition("Error: ")[2].strip() for line in complaints.splitlines() if line.strip()]
    return RefusedError(f"nft: {lines[0] if lines else f'exit status {status}, and no word'}")
