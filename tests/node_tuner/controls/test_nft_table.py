"""A table of our own among other people's: made, seen, spoilt, made again, removed."""

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, ClassVar

import pytest

from node_tuner.controls.conntrack_bypass import ConntrackBypass
from node_tuner.controls.nft_marking import NftMarking
from node_tuner.controls.nft_table import Chain, NftTable
from node_tuner.errors import UnavailableError
from node_tuner.marking import digest_of
from tests.node_tuner.namespaces import Namespace, namespace
from tests.node_tuner.privileges import NOBODY, become
from tests.node_tuner.wire import in_thread

pytestmark = [pytest.mark.netns, pytest.mark.nft]

TABLES: list[NftTable] = [ConntrackBypass(), NftMarking()]

SOMEBODY_ELSES = """
table inet cni {
    comment "of somebody else"
    set nodes {
        type ipv4_addr
        flags interval
        elements = { 192.0.2.0/24, 198.51.100.7 }
    }
    chain raw {
        type filter hook prerouting priority raw
        udp dport 8189 counter packets 17 bytes 1717 comment "theirs"
    }
    chain forward {
        type filter hook forward priority filter
        ct state invalid drop
        ip saddr @nodes accept
    }
}
table ip nat {
    chain postrouting {
        type nat hook postrouting priority srcnat
        masquerade
    }
}
"""

OTHERWISE = {**NftMarking.example, "only_unmarked": False}


class Unheard(NftTable):
    """Asks for what the kernel refuses as it does an expression that it was built without."""

    kind = "unheard"
    table = "railbird_test"
    example: ClassVar[Mapping[str, Any]] = {}

    def chains(self, spec: Mapping[str, Any]) -> list[Chain]:
        return [
            Chain(
                "postrouting", [[{"accept": None}], [{"counter": None}, {"goto": {"target": "nowhere"}}]], "postrouting"
            )
        ]


@pytest.fixture
def inside() -> Iterator[Namespace]:
    with namespace() as made:
        yield made


@pytest.fixture(params=TABLES, ids=lambda table: table.kind)
def table(request: pytest.FixtureRequest) -> NftTable:
    return request.param  # type: ignore[no-any-return]


def target(table: NftTable) -> dict[str, Any]:
    return {"digest": digest_of(table.example), "spec": dict(table.example)}


def make(inside: Namespace, table: NftTable) -> Any:
    """Makes it, and reads it back."""
    inside.call(lambda: table.write(target(table)))
    return read(inside, table)


def read(inside: Namespace, table: NftTable) -> Any:
    return inside.call(table.read)


def first_rule(inside: Namespace, table: NftTable, chain: str = "output") -> str:
    """Its text and its handle, as `nft` takes them."""
    listed = inside.run("nft", "-a", "list", "chain", "inet", table.table, chain)
    return next(line.strip() for line in listed.splitlines() if "railbird" in line and "comment" in line)


def test_table_when_absent_reads_as_none(inside: Namespace, table: NftTable) -> None:
    inside.run("nft", "-f", "-", stdin=SOMEBODY_ELSES)
    assert inside.call(table.read) is None


def test_table_when_made_is_known_by_its_digest(inside: Namespace, table: NftTable) -> None:
    assert make(inside, table)["digest"] == target(table)["digest"]


def test_table_when_made_again_is_the_same(inside: Namespace, table: NftTable) -> None:
    assert make(inside, table) == make(inside, table)


def test_table_of_another_spec_replaces_the_first(inside: Namespace) -> None:
    bypass = ConntrackBypass()
    first = make(inside, bypass)
    other = {"ports": "5000"}
    inside.call(lambda: bypass.write({"digest": digest_of(other), "spec": other}))
    second = read(inside, bypass)
    assert second["digest"] == digest_of(other)
    assert second["content"] != first["content"]
    assert "11-12" not in inside.run("nft", "list", "ruleset")


def test_table_when_removed_is_gone_and_can_be_removed_again(inside: Namespace, table: NftTable) -> None:
    make(inside, table)
    for _ in range(2):
        inside.call(lambda: table.write(None))
        assert inside.call(table.read) is None
    assert inside.run("nft", "list", "ruleset") == ""


def test_somebody_elses_tables_survive_byte_for_byte(inside: Namespace) -> None:
    inside.run("nft", "-f", "-", stdin=SOMEBODY_ELSES)
    before = inside.run("nft", "-a", "list", "ruleset")
    assert "17 bytes 1717" in before
    for table in (*TABLES, *TABLES):
        make(inside, table)
    assert inside.run("nft", "-a", "list", "ruleset").startswith(before)
    for table in TABLES:
        inside.call(lambda: table.write(None))  # noqa: B023
    assert inside.run("nft", "-a", "list", "ruleset") == before


