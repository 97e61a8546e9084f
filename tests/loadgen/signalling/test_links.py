import pytest

from loadgen.signalling.links import MAX_LINK_CHARS, alternate_in

ASKED = "https://edge-a.example/whep/table"
THERE = "https://edge-b.example/whep/table"


@pytest.mark.parametrize(
    "link",
    [
        f'<{THERE}>; rel="alternate"',
        f"<{THERE}>;rel=alternate",
        f'<{THERE}>; REL="Alternate"',
        f'<{THERE}>; title="a, b; c"; rel="x alternate"',
        f'<https://c.example/>; rel="ice-server", <{THERE}>; rel="alternate", <https://d.example/>; rel="alternate"',
        '<//edge-b.example/whep/table>; rel="alternate"',
    ],
)
def test_alternate_is_found(link: str) -> None:
    assert alternate_in({"Link": link}, ASKED) == THERE


def test_alternate_is_relative_to_what_was_asked() -> None:
    assert alternate_in({"Link": '</b/whep/table>; rel="alternate"'}, ASKED) == "https://edge-a.example/b/whep/table"


@pytest.mark.parametrize(
    "link",
    [
        "",
        "nonsense",
        f"<{THERE}>",
        f'<{THERE}>; rel="next"',
        f'<{THERE}>; title="rel=alternate"',
        f'{THERE}; rel="alternate"',
        '<https://[>; rel="alternate"',
        f'{" " * MAX_LINK_CHARS}<{THERE}>; rel="alternate"',
    ],
)
def test_what_names_no_alternate_is_none(link: str) -> None:
    assert alternate_in({"Link": link}, ASKED) is None


def test_header_may_be_missing() -> None:
    assert alternate_in({}, ASKED) is None
