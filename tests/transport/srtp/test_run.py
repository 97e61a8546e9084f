"""Runs are sealed in their own buffer, for one peer after another, into the very bytes that sealing by packet gives."""

import pytest

from gateway.transport.srtp import AEAD_AES_128_GCM, AES128_CM_SHA1_80, Profile, Run, Sealable, srtp_session
from gateway.wire.rtp import pack_header

SSRC = 0x1234
FIRST = 0x1FFFE


def packets(*payloads: bytes) -> list[Sealable]:
    """In sequence from FIRST, over a rollover."""
    return [
        (pack_header(96, False, index & 0xFFFF, 3000, SSRC), payload, SSRC, SSRC << 48 | index)
        for index, payload in enumerate(payloads, FIRST)
    ]


PACKETS = packets(bytes(40), bytes(range(40)), b"\xff" * 40, b"shorter")


@pytest.mark.parametrize("profile", [AEAD_AES_128_GCM, AES128_CM_SHA1_80], ids=["gcm", "cm"])
def test_seal_run_gives_each_peer_the_bytes_of_seal(profile: Profile) -> None:
    masters = [bytes([peer]) * (profile.key_bytes + profile.salt_bytes) for peer in (1, 2)]
    run: Run | None = None
    for master in masters:
        in_place, by_packet = (srtp_session(profile, master, master).sealer for _ in range(2))
        for sealer in (in_place, by_packet):
            sealer.start_at(SSRC, FIRST)
        run = run or Run(PACKETS, in_place.overhead_bytes)
        assert b"".join(in_place.seal_run(run)) == b"".join(by_packet.seal(PACKETS))


def test_run_knows_its_sizes() -> None:
    run = Run(PACKETS, 16)
    assert (len(run), run.segment_bytes, run.size_bytes) == (4, 12 + 40 + 16, 3 * (12 + 40 + 16) + 12 + 7 + 16)


def test_run_has_its_headers_in_place_whoever_it_was_sealed_for() -> None:
    run = Run(PACKETS, 16)
    for header, _, _, _, room in run.places:
        room[:] = b"\xaa" * len(room)
        assert header in bytes(run.buffer)
    assert bytes(run.buffer[: len(PACKETS[0][0])]) == PACKETS[0][0]