def test_table_that_is_replaced_is_never_away_nor_half_made(inside: Namespace) -> None:
    table = NftMarking()
    targets = [target(table), {"digest": digest_of(OTHERWISE), "spec": OTHERWISE}]

    def replace_again_and_again() -> None:
        for each in targets * 15:
            table.write(each)

    def look_meanwhile(writer: Future[None]) -> list[Any]:
        seen: list[Any] = [table.read()]
        while not writer.done():
            seen.append(table.read())
        return seen

    make(inside, table)
    with ThreadPoolExecutor() as threads:
        writer = threads.submit(in_thread, inside, replace_again_and_again)
        seen = in_thread(inside, lambda: look_meanwhile(writer))
        writer.result()
    assert all(found is not None for found in seen)
    assert {found["digest"] for found in seen} == {each["digest"] for each in targets}


def spoil_delete(inside: Namespace, table: NftTable) -> None:
    handle = first_rule(inside, table).rpartition(" ")[2]
    inside.run("nft", "delete", "rule", "inet", table.table, "output", "handle", handle)


def spoil_add(inside: Namespace, table: NftTable) -> None:
    inside.run("nft", "insert", "rule", "inet", table.table, "output", "accept")


def spoil_twice(inside: Namespace, table: NftTable) -> None:
    rule = first_rule(inside, table).partition(" # handle")[0]
    inside.run("nft", "-f", "-", stdin=f"add rule inet {table.table} output {rule}\n")


def spoil_flush(inside: Namespace, table: NftTable) -> None:
    inside.run("nft", "flush", "table", "inet", table.table)


@pytest.mark.parametrize("spoil", [spoil_delete, spoil_add, spoil_twice, spoil_flush])
def test_table_with_a_rule_too_few_or_too_many_has_no_digest(
    inside: Namespace, table: NftTable, spoil: Callable[[Namespace, NftTable], None]
) -> None:
    made = make(inside, table)
    spoil(inside, table)
    spoilt = read(inside, table)
    assert spoilt["digest"] == ""
    assert spoilt["content"] != made["content"]
    assert make(inside, table) == made


def spoil_rule(inside: Namespace, table: NftTable) -> None:
    rule, _, handle = first_rule(inside, table).partition(" # handle ")
    changed = rule.replace("11-12", "11-13")
    place = f"rule inet {table.table} output handle {handle}"
    inside.run("nft", "-f", "-", stdin=f"add {place} {changed}\ndelete {place}\n")
    assert "11-13" in inside.run("nft", "list", "ruleset")


def spoil_policy(inside: Namespace, table: NftTable) -> None:
    inside.run("nft", "-f", "-", stdin=f"add chain inet {table.table} output {{ policy drop; }}\n")


def spoil_dormant(inside: Namespace, table: NftTable) -> None:
    inside.run("nft", "-f", "-", stdin=f"add table inet {table.table} {{ flags dormant; }}\n")


def spoil_chain(inside: Namespace, table: NftTable) -> None:
    inside.run("nft", "add", "chain", "inet", table.table, "another")


@pytest.mark.parametrize("spoil", [spoil_rule, spoil_policy, spoil_dormant, spoil_chain])
def test_table_that_was_changed_has_another_content(
    inside: Namespace, table: NftTable, spoil: Callable[[Namespace, NftTable], None]
) -> None:
    made = make(inside, table)
    spoil(inside, table)
    assert read(inside, table)["content"] != made["content"]
    assert make(inside, table) == made


def test_table_that_counts_and_is_listed_elsewhere_reads_the_same(inside: Namespace, table: NftTable) -> None:
    made = make(inside, table)
    inside.run("nft", "-f", "-", stdin=SOMEBODY_ELSES)
    inside.call(lambda: table.write(None))
    assert make(inside, table) == made


def test_table_after_somebody_flushes_the_ruleset_reads_as_none(inside: Namespace, table: NftTable) -> None:
    make(inside, table)
    inside.run("nft", "flush", "ruleset")
    assert inside.call(table.read) is None


def test_dry_run_changes_nothing(inside: Namespace, table: NftTable) -> None:
    assert inside.call(lambda: table.refusal(table.example)) is None
    assert inside.call(table.obstacle) is None
    assert inside.run("nft", "list", "ruleset") == ""


def test_obstacle_without_the_capability_names_it(inside: Namespace, table: NftTable) -> None:
    def unprivileged() -> str | None:
        become(NOBODY)
        return table.obstacle()

    assert inside.call(unprivileged) == "needs CAP_NET_ADMIN"


def test_obstacle_of_a_kernel_that_lacks_an_expression_names_it(inside: Namespace) -> None:
    unheard = Unheard()
    reason = "this kernel's nftables lacks `goto` (nft: Could not process rule: No such file or directory)"
    assert inside.call(unheard.obstacle) == reason
    with pytest.raises(UnavailableError, match="`goto`"):
        make(inside, unheard)
    assert inside.call(unheard.read) is None


@pytest.mark.parametrize("value", [{"digest": "0" * 12, "content": "0" * 12}, "text", 1])
def test_value_without_a_spec_is_refused(inside: Namespace, table: NftTable, value: Any) -> None:
    made = make(inside, table)
    with pytest.raises(UnavailableError, match=table.table):
        inside.call(lambda: table.write(value))
    assert inside.call(table.read) == made
