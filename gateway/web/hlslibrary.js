import { alternateEdge } from "./edges.js";
import { aheadS } from "./ranges.js";

/** A decoder may fail once by itself; what fails over and over is the stream, or this device. */
const MAX_RECOVERIES = 2;
const RECOVERIES_WITHIN_MS = 30000;
/** Seconds of the past that are kept in memory, as nobody can rewind, and how often the rest is thrown away. */
const BACK_BUFFER_S = 10;
const TRIM_EVERY_S = 60;
/** Catching up: from so much beyond the target until so much, at a speed that is not heard. */
const CATCH_UP_BEYOND_S = 0.3;
const CATCH_UP_UNTIL_S = 0.2;
const CATCH_UP_RATE = 1.1;
/** With less than this ahead it would run into the end of what is there. */
const CATCH_UP_ABOVE_S = 0.4;
/** What lies further beyond the target is skipped: to catch up would take more than a quarter of a minute. */
const SKIP_AHEAD_BEYOND_S = 1.5;

/** Tried again soon: what is wanted now is worth nothing in a second. Picture and sound share the count: 3 s in all. */
const RETRY = { maxNumRetry: 30, retryDelayMs: 200, maxRetryDelayMs: 200, backoff: "linear" };
const LOAD_POLICY = { maxTimeToFirstByteMs: 10000, maxLoadTimeMs: 20000, timeoutRetry: RETRY, errorRetry: RETRY };

const CONFIGURATION = {
  lowLatencyMode: true,
  // hls.js 1.7 forgets which parts it has loaded when it trims while a part is on its way, and then stalls: see #trim.
  backBufferLength: Infinity,
  // The target is the playlist's PART-HOLD-BACK: liveSyncDuration is not set. hls.js itself catches up only with more than
  // a second ahead, which is more than the target: see #pace.
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

/**
 * A loader of hls.js that has the multivariant playlist already: it was fetched to see what the server says. Of others it
 * tells which edge a 503 names, and asks again all the same: hls.js tells of the last one only, seconds later.
 */
function loaderWith(Loader, text, sentTo) {
  return class extends Loader {
    load(context, configuration, callbacks) {
      if (context.type !== "manifest") return super.load(context, this.#telling(configuration), callbacks);
      const nowMs = performance.now();
      Object.assign(this.stats.loading, { start: nowMs, first: nowMs, end: nowMs });
      queueMicrotask(() => callbacks.onSuccess({ url: context.url, data: text, code: 200 }, this.stats, context, null));
    }

    #telling(configuration) {
      const { loadPolicy } = configuration;
      const shouldRetry = (_policy, _retries, _isTimeout, response, isAdvised) => {
        if (response?.code === 503) this.#tell(this.getNetworkDetails());
        return isAdvised;
      };
      return { ...configuration, loadPolicy: { ...loadPolicy, errorRetry: { ...loadPolicy.errorRetry, shouldRetry } } };
    }

    #tell(request) {
      const edge = alternateEdge(request.getResponseHeader("Link"), request.responseURL);
      if (edge !== null) sentTo(edge);
    }
  };
}

/** Plays by hls.js: see hlsplayback.js. */
export class LibraryPlayback {
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

  constructor(Hls, video, { base, text }, { attached, failed, received, sentTo }) {
    this.#events = Hls.Events;
    this.#failed = failed;
    this.#kinds = Hls.ErrorTypes;
    this.#video = video;
    this.#hls = new Hls({
      ...CONFIGURATION,
      debug: new URLSearchParams(location.search).has("debug"),
      pLoader: loaderWith(Hls.DefaultConfig.loader, text, sentTo),
    });
    this.#hls.on(Hls.Events.ERROR, (_name, error) => this.#onError(error));
    this.#hls.on(Hls.Events.MEDIA_ATTACHED, () => attached());
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

  get playingUnixMs() {
    return this.#hls.playingDate?.getTime() ?? null;
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
    if (type === this.#kinds.MEDIA_ERROR && this.#mayRecover()) return this.#recover();
    this.#failed(status);
  }

  /** What is fatal makes hls.js load no more, playlists neither. */
  #recover() {
    this.#hls.recoverMediaError();
    this.#hls.startLoad();
  }

  #mayRecover() {
    const nowMs = performance.now();
    this.#recoveredMs = this.#recoveredMs.filter((atMs) => nowMs - atMs < RECOVERIES_WITHIN_MS);
    return this.#recoveredMs.push(nowMs) <= MAX_RECOVERIES;
  }
}
