"""Round trips, and when whose ping is due."""

from gateway.signals.messages import MAX_PING_ID
from gateway.signals.pings import MAX_OUTSTANDING, PONG_TIMEOUT_S, Pings, Wheel


def test_pong_measures_the_round_trip() -> None:
    pings = Pings()
    assert pings.rtt_s is None
    assert pings.end(pings.begin(10.0), 10.25) == 0.25
    assert pings.rtt_s == 0.25


def test_pong_counts_once() -> None:
    pings = Pings()
    ping_id = pings.begin(10.0)
    pings.end(ping_id, 10.25)
    assert pings.end(ping_id, 10.5) is None
    assert pings.rtt_s == 0.25


def test_pong_that_nobody_asked_for_measures_nothing() -> None:
    pings = Pings()
    ping_id = pings.begin(10.0)
    assert pings.end((ping_id + 1) % MAX_PING_ID, 10.1) is None
    assert pings.rtt_s is None


def test_pongs_in_another_order_measure_their_own_pings() -> None:
    pings = Pings()
    first, second = pings.begin(10.0), pings.begin(12.0)
    assert pings.end(second, 12.5) == 0.5
    assert pings.end(first, 13.0) == 3.0


def test_pong_before_its_ping_by_another_clock_took_no_time() -> None:
    pings = Pings()
    assert pings.end(pings.begin(10.0), 9.999) == 0.0


def test_ids_are_not_to_be_guessed() -> None:
    pings = Pings()
    ids = [pings.begin(0.0) for _ in range(50)]
    assert len(set(ids)) == 50
    assert ids != sorted(ids)
    assert all(0 <= each <= MAX_PING_ID for each in ids)


def test_ping_is_given_up_after_its_time() -> None:
    pings = Pings()
    ping_id = pings.begin(0.0)
    assert pings.expire(PONG_TIMEOUT_S) == 0
    assert pings.expire(PONG_TIMEOUT_S + 0.1) == 1
    assert pings.expire(PONG_TIMEOUT_S + 0.1) == 0
    assert pings.end(ping_id, PONG_TIMEOUT_S + 0.2) is None


def test_ping_that_was_answered_is_not_given_up() -> None:
    pings = Pings()
    pings.end(pings.begin(0.0), 0.1)
    assert pings.expire(PONG_TIMEOUT_S + 1) == 0


def test_pings_without_answers_are_bounded() -> None:
    pings, given_up = Pings(), 0
    ids = []
    for _ in range(MAX_OUTSTANDING + 10):
        given_up += pings.expire(1.0)
        ids.append(pings.begin(1.0))
    assert given_up == 10
    assert [pings.end(each, 1.5) for each in ids] == [None] * 10 + [0.5] * MAX_OUTSTANDING


def test_wheel_has_each_member_once_a_turn() -> None:
    wheel: Wheel[int] = Wheel(20)
    for member in range(50):
        wheel.add(member)
    assert len(wheel) == 50
    assert sorted(member for _ in range(20) for member in wheel.turn()) == list(range(50))


def test_wheel_spreads_its_members_evenly() -> None:
    wheel: Wheel[int] = Wheel(20)
    for member in range(5000):
        wheel.add(member)
    assert {len(list(wheel.turn())) for _ in range(20)} == {250}


def test_wheel_fills_the_slots_that_emptied() -> None:
    wheel: Wheel[int] = Wheel(4)
    for member in range(40):
        wheel.add(member)
    for member in list(wheel.turn()):
        wheel.remove(member)
    for member in range(100, 110):
        wheel.add(member)
    assert {len(list(wheel.turn())) for _ in range(4)} == {10}


def test_wheel_forgets_a_member() -> None:
    wheel: Wheel[str] = Wheel(2)
    wheel.add("ada")
    wheel.remove("ada")
    wheel.remove("ada")
    assert len(wheel) == 0
    assert [list(wheel.turn()) for _ in range(2)] == [[], []]


def test_member_that_leaves_during_its_turn_is_harmless() -> None:
    wheel: Wheel[str] = Wheel(1)
    wheel.add("ada")
    wheel.add("bob")
    for member in wheel.turn():
        wheel.remove(member)
    assert len(wheel) == 0


def test_wheel_of_no_slots_has_one() -> None:
    wheel: Wheel[str] = Wheel(0)
    wheel.add("ada")
    assert list(wheel.turn()) == ["ada"]
