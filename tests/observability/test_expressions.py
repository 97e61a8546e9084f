"""What the tests of rules and dashboard rely on."""

from tests.observability.expressions import Selector, grouped_by, selectors

EXPRESSION = """
1 - sum by (instance, le) (rate(railbird_a_bucket{le="0.12", cause!~"x|y"}[5m]))
/ on (instance) sum(instance:railbird_b:ratio_rate5m) > 14.4 * process_c
"""


def test_selectors_are_found_with_their_matchers() -> None:
    assert list(selectors(EXPRESSION)) == [
        Selector("railbird_a_bucket", (("le", "=", "0.12"), ("cause", "!~", "x|y"))),
        Selector("instance:railbird_b:ratio_rate5m", ()),
        Selector("process_c", ()),
    ]


def test_groupings_are_found() -> None:
    assert grouped_by(EXPRESSION) == {"instance", "le"}
