"""What a cluster and its operators ask."""

from prometheus_client import CollectorRegistry
from prometheus_client.parser import text_string_to_metric_families

from gateway.metrics import FAMILIES, Histograms
from tests.http.conftest import Api


async def test_livez_says_that_the_loop_turns(api: Api) -> None:
    answer = await api.request("GET", "/livez")
    assert (answer.status, answer.text) == (200, "ok\n")


async def test_readyz_ends_with_the_draining(api: Api) -> None:
    assert (await api.request("GET", "/readyz")).status == 200
    api.gateway.hub.drain()
    answer = await api.request("GET", "/readyz")
    assert (answer.status, answer.text) == (503, "draining\n")
    assert (await api.request("GET", "/livez")).status == 200


async def _samples(api: Api) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    answer = await api.request("GET", "/metrics")
    assert answer["Content-Type"].startswith("text/plain; version=")
    families = text_string_to_metric_families(answer.text)
    return {(s.name, frozenset(s.labels.items())): s.value for family in families for s in family.samples}


def _labels(**labels: str) -> frozenset[tuple[str, str]]:
    return frozenset(labels.items())


async def test_metrics_are_those_that_are_described(api: Api) -> None:
    api.go_live()
    await api.publish()
    await api.watch()
    described = {name.removesuffix("_total") for name in FAMILIES}
    names = {name for name, _ in await _samples(api) if name.startswith("railbird_")}
    histograms = tuple(histogram._name for histogram in vars(Histograms(CollectorRegistry())).values())
    assert [n for n in names if n.removesuffix("_total") not in described and not n.startswith(histograms)] == []


async def test_metrics_of_a_stream_begin_with_nothing_before_its_first_player(api: Api) -> None:
    """For Prometheus a counter that appears with 1 has not grown."""
    api.go_live()
    samples = await _samples(api)
    assert samples["railbird_bets_total", _labels(stream="table", state="accepted")] == 0
    assert samples["railbird_frames_dropped_total", _labels(stream="table", leg="player", reason="browser")] == 0


async def test_metrics_count_sessions_and_refusals(api: Api) -> None:
    await api.publish()
    await api.watch("nobody")
    api.gateway.hub.admission.is_draining = True
    await api.publish()
    samples = await _samples(api)
    assert samples["railbird_sessions", _labels(leg="ingest")] == 1
    assert samples["railbird_half_open_sessions", _labels()] == 1
    assert samples["railbird_sessions_refused_total", _labels(leg="ingest", cause="draining")] == 1
    assert samples["railbird_ready", _labels()] == 0


async def test_metrics_count_datagrams_and_what_was_dropped(api: Api) -> None:
    for first_byte in (0, 22, 128, 255):
        api.gateway.port.on_datagram(bytes([first_byte]) * 30, ("192.0.2.1", 1), 0.0)
    samples = await _samples(api)
    for kind in ("stun", "dtls", "media", "other"):
        assert samples["railbird_datagrams_total", _labels(kind=kind)] == 1
    assert samples["railbird_datagrams_dropped_total", _labels(cause="unknown_source")] == 3
    assert samples["railbird_datagrams_dropped_total", _labels(cause="malformed_stun")] == 1


async def test_metrics_tell_the_granted_buffers(api: Api) -> None:
    samples, buffers = await _samples(api), api.gateway.port.socket.buffers
    assert samples["railbird_socket_buffer_bytes", _labels(direction="receive", state="granted")] == (
        buffers.receive_granted_bytes
    )
    assert samples["railbird_socket_buffer_bytes", _labels(direction="send", state="asked")] == buffers.send_asked_bytes
    assert samples["railbird_socket_kernel_drops_total", _labels()] == 0
    assert samples["railbird_gso_enabled", _labels()] == 1


async def test_metrics_never_name_an_address_or_a_session(api: Api) -> None:
    api.go_live()
    session_id = (await api.watch())["Location"].rpartition("/")[2]
    text = (await api.request("GET", "/metrics")).text
    assert session_id not in text
    assert "127.0.0.1" not in text
