"""The bench's offers are ones that the gateway parses, and its answers ones that the bench does."""

import pytest

from gateway.transport.ice import Credentials, candidate_lines
from gateway.wire.answer import AnswerMedia, AnswerTransport, serialize_answer
from gateway.wire.sdp import parse_offer
from tests.bench.offers import parse_answer, player_offer, studio_offer

LOCAL = Credentials("ufrag", "p" * 24)
FINGERPRINT = "sha-256 " + ":".join(["AB"] * 32)


@pytest.mark.parametrize(("offer", "direction"), [(player_offer, "recvonly"), (studio_offer, "sendonly")])
def test_offer_is_understood(offer: object, direction: str) -> None:
    assert callable(offer)
    parsed = parse_offer(offer(LOCAL, FINGERPRINT))
    assert (parsed.ufrag, parsed.pwd, parsed.fingerprints) == ("ufrag", "p" * 24, [("sha-256", FINGERPRINT[8:])])
    assert [(media.kind, media.direction) for media in parsed.media] == [("video", direction), ("audio", direction)]


def test_answer_is_understood() -> None:
    offer = parse_offer(player_offer(LOCAL, FINGERPRINT))
    answers = [AnswerMedia(section, "sendonly", section.codecs[0]) for section in offer.media]
    transport = AnswerTransport("ours", "q" * 24, FINGERPRINT, "passive", candidate_lines(["192.0.2.1"], 8189))
    answer = parse_answer(serialize_answer(offer, answers, transport))
    assert (answer.ufrag, answer.pwd, answer.fingerprint) == ("ours", "q" * 24, ("sha-256", FINGERPRINT[8:]))
    assert answer.address == ("192.0.2.1", 8189)
    assert answer.payload_types == {"video": 96, "audio": 111}
