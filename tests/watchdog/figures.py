"""Samples and evidence of a table that is well, to be changed by tests."""

from dataclasses import replace

from gateway.watchdog.evidence import Evidence
from gateway.watchdog.sample import ProcessSample, StreamSample, Window

WELL = Evidence(
    window_s=3.0,
    needed_s=10.0,
    without_picture_s=0.07,
    stood_still_s=0.01,
    picture_gap_s=0.07,
    sound_gap_s=0.02,
    media_gap_s=0.02,
    media_silent_s=0.01,
    studio_silent_s=0.01,
    studio_connected=True,
    studio_ended=None,
    sends_video=True,
    packets_expected=450,
    packets_missing=0,
    packets_recovered=0,
    packets_unseen=0,
    loss_share=0.0,
    frames=90,
    frames_lost=0,
    frames_lost_share=0.0,
    frames_undecodable=0,
    loop_lag_max_s=0.01,
    queue_lateness_s=0.001,
    kernel_drops=0,
)
"""Nothing to complain of."""


def process_at(at_s: float, **changes: float) -> ProcessSample:
    """A process that is well, but for `changes`."""
    sample = ProcessSample(at_s, loop_lag_s=0.001, queue_lateness_s=0.0, kernel_drops=0)
    return replace(sample, **changes)  # type: ignore[arg-type]  # tests name fields of the sample


def stream_at(at_s: float, **changes: object) -> StreamSample:
    """A stream of which everything came just now, but for `changes`."""
    sample = StreamSample(at_s, at_s, at_s, at_s, at_s, at_s, sends_video=True, is_connected=True, ended_by=None)
    return replace(sample, **changes)  # type: ignore[arg-type]  # tests name fields of the sample


def process_window(*samples: ProcessSample) -> Window[ProcessSample]:
    """Of three seconds; a process that is well, where none are given."""
    window: Window[ProcessSample] = Window(3.0)
    for sample in samples or (process_at(0.0),):
        window.add(sample)
    return window


def stream_window(*samples: StreamSample) -> Window[StreamSample]:
    """Of three seconds."""
    window: Window[StreamSample] = Window(3.0)
    for sample in samples:
        window.add(sample)
    return window
