"""The record of original values: which knobs we turned, what they were, and how far we got. JSON of a schema.

An entry is first planned, and not written yet; then its write is begun; then it has `applied`, the value that was read
back. While one is put back, and while something is written that moves others, what these are is not settled: a kill -9
leaves them so, and whatever is found of them then is nobody's but ours.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeGuard

from pydantic import BaseModel, ConfigDict, ValidationError

from node_tuner.contract import Control, Value, Where
from node_tuner.errors import StateError

SCHEMA = 1
"""Another one is never guessed at."""

Key = tuple[str, str]
"""Kind and place of a control: the same for one control in all processes."""


def key_of(control: Control) -> Key:
    """See `Key`."""
    return key_at(control.kind, control.where)


def plain(value: Value) -> Any:
    """As it comes back from JSON, so that values of this process and of an earlier one compare."""
    return json.loads(json.dumps(value, sort_keys=True))


@dataclass(frozen=True, slots=True)
class Applied:
    """The value that was read back after our last write of an entry."""

    value: Value


@dataclass(frozen=True, slots=True)
class Entry:
    """One control that we change, or have changed."""

    name: str
    """Of its knob, for people."""
    kind: str
    where: Where
    original: Value
    """Before our first write; None for what was not there, and for all that is our own."""
    wanted: Value
    """What is written to it, or was last."""
    is_begun: bool = False
    """A write of `wanted` was begun, and what came of it is not recorded yet."""
    applied: Applied | None = None
    is_unsettled: bool = False
    """It is being put back, or what moves it is being written: whatever is found is our doing, and no stranger's."""

    @property
    def key(self) -> Key:
        """See `Key`."""
        return key_at(self.kind, self.where)

    @property
    def is_touched(self) -> bool:
        """Whether we may ever have written it."""
        return self.is_begun or self.is_unsettled or self.applied is not None

    @property
    def left(self) -> Value:
        """What we made of it, as far as is known."""
        return self.wanted if self.applied is None else self.applied.value

    def settled(self, found: Value, *, is_own: bool) -> Entry:
        """The same, with what a killed process may have left open decided by what is there now."""
        if self.is_unsettled:
            applied = None if found == self.original else Applied(found)
            return replace(self, is_begun=False, is_unsettled=False, applied=applied)
        if not self.is_begun:
            return self
        if self.is_original(found):
            return replace(self, is_begun=False)
        return replace(self, is_begun=False, applied=Applied(found)) if is_own or self.is_ours(found) else self

    def is_original(self, found: Value) -> bool:
        """Whether it is as it was before us. Of several values those do not count that are gone, as a card's queues, or
        that came since and were never written by us."""
        if isinstance(found, Mapping) and isinstance(self.original, Mapping):
            return all(found[key] == value for key, value in self.original.items() if key in found)
        return found == self.original

    def completed(self, found: Value) -> Entry:
        """With the originals of values that came since, as new queues do: they are as the kernel made them."""
        if isinstance(found, Mapping) and isinstance(self.original, Mapping):
            return replace(self, original={**found, **self.original})
        return self

    def is_ours(self, found: Value) -> bool:
        """Whether `found` is what we made of it, as far as the record knows: also where a write of several values,
        such as a file for each queue, was ended between two of them, and where one was begun whose numbers a driver or
        the kernel rounds up, as of rings: nobody was left to read them back."""
        begun = self.wanted if self.is_begun else None
        if self.where.get("name") in _ROUNDED and is_rounded_up(_number(found), _number(begun)):
            return True
        written = [] if self.applied is None else [self.applied.value]
        written += [begun] if self.is_begun else []
        return found in written or _is_mixture(found, [*written, self.original], begun)


@dataclass(frozen=True, slots=True)
class Record:
    """All entries, in the order in which they are applied."""

    boot_id: str
    namespace: str
    entries: tuple[Entry, ...] = field(default=())

    def as_text(self) -> str:
        """JSON; `parse` is its inverse."""
        rows = [_as_json(entry) for entry in self.entries]
        whole = {"schema": SCHEMA, "boot_id": self.boot_id, "namespace": self.namespace, "entries": rows}
        return json.dumps(whole, indent=1) + "\n"

    @classmethod
    def parse(cls, text: str) -> Record:
        """StateError for anything that `as_text` would not write; its message says what is wrong, not where."""
        try:
            return _parsed(json.loads(text))
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"])
            raise StateError(f"{where}: {first['msg']}") from None
        except (ValueError, RecursionError) as error:
            raise StateError(f"it is not whole JSON ({error})") from None


def _is_mixture(found: Value, of: Sequence[Value], begun: Value) -> bool:
    """Whether each of several values is that of one of those, or what is `begun` rounded up; what none of them has says
    nothing."""
    if not isinstance(found, Mapping):
        return False
    known = [each for each in of if isinstance(each, Mapping)]
    numbers = begun if isinstance(begun, Mapping) else {}
    told = [key for key in found if any(key in each for each in known)]
    return bool(told) and all(
        any(found[key] == each.get(key) for each in known) or is_rounded_up(found[key], numbers.get(key))
        for key in told
    )


_ROUNDED = frozenset({"net.core.rps_sock_flow_entries", "net.netfilter.nf_conntrack_buckets"})
"""Sysctls of which the kernel makes a power of two, or full pages; of all others it takes what it is told."""


def _number(text: Value) -> Value:
    """Sysctls are text."""
    return int(text) if isinstance(text, str) and text.isdecimal() else None


def is_rounded_up(found: Value, wanted: Value) -> bool:
    """Whether it is what is wanted, or what drivers and the kernel make of it: less than the double, as of rings."""
    return is_number(found) and is_number(wanted) and wanted <= found < 2 * wanted


def is_number(value: Value) -> TypeGuard[int]:
    """A switch is none."""
    return isinstance(value, int) and not isinstance(value, bool)


def key_at(kind: str, where: Where) -> Key:
    """See `Key`."""
    # An interface is its index: it may get another name.
    place = {name: value for name, value in where.items() if name != "interface" or "index" not in where}
    return kind, json.dumps(place, sort_keys=True)


def _as_json(entry: Entry) -> dict[str, Any]:
    row = {
        "name": entry.name,
        "kind": entry.kind,
        "where": dict(entry.where),
        "original": entry.original,
        "wanted": entry.wanted,
        "begun": entry.is_begun,
        "unsettled": entry.is_unsettled,
    }
    return row if entry.applied is None else {**row, "applied": entry.applied.value}


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class _Row(_Strict):
    name: str
    kind: str
    where: Mapping[str, str | int]
    original: Any
    wanted: Any
    begun: bool
    unsettled: bool
    applied: Any = None


class _Whole(_Strict):
    boot_id: str
    namespace: str
    entries: Sequence[_Row]


def _parsed(values: Any) -> Record:
    if not isinstance(values, dict) or json.dumps(values.get("schema")) != str(SCHEMA):  # True is 1, too
        raise StateError(f"it is not of schema {SCHEMA}, which is all that this version knows")
    whole = _Whole.model_validate({name: value for name, value in values.items() if name != "schema"})
    entries = tuple(_entry(row) for row in whole.entries)
    if len({entry.key for entry in entries}) != len(entries):
        raise StateError("it has two entries for one thing")
    return Record(whole.boot_id, whole.namespace, entries)


def _entry(row: _Row) -> Entry:
    applied = Applied(row.applied) if "applied" in row.model_fields_set else None
    return Entry(row.name, row.kind, row.where, row.original, row.wanted, row.begun, applied, row.unsettled)
