import pytest

from gateway.hls.clock_text import date_time


@pytest.mark.parametrize(
    ("unix_s", "text"),
    [
        (0.0, "1970-01-01T00:00:00.000Z"),
        (1_700_000_000.25, "2023-11-14T22:13:20.250Z"),
        (1_709_164_800.001, "2024-02-29T00:00:00.001Z"),
        (1_700_000_000.9999, "2023-11-14T22:13:20.999Z"),
    ],
)
def test_instant_as_playlists_write_it(unix_s: float, text: str) -> None:
    assert date_time(unix_s) == text
