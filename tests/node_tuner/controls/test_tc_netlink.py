"""What the kernel's refusals are called; that filters are read rightly is shown by those who use them."""

import errno

import pytest
from pyroute2.netlink.exceptions import NetlinkError  # type: ignore[import-untyped]

from node_tuner.controls.tc_netlink import unavailable
from node_tuner.errors import GoneError, UnavailableError
from node_tuner.machine.link import Link


@pytest.mark.parametrize(
    ("code", "said", "expected", "kind"),
    [
        (errno.ENODEV, "No such device", "media0 is gone", GoneError),
        (errno.EPERM, "Operation not permitted", "needs CAP_NET_ADMIN", UnavailableError),
        (
            errno.ENOENT,
            "Specified qdisc kind is unknown",
            "this kernel has no such qdisc or classifier: Specified qdisc kind is unknown",
            UnavailableError,
        ),
        (
            errno.EOPNOTSUPP,
            "This filter block is shared",
            "the kernel refuses it on media0: This filter block is shared",
            UnavailableError,
        ),
    ],
)
def test_refusal_is_a_sentence(code: int, said: str, expected: str, kind: type[UnavailableError]) -> None:
    error = unavailable(Link("media0", 3), NetlinkError(code, said))
    assert (str(error), type(error)) == (expected, kind)
