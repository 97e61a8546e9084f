"""Knobs that a profile of a few lines wants of a machine that is not there."""

from typing import Any

from node_tuner.contract import Knob
from node_tuner.machine.roots import Roots
from node_tuner.profile.schema import Profile
from node_tuner.wanted import knobs
from tests.node_tuner.trees import FakeMachine

WHY = {"why": "it is so", "source": "a page"}
FOUR_CORES = FakeMachine(cores=4, rx_queues=8, tx_queues=8)


def wanted(machine: FakeMachine, roots: Roots | None = None, **sections: Any) -> dict[str, Knob]:
    """By name; the media ports are 8189 and 9000-9001."""
    profile = Profile.model_validate({"schema": 1, "name": "mine", "media_ports": "8189,9000-9001", **sections})
    return {knob.name: knob for knob in knobs(profile, machine.facts, roots or Roots())}


def only(machine: FakeMachine, **sections: Any) -> Knob:
    """The one that these sections want."""
    [knob] = wanted(machine, **sections).values()
    return knob
