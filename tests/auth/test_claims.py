"""Claims, well-formed and not."""

import contextlib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.auth.claims import MAX_PLAYER_CHARS, MAX_STREAMS, Expected, read_claims
from gateway.auth.identity import Role
from gateway.auth.refusal import AccessError, Cause

NOW_UNIX_S = 1_800_000_000.0
GOOD = {"exp": NOW_UNIX_S + 60, "roles": ["watch"], "streams": ["table"]}
EXPECTED = Expected(leeway_s=5.0)


def refusal(claims: dict[str, Any], expected: Expected = EXPECTED) -> AccessError:
    with pytest.raises(AccessError) as refused:
        read_claims(claims, expected, NOW_UNIX_S)
    return refused.value


def test_grant_holds_what_the_claims_say() -> None:
    grant = read_claims(
        {"exp": NOW_UNIX_S + 60, "roles": ["watch", "bet"], "streams": ["a", "b"], "player": "p", "jurisdiction": "MT"},
        EXPECTED,
        NOW_UNIX_S,
    )
    assert grant.roles == {Role.WATCH, Role.BET}
    assert grant.streams == {"a", "b"}
    assert (grant.player, grant.jurisdiction, grant.expires_unix_s) == ("p", "MT", NOW_UNIX_S + 60)


@pytest.mark.parametrize(
    ("roles", "read"),
    [
        (["publish"], {Role.PUBLISH}),
        ("watch bet", {Role.WATCH, Role.BET}),
        ("watch", {Role.WATCH}),
        ("  operate  ", {Role.OPERATE}),
        (["watch", "admin", "WATCH"], {Role.WATCH}),
        ("admin", set()),
        ([], set()),
        ("", set()),
        (None, set()),
    ],
)
def test_roles_are_a_list_or_words_and_unknown_ones_are_ignored(roles: object, read: set[Role]) -> None:
    assert read_claims(GOOD | {"roles": roles}, EXPECTED, NOW_UNIX_S).roles == read


@pytest.mark.parametrize(
    ("streams", "read"),
    [
        ("*", {"*"}),
        (["*"], {"*"}),
        ("table", {"table"}),
        (["a.b", "c-d_e"], {"a.b", "c-d_e"}),
        ([], set()),
        (None, set()),
    ],
)
def test_streams_are_names_or_all(streams: object, read: set[str]) -> None:
    assert read_claims(GOOD | {"streams": streams}, EXPECTED, NOW_UNIX_S).streams == read


@pytest.mark.parametrize(
    ("claims", "player"),
    [({"sub": "s"}, "s"), ({"player": "p", "sub": "s"}, "p"), ({}, None), ({"player": None, "sub": "s"}, None)],
)
def test_player_is_told_by_its_claim_else_by_the_subject(claims: dict[str, Any], player: str | None) -> None:
    assert read_claims(GOOD | claims, EXPECTED, NOW_UNIX_S).player == player


@pytest.mark.parametrize("jurisdiction", ["MT", "GB-ENG", "US-NJ"])
def test_jurisdiction_is_a_code(jurisdiction: str) -> None:
    assert read_claims(GOOD | {"jurisdiction": jurisdiction}, EXPECTED, NOW_UNIX_S).jurisdiction == jurisdiction


