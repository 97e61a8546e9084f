import pytest

from loadgen.figures import Generator, Interval
from loadgen.health import Health, falls_behind


def test_generator_with_time_to_spare_keeps_up() -> None:
    assert falls_behind(Generator(cpu_s=0.6, busiest_share=0.6, received_packets=200_000, lateness_s=0.004)) is None


@pytest.mark.parametrize(
    ("generator", "why"),
    [
        (Generator(kernel_drops=1_200), "lost 1,200 reads"),
        (Generator(busiest_share=0.97), "97 % full"),
        (Generator(lateness_s=0.4), "400 ms late"),
    ],
)
def test_generator_falls_behind_for_a_reason(generator: Generator, why: str) -> None:
    assert why in (falls_behind(generator) or "")


def _interval(**figures: float) -> Interval:
    return Interval(at_s=1.0, seconds=1.0, generator=Generator(**figures))  # type: ignore[arg-type]  # counts and shares


def test_health_of_a_run_that_kept_up_has_no_complaints() -> None:
    health = Health()
    for _ in range(100):
        health.on_interval(_interval(busiest_share=0.9, lateness_s=0.02))
    assert health.complaints() == []


def test_health_tolerates_a_full_core_at_a_peak_only() -> None:
    health = Health()
    for number in range(100):
        health.on_interval(_interval(busiest_share=0.99 if number < 5 else 0.5))
    assert health.complaints() == []
    health.on_interval(_interval(busiest_share=0.99))
    assert ["6 of 101 intervals" in complaint for complaint in health.complaints()] == [True]


def test_health_forgives_no_packet_lost_in_its_own_sockets() -> None:
    health = Health()
    health.on_interval(_interval(kernel_drops=1))
    assert "lost 1 packet in its own sockets" in health.complaints()[0]


def test_health_complains_of_rounds_that_were_late_again_and_again() -> None:
    health = Health()
    for number in range(20):
        health.on_interval(_interval(lateness_s=0.3 + number / 100))
    assert "in 20 of 20 intervals, 490 ms at worst" in health.complaints()[0]


def test_health_counts_a_long_stop_as_long_as_it_was() -> None:
    health = Health()
    for number in range(10):
        health.on_interval(_interval(lateness_s=1.9 if number == 5 else 0.0))
    assert "in 2 of 10 intervals, 1.9 s at worst" in health.complaints()[0]


def test_health_tolerates_one_short_stop() -> None:
    health = Health()
    for number in range(10):
        health.on_interval(_interval(lateness_s=0.9 if number == 5 else 0.0))
    assert health.complaints() == []


def test_lateness_that_harms_no_packet_is_too_much_for_requests_and_bets() -> None:
    assert falls_behind(Generator(lateness_s=0.15, received_packets=100)) is None
    assert "150 ms late" in (falls_behind(Generator(lateness_s=0.15, hls_requests=100)) or "")
    assert "150 ms late" in (falls_behind(Generator(lateness_s=0.15, websocket_messages=100)) or "")


def test_health_names_the_lateness_that_it_judged_by() -> None:
    health = Health()
    for _ in range(10):
        health.on_interval(_interval(lateness_s=0.15, hls_requests=100))
    (complaint,) = health.complaints()
    assert "100 ms late or later in 10 of 10 intervals, 150 ms at worst" in complaint
