"""What the draft leaves open, and railbird promises: HTTP of the playlists, and a log without faults."""

from __future__ import annotations

from tests.hls_conformance.recording import Recording
from tests.hls_conformance.rules import hold, http


def test_contract_gzip_is_only_for_those_who_ask(recording: Recording) -> None:
    hold(http.gzip_is_only_for_those_who_ask, recording.steady)


def test_contract_unchanged_playlists_are_not_sent_again(recording: Recording) -> None:
    hold(http.unchanged_playlists_are_not_sent_again, recording.steady)


def test_contract_pages_of_other_origins_may_read(recording: Recording) -> None:
    hold(http.pages_of_other_origins_may_read, recording.steady)


def test_contract_refusals_are_a_sentence(recording: Recording) -> None:
    hold(http.refusals_are_a_sentence, recording.steady)


def test_contract_renditions_share_media_sequence_numbers(recording: Recording) -> None:
    hold(http.renditions_share_media_sequence_numbers, *recording.streams)


def test_contract_log_tells_of_no_bug(recording: Recording) -> None:
    assert recording.faults == []
