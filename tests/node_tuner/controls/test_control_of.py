"""Controls, found again by what a record says of them."""

import pytest

from node_tuner.contract import Where
from node_tuner.controls import _BY_KIND, control_of, overlap
from node_tuner.errors import StateError
from node_tuner.machine.roots import Roots

LINK: Where = {"interface": "lo", "index": 1}
WHERE: dict[str, Where] = {
    "bpf_marking": LINK,
    "clsact": LINK,
    "conntrack_bypass": {},
    "nft_marking": {},
    "qdisc": LINK,
    "rps": LINK,
    "sysctl": {"name": "net.core.somaxconn"},
    "xps": LINK,
}


@pytest.mark.parametrize("kind", sorted(_BY_KIND.keys() & WHERE.keys()))
def test_control_of_a_record_says_of_itself_what_the_record_said(kind: str) -> None:
    control = control_of(kind, WHERE[kind], Roots())
    assert control.kind == kind
    assert dict(control.where) == WHERE[kind]


def test_masks_of_queues_alone_may_grow() -> None:
    growing = {kind for kind, where in WHERE.items() if control_of(kind, where, Roots()).is_growing}
    assert growing == {"rps", "xps"}


@pytest.mark.parametrize(
    ("kind", "where"),
    [
        ("weather", {}),
        ("sysctl", {}),
        ("rps", {"interface": "lo"}),
        ("xps", {"interface": "lo", "index": "first"}),
    ],
)
def test_control_that_this_version_does_not_know_is_refused(kind: str, where: Where) -> None:
    with pytest.raises(StateError, match=f"names a control that this version does not know: {kind}"):
        control_of(kind, where, Roots())


@pytest.mark.parametrize(
    ("where", "other", "expected"),
    [
        ({"index": 1, "keys": "rx"}, {"index": 1, "keys": "rx,tx"}, True),
        ({"index": 1, "keys": "rx", "interface": "lo"}, {"index": 1, "keys": "rx", "interface": "lo2"}, True),
        ({"index": 1, "keys": "rx"}, {"index": 1, "keys": "tx"}, False),
        ({"index": 1, "keys": "rx"}, {"index": 2, "keys": "rx"}, False),
        (LINK, LINK, False),
    ],
)
def test_places_overlap_where_they_share_a_key_of_one_card(where: Where, other: Where, expected: bool) -> None:
    assert overlap(where, other) is expected
