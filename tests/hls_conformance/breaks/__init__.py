"""Ways to break the stream made by hand: `module.rule` to those that this rule has to notice."""

from tests.hls_conformance.breaking import Break
from tests.hls_conformance.breaks import delivery, media, playlists, tags, updates

BREAKS: dict[str, list[Break]] = {
    **playlists.BREAKS,
    **tags.BREAKS,
    **media.BREAKS,
    **updates.BREAKS,
    **delivery.BREAKS,
}
