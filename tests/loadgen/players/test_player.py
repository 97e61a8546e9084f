"""A player's session, with a peer that only notes what it is told to send."""

import random
import struct
from collections.abc import Sequence
from itertools import pairwise
from typing import cast

import pytest

from gateway.transport.srtp import SrtpSession
from gateway.wire import rtcp
from loadgen.distribution import Distribution
from loadgen.errors import SignallingError
from loadgen.figures import Interval, MediaCounts, SessionFigures
from loadgen.peer.datagrams import Arrival
from loadgen.peer.peer import Peer
from loadgen.players.holes import MAX_TRIES, MIN_RETRY_S
from loadgen.players.impairment import Impairment
from loadgen.players.player import REPORTS_A_CHECK, Player
from loadgen.signalling.answer import Answer
from loadgen.studios.stamps import sei_nal
from tests.loadgen.players.origins import (
    FRAME_S,
    FRAME_TICKS,
    LATE_AFTER_S,
    T0_S,
    VIDEO_SSRC,
    Origin,
    Rates,
    Wire,
    answer,
    retransmitter,
    srtp_pair,
)

RUN_BEGAN_S = T0_S - 10.0
JOIN_S = 0.25
STREAM = "table-1"


class PeersSocket(Wire):
    """A `Wire` that tells what the kernel dropped."""

    drops = 0

    def getsockopt(self, _level: int, _option: int, _size: int) -> bytes:
        """SO_MEMINFO."""
        return struct.pack("=9I", *[0] * 8, self.drops)


class NotingPeer:
    """As much of a `Peer` as a player needs."""

    def __init__(self, srtp: SrtpSession, answered: Answer) -> None:
        self.srtp = srtp
        self.answer = answered
        self.socket = PeersSocket()
        self.sent: list[bytes] = []
        self.control: list[bytes] = []
        self.early: list[Arrival] = []
        self.rtts_s: list[float] = []
        self.checks: list[float] = []
        self.is_closed_by_server = False
        self.failure: SignallingError | None = None

    async def connect(self) -> None:
        if self.failure is not None:
            raise self.failure

    def send(self, datagram: bytes) -> None:
        self.sent.append(datagram)

    def on_control(self, datagram: bytes, _arrival_s: float) -> None:
        self.control.append(datagram)

    def take_over(self) -> list[Arrival]:
        early, self.early = self.early, []
        return early

    def take_rtts_s(self) -> list[float]:
        rtts_s, self.rtts_s = self.rtts_s, []
        return rtts_s

    def check(self, now_s: float) -> None:
        self.checks.append(now_s)


class Session:
    """A player that has joined, its server, and the time."""

    def __init__(
        self,
        is_sampled: bool = False,
        has_rtx: bool = True,
        has_nack: bool = True,
        impairment: Impairment | None = None,
    ) -> None:
        self.server, players = srtp_pair()
        self.peer = NotingPeer(players, answer(has_rtx, has_nack))
        figures = SessionFigures(STREAM, "all", 0.0, is_sampled=is_sampled)
        self.player = Player(cast(Peer, self.peer), figures, RUN_BEGAN_S, LATE_AFTER_S, impairment)
        self.origin = Origin(self.server)
        self.rtx = retransmitter(self.origin)
        self.now_s = T0_S

    async def join(self) -> "Session":
        await self.player.join(T0_S - JOIN_S)
        self.player.begin(T0_S)
        return self

    def feed(self, datagrams: Sequence[bytes]) -> bool:
        """They come now; whether the player has to look after something."""
        for datagram in datagrams:
            self.peer.socket.put([datagram], self.now_s)
        return self.player.read()

    def frame(self, is_keyframe: bool = False, lost: Sequence[int] = (), size: int = 5) -> list[int]:
        """The next frame, a thirtieth of a second later; the indices of what is lost."""
        self.now_s += FRAME_S
        first = self.origin.index
        packets = self.origin.frame(size, is_keyframe)
        self.feed([packet for place, packet in enumerate(packets) if place not in lost])
        return [first + place for place in lost]

    def sent(self, *kinds: type) -> list[rtcp.RtcpPacket]:
        """The packets of those kinds that the player sent since the last call."""
        datagrams, self.peer.sent[:] = list(self.peer.sent), []
        packets = [each for sent in datagrams for each in rtcp.parse_compound(self.server.opener.open_rtcp(sent))]
        return [each for each in packets if isinstance(each, kinds)]

    def taken(self) -> Interval:
        """What happened since the last call."""
        interval = Interval(at_s=0.0, seconds=1.0)
        self.player.take(interval, self.now_s)
        return interval

    def finished(self, end: str = "run_end") -> tuple[Interval, SessionFigures]:
        interval = Interval(at_s=0.0, seconds=1.0)
        return interval, self.player.finish(interval, end, self.now_s)


