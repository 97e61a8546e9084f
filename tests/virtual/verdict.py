"""What a player got, held against what the studios sent."""

from dataclasses import dataclass

from tests.virtual.content import Frame
from tests.virtual.player import Player, Received
from tests.virtual.studio import Studio


@dataclass(frozen=True, slots=True)
class WholeFrame:
    """A frame of which the player has every packet, each as the studio sent it."""

    made: Frame
    first_index: int
    timestamp: int
    """Outgoing, extended."""
    completed_s: float

    @property
    def delay_s(self) -> float:
        """From the studio's camera to the player's decoder."""
        return self.completed_s - self.made.captured_s


def whole_frames(player: Player, *studios: Studio) -> list[WholeFrame]:
    """In the order of their indices. Fails when a packet is not what the studio sent, or not where it belongs."""
    track, made = player.video, {studio.settings.studio: studio.frames for studio in studios}
    starts: dict[tuple[int, int], list[int]] = {}
    for index, place in track.places.items():
        frame = made[place.studio][place.frame]
        _check_packet(track, index, frame)
        starts.setdefault((place.studio, place.frame), []).append(index)
    whole = []
    for (studio, number), indices in starts.items():
        frame = made[studio][number]
        first = min(indices)
        offset = first - track.places[first].number
        assert all(track.places[index].number == index - offset for index in indices), "packets changed places"
        assert len({track.timestamps[index] for index in indices}) == 1
        if len(indices) == len(frame.payloads):
            completed_s = max(track.arrivals_s[index] for index in indices)
            whole.append(WholeFrame(frame, first, track.timestamps[first], completed_s))
    return sorted(whole, key=lambda each: each.first_index)


def _check_packet(track: Received, index: int, frame: Frame) -> None:
    place = track.places[index]
    assert track.payloads[index] == frame.payloads[place.number], "content changed on the way"
    assert track.markers[index] == (place.number == place.count - 1)


def lost_frames(player: Player, studio: Studio, until_s: float) -> list[int]:
    """Frames of `studio` that the player has not whole, from the first keyframe that it has: there decoding begins."""
    whole = whole_frames(player, studio)
    have = {each.made.frame for each in whole}
    begin = next((each.made.frame for each in whole if each.made.is_keyframe), 0)
    expected = studio.frames[begin:]
    return [each.frame for each in expected if each.frame not in have and each.captured_s <= until_s]


def lost_audio(player: Player, studio: Studio, until_s: float) -> list[int]:
    """Audio packets of `studio`, from the first that the player has, that it has not."""
    name = studio.settings.studio
    have = {p.frame: player.audio.payloads[index] for index, p in player.audio.places.items() if p.studio == name}
    assert all(studio.audio[number] == payload for number, payload in have.items()), "content changed on the way"
    expected = (number for number, sent_s in enumerate(studio.audio_sent_s) if sent_s <= until_s)
    return [number for number in expected if number >= min(have) and number not in have]
