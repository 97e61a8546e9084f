"""Doors with static tokens, with keys, and open ones."""

import time
from dataclasses import replace

import pytest

from gateway.auth.doors import Doors, Visitor
from gateway.auth.identity import ANY_STREAM, STATIC, Role
from gateway.auth.key_set import parse_key_set
from gateway.auth.refusal import AccessError, Cause
from gateway.config import Settings
from tests.auth.issuer import Issuer

ISSUER = Issuer("a")
NOW_UNIX_S = time.time()


def doors(tokens: dict[str, str] | None = None, **auth: object) -> Doors:
    """With keys where `jwks` is among the settings."""
    made = Doors(Settings.model_validate({"tokens": tokens or {}, "auth": auth}))
    if made.verifier is not None:
        made.verifier.use(parse_key_set(ISSUER.key_set, ["ES256"]))
    return made


def visitor(token: str | None = None, is_this_machine: bool = True) -> Visitor:
    return Visitor("192.0.2.1", is_this_machine, token.encode() if token is not None else None)


def roles_of(made: Doors, who: Visitor, *roles: Role, stream: str = "table") -> set[Role]:
    return set(made.identify(who, roles, stream, NOW_UNIX_S).roles)


def refusal(made: Doors, who: Visitor, *roles: Role, stream: str = "table") -> AccessError:
    with pytest.raises(AccessError) as refused:
        made.identify(who, roles, stream, NOW_UNIX_S)
    return refused.value


# Open doors


def test_without_any_token_this_machine_may_do_everything() -> None:
    assert roles_of(doors(), visitor(), Role.PUBLISH) == set(Role)
    assert roles_of(doors(), visitor(), Role.OPERATE, stream=ANY_STREAM) == set(Role)
    assert roles_of(doors(), visitor("whatever"), Role.WATCH) == set(Role)


@pytest.mark.parametrize("role", [Role.PUBLISH, Role.WATCH, Role.BET])
def test_open_door_is_not_open_to_other_machines(role: Role) -> None:
    refused = refusal(doors(), visitor(is_this_machine=False), role)
    assert (refused.status, refused.sentence) == (403, "Without a token only this machine may do that.")


def test_open_doors_are_open_to_the_network_where_that_is_set_but_for_operating() -> None:
    made = doors(open_to_network=True)
    far = visitor(is_this_machine=False)
    assert roles_of(made, far, Role.PUBLISH) == {Role.PUBLISH, Role.WATCH, Role.BET}
    refused = refusal(made, far, Role.OPERATE)
    assert (refused.cause, refused.sentence) == (
        Cause.NOT_HERE,
        "Without a control token only this machine may do that.",
    )


@pytest.mark.parametrize("tokens", [{}, {"publish": "p"}])
def test_page_of_another_origin_may_not_operate_without_a_token_though_it_is_on_this_machine(
    tokens: dict[str, str],
) -> None:
    page = replace(visitor(), is_foreign_page=True)
    refused = refusal(doors(tokens), page, Role.OPERATE, stream=ANY_STREAM)
    assert (refused.cause, refused.sentence) == (
        Cause.FOREIGN_PAGE,
        "Without a token no page of another origin may do that.",
    )


def test_page_of_another_origin_may_come_through_the_other_open_doors() -> None:
    page = replace(visitor(), is_foreign_page=True)
    assert roles_of(doors(), page, Role.PUBLISH) == {Role.PUBLISH, Role.WATCH, Role.BET}


def test_page_of_another_origin_may_do_what_its_token_says() -> None:
    made = doors({"publish": "p", "watch": "w", "control": "c"})
    assert roles_of(made, replace(visitor("p"), is_foreign_page=True), Role.PUBLISH, Role.OPERATE) == {Role.PUBLISH}
    assert roles_of(made, replace(visitor("c"), is_foreign_page=True), Role.OPERATE) == {Role.OPERATE}
    half = doors({"publish": "p"})
    assert refusal(half, replace(visitor(), is_foreign_page=True), Role.PUBLISH, Role.OPERATE).cause is Cause.MISSING


def samples(made: Doors) -> dict[tuple[str, str], float]:
    return {(name, labels[0]): value for name, labels, value in made.samples()}


def test_open_doors_are_told() -> None:
    name = "railbird_open_doors"
    half = samples(doors({"publish": "p"}))
    assert (half[name, "publish"], half[name, "watch"], half[name, "operate"]) == (0.0, 1.0, 1.0)
    assert {value for (told, _role), value in samples(doors(jwks="keys.json")).items() if told == name} == {0.0}


