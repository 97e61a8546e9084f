import { Backoff } from "./backoff.js";
import { HlsClient } from "./llhls.js";
import { atNextFrame } from "./stage.js";
import { WhepClient } from "./whep.js";

/** Not live so long after an attempt began: LL-HLS starts beside it. Where nobody packages yet that takes two seconds. */
const FALL_BACK_AFTER_MS = 700;
/** From the start of an attempt beside HLS to an ICE path: where there is one, it is found in a few round trips. */
const PATH_WITHIN_MS = 2000;
/** WebRTC that stayed so long is worth a quick try, should it fail again. */
const STEADY_AFTER_MS = 30000;
/** What the server will answer by HLS no differently: no token, the wrong one, no such stream. */
const FINAL_STATUSES = [401, 403, 404];

/**
 * Watches one stream at one edge by WebRTC, and by LL-HLS where that does not get through, and goes back when it does again.
 *
 *     WebRTC leads --not live in 0.7 s, failed, refused (not 401, 403, 404), frozen for 2 s--> HLS starts beside it
 *         ^                                             whichever is live first is shown; WebRTC wins and ends HLS
 *         |                                                                  |
 *         |-- frames for 2 s: shown, HLS ends -- HLS leads: WebRTC is tried after 5 s, 10 s ... 60 s
 *         `-- HLS frozen, failed, ended ---------------------'
 *
 * What 1,000 players on HLS cost the gateway: a try is a POST and a DELETE (2.2 ms of CPU; no DTLS begins without a path)
 * and a half-open session for PATH_WITHIN_MS. All cut off in the same instant they come back over 5 s, as pauses vary by
 * half: 200 tries a second, 44 % of a core, 400 half-open sessions (the gateway admits 500). From the fifth try on it is
 * 17 a second, 4 % of a core, 34 half-open.
 *
 * Events: "state" after each change of what the getters say; "play" (with `video`) when a video has something to play.
 */
export class Player extends EventTarget {
  /** Where it plays from: an origin. */
  edge;
  /** The two clients: a page may read them, the player leads them. */
  whep;
  hls;

  #away = new Backoff(5000, 60000, 0.5);
  #cancelFrame = () => {};
  #framed = false;
  #only;
  #layers;
  /** Timers by what they wait for; null where none runs. */
  #timers = { fallBack: null, path: null, pause: null, steady: null };

