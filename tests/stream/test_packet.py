"""A packet as the cache holds it."""

from tests.stream.doubles import media_packet


def test_packets_share_no_headers() -> None:
    first, second = media_packet(1), media_packet(2)
    first.headers[0] = b"header"
    assert second.headers == {}
