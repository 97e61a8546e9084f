"""What a cluster and its operators ask."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.parser import text_string_to_metric_families

from gateway.metrics import FAMILIES, Histograms
from tests.http.conftest import Api, Serve
from tests.node.results import RMEM_MAX, written


async def test_livez_says_that_the_loop_turns(api: Api) -> None:
    answer = await api.request("GET", "/livez")
    assert (answer.status, answer.text) == (200, "ok\n")


async def test_readyz_ends_with_the_draining(api: Api) -> None:
    assert (await api.request("GET", "/readyz")).status == 200
    api.gateway.hub.drain()
    answer = await api.request("GET", "/readyz")
    assert (answer.status, answer.text) == (503, "draining\n")
    assert (await api.request("GET", "/livez")).status == 200


async def test_readyz_of_a_gateway_by_itself_tells_what_there_is_to_tell(serve: Serve) -> None:
    api = await serve(socket_buffers={"receive_bytes": 65_536, "send_bytes": 65_536})
    answer = await api.request("GET", "/readyz")
    assert answer.text == "ok\nnode: not looked at\nbuffers: as asked for\ndscp: off\n"


async def test_readyz_tells_marks_and_small_buffers_and_stays_ready(serve: Serve) -> None:
    api = await serve(dscp={"enabled": True})
    media_socket = api.gateway.port.socket
    media_socket.buffers = media_socket.buffers._replace(receive_asked_bytes=1000, receive_granted_bytes=500)
    answer = await api.request("GET", "/readyz")
    assert (answer.status, answer.text.splitlines()[0]) == (200, "ok")
    assert "buffers: receive: 250 of 1000 bytes, net.core.rmem_max allows no more" in answer.text.splitlines()
    assert answer.text.splitlines()[-1] == "dscp: bet_signals 18, audio 46, video 34, retransmission 36"


BOOT_ID = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
FAILED = RMEM_MAX | {"state": "failed", "found": "212992", "note": "needs CAP_NET_ADMIN"}


@pytest.mark.parametrize(
    ("data", "status", "said"),
    [
        (written(boot_id=BOOT_ID), 200, "tuned: profile media-edge, written "),
        (written(boot_id=BOOT_ID, overall="degraded"), 200, "degraded: profile media-edge, written "),
        (None, 503, "node.json is missing"),
        (b"{", 503, "node.json is no result: "),
        (written(schema=2), 503, "its schema is 2, and this gateway knows 1 alone"),
        (written(boot_id="another"), 503, "the result is stale: it is of another boot"),
        (
            written(FAILED, boot_id=BOOT_ID, overall="failed"),
            503,
            "node: net.core.rmem_max: failed: found 212992, wanted at least 26214400: needs CAP_NET_ADMIN",
        ),
    ],
    ids=["tuned", "degraded", "missing", "broken", "schema", "another boot", "failed"],
)
async def test_readyz_is_what_the_node_is(
    serve: Serve, tmp_path: Path, data: bytes | None, status: int, said: str
) -> None:
    path = tmp_path / "node.json"
    if data is not None:
        path.write_bytes(data)
    api = await serve(node={"result": path})
    answer = await api.request("GET", "/readyz")
    first, node = answer.text.splitlines()[:2]
    assert (answer.status, first) == (status, "ok" if status == 200 else "not ready")
    assert node.startswith("node: ")
    assert said in node
    samples = await _samples(api)
    assert samples["railbird_ready", _labels()] == (status == 200)


async def test_readyz_ends_with_the_age_of_the_result(serve: Serve, tmp_path: Path) -> None:
    path = tmp_path / "node.json"
    path.write_bytes(written(boot_id=BOOT_ID, written_at=datetime.now(UTC).isoformat()))
    for max_age_s, status in ((3600.0, 200), (0.001, 503)):
        api = await serve(node={"result": path, "max_age_s": max_age_s})
        assert (await api.request("GET", "/readyz")).status == status


async def test_readyz_recovers_by_itself_when_the_node_is_tuned(
    serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.app.LOOK_INTERVAL_S", 0.02)
    path = tmp_path / "node.json"
    api = await serve(node={"result": path})
    assert (await api.request("GET", "/readyz")).status == 503
    assert (await api.request("GET", "/livez")).status == 200
    path.write_bytes(written(boot_id=BOOT_ID))
    for _ in range(500):
        if (await api.request("GET", "/readyz")).status == 200:
            break
        await asyncio.sleep(0.02)
    samples = await _samples(api)
    assert samples["railbird_node_overall", _labels(state="tuned")] == 1
    assert samples["railbird_node_tuned", _labels(knob="net.core.rmem_max", state="tuned")] == 1


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
