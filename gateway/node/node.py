"""The node as its tuner left it: the result file, looked at again and again, off the event loop.

Nothing that is in the file, or is not, raises: it becomes the verdict. A broken file is believed in nothing, also where
the one before it was good; a good one that takes its place is.
"""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import structlog

from gateway.clock import unix_s
from gateway.clockwork import Look
from gateway.metrics import Sample
from gateway.node.namespace import cookie
from gateway.node.result import MAX_RESULT_BYTES, NodeResult, NodeResultError, parse_result
from gateway.node.verdict import NodeState, Verdict, judge
from gateway.regular_file import content

log = structlog.get_logger()

LOOK_INTERVAL_S = 3.0
"""Between two looks: within two probes of a cluster a change is seen."""

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
MAX_BOOT_ID_BYTES = 64


_UNSEEN = Verdict(NodeState.MISSING, ("the result file was not looked at yet",))


@dataclass(frozen=True, slots=True)
class _Seen:
    """What a look found: a result and the machine's boot, or why there is none."""

    data: bytes = b""
    """What the result was read from."""
    result: NodeResult | None = None
    boot_id: str = ""
    fault: Verdict = _UNSEEN


class Node:
    """See the module."""

    def __init__(
        self, path: Path, max_age_s: float | None = None, boot_id: Path = BOOT_ID, namespace: str | None = None
    ) -> None:
        """`namespace` None: the one that we are in."""
        self._path = path
        self._max_age_s = max_age_s
        self._boot_id = boot_id
        self._namespace = cookie() if namespace is None else namespace
        self._seen = _Seen()
        self._said: NodeState | None = None
        self._look = Look(self._look_again)

    async def start(self) -> None:
        """Look for the first time."""
        await self._look_again()

    def tick(self, now_s: float) -> None:
        """Look again, in a task of its own; each LOOK_INTERVAL_S."""
        self._look.begin(now_s)

    async def stop(self) -> None:
        """Look no more."""
        await self._look.stop()

    def verdict(self, now_unix_s: float) -> Verdict:
        """What the file says now, as far as was seen."""
        seen = self._seen
        if seen.result is None:
            return seen.fault
        return judge(seen.result, seen.boot_id, self._namespace, self._max_age_s, now_unix_s)

    def samples(self) -> Iterator[Sample]:
        """For a scrape."""
        now_unix_s = unix_s()
        present = self.verdict(now_unix_s).state
        for state in NodeState:
            yield "railbird_node_overall", (state.value,), float(state is present)
        result = self._seen.result
        if result is None:
            return
        yield "railbird_node_result_age_seconds", (), max(now_unix_s - result.written_unix_s, 0.0)
        if present is NodeState.STALE:
            return  # what it says of knobs is believed no more
        # A set: two knobs of one name, such as those of two interfaces, must not break the scrape.
        for labels in sorted({(knob.name, knob.state.value) for knob in result.knobs}):
            yield "railbird_node_tuned", labels, 1.0

    async def _look_again(self) -> None:
        self._seen = await asyncio.to_thread(self._read, self._seen)
        self._say(self.verdict(unix_s()))

    def _read(self, before: _Seen) -> _Seen:
        """In a thread: the file may be slow to come."""
        try:
            boot_id = content(self._boot_id, MAX_BOOT_ID_BYTES).decode(errors="replace").strip()
            data = content(self._path, MAX_RESULT_BYTES + 1)
            is_known = before.result is not None and data == before.data
            return _Seen(data, before.result if is_known else parse_result(data), boot_id)
        except FileNotFoundError as error:
            return _nothing(NodeState.MISSING, f"{error.filename} is missing")
        except OSError as error:
            return _nothing(NodeState.UNREADABLE, f"{error.filename} cannot be read: {error.strerror}")
        except NodeResultError as error:
            return _nothing(NodeState.UNREADABLE, f"{self._path} is no result: {error}")

    def _say(self, verdict: Verdict) -> None:
        """In the log, when it is another one."""
        if verdict.state is self._said:
            return
        self._said = verdict.state
        tell = log.info if verdict.is_fit else log.warning
        tell("node", state=verdict.state.value, says=verdict.lines)


def _nothing(state: NodeState, reason: str) -> _Seen:
    return _Seen(fault=Verdict(state, (reason,)))
