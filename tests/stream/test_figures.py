"""What was counted of several publishers, added up."""

from gateway.stream.figures import IngestFigures


def test_figures_add_up_name_by_name() -> None:
    one, two = IngestFigures(1, 2, 3, 4, 5), IngestFigures(10, 20, 30, 40, 50)
    assert one + two == IngestFigures(11, 22, 33, 44, 55)


def test_figures_of_nobody_change_nothing() -> None:
    figures = IngestFigures(1, 2, 3, 4, 5)
    assert figures + IngestFigures() == figures
