"""The states of a node that are compared, each made by the tuner's own controls and taken back by them."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from node_tuner.aims import Exactly, Made
from node_tuner.contract import Aim, Control
from node_tuner.controls.bpf_marking import BpfMarking
from node_tuner.controls.clsact import THERE, Clsact
from node_tuner.controls.conntrack_bypass import ConntrackBypass
from node_tuner.controls.nft import transact
from node_tuner.controls.nft_marking import NftMarking
from node_tuner.machine.link import Link
from node_tuner.marking import Marking, MarkRule, Payload, Transport
from node_tuner.ports import Ports
from tests.bench.remote import BenchError

MEDIA_PORT = 8189
VIDEO = bytes((0x80, 96))
"""How a datagram of video begins: RTP, payload type 96."""

_MEDIA = Ports((MEDIA_PORT,))
_ALL = frozenset[int]()
_MARKING = Marking(
    (
        MarkRule("bet_signals", Transport.UDP, _MEDIA, Payload.DTLS, _ALL, 18),
        MarkRule("audio", Transport.UDP, _MEDIA, Payload.MEDIA, frozenset({111}), 46),
        MarkRule("retransmission", Transport.UDP, _MEDIA, Payload.MEDIA, frozenset({97, 99}), 36),
        MarkRule("video", Transport.UDP, _MEDIA, Payload.MEDIA, _ALL, 34),
    ),
    only_unmarked=True,
)
"""As a profile's: video, which most packets are, is the last rule."""

_ONE_MARK = Marking(
    (MarkRule("video", Transport.UDP, _MEDIA, Payload.ANY, _ALL, 34),),
    only_unmarked=True,
)
"""All by its port alone: nothing of the payload is looked at."""

_SOMEBODY = "somebody"
"""The table of a firewall such as many nodes have: it accepts what belongs to a connection, so these are tracked."""

Make = Callable[[Link], Control]


@dataclass(frozen=True, slots=True)
class Variant:
    """One state of a node."""

    name: str
    is_tracked: bool
    """Whether somebody's firewall asks for connections."""
    made: Sequence[tuple[Make, Aim]] = ()


_BYPASS = Made({"ports": str(_MEDIA)}, "conntrack bypass")
_MARKS = Made(_MARKING.as_json(), "marking")
_MARK = Made(_ONE_MARK.as_json(), "marking")
_PROGRAM = Made({"marking": _MARKING.as_json(), "priority": 49_000}, "marking")
_CLSACT = Exactly(THERE)

UNTRACKED = "no conntrack"
TRACKED = "conntrack"
BYPASSED = "conntrack, bypassed"
BY_NFT_ONE = "DSCP by nft, one class"
BY_NFT = "DSCP by nft, four classes"
BY_BPF = "DSCP by eBPF, four classes"

VARIANTS = (
    Variant(UNTRACKED, False),
    Variant(BYPASSED, True, ((lambda _link: ConntrackBypass(), _BYPASS),)),
    Variant(TRACKED, True),
    Variant(BY_NFT_ONE, False, ((lambda _link: NftMarking(), _MARK),)),
    Variant(BY_NFT, False, ((lambda _link: NftMarking(), _MARKS),)),
    Variant(BY_BPF, False, ((Clsact, _CLSACT), (BpfMarking, _PROGRAM))),
)
"""The first is what the others are compared with: neither tracked nor marked."""


@contextmanager
def in_force(variant: Variant, link: Link) -> Iterator[None]:
    """Inside, this network namespace is as `variant` says; before and after there is nothing of it."""
    with ExitStack() as stack:
        if variant.is_tracked:
            _firewall()
            stack.callback(_no_firewall)
        for make, aim in variant.made:
            _write(make(link), aim, stack)
        yield


def _write(control: Control, aim: Aim, stack: ExitStack) -> None:
    stack.callback(control.write, None)
    control.write(aim.target(control.read()))
    if not aim.is_met(control.read()):
        raise BenchError(f"{control.kind} was written and reads {control.read()}")


def _firewall() -> None:
    where = {"family": "inet", "table": _SOMEBODY}
    accept = [
        {"match": {"op": "in", "left": {"ct": {"key": "state"}}, "right": ["established", "related"]}},
        {"accept": None},
    ]
    commands: list[dict[str, object]] = [{"add": {"table": {"family": "inet", "name": _SOMEBODY}}}]
    for hook in ("input", "output"):
        chain = {**where, "name": hook, "type": "filter", "hook": hook, "prio": 0, "policy": "accept"}
        commands.append({"add": {"chain": chain}})
        commands.append({"add": {"rule": {**where, "chain": hook, "expr": accept}}})
    transact(commands)


def _no_firewall() -> None:
    transact([{"delete": {"table": {"family": "inet", "name": _SOMEBODY}}}])