@pytest.mark.parametrize(
    ("claims", "sentence"),
    [
        ({"exp": None}, "The token's claim exp is missing."),
        ({"exp": "soon"}, "The token's claim exp is no date."),
        ({"exp": str(int(NOW_UNIX_S) + 60)}, "The token's claim exp is no date."),
        ({"exp": True}, "The token's claim exp is no date."),
        ({"exp": float("nan")}, "The token's claim exp is no date."),
        ({"exp": float("inf")}, "The token's claim exp is no date."),
        ({"exp": 10**400}, "The token's claim exp is no date."),
        ({"exp": (NOW_UNIX_S + 60) * 1000}, "The token's claim exp is no date."),
        ({"nbf": []}, "The token's claim nbf is no date."),
        ({"iat": {}}, "The token's claim iat is no date."),
        ({"roles": 7}, "The token's claim roles is no list of names."),
        ({"roles": ["watch", 7]}, "The token's claim roles is no list of names."),
        ({"roles": {"watch": True}}, "The token's claim roles is no list of names."),
        ({"roles": ["watch"] * 65}, "The token's claim roles has too many names."),
        ({"streams": 7}, "The token's claim streams is no list of names."),
        ({"streams": [None]}, "The token's claim streams is no list of names."),
        ({"streams": ["a b"]}, "The token's claim streams holds what is no stream's name."),
        ({"streams": ["table\n"]}, "The token's claim streams holds what is no stream's name."),
        ({"streams": ["t*"]}, "The token's claim streams holds what is no stream's name."),
        ({"streams": "a b"}, "The token's claim streams holds what is no stream's name."),
        ({"streams": ["t"] * (MAX_STREAMS + 1)}, "The token's claim streams has too many names."),
        ({"player": 7}, "The token's claim player is no name."),
        ({"player": ""}, "The token's claim player is no name."),
        ({"player": "p" * (MAX_PLAYER_CHARS + 1)}, "The token's claim player is no name."),
        ({"player": "a\nb"}, "The token's claim player is no name."),
        ({"player": "\ud800"}, "The token's claim player is no name."),
        ({"sub": ["s"]}, "The token's claim sub is no name."),
        ({"jurisdiction": "Malta"}, "The token's claim jurisdiction is no code of ISO 3166."),
        ({"jurisdiction": ["MT"]}, "The token's claim jurisdiction is no code of ISO 3166."),
        ({"jurisdiction": "MT\n"}, "The token's claim jurisdiction is no code of ISO 3166."),
    ],
)
def test_claim_that_is_malformed_is_named(claims: dict[str, Any], sentence: str) -> None:
    refused = refusal(GOOD | claims)
    assert (refused.cause, refused.sentence) == (Cause.CLAIMS, sentence)


@pytest.mark.parametrize(
    ("claims", "cause"),
    [
        ({"exp": NOW_UNIX_S - 5}, Cause.EXPIRED),
        ({"exp": 0}, Cause.EXPIRED),
        ({"nbf": NOW_UNIX_S + 6}, Cause.NOT_YET),
        ({"iat": NOW_UNIX_S + 6}, Cause.NOT_YET),
    ],
)
def test_token_of_another_time_is_refused(claims: dict[str, Any], cause: Cause) -> None:
    assert refusal(GOOD | claims).cause is cause


@pytest.mark.parametrize("claims", [{"exp": NOW_UNIX_S - 4.9}, {"nbf": NOW_UNIX_S + 5}, {"iat": NOW_UNIX_S + 5}])
def test_clocks_may_differ_by_the_leeway(claims: dict[str, Any]) -> None:
    read_claims(GOOD | claims, EXPECTED, NOW_UNIX_S)


@pytest.mark.parametrize("issuer", [None, "https://other.example", ["https://id.example"], 7])
def test_token_of_another_issuer_is_refused(issuer: object) -> None:
    expected = Expected(issuer="https://id.example")
    assert refusal(GOOD | {"iss": issuer}, expected).cause is Cause.ISSUER
    read_claims(GOOD | {"iss": "https://id.example"}, expected, NOW_UNIX_S)


@pytest.mark.parametrize("audience", ["edge", ["shop", "edge"]])
def test_token_for_the_audience_is_taken(audience: object) -> None:
    read_claims(GOOD | {"aud": audience}, Expected(audience="edge"), NOW_UNIX_S)


@pytest.mark.parametrize("audience", ["shop", ["shop"], [], None])
def test_token_for_another_audience_is_refused(audience: object) -> None:
    assert refusal(GOOD | {"aud": audience}, Expected(audience="edge")).cause is Cause.AUDIENCE


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
NAMES = ("exp", "nbf", "iat", "iss", "aud", "roles", "streams", "player", "sub", "jurisdiction")


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from(NAMES), json_values))
def test_any_claims_are_read_or_refused_and_raise_nothing_else(claims: dict[str, Any]) -> None:
    with contextlib.suppress(AccessError):
        read_claims(claims, Expected("issuer", "audience"), NOW_UNIX_S)
