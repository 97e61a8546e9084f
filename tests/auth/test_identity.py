"""What somebody may do, by their roles and streams."""

import pytest

from gateway.auth.identity import ANY_STREAM, Identity, Role, nobody

DEALER = Identity("192.0.2.1", frozenset({Role.PUBLISH}), frozenset({"table", "wheel"}))


@pytest.mark.parametrize(
    ("role", "stream", "may"),
    [
        (Role.PUBLISH, "table", True),
        (Role.PUBLISH, "wheel", True),
        (Role.PUBLISH, "other", False),
        (Role.PUBLISH, ANY_STREAM, False),
        (Role.WATCH, "table", False),
    ],
)
def test_identity_may_do_its_roles_at_its_streams(role: Role, stream: str, may: bool) -> None:
    assert DEALER.may(role, stream) is may


def test_identity_of_all_streams_may_at_each_and_at_all() -> None:
    operator = Identity("192.0.2.1", frozenset({Role.OPERATE}), frozenset({ANY_STREAM}))
    assert operator.may(Role.OPERATE, "table")
    assert operator.may(Role.OPERATE, ANY_STREAM)


def test_nobody_may_what_the_open_door_lets_them() -> None:
    visitor = nobody("192.0.2.1", frozenset({Role.WATCH}))
    assert visitor.may(Role.WATCH, "table")
    assert not visitor.may(Role.PUBLISH, "table")
    assert (visitor.player, visitor.expires_unix_s, visitor.proof) == (None, None, None)
