"""A table of our own in nftables as a control: made whole in one transaction, and known again by its rules' comments.

Each rule's comment says which spec it comes from, its number and how many there are: `railbird 0123456789ab 2/7`. (Of
a table's own comment nft 1.0.6 says nothing in JSON.) A rule too many or too few is therefore seen without any record
of what was there before; one that was changed, by the hash of the listing.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Final

from node_tuner.contract import Undivided, Value, Where
from node_tuner.controls.nft import FAMILY, Command, Listing, RefusedError, listing, transact
from node_tuner.controls.nft_expressions import Expression
from node_tuner.errors import UnavailableError
from node_tuner.marking import digest_of

_COMMENT: Final = re.compile(r"railbird ([0-9a-f]{12}) (\d+)/(\d+)")

_PASSING: Final = ("handle", "packets", "bytes")
"""Keys of a listing that say nothing of what a table does."""


@dataclass(frozen=True, slots=True)
class Chain:
    """One chain."""

    name: str
    rules: Sequence[Sequence[Expression]]
    hook: str | None = None
    """`output`, `prerouting`; None: other chains lead there."""
    priority: int = 0


class NftTable(Undivided, ABC):
    """Its value is {"digest", "content"}, or None; `digest` is empty where rules are missing, or others are between."""

    kind: ClassVar[str]
    table: ClassVar[str]
    example: ClassVar[Mapping[str, Any]]
    """A spec with every expression that one can lead to."""
    is_own = True

    @property
    def where(self) -> Where:
        """See `contract.Control`."""
        return {}

    @abstractmethod
    def chains(self, spec: Mapping[str, Any]) -> Sequence[Chain]:
        """What the table has according to `spec`; KeyError or ValueError where that is none."""

    def read(self) -> Value:
        """See `contract.Control`."""
        found = listing(self.table)
        return None if found is None else {"digest": _digest(found), "content": _content(found)}

    def obstacle(self) -> str | None:
        """See `contract.Control`. Asks the kernel, as a dry run."""
        return self.refusal(self.example)

    def refusal(self, spec: Mapping[str, Any]) -> str | None:
        """Why a table of this spec would be refused; None: the kernel would take it. Nothing is changed."""
        try:
            self._make(spec, "0" * 12, is_dry=True)
        except UnavailableError as error:
            return str(error)
        return None

    def write(self, value: Value) -> None:
        """See `contract.Control`."""
        if value is None:
            return transact(_absent(self.table))
        spec = value.get("spec") if isinstance(value, Mapping) else None
        if not isinstance(spec, Mapping):
            raise UnavailableError(f"table {FAMILY} {self.table} can be made of nothing but its spec")
        self._make(spec, digest_of(spec))

    def _make(self, spec: Mapping[str, Any], digest: str, *, is_dry: bool = False) -> None:
        chains = self.chains(spec)
        try:
            transact(_present(self.table, chains, digest), is_dry=is_dry)
        except RefusedError as error:
            missing = _missing(self.table, chains)
            raise (
                UnavailableError(f"this kernel's nftables lacks `{missing}` ({error})") if missing else error
            ) from None


def _absent(table: str) -> list[Command]:
    """Also where it is absent already: `delete` alone would fail then, and `destroy` is of Linux 6.3."""
    name = {"family": FAMILY, "name": table}
    return [{"add": {"table": name}}, {"delete": {"table": name}}]


def _present(table: str, chains: Sequence[Chain], digest: str) -> list[Command]:
    place = {"family": FAMILY, "table": table}
    rules = [(chain.name, rule) for chain in chains for rule in chain.rules]
    return [
        *_absent(table),
        {"add": {"table": {"family": FAMILY, "name": table}}},
        *({"add": {"chain": {**place, **_chain(chain)}}} for chain in chains),
        *(
            {
                "add": {
                    "rule": {
                        **place,
                        "chain": chain,
                        "comment": f"railbird {digest} {number}/{len(rules)}",
                        "expr": rule,
                    }
                }
            }
            for number, (chain, rule) in enumerate(rules, 1)
        ),
    ]


def _chain(chain: Chain) -> Mapping[str, Any]:
    if chain.hook is None:
        return {"name": chain.name}
    return {"name": chain.name, "type": "filter", "hook": chain.hook, "prio": chain.priority, "policy": "accept"}


def _missing(table: str, chains: Sequence[Chain]) -> str | None:
    """The name of the first expression that is refused when it stands alone; None where each is taken."""
    for chain in chains:
        for expression in (each for rule in chain.rules for each in rule):
            alone = [replace(other, rules=[[expression]] if other is chain else []) for other in chains]
            try:
                transact(_present(table, alone, "0" * 12), is_dry=True)
            except RefusedError:
                return _name(expression)
    return None


def _name(expression: Expression) -> str:
    (name,) = expression
    return next(iter(expression[name]["left"])) if name == "match" else name


def _digest(found: Listing) -> str:
    comments = [_COMMENT.fullmatch(item["rule"].get("comment", "")) for item in found if "rule" in item]
    told = [match.groups() for match in comments if match]
    digests = {digest for digest, _, _ in told}
    expected = [
        (digest, str(number), str(len(comments))) for digest in digests for number in range(1, len(comments) + 1)
    ]
    return digests.pop() if told == expected and digests else ""


def _content(found: Listing) -> str:
    return digest_of([_lasting(item) for item in found])


def _lasting(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _lasting(each) for key, each in value.items() if key not in _PASSING}
    return [_lasting(each) for each in value] if isinstance(value, list) else value
