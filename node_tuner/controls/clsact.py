"""The qdisc that filters hang in, at an interface's way in and out (clsact): it queues nothing, and others use it too.

So it is not ours alone: what was there before stays, and one that we made stays too while somebody's filter is in it.
"""

from node_tuner.contract import Control, Undivided, Value, Where
from node_tuner.controls.tc_netlink import EGRESS, INGRESS, filters, session
from node_tuner.errors import InUseError, UnavailableError
from node_tuner.machine.capabilities import effective
from node_tuner.machine.link import Link
from node_tuner.machine.roots import Roots

THERE = "there"

_PARENT = 0xFFFF_FFF1
"""TC_H_CLSACT: a single qdisc has this place, `clsact` or the older `ingress`."""


class Clsact(Undivided):
    """Its value is "there", or None. Without what is to hang in it, where that is told, nobody needs it."""

    kind = "clsact"
    is_own = False

    def __init__(self, link: Link, content: Control | None = None) -> None:
        self._link = link
        self._content = content

    @property
    def where(self) -> Where:
        """See `contract.Control`."""
        return self._link.where

    def read(self) -> str | None:
        """See `contract.Control`."""
        return THERE if self._occupant() == "clsact" else None

    def obstacle(self) -> str | None:
        """See `contract.Control`."""
        if "CAP_NET_ADMIN" not in effective(Roots()):
            return "needs CAP_NET_ADMIN"
        try:
            occupant = self._occupant()
        except UnavailableError as error:
            return str(error)
        if occupant == "ingress":
            return f"{self._link.name} has a qdisc `ingress` of somebody else's, in whose place clsact would be"
        return self._content.obstacle() if self._content is not None else None

    def write(self, value: Value) -> None:
        """See `contract.Control`. It is left, with an InUseError, while there are filters in it."""
        if self.read() == value:
            return
        if value is None:
            self._remove()
        else:
            self._add()

    def _occupant(self) -> str | None:
        with session(self._link) as netlink:
            qdiscs = [each for each in netlink.get_qdiscs(self._link.index) if each["parent"] == _PARENT]
        return str(qdiscs[0].get_attr("TCA_KIND")) if qdiscs else None

    def _add(self) -> None:
        obstacle = self.obstacle()
        if obstacle:
            raise UnavailableError(obstacle)
        with session(self._link) as netlink:
            netlink.tc("add", "clsact", self._link.index)

    def _remove(self) -> None:
        with session(self._link) as netlink:
            left = [each for parent in (INGRESS, EGRESS) for each in filters(netlink, self._link, parent)]
            if left:
                kinds = ", ".join(sorted({each.kind for each in left}))
                raise InUseError(f"left on {self._link.name}: filters of others are in it ({kinds})")
            netlink.tc("del", "clsact", self._link.index)