# Static tokens


@pytest.mark.parametrize(
    ("token", "roles"), [("p", {Role.PUBLISH}), ("w", {Role.WATCH, Role.BET}), ("c", {Role.OPERATE})]
)
@pytest.mark.parametrize("auth", [{}, {"jwks": "keys.json"}])
def test_static_token_opens_its_doors_and_no_others(auth: dict[str, str], token: str, roles: set[Role]) -> None:
    made = doors({"publish": "p", "watch": "w", "control": "c"}, **auth)
    for role in Role:
        if role in roles:
            identity = made.identify(visitor(token), (role,), ANY_STREAM, NOW_UNIX_S)
            assert (identity.proof, identity.player, set(identity.roles)) == (STATIC, None, roles)
        else:
            assert refusal(made, visitor(token), role).cause is Cause.ROLE


def test_one_token_for_two_doors_opens_both() -> None:
    made = doors({"publish": "same", "control": "same", "watch": "other"})
    assert roles_of(made, visitor("same"), Role.PUBLISH) == {Role.PUBLISH, Role.OPERATE}


def test_static_token_is_asked_for_on_this_machine_too() -> None:
    made = doors({"publish": "p"})
    assert refusal(made, visitor(), Role.PUBLISH).cause is Cause.MISSING
    assert refusal(made, visitor("q"), Role.PUBLISH).cause is Cause.STATIC
    assert refusal(made, visitor("pp"), Role.PUBLISH).cause is Cause.STATIC


def test_studio_on_this_machine_is_known_as_a_studio_though_operating_is_open() -> None:
    made = doors({"publish": "p"})
    assert Role.PUBLISH in roles_of(made, visitor("p"), Role.PUBLISH, Role.OPERATE)
    assert Role.PUBLISH not in roles_of(made, visitor("q"), Role.PUBLISH, Role.OPERATE)
    assert refusal(made, visitor("q", is_this_machine=False), Role.PUBLISH, Role.OPERATE).cause is Cause.STATIC


# Keys


def test_token_of_a_key_opens_what_it_says() -> None:
    made = doors(jwks="keys.json")
    token = ISSUER.token(roles="watch", streams=["table"])
    assert roles_of(made, visitor(token, is_this_machine=False), Role.WATCH) == {Role.WATCH}
    assert refusal(made, visitor(token), Role.PUBLISH).sentence == "The token does not let its bearer publish."
    assert refusal(made, visitor(token), Role.WATCH, stream="other").sentence == "The token is not for this stream."
    assert refusal(made, visitor(token), Role.WATCH, stream=ANY_STREAM).sentence == "The token is not for all streams."


def test_with_keys_nothing_is_open_to_anybody_without_a_token() -> None:
    made = doors(jwks="keys.json", open_to_network=True)
    for role in Role:
        assert refusal(made, visitor(), role).cause is Cause.MISSING
        assert refusal(made, visitor("garbage"), role).cause is Cause.MALFORMED


def test_one_of_several_roles_is_enough_and_none_is_told_of_all() -> None:
    made = doors(jwks="keys.json")
    operator = visitor(ISSUER.token(roles="operate", streams="*"))
    assert roles_of(made, operator, Role.PUBLISH, Role.OPERATE) == {Role.OPERATE}
    player = visitor(ISSUER.token())
    refused = refusal(made, player, Role.PUBLISH, Role.OPERATE)
    assert refused.sentence == "The token does not let its bearer publish or operate this gateway."


def test_refusals_are_counted_by_cause() -> None:
    made = doors(jwks="keys.json")
    for token in (None, "garbage", "garbage"):
        refusal(made, visitor(token), Role.WATCH)
    counted = samples(made)
    assert counted["railbird_token_refusals_total", "missing"] == 1
    assert counted["railbird_token_refusals_total", "malformed"] == 2


@pytest.mark.parametrize("cause", Cause)
def test_every_cause_has_a_sentence_and_its_challenge(cause: Cause) -> None:
    refused = AccessError(cause)
    assert refused.sentence.endswith(".")
    assert refused.headers["WWW-Authenticate"].startswith('Bearer realm="railbird"')
    assert ("error=" in refused.headers["WWW-Authenticate"]) is (cause.code is not None)
    assert (cause.status, cause.code) in {
        (401, None),
        (401, "invalid_token"),
        (403, None),
        (403, "insufficient_scope"),
    }


def test_causes_are_labels_of_their_own() -> None:
    assert len({cause.label for cause in Cause}) == len(Cause)
