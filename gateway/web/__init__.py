"""The pages: plain HTML, ES modules and one style sheet, served as they lie here, from this gateway and nowhere else.

    index.html   /                 the live tables                       index.js
    watch.html   /watch/{stream}   plays a table by WHEP or LL-HLS       watch.js -> roaming.js, overlay.js, below
    studio.html  /studio/{stream}  publishes a table by WHIP             studio.js -> whip.js, table.js, reception.js
    the rest     /web/{file}       signalling.js, sdpfrag.js, backoff.js, timecode.js, tone.js, ticker.js, page.js

    roaming.js -> player.js                     from one edge (edges.js) to another, as the signals say
    player.js -> whep.js                        WebRTC, tried first, and again later
              -> llhls.js -> hlsplayback.js     HLS by hls.js (hlslibrary.js), or by the browser itself
              -> stage.js                       which of the pictures is on top
    figures.js, hlsfigures.js, stalls.js        what the statistics show of either

`whep.js`, `llhls.js` and `whip.js` know no page; the pages know no SDP and no playlist. `/watch/{stream}?transport=hls`
or `webrtc` forces one of the two. `vendor/` is hls.js as npm has it (Apache-2.0), put there by `make setup`:
package data, too, and not in the repository. Without it the page has WebRTC, and HLS where the browser itself plays it.
"""

from pathlib import Path
from typing import Final

WEB_ROOT: Final[Path] = Path(__file__).resolve().parent
"""The directory of the files above; they are package data, so they are here in an installed gateway too."""