async def watching(**settings: bool) -> Session:
    """A session with its first keyframe at T0_S + FRAME_S."""
    session = await Session(**settings).join()  # type: ignore[arg-type]
    session.frame(is_keyframe=True)
    session.player.repair(session.now_s)
    session.sent()
    return session


# Joining


async def test_join_is_timed_from_the_post_to_the_keys() -> None:
    figures = (await Session().join()).player.figures
    assert figures.started_s == pytest.approx(10.0 - JOIN_S)
    assert figures.join_s == pytest.approx(JOIN_S)


async def test_join_that_fails_has_its_cause_in_a_record_without_media() -> None:
    session = Session()
    session.peer.failure = SignallingError("http_503", "No.")
    with pytest.raises(SignallingError):
        await session.join()
    interval, figures = session.finished("http_503")
    assert (figures.end, figures.join_s, figures.media, figures.ended_s) == ("http_503", None, MediaCounts(), 10.0)
    assert interval.media == {}


async def test_media_that_came_before_the_keys_were_made_counts() -> None:
    session = Session()
    packets = session.origin.frame(3, is_keyframe=True)
    session.peer.early = [Arrival(b"".join(packets), len(packets[0]), int(T0_S * 1e9), ("127.0.0.1", 9))]
    await session.join()
    assert session.taken().media[STREAM].frames_complete == 1
    assert session.player.figures.first_frame_s == pytest.approx(JOIN_S)


async def test_first_frame_is_timed_from_the_post_and_told_once() -> None:
    session = await Session().join()
    assert session.taken().first_frame_s.count == 0
    session.frame(is_keyframe=True)
    session.now_s += 0.5
    interval = session.taken()
    assert session.player.figures.first_frame_s == pytest.approx(JOIN_S + FRAME_S, abs=1e-5)
    assert interval.first_frame_s.largest == session.player.figures.first_frame_s
    assert session.taken().first_frame_s.count == 0


# Repair


async def test_missing_packet_is_asked_for_at_once_and_again_after_a_round_trip() -> None:
    session = await watching()
    missing = session.frame(lost=[1, 2])
    session.peer.rtts_s = [0.05]
    session.taken()
    asked = []
    for step in range(40):
        now_s = session.now_s + step * 0.01
        assert session.player.repair(now_s)
        asked += [(step, nack) for nack in session.sent(rtcp.GenericNack)]
    assert {nack for _, nack in asked} == {rtcp.GenericNack(session.player.reporter.ssrc, VIDEO_SSRC, tuple(missing))}
    steps = [step for step, _ in asked]
    assert steps[0] == 0
    assert all(5 <= later - earlier <= 6 for earlier, later in pairwise(steps))


async def test_packets_that_are_asked_for_again_count_as_nacked_once() -> None:
    session = await watching()
    session.frame(lost=[1, 2])
    for step in range(5):
        session.player.repair(session.now_s + step * 0.05)
    assert len(session.sent(rtcp.GenericNack)) == 5
    assert session.taken().media[STREAM].nacked == 2


