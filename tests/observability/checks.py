"""Whether an expression asks for what there is. Each raises AssertionError."""

import re
from collections.abc import Mapping

from tests.observability.expressions import grouped_by, selectors
from tests.observability.known import OF_PROMETHEUS, OTHER_CAUSES, VALUES, histograms


def check_names(expression: str, known: Mapping[str, set[str]]) -> None:
    """Metrics and labels; `known` has the labels of each metric."""
    found = list(selectors(expression))
    for selector in found:
        assert selector.name in known
        assert {label for label, _, _ in selector.matchers} <= known[selector.name] | OF_PROMETHEUS, selector.name
    of_all = set[str]().union(*(known[selector.name] for selector in found))
    assert grouped_by(expression) <= of_all | OF_PROMETHEUS


def check_values(expression: str) -> None:
    """Of labels that are one of a few."""
    for selector in selectors(expression):
        for label, operator, value in selector.matchers:
            is_free = label not in VALUES or (label == "cause" and selector.name in OTHER_CAUSES)
            if is_free or value.startswith("$"):
                continue
            patterns = value.split("|") if operator in ("=~", "!~") else [re.escape(value)]
            for pattern in patterns:
                assert any(re.fullmatch(pattern, known) for known in VALUES[label]), f"{label} {pattern}"


def check_buckets(expression: str) -> None:
    """Of histograms."""
    for selector in selectors(expression):
        for label, _, value in selector.matchers:
            if label == "le":
                bounds = histograms()[selector.name.removesuffix("_bucket")]._upper_bounds
                assert value in {str(bound) for bound in bounds}