  /**
   * `layers`: of a Stage, for this player alone; `only`: "webrtc", "hls" or "native" (HLS by the browser's own player), or ""
   * for the best.
   */
  constructor(edge, stream, token, layers, only = "") {
    super();
    this.edge = edge;
    this.#layers = layers;
    this.#only = only;
    const name = encodeURIComponent(stream);
    this.whep = new WhepClient(`${edge}/whep/${name}`, token);
    this.hls = new HlsClient(`${edge}/hls/${name}/index.m3u8`, token, layers.videos.hls, only === "native");
    this.whep.addEventListener("stream", () => this.#onWebrtcStream());
    this.whep.addEventListener("state", () => this.#onWebrtcState());
    this.hls.addEventListener("stream", () => layers.keep("hls"));
    this.hls.addEventListener("play", () => this.#play("hls"));
    this.hls.addEventListener("state", () => this.#onHlsState());
  }

  /** "webrtc" or "hls": which one the state is about. */
  get transport() {
    return this.#leader === this.hls ? "hls" : "webrtc";
  }

  /** As WhepClient's: idle, connecting, live, frozen, waiting, retrying, refused. */
  get state() {
    return this.isChanging && this.#leader.state !== "frozen" ? "connecting" : this.#leader.state;
  }

  get sentence() {
    return this.isChanging ? "WebRTC does not get through. Changing to HLS." : this.#leader.sentence;
  }

  get retryAtMs() {
    return this.#leader.retryAtMs;
  }

  /** The edge that this one names instead of itself, with retrying, or while it plays what is left; else null. */
  get alternate() {
    return ["live", "retrying"].includes(this.state) ? this.#leader.alternate : null;
  }

  /** Whether there is a picture to look at, be it a still one. */
  get hasPicture() {
    return ["live", "frozen"].includes(this.state);
  }

  /** Whether it is live, and a frame of it is there to be seen. */
  get isShown() {
    return this.state === "live" && this.#layers.shown === this.transport;
  }

  /** Whether the picture is on its way from WebRTC to HLS. */
  get isChanging() {
    return this.#leader === this.whep && this.whep.state !== "live" && this.hls.state === "connecting";
  }

  /** Begin to watch. */
  join() {
    if (this.#isHlsForced) this.hls.join();
    else this.whep.join();
  }

  /** Try now what would be tried later. */
  retryNow() {
    if (this.#timers.pause !== null) this.#tryWebrtc();
    this.whep.retryNow();
    this.hls.retryNow();
  }

  /** Stop watching, and tell the server so; fit for a page that is being closed. */
  leave() {
    for (const timer of Object.keys(this.#timers)) this.#clear(timer);
    this.#cancelFrame();
    this.whep.leave();
    this.hls.leave();
  }

  get #isHlsForced() {
    return ["hls", "native"].includes(this.#only);
  }

  /** WebRTC as soon as it has a frame to show; a page in the background presents none. */
  get #isWebrtcReady() {
    return this.whep.state === "live" && (this.#framed || this.whep.hasNoVideo || document.hidden);
  }

  get #leader() {
    if (this.#isHlsForced) return this.hls;
    return !this.#isWebrtcReady && ["live", "frozen"].includes(this.hls.state) ? this.hls : this.whep;
  }

  #onWebrtcStream() {
    this.#layers.keep("webrtc");
    this.#cancelFrame();
    this.#framed = false;
    // A video that waits for its first frame holds up the page's load event, for ever where none comes.
    if (document.readyState === "complete") return this.#attachWebrtc();
    addEventListener("load", () => this.#attachWebrtc(), { once: true });
    const { peer } = this.whep;
    peer.addEventListener("iceconnectionstatechange", () => hasPath(peer) && this.#attachWebrtc());
  }

  #attachWebrtc() {
    const video = this.#layers.videos.webrtc;
    if (this.whep.peer === null || video.srcObject === this.whep.mediaStream) return;
    video.srcObject = this.whep.mediaStream;
    this.#lookAtNextFrame();
    this.#play("webrtc");
  }

  #lookAtNextFrame() {
    this.#cancelFrame();
    this.#cancelFrame = atNextFrame(this.#layers.videos.webrtc, () => {
      this.#framed = true;
      this.whep.look();
      this.#settle();
    });
  }

  #onWebrtcState() {
    const { state } = this.whep;
    if (state !== "live") this.#clear("steady");
    // A picture that goes on, as most do while ICE restarts, must say so before HLS is there to take its place.
    if (state === "frozen") this.#lookAtNextFrame();
    if (state === "live" || state === "idle") this.#clear("fallBack");
    else if (this.hls.state === "live") this.#onTry(state);
    else this.#onAttempt(state);
    this.#settle();
  }

  /** WebRTC beside HLS that plays: what does not come is tried again later. */
  #onTry(state) {
    if (state !== "connecting") this.#pauseWebrtc();
  }

  /** WebRTC leads: where it does not get through, HLS starts. */
  #onAttempt(state) {
    if (state === "connecting") {
      this.#timers.fallBack ??= setTimeout(() => this.#startHls(), FALL_BACK_AFTER_MS);
      return;
    }
    this.#clear("fallBack");
    const isFinal = state === "refused" && FINAL_STATUSES.includes(this.whep.status);
    if (state === "waiting" || isFinal) this.hls.leave();
    else this.#startHls();
  }

  #onHlsState() {
    if (this.hls.state === "idle") return this.#changed();
    if (this.hls.state === "live") this.#onHlsLive();
    // What was left for later is wanted now.
    else if (this.#timers.pause !== null) this.#tryWebrtc();
    this.#settle();
  }

  #onHlsLive() {
    this.#clear("fallBack");
    if (this.#isHlsForced || this.whep.state === "live") return;
    if (this.whep.state === "connecting") this.#limitTry();
    else this.#pauseWebrtc();
  }

  #startHls() {
    this.#clear("fallBack");
    if (this.#only === "webrtc") return;
    if (this.hls.state === "idle") this.hls.join();
    else if (this.hls.state === "refused") this.hls.retryNow();
  }

  #tryWebrtc() {
    this.#clear("pause");
    this.whep.join(true);
    this.#limitTry();
  }

  /** An attempt without a path holds a place at the gateway that somebody else could use. */
  #limitTry() {
    this.#clear("path");
    this.#timers.path = setTimeout(() => {
      if (this.hls.state === "live" && this.whep.state === "connecting" && !hasPath(this.whep.peer)) this.#pauseWebrtc();
    }, PATH_WITHIN_MS);
  }

  #pauseWebrtc() {
    this.#clear("path");
    this.#clear("pause");
    this.#timers.pause = setTimeout(() => this.#tryWebrtc(), this.#away.nextMs());
    this.whep.leave();
  }

  /** Show what is there to be shown. */
  #settle() {
    if (this.#isWebrtcReady) {
      this.#layers.show("webrtc");
      this.#clear("path");
      this.#timers.steady ??= setTimeout(() => this.#away.reset(), STEADY_AFTER_MS);
      this.hls.leave();
    } else if (this.hls.state === "live") {
      this.#layers.show("hls");
    }
    this.#changed();
  }

  #play(transport) {
    this.dispatchEvent(Object.assign(new Event("play"), { video: this.#layers.videos[transport] }));
  }

  #changed() {
    this.dispatchEvent(new Event("state"));
  }

  #clear(timer) {
    clearTimeout(this.#timers[timer]);
    this.#timers[timer] = null;
  }
}

function hasPath(peer) {
  return ["connected", "completed"].includes(peer?.iceConnectionState);
}