async def test_packet_is_given_up_after_ten_nacks_and_a_keyframe_asked_for() -> None:
    session = await watching()
    session.frame(lost=[1])
    session.frame()
    sent_s: list[tuple[float, str]] = []
    began_s = session.now_s
    for step in range(100):
        session.now_s = began_s + step * 0.02
        session.player.repair(session.now_s)
        sent_s += [
            (step * 0.02, type(each).__name__) for each in session.sent(rtcp.GenericNack, rtcp.PictureLossIndication)
        ]
    nacks_s = [at_s for at_s, kind in sent_s if kind == "GenericNack"]
    plis_s = [at_s for at_s, kind in sent_s if kind == "PictureLossIndication"]
    assert len(nacks_s) == MAX_TRIES
    assert all(later - earlier >= MIN_RETRY_S - 1e-6 for earlier, later in pairwise(nacks_s))
    assert 0.15 <= plis_s[0] - nacks_s[-1] <= 0.3
    assert all(0.19 <= later - earlier <= 0.23 for earlier, later in pairwise(plis_s))
    counts = session.taken().media[STREAM]
    assert (counts.frames_complete, counts.frames_incomplete, counts.frames_undecodable) == (1, 1, 1)
    assert counts.plis == len(plis_s) >= 6
    assert (counts.lost, counts.recovered) == (1, 0)


async def test_player_needs_no_more_repair_once_all_has_come() -> None:
    session = await watching()
    assert not session.player.repair(session.now_s)
    (missing,) = session.frame(lost=[2])
    assert session.player.read()
    assert session.player.repair(session.now_s)
    session.feed([session.rtx.rtx(missing)])
    assert not session.player.repair(session.now_s)
    assert not session.feed(session.origin.frame(3))
    assert session.taken().media[STREAM].frames_complete == 3


async def test_first_keyframe_that_does_not_come_is_asked_for() -> None:
    session = await Session().join()
    session.frame()
    for step in range(50):
        assert session.player.repair(session.now_s + step * 0.02)
    assert 4 <= len(session.sent(rtcp.PictureLossIndication)) <= 5


async def test_server_that_takes_no_feedback_gets_none() -> None:
    session = await watching(has_nack=False)
    session.frame(lost=[1])
    session.frame()
    for step in range(50):
        session.player.repair(session.now_s + step * 0.02)
    assert session.sent(rtcp.GenericNack, rtcp.PictureLossIndication) == []
    counts = session.taken().media[STREAM]
    assert (counts.nacked, counts.plis, counts.frames_incomplete, counts.frames_undecodable) == (0, 0, 1, 1)


async def test_ssrc_that_was_replaced_is_asked_for_no_keyframe() -> None:
    session = await watching()
    session.frame(lost=[1])
    session.player.receiver.tracks[VIDEO_SSRC].give_up(session.origin.index - 1, session.now_s)
    session.origin = Origin(session.server, VIDEO_SSRC + 1)
    session.frame(is_keyframe=True)
    for step in range(50):
        session.player.repair(session.now_s + step * 0.02)
    assert session.sent(rtcp.PictureLossIndication) == []
    assert not session.player.repair(session.now_s + 2.0)


async def test_datagrams_that_a_bad_path_holds_up_are_taken_when_they_are_due() -> None:
    session = await Session(impairment=Impairment(Rates(jitter_s=0.1), seed=1)).join()
    session.frame(is_keyframe=True)
    assert session.taken().media[STREAM].frames_complete == 0
    assert session.player.repair(session.now_s + 0.1)
    assert session.taken().media[STREAM].frames_complete == 1
    assert session.player.repair(session.now_s + 0.1)


# Every second


async def test_report_tells_what_came() -> None:
    session = await watching()
    session.frame()
    session.taken()
    session.player.report(session.now_s)
    report, extended = session.sent(rtcp.ReceiverReport, rtcp.ExtendedReport)
    assert isinstance(report, rtcp.ReceiverReport)
    assert [block.highest_sequence_number for block in report.reports] == [session.origin.index - 1]
    assert isinstance(extended, rtcp.ExtendedReport)


async def test_report_has_a_packet_checked_now_and_then() -> None:
    session = await watching()
    session.frame()
    session.taken()
    checked = []
    for _ in range(2 * REPORTS_A_CHECK):
        session.player.report(session.now_s)
        session.frame()
        checked.append(session.taken().media[STREAM].checked)
    assert checked == 2 * [*[0] * (REPORTS_A_CHECK - 1), 1]


async def test_check_asks_for_consent() -> None:
    session = await watching()
    session.player.check(T0_S + 2.5)
    assert session.peer.checks == [T0_S + 2.5]
    assert not session.player.over.is_set()


