"""Addresses to listen at, and what is none."""

import pytest

from node_tuner.watch.listen import DEFAULT_LISTEN, Listen


@pytest.mark.parametrize(
    ("text", "listen"),
    [
        ("127.0.0.1:9108", DEFAULT_LISTEN),
        ("[::1]:0", Listen("::1", 0)),
        ("node-7.example:65535", Listen("node-7.example", 65535)),
    ],
)
def test_listen_is_parsed_and_written_back(text: str, listen: Listen) -> None:
    assert Listen.parse(text) == listen
    assert str(listen) == text


@pytest.mark.parametrize(
    "text", ["", "9108", ":9108", "127.0.0.1", "127.0.0.1:", "::1:9108", "[127.0.0.1:9108", "[]:1", "h:65536", "h:-1"]
)
def test_listen_that_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="expected HOST:PORT"):
        Listen.parse(text)
