"""The score: 100 less what each term costs, as ITU-T G.107 has it (R = Ro - Is - Id - Ie-eff + A). See docs/qos.md."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from qos.measurement import Measurement
from qos.terms import TERMS, Term

BEST = 100.0


@dataclass(frozen=True, slots=True)
class TermScore:
    """What one term cost."""

    term: Term
    value: float | None
    """None: no data."""
    lost: float


@dataclass(frozen=True, slots=True)
class Score:
    """The score of a window."""

    points: float | None
    """0 to 100; None where not one term has data."""
    terms: tuple[TermScore, ...]

    @property
    def worst(self) -> TermScore | None:
        """The term that cost most; None when nothing did."""
        costly = max(self.terms, key=lambda each: each.lost)
        return costly if costly.lost > 0 else None


def score(measured: Measurement, terms: Sequence[Term] = TERMS) -> Score:
    """The score of what a window measured."""
    judged = tuple(TermScore(term, value := term.measure(measured), term.lost(value)) for term in terms)
    if all(each.value is None for each in judged):
        return Score(None, judged)
    return Score(max(BEST - sum(each.lost for each in judged), 0.0), judged)


@dataclass(frozen=True, slots=True)
class EdgeScore:
    """The score of all streams together."""

    points: float | None
    """None where no stream has one."""
    worst_stream: str | None
    """The one with the lowest score."""
    lost: dict[str, float]
    """Term -> points lost, in the mean that `points` is. Sums to more than is missing where a stream is at 0."""


def edge_score(streams: Mapping[str, tuple[Score, float]]) -> EdgeScore:
    """From (score, viewers on average) of each stream: the mean over viewers; where nobody watches, over streams."""
    scored = {name: (of, viewers) for name, (of, viewers) in streams.items() if of.points is not None}
    if not scored:
        return EdgeScore(None, None, {})
    is_watched = any(viewers > 0 for _, viewers in scored.values())
    weights = {name: viewers if is_watched else 1.0 for name, (_, viewers) in scored.items()}
    whole = sum(weights.values())
    points = {name: of.points or 0.0 for name, (of, _) in scored.items()}
    lost = {
        term.name: sum(weights[name] * of.terms[index].lost for name, (of, _) in scored.items()) / whole
        for index, term in enumerate(TERMS)
    }
    mean = sum(weights[name] * points[name] for name in scored) / whole
    return EdgeScore(mean, min(points, key=lambda name: (points[name], name)), lost)