@pytest.mark.parametrize("how", ["close_notify", "bye"])
async def test_player_is_over_when_the_server_ends_the_session(how: str) -> None:
    session = await watching()
    if how == "bye":
        bye = rtcp.serialize_compound([rtcp.ReceiverReport(1), rtcp.Bye((VIDEO_SSRC,))])
        session.feed([session.server.sealer.seal_rtcp(bye)])
    session.peer.is_closed_by_server = how == "close_notify"
    session.player.check(session.now_s)
    assert session.player.over.is_set()


async def test_goodbye_of_one_track_is_no_end_of_the_session() -> None:
    session = await watching()
    bye = rtcp.serialize_compound([rtcp.ReceiverReport(1), rtcp.Bye((VIDEO_SSRC + 1,))])
    session.feed([session.server.sealer.seal_rtcp(bye)])
    session.player.check(session.now_s)
    assert not session.player.over.is_set()


async def test_stun_and_dtls_go_to_the_peer() -> None:
    session = await watching()
    session.feed([bytes((0, 1)) + bytes(18), bytes((20,)) + bytes(20)])
    assert [datagram[0] for datagram in session.peer.control] == [0, 20]


# Figures


async def play(session: Session, seconds: int, rng: random.Random) -> list[Interval]:
    """Lose, repair and give up at random, and take the figures every second."""
    intervals = []
    for _ in range(seconds):
        for number in range(30):
            lost = session.frame(number == 15, [place for place in range(5) if rng.random() < 0.03])
            session.player.repair(session.now_s)
            session.feed([session.rtx.rtx(index) for index in lost if rng.random() < 0.7])
        session.peer.rtts_s = [rng.uniform(0.001, 0.02)]
        session.player.report(session.now_s)
        intervals.append(session.taken())
    return intervals


@pytest.mark.parametrize("is_sampled", [False, True])
async def test_intervals_sum_up_to_the_session(is_sampled: bool) -> None:
    session = await watching(is_sampled=is_sampled)
    intervals = await play(session, 20, random.Random(3))
    session.now_s += 3.0
    last, figures = session.finished()
    total = MediaCounts()
    for interval in [*intervals, last]:
        total.add(interval.all_media)
    assert total.frozen_s == pytest.approx(figures.media.frozen_s)
    assert total.watched_s == pytest.approx(figures.media.watched_s)
    total.frozen_s, total.watched_s = figures.media.frozen_s, figures.media.watched_s
    assert total == figures.media
    assert figures.media.watched_s == pytest.approx(20.0 + 3.0, abs=1e-4)
    assert figures.media.frozen_s <= figures.media.watched_s
    assert min(total.lost, total.recovered, total.nacked, total.frames_incomplete, total.freezes) > 0
    assert figures.media.expected == 5 + 20 * 30 * 5
    received = sum(interval.generator.received_packets for interval in [*intervals, last])
    assert received == total.packets + total.retransmissions - total.recovered + total.duplicates
    assert figures.longest_gap_s == max(interval.gap_s.largest for interval in [*intervals, last]) >= 3.0
    rtts_s = Distribution()
    for interval in intervals:
        rtts_s.merge(interval.rtt_s)
    assert figures.rtt_s == pytest.approx(rtts_s.mean)


async def test_watched_time_begins_with_the_first_complete_keyframe() -> None:
    session = await Session().join()
    session.now_s += 5.0
    session.taken()
    session.frame(is_keyframe=True)
    session.now_s += 1.0
    assert session.taken().media[STREAM].watched_s == pytest.approx(1.0, abs=1e-5)
    session.now_s += 1.5
    assert session.taken().media[STREAM].watched_s == pytest.approx(1.5, abs=1e-5)


async def test_gap_is_the_longest_of_each_interval_and_of_the_session() -> None:
    session = await watching()
    for pause_s in (0.1, 0.4, 0.2):
        session.frame()
        session.now_s += pause_s
        session.frame()
        assert session.taken().gap_s.largest == pytest.approx(pause_s + FRAME_S, abs=1e-5)
    _, figures = session.finished()
    assert figures.longest_gap_s == pytest.approx(0.4 + FRAME_S, abs=1e-5)


