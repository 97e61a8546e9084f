"""What plots are drawn of: bounded, and told in part."""

from gateway.quality.history import MAX_POINTS, POINT_S, History


def test_history_is_of_a_quarter_of_an_hour_and_no_more() -> None:
    history = History(("score",))
    for number in range(MAX_POINTS + 50):
        history.add(number * POINT_S, {"score": number})
    assert len(history) == MAX_POINTS
    assert MAX_POINTS * POINT_S == 15 * 60
    assert history.report()["score"] == list(range(50, MAX_POINTS + 50))


def test_only_what_is_newer_is_told() -> None:
    history = History(("score",))
    for number in range(3):
        history.add(float(number), {"score": number * 10})
    assert history.report(1.0) == {"at_unix_s": [2.0], "score": [20]}
    assert history.report(2.0) == {"at_unix_s": [], "score": []}
