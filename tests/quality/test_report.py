"""Scores as JSON."""

import json

from gateway.quality.report import edge_windows, stream_window
from gateway.quality.stream_quality import StreamQuality
from qos.measurement import Measurement
from qos.terms import TERMS
from qos.windows import SPANS
from tests.quality.streams import NOBODY, watched_by


def _of(dropped: int, viewers: int = 1) -> StreamQuality:
    quality = StreamQuality({}, 0.0)
    quality.sample({"ingest_frames": 1000 - dropped, "ingest_dropped": dropped}, watched_by(viewers), 1.0)
    quality.add_point(1.0, 1.0, watched_by(viewers))
    return quality


def test_stream_says_what_each_term_cost_and_could_cost() -> None:
    window = stream_window("5m", _of(100))
    assert (window["score"], window["worst_term"]) == (60, "frames_dropped")
    (term,) = [each for each in window["terms"] if each["term"] == "frames_dropped"]
    assert term == {
        "term": "frames_dropped",
        "value": 0.1,
        "unit": "ratio",
        "lost": 40,
        "begins_at": 0.005,
        "all_at": 0.10,
        "points": 40,
    }
    assert window["measured"]["frames"]["ingest"] == {"frames": 900, "dropped": 100, "dropped_share": 0.1}


def test_every_counter_of_a_measurement_is_told() -> None:
    """Two measurements that differ in anything look different."""
    text = json.dumps(stream_window("1m", StreamQuality({}, 0.0)))
    fields = [name for name in Measurement.__slots__ if name not in ("rtt", "window_ms", "viewer_ms")]
    for name in fields:
        quality = StreamQuality({}, 0.0)
        setattr(quality.total("1m"), name, 1000)
        assert json.dumps(stream_window("1m", quality)) != text, name


def test_edge_names_its_worst_stream_and_weighs_by_viewers() -> None:
    window = edge_windows({"good": _of(0, 3), "bad": _of(100, 1)})["1m"]
    assert (window["score"], window["worst_stream"], window["worst_score"]) == (90, "bad", 60)
    assert window["viewers"] == 4
    assert {each["term"]: each["lost"] for each in window["terms"]} == {
        term.name: 10 if term.name == "frames_dropped" else 0 for term in TERMS
    }


def test_edge_without_data_has_no_score() -> None:
    silent = StreamQuality({}, 0.0)
    silent.sample({}, NOBODY, 1.0)
    windows = edge_windows({"silent": silent})
    assert windows.keys() == {span.name for span in SPANS}
    assert windows["1m"] == {"score": None, "worst_stream": None, "worst_score": None, "viewers": 0, "terms": []}
