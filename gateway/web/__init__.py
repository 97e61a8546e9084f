"""The pages: plain HTML, ES modules and one style sheet, served as they lie here, from this gateway and nowhere else.

    index.html   /                 the live tables                       index.js
    watch.html   /watch/{stream}   plays a table by WHEP                 watch.js -> whep.js, overlay.js -> figures.js
    studio.html  /studio/{stream}  publishes a table by WHIP             studio.js -> whip.js, table.js, reception.js
    the rest     /web/{file}       signalling.js, sdpfrag.js, backoff.js, timecode.js, tone.js, ticker.js, page.js

`whep.js` and `whip.js` know no page; the pages know no SDP.
"""

from pathlib import Path
from typing import Final

WEB_ROOT: Final[Path] = Path(__file__).resolve().parent
"""The directory of the files above; they are package data, so they are here in an installed gateway too."""
