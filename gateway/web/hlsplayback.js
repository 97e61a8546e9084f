/**
 * The two ways to play an HLS presentation in a video element: by hls.js, or by the browser's own player (Safari on
 * iPhones before iOS 17.1, which have no Media Source Extensions). Both have
 *
 *     latencyS         from the live edge that the playlist tells of to the picture; null before the first playlist
 *     targetLatencyS   what the player aims at, by the playlist's PART-HOLD-BACK; null where it does not say
 *     advancing        whether the playlist has grown since it was loaded: that of a studio that hangs plays, too
 *     over             whether the stream has ended (EXT-X-ENDLIST)
 *     playingUnixMs    what time the picture is of, by EXT-X-PROGRAM-DATE-TIME; null where it is not known
 *     codec            as in RFC 6381; null where it is not known
 *     bytes            received up to now, picture and sound; null where the browser does not tell
 *     close()
 *
 * and call `received()` whenever there is more to play, `attached()` when hls.js has given the video a source, also that
 * with which it goes on after an error, `sentTo(edge)` whenever the server names another edge, an origin, instead of a
 * playlist (the browser's own player tells of neither), and `failed(status)` when there is no going on, with the HTTP status
 * that ended it, or 0. The presentation's address is the right to watch it: no token goes with what lies below it.
 */

import { LibraryPlayback } from "./hlslibrary.js";
import { endS } from "./ranges.js";

/** Put there by `make setup`, from npm. */
const LIBRARY = "/web/vendor/hls.min.mjs";

/** Fetch hls.js at low priority, and do not run it: so that it is there when it is needed. */
export function prefetchLibrary() {
  if (!hasMediaSource()) return;
  document.head.append(
    Object.assign(document.createElement("link"), { rel: "modulepreload", href: LIBRARY, fetchPriority: "low" }),
  );
}

/**
 * What plays HLS in this browser: a function (video, source, calls) -> playback. null where nothing does. `calls` are
 * those four. `source` is the multivariant playlist: { base, text, address }, its text with the address that its URIs are
 * relative to, and the address that needs no token.
 * `native`: the browser's own player even where hls.js could play.
 */
export async function playbackOf(native = false) {
  if (hasMediaSource() && !native) {
    const library = await import(LIBRARY).catch(() => null);
    if (library?.default.isSupported()) {
      return (video, source, calls) => new LibraryPlayback(library.default, video, source, calls);
    }
  }
  const playsItself = document.createElement("video").canPlayType("application/vnd.apple.mpegurl") !== "";
  return playsItself ? (video, source, calls) => new NativePlayback(video, source.address, calls) : null;
}

function hasMediaSource() {
  return "MediaSource" in globalThis || "ManagedMediaSource" in globalThis;
}

class NativePlayback {
  targetLatencyS = null;
  codec = null;
  bytes = null;

  #firstS = 0;
  #listeners;
  #video;

  constructor(video, address, { failed, received }) {
    this.#listeners = { error: () => failed(0), progress: received };
    this.#video = video;
    for (const [name, listener] of Object.entries(this.#listeners)) video.addEventListener(name, listener);
    video.src = address;
  }

  /** Chromium says of a live stream that nothing of it can be sought: then the edge is not known. */
  get latencyS() {
    const edgeS = endS(this.#video.seekable);
    return edgeS > this.#video.currentTime ? edgeS - this.#video.currentTime : null;
  }

  get playingUnixMs() {
    const startMs = this.#video.getStartDate?.().getTime();
    return Number.isFinite(startMs) ? startMs + this.#video.currentTime * 1000 : null;
  }

  /** Its playlists are not to be seen. What has been received grows with them. */
  get advancing() {
    const receivedS = Math.max(endS(this.#video.seekable), endS(this.#video.buffered));
    this.#firstS ||= receivedS;
    return receivedS > this.#firstS;
  }

  get over() {
    return this.#video.ended;
  }

  close() {
    for (const [name, listener] of Object.entries(this.#listeners)) this.#video.removeEventListener(name, listener);
    this.#video.removeAttribute("src");
    this.#video.load();
  }
}
