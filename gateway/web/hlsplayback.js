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
 * and call `received()` whenever there is more to play, and `failed(status)` when there is no going on, with the HTTP status
 * that ended it, or 0. The presentation's address holds the right to watch it: no token goes with what lies below it.
 */

/** Put there by `make setup`, from npm. */
const LIBRARY = "/web/vendor/hls.min.mjs";
/** A decoder may fail once by itself; what fails over and over is the stream, or this device. */
const MAX_RECOVERIES = 2;
const RECOVERIES_WITHIN_MS = 30000;
/** Seconds of the past that are kept in memory, as nobody can rewind, and how often the rest is thrown away. */
const BACK_BUFFER_S = 10;
const TRIM_EVERY_S = 60;
/** How the picture comes nearer to the live edge: from so much beyond the target, until so much, at a speed that is not heard. */
const CATCH_UP_BEYOND_S = 0.3;
const CATCH_UP_UNTIL_S = 0.2;
const CATCH_UP_RATE = 1.1;
/** With less than this ahead it would run into the end of what is there. */
const CATCH_UP_ABOVE_S = 0.4;
/** What lies further beyond the target is skipped: to catch up would take more than a quarter of a minute. */
const SKIP_AHEAD_BEYOND_S = 1.5;

/** Tried again soon: what is wanted now is worth nothing in a second. Picture and sound share the count, so that it is 3 s. */
const RETRY = { maxNumRetry: 30, retryDelayMs: 200, maxRetryDelayMs: 200, backoff: "linear" };
const LOAD_POLICY = { maxTimeToFirstByteMs: 10000, maxLoadTimeMs: 20000, timeoutRetry: RETRY, errorRetry: RETRY };

const CONFIGURATION = {
  lowLatencyMode: true,
  // hls.js 1.7 forgets which parts it has loaded when it trims while a part is on its way, and then stalls: see #trim.
  backBufferLength: Infinity,
  // The target is the playlist's PART-HOLD-BACK: liveSyncDuration is not set. hls.js itself catches up only with more than a
  // second ahead, which is more than the target: see #pace.
  maxLiveSyncPlaybackRate: 1,
  // Each stall adds a part's length to the target, not the default's whole second.
  liveSyncOnStallIncrease: 0.2,
  // Fragmented MP4 passes as it is: a worker would have nothing to do but copy.
  enableWorker: false,
  enableInterstitialPlayback: false,
  // There is one variant: nothing to measure before the first segment.
  testBandwidth: false,
  // A playlist without a whole segment, as it is just after the packager's start, counts as an error too.
  playlistLoadPolicy: { default: LOAD_POLICY },
  fragLoadPolicy: { default: LOAD_POLICY },
};

/** Fetch hls.js at low priority, and do not run it: so that it is there when it is needed. */
export function prefetchLibrary() {
  if (!hasMediaSource()) return;
  document.head.append(
    Object.assign(document.createElement("link"), { rel: "modulepreload", href: LIBRARY, fetchPriority: "low" }),
  );
}

/**
 * What plays HLS in this browser: a function (video, source, { failed, received }) -> playback. null where nothing does. `source` is the
 * multivariant playlist: { base, text, address }, its text with the address that its URIs are relative to, and the address
 * that needs no token.
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

/** A loader of hls.js that has the multivariant playlist already: it was fetched to see what the server says. */
function loaderWith(Loader, text) {
  return class extends Loader {
    load(context, configuration, callbacks) {
      if (context.type !== "manifest") return super.load(context, configuration, callbacks);
      const nowMs = performance.now();
      Object.assign(this.stats.loading, { start: nowMs, first: nowMs, end: nowMs });
      queueMicrotask(() => callbacks.onSuccess({ url: context.url, data: text, code: 200 }, this.stats, context, null));
    }
  };
}

class LibraryPlayback {
  advancing = false;
  bytes = 0;

  #events;
  #failed;
  #hls;
  #kinds;
  #playlists = 0;
  #recoveredMs = [];
  #trimmedS = { audio: 0, main: 0 };
  #video;

  constructor(Hls, video, { base, text }, { failed, received }) {
    this.#events = Hls.Events;
    this.#failed = failed;
    this.#kinds = Hls.ErrorTypes;
    this.#video = video;
    this.#hls = new Hls({
      ...CONFIGURATION,
      debug: new URLSearchParams(location.search).has("debug"),
      pLoader: loaderWith(Hls.DefaultConfig.loader, text),
    });
    this.#hls.on(Hls.Events.ERROR, (_name, error) => this.#onError(error));
    this.#hls.on(Hls.Events.LEVEL_UPDATED, (_name, { details }) => this.#onPlaylist(details));
    this.#hls.on(Hls.Events.FRAG_LOADED, (_name, { payload }) => (this.bytes += payload.byteLength));
    this.#hls.on(Hls.Events.FRAG_BUFFERED, (_name, { frag }) => {
      this.#trim(frag.type);
      received();
    });
    this.#hls.loadSource(base);
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
    if (this.#video.readyState > 0 && !this.#video.seeking && details.live) this.#pace();
  }

  #pace() {
    const { latency, targetLatency, liveSyncPosition } = this.#hls;
    const beyondS = latency - targetLatency;
    if (beyondS > SKIP_AHEAD_BEYOND_S) {
      this.#video.currentTime = liveSyncPosition;
      return;
    }
    const isCatchingUp = this.#video.playbackRate > 1;
    const isFar = beyondS > (isCatchingUp ? CATCH_UP_UNTIL_S : CATCH_UP_BEYOND_S);
    const rate = isFar && aheadS(this.#video) > CATCH_UP_ABOVE_S ? CATCH_UP_RATE : 1;
    if (this.#video.playbackRate !== rate) this.#video.playbackRate = rate;
  }

  /** Now, as a part has just been stored and the next is a part's length away. */
  #trim(type) {
    const { currentTime } = this.#video;
    if (!(currentTime > this.#trimmedS[type] + TRIM_EVERY_S)) return;
    this.#trimmedS[type] = currentTime;
    this.#hls.trigger(this.#events.BUFFER_FLUSHING, {
      startOffset: 0,
      endOffset: currentTime - BACK_BUFFER_S,
      type: type === "audio" ? "audio" : "video",
    });
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

/** Seconds that are there beyond the picture of now; null where it stands outside of what is there. */
export function aheadS({ buffered, currentTime }) {
  for (let range = 0; range < buffered.length; range += 1) {
    const endS = buffered.end(range);
    if (buffered.start(range) <= currentTime && currentTime <= endS) return endS - currentTime;
  }
  return null;
}

function endS(ranges) {
  return ranges.length ? ranges.end(ranges.length - 1) : 0;
}
