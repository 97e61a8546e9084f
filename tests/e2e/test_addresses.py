"""Over which addresses players are reached."""

from __future__ import annotations

import contextlib

import pytest
from playwright.async_api import Browser

from tests.e2e.aiortc_peer import AiortcStudio
from tests.e2e.chromium import WatchPage
from tests.e2e.conftest import StartGateway
from tests.e2e.network import gathered_families
from tests.e2e.studio_av import AvStudio


@pytest.mark.browser
@pytest.mark.parametrize(("udp", "host", "family"), [("[::1]:0", "::1", "ipv6"), ("127.0.0.1:0", "127.0.0.1", "ipv4")])
async def test_chromium_watches_over_either_family(
    start_gateway: StartGateway,
    browser: Browser,
    cleanup: contextlib.AsyncExitStack,
    udp: str,
    host: str,
    family: str,
) -> None:
    if family == "ipv6" and 6 not in gathered_families():
        pytest.skip("this machine has no IPv6 address but loopback: Chromium has nothing to send from")
    gateway = await start_gateway(udp)
    studio = await AvStudio(gateway, "card").start()
    cleanup.push_async_callback(studio.stop)
    await gateway.live("card")
    watch = await WatchPage.watching(browser, gateway.url, "card")
    cleanup.push_async_callback(watch.close)
    inbound = await watch.until_decoded(30)
    assert inbound["remote"] == host
    report = await gateway.stream("card")
    assert report is not None
    assert report["publisher"]["address_family"] == family


async def test_public_addresses_are_the_only_candidates(
    start_gateway: StartGateway, cleanup: contextlib.AsyncExitStack
) -> None:
    addresses = ["203.0.113.7", "2001:db8::7"]
    gateway = await start_gateway(PUBLIC_ADDRESSES='["203.0.113.7", "2001:db8::7"]')
    peer = AiortcStudio(f"{gateway.url}/whip/card", "VP8")
    cleanup.push_async_callback(peer.close)
    await peer.negotiate()
    sections = peer.answer.split("\r\nm=")[1:]
    assert len(sections) == 2
    for section in sections:
        candidates = [line.split() for line in section.splitlines() if line.startswith("a=candidate:")]
        assert [fields[4:8] for fields in candidates] == [
            [address, str(gateway.udp_port), "typ", "host"] for address in addresses
        ]
        priorities = [int(fields[3]) for fields in candidates]
        assert priorities == sorted(priorities, reverse=True)