async def test_freeze_that_goes_on_at_the_end_counts_up_to_it() -> None:
    session = await watching()
    for _ in range(60):
        session.frame()
    session.taken()
    session.now_s += 2.0
    interval, figures = session.finished("tab_close")
    for counts in (figures.media, interval.media[STREAM]):
        assert counts.freezes == 1
        assert counts.frozen_s == pytest.approx(2.0, abs=1e-5)
    assert figures.longest_gap_s == pytest.approx(2.0, abs=1e-5)
    assert interval.gap_s.largest == pytest.approx(2.0, abs=1e-5)
    assert (figures.end, figures.ended_s) == ("tab_close", session.now_s - RUN_BEGAN_S)


async def test_picture_that_moves_at_the_end_is_not_frozen() -> None:
    session = await watching()
    for _ in range(60):
        session.frame()
    session.now_s += 0.05
    _, figures = session.finished()
    assert (figures.media.freezes, figures.media.frozen_s) == (0, 0.0)


async def test_pause_of_two_seconds_is_one_freeze_in_the_interval_that_ends_it() -> None:
    session = await watching()
    for _ in range(60):
        session.frame()
    session.now_s += 1.0
    assert session.taken().media[STREAM].freezes == 0
    session.now_s += 1.0
    session.origin.timestamp += 60 * FRAME_TICKS
    for _ in range(60):
        session.frame()
    counts = session.taken().media[STREAM]
    assert counts.freezes == 1
    assert counts.frozen_s == pytest.approx(2.0 + FRAME_S, abs=1e-5)
    _, figures = session.finished()
    assert figures.media.freezes == 1


async def test_bitrate_is_of_the_time_since_the_keys() -> None:
    session = await watching()
    session.now_s = T0_S + 4.0
    _, figures = session.finished()
    assert figures.bitrate_bps == pytest.approx(figures.media.bytes * 8 / 4.0)


async def test_figures_of_a_session_that_is_over_stay_as_they_are() -> None:
    session = await watching()
    session.finished()
    session.frame()
    assert session.taken().media == {}


async def test_frame_that_does_not_fit_together_is_broken_to_who_is_sampled() -> None:
    for is_sampled in (True, False):
        session = await watching(is_sampled=is_sampled)
        session.frame()
        assert session.taken().media[STREAM].frames_broken == 0
        session.origin.timestamp += FRAME_TICKS
        session.feed([session.origin.packet(b"\x7c\x81start", marker=True)])
        assert session.taken().media[STREAM].frames_broken == is_sampled


async def test_delay_is_measured_by_who_is_sampled() -> None:
    for is_sampled in (True, False):
        session = await watching(is_sampled=is_sampled)
        stamp_ns = round((session.now_s - 0.2) * 1e9)
        session.origin.timestamp += FRAME_TICKS
        session.feed([session.origin.packet(sei_nal(stamp_ns, 1)), session.origin.packet(b"\x41\x9a", marker=True)])
        interval = session.taken()
        _, figures = session.finished()
        assert interval.delay_s.count == is_sampled
        if is_sampled:
            assert figures.delay_p50_s == pytest.approx(0.2, rel=0.02)
        else:
            assert figures.delay_p50_s is figures.delay_p99_s is None


async def test_kernel_drops_are_those_since_the_last_call_of_each_socket() -> None:
    session = await watching()
    drops = []
    for number in (3, 3, 10):
        session.peer.socket.drops = number
        drops.append(session.taken().generator.kernel_drops)
    session.peer.socket = PeersSocket()
    session.peer.socket.drops = 4
    session.player.on_new_socket()
    drops.append(session.taken().generator.kernel_drops)
    assert drops == [3, 0, 7, 4]
    assert session.player.figures.ice_restarts == 1


async def test_media_goes_on_after_an_ice_restart() -> None:
    session = await watching()
    packets = session.origin.frame(4)
    session.peer.early = [Arrival(b"".join(packets[:2]), len(packets[0]), int(T0_S * 1e9), ("127.0.0.1", 9))]
    session.peer.socket = PeersSocket()
    session.player.on_new_socket()
    session.feed(packets[2:])
    counts = session.taken().media[STREAM]
    assert (counts.frames_complete, counts.lost) == (2, 0)
