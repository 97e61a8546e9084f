"""Other edges, by turns."""

import pytest

from gateway.hub.elsewhere import Elsewhere


def test_edges_are_named_by_turns() -> None:
    elsewhere = Elsewhere(("https://b.example", "https://c.example"))
    assert [elsewhere.next_edge() for _ in range(3)] == ["https://b.example", "https://c.example", "https://b.example"]


def test_nobody_knows_another_edge() -> None:
    elsewhere = Elsewhere(())
    assert (elsewhere.next_edge(), elsewhere.link("/whep/table")) == (None, None)


@pytest.mark.parametrize(
    ("path", "there"),
    [
        ("/whep/table", "/whep/table"),
        ("/signals/a%3Eb", "/signals/a%3Eb"),
        ("/api/v1/streams/table/rounds", "/api/v1/streams/table/rounds"),
        ('/hls/x>;rel="alternate",<https:evil/i.m3u8', "/hls/x%3E;rel=%22alternate%22,%3Chttps:evil/index.m3u8"),
        ("/whep/ta ble\r\nX: y", "/whep/ta%20ble%0D%0AX:%20y"),
        ("/hls/table/index.m3u8", "/hls/table/index.m3u8"),
        ("/hls/table/J5w0vQ/video.m3u8", "/hls/table/index.m3u8"),
    ],
)
def test_link_leads_to_the_same_at_another_edge(path: str, there: str) -> None:
    assert Elsewhere(("https://b.example/eu",)).link(path) == f'<https://b.example/eu{there}>; rel="alternate"'
