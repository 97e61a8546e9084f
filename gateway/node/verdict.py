"""Is this node fit to carry media? By the tuner's result, the boot and the network namespace that it was made in, and
its age. Pure."""

from dataclasses import dataclass
from enum import Enum

from gateway.node.result import KnobResult, NodeResult, Overall, told

MAX_KNOBS_TOLD = 16
"""In an answer of /readyz: more is a node that nobody tuned, and says no more."""


class NodeState(Enum):
    """What the gateway makes of the result file. `railbird_node_overall` has them as its label."""

    TUNED = "tuned"
    DEGRADED = "degraded"
    FAILED = "failed"
    MISSING = "missing"
    UNREADABLE = "unreadable"
    STALE = "stale"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is to be said of the node."""

    state: NodeState
    lines: tuple[str, ...]
    """For people: what it is, or which knob is not as wanted and why."""

    @property
    def is_fit(self) -> bool:
        """Whether sessions may be sent here."""
        return self.state in (NodeState.TUNED, NodeState.DEGRADED)


def judge(result: NodeResult, boot_id: str, namespace: str, max_age_s: float | None, now_unix_s: float) -> Verdict:
    """The verdict on a result that could be read, in the present boot of this machine and in our network namespace,
    which is empty where nobody knows it."""
    age_s = now_unix_s - result.written_unix_s
    if result.boot_id != boot_id:
        return _stale("it is of another boot of this machine: the tuner has not run since")
    if _is_elsewhere(result, namespace):
        return _stale("it is of another network namespace: the tuner has run there, and not in the gateway's")
    if max_age_s is not None and abs(age_s) > max_age_s:
        ago = f"{age_s:.0f} s ago" if age_s > 0 else f"{-age_s:.0f} s in the future"
        return _stale(f"it was written {ago}, and is believed for {max_age_s:.0f} s")
    if result.is_failed:
        return Verdict(NodeState.FAILED, _told(result.failures) or ("the tuner says that the node is not fit",))
    made = f"profile {told(result.profile.name)}, written {max(age_s, 0):.0f} s ago"
    if result.overall is Overall.TUNED:
        return Verdict(NodeState.TUNED, (f"tuned: {made}",))
    return Verdict(NodeState.DEGRADED, (f"degraded: {made}", *_told(result.shortcomings)))


def _is_elsewhere(result: NodeResult, namespace: str) -> bool:
    """Only cookies say it for sure: an older kernel has none, and the tuner then names the namespace otherwise."""
    return namespace != "" and result.namespace.startswith("cookie-") and result.namespace != namespace


def _stale(reason: str) -> Verdict:
    return Verdict(NodeState.STALE, (f"the result is stale: {reason}",))


def _told(knobs: tuple[KnobResult, ...]) -> tuple[str, ...]:
    untold = len(knobs) - MAX_KNOBS_TOLD
    return (*map(str, knobs[:MAX_KNOBS_TOLD]), *((f"and {untold} knobs more",) if untold > 0 else ()))
