/**
 * The two ways to play an HLS presentation in a video element: by hls.js, or by the browser's own player (Safari on iPhones
 * before iOS 17.1, which have no Media Source Extensions). Both have
 *
 *     latencyS         from the live edge that the playlist tells of to the picture; null before the first playlist
 *     targetLatencyS   what the player aims at, by the playlist's PART-HOLD-BACK; null where it does not say
 *     advancing        whether the playlist has grown since it was loaded: that of a studio that hangs plays, too
 *     over             whether the stream has ended (EXT-X-ENDLIST)
 *     codec            as in RFC 6381; null where it is not known
 *     bytes            received up to now, picture and sound; null where the browser does not tell
 *     close()
 *
 * and call `failed(status)` at most once, when there is no going on: with the HTTP status that ended it, or 0. The
 * presentation's address holds the right to watch it: no token goes with what lies below it.
 */

/** Put there by `make setup`, from npm. */
const LIBRARY = "/web/vendor/hls.min.mjs";
/** A decoder may fail once by itself; what fails over and over is the stream, or this device. */
const MAX_RECOVERIES = 2;
const RECOVERIES_WITHIN_MS = 30000;
/** Seconds of the past that are kept in memory: nobody can rewind. */
const BACK_BUFFER_S = 8;
/** What lies so much further behind than the target is skipped: to catch up at 1.1 times the speed would take too long. */
const SKIP_AHEAD_BEYOND_S = 3;

const CONFIGURATION = {
  lowLatencyMode: true,
  backBufferLength: BACK_BUFFER_S,
  // Faster by a tenth is not heard. The target itself is the playlist's PART-HOLD-BACK: neither liveSyncDuration is set.
  maxLiveSyncPlaybackRate: 1.1,
  // Each stall adds a part's length to the target, not the default's whole second.
  liveSyncOnStallIncrease: 0.2,
  // Fragmented MP4 passes as it is: a worker would have nothing to do but copy.
  enableWorker: false,
  enableInterstitialPlayback: false,
  // There is one variant: nothing to measure before the first segment.
  testBandwidth: false,
};

/** Fetch hls.js at low priority, and do not run it: so that it is there when it is needed. */
export function prefetchLibrary() {
  if (!hasMediaSource()) return;
  document.head.append(
    Object.assign(document.createElement("link"), { rel: "modulepreload", href: LIBRARY, fetchPriority: "low" }),
  );
}

/**
 * What plays HLS in this browser: a function (video, address, failed) -> playback. null where nothing does.
 * `native`: the browser's own player even where hls.js could play.
 */
export async function playbackOf(native = false) {
  if (hasMediaSource() && !native) {
    const library = await import(LIBRARY).catch(() => null);
    if (library?.default.isSupported()) {
      return (video, address, failed) => new LibraryPlayback(library.default, video, address, failed);
    }
  }
  const playsItself = document.createElement("video").canPlayType("application/vnd.apple.mpegurl") !== "";
  return playsItself ? (video, address, failed) => new NativePlayback(video, address, failed) : null;
}

function hasMediaSource() {
  return "MediaSource" in globalThis || "ManagedMediaSource" in globalThis;
}

class LibraryPlayback {
  advancing = false;
  bytes = 0;

  #failed;
  #hls;
  #kinds;
  #playlists = 0;
  #recoveredMs = [];
  #video;

  constructor(Hls, video, address, failed) {
    this.#failed = failed;
    this.#kinds = Hls.ErrorTypes;
    this.#video = video;
    this.#hls = new Hls({ ...CONFIGURATION, debug: new URLSearchParams(location.search).has("debug") });
    this.#hls.on(Hls.Events.ERROR, (_name, error) => this.#onError(error));
    this.#hls.on(Hls.Events.LEVEL_UPDATED, (_name, { details }) => this.#onPlaylist(details));
    this.#hls.on(Hls.Events.FRAG_LOADED, (_name, { payload }) => (this.bytes += payload.byteLength));
    this.#hls.loadSource(address);
    this.#hls.attachMedia(video);
  }

  get latencyS() {
    return this.#hls.latency || null;
  }

  get targetLatencyS() {
    return this.#hls.targetLatency;
  }

  get over() {
    return this.#hls.latestLevelDetails?.live === false;
  }

  get codec() {
    return this.#hls.loadLevelObj?.videoCodec ?? null;
  }

  close() {
    this.#failed = () => {};
    this.#hls.destroy();
  }

  /** The first playlist is an update, too; only the next one shows that the stream goes on. */
  #onPlaylist(details) {
    if (this.#playlists++ > 0 && details.advanced) this.advancing = true;
    const { liveSyncPosition, latency, targetLatency } = this.#hls;
    if (!this.#video.seeking && latency > targetLatency + SKIP_AHEAD_BEYOND_S && this.#video.readyState > 0) {
      this.#video.currentTime = liveSyncPosition;
    }
  }

  #onError({ fatal, type, response, frag }) {
    const status = response?.code ?? 0;
    // A playlist that is gone: the packager has started anew, under another address. Waiting does not bring it back.
    if (status === 404 && !frag) return this.#failed(status);
    if (!fatal) return;
    if (type === this.#kinds.MEDIA_ERROR && this.#mayRecover()) return this.#hls.recoverMediaError();
    this.#failed(status);
  }

  #mayRecover() {
    const nowMs = performance.now();
    this.#recoveredMs = this.#recoveredMs.filter((atMs) => nowMs - atMs < RECOVERIES_WITHIN_MS);
    return this.#recoveredMs.push(nowMs) <= MAX_RECOVERIES;
  }
}

class NativePlayback {
  targetLatencyS = null;
  codec = null;
  bytes = null;

  #failed;
  #firstS = 0;
  #onError = () => this.#failed(0);
  #video;

  constructor(video, address, failed) {
    this.#failed = failed;
    this.#video = video;
    video.addEventListener("error", this.#onError);
    video.src = address;
  }

  /** Chromium says of a live stream that nothing of it can be sought: then the edge is not known. */
  get latencyS() {
    const edgeS = endS(this.#video.seekable);
    return edgeS > this.#video.currentTime ? edgeS - this.#video.currentTime : null;
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
    this.#video.removeEventListener("error", this.#onError);
    this.#video.removeAttribute("src");
    this.#video.load();
  }
}

function endS(ranges) {
  return ranges.length ? ranges.end(ranges.length - 1) : 0;
}
