import { Backoff, atLeast } from "./backoff.js";
import { playbackOf } from "./hlsplayback.js";
import { aheadS } from "./ranges.js";
import { Refusal, authorization, refusal } from "./signalling.js";
import { atNextFrame } from "./stage.js";
import { Stalls } from "./stalls.js";

/** Without progress for this long the picture counts as frozen: a player that waits for a late part is done sooner. */
const FROZEN_AFTER_MS = 2000;
/** Frozen for as long again and again: load the presentation anew. */
const ANEW_AFTER_MS = 8000;
/** From the request to the first frame: longer means that this browser cannot play it. */
const FIRST_FRAME_WITHIN_MS = 8000;
const LOOK_EVERY_MS = 250;
/** Begin with so much there: with less, the picture stops again at once. */
const BEGIN_WITH_S = 0.4;
const ANSWER_WITHIN_MS = 10000;

/**
 * Plays one stream by Low-Latency HLS in a video element, and goes on trying until `leave`. Its states are WhepClient's:
 *
 *     connecting --first frame, and the playlist grows--> live --no progress--> frozen --progress--> live
 *         |  \                                                                    | 8 s
 *         |   `--404 + Retry-After, the stream has ended--> waiting               v
 *         |--401, 403, 404, 406, nothing plays HLS here--> refused             connecting
 *         `--no server, 5xx, a failure while it plays--> retrying --pause--> connecting
 *
 * Events: "state" after each change of `state`; "play" when there is something to play; "stream" before the video loses
 * what it shows.
 */
export class HlsClient extends EventTarget {
  /** One of idle, connecting, live, frozen, waiting, retrying, refused. */
  state = "idle";
  /** The server's sentence with waiting, retrying and refused; else "". */
  sentence = "";
  /** When the next attempt is made (Date.now() clock), with waiting and retrying; else null. */
  retryAtMs = null;
  /** The edge to go to, which the server named with its no, with retrying, or while the rest of it plays; else null. */
  alternate = null;
  /** What plays: see hlsplayback.js. null before the presentation's address is known. */
  playback = null;
  /** How often, and how long, the picture waited for data since `join`. */
  stalls = null;

  #abort = new AbortController();
  #backoff = new Backoff();
  #begun = false;
  #cancelFrame = () => {};
  #endpoint;
  #lookTimer = 0;
  #native;
  #positionS = 0;
  #progressMs = 0;
  #retryTimer = 0;
  #shown = false;
  #token;
  #video;

  /** `native`: by the browser's own player, even where hls.js could play. */
  constructor(endpoint, token, video, native = false) {
    super();
    this.#endpoint = endpoint;
    this.#token = token;
    this.#video = video;
    this.#native = native;
  }

  /** The attempt of now, or else the last one: another object with each. */
  get attempt() {
    return this.#abort;
  }

  /** Begin to play. */
  join() {
    this.leave();
    this.stalls = new Stalls(this.#video);
    this.#lookTimer = setInterval(() => this.#look(), LOOK_EVERY_MS);
    this.#attempt();
  }

  /** Do not wait for the end of the pause: somebody asked, or the network is back. */
  retryNow() {
    if (["waiting", "retrying", "refused"].includes(this.state)) this.#attempt();
  }

  /** Stop playing. */
  leave() {
    if (this.state === "idle") return;
    this.#stop();
    clearInterval(this.#lookTimer);
    this.stalls.close();
    this.#enter("idle");
  }

  async #attempt(state = "connecting") {
    this.#stop();
    this.alternate = null;
    this.#progressMs = performance.now();
    const { signal } = (this.#abort = new AbortController());
    this.#enter(state);
    if (signal.aborted) return;
    try {
      const [source, playback] = await Promise.all([this.#source(signal), playbackOf(this.#native)]);
      if (signal.aborted) return;
      if (playback === null) return this.#refuse("Neither this browser nor this gateway's pages can play HLS here.");
      if (this.state === "waiting") this.#enter("connecting");
      if (!signal.aborted) this.#play(source, playback);
    } catch (error) {
      if (!signal.aborted) this.#failed(error);
    }
  }

  /** The multivariant playlist. The address that it names is the right to watch: only here is the token shown. */
  async #source(signal) {
    const response = await fetch(this.#endpoint, {
      headers: authorization(this.#token),
      cache: "no-store",
      signal,
    });
    if (!response.ok) throw await refusal(response);
    const address = new URL(response.headers.get("Content-Location") ?? "", response.url).href;
    return { base: response.url, text: await response.text(), address };
  }

  #play(source, playback) {
    this.#progressMs = performance.now();
    this.playback = playback(this.#video, source, {
      attached: () => this.#attached(),
      failed: (status) => this.#playbackFailed(status),
      received: () => this.#begin(),
      sentTo: (edge) => this.#sentTo(edge),
    });
    this.#awaitFrame();
  }

  /** Another source pauses an element, and no event says so (HTML, media element load algorithm): begin anew. */
  #attached() {
    if (!this.#begun) return;
    this.#begun = this.#shown = false;
    this.#cancelFrame();
    this.#awaitFrame();
    if (this.state === "live") this.#enter("frozen");
  }

  /** A refusal to start is the page's affair: it knows whether to ask for a tap. */
  #begin() {
    if (this.#begun || !(aheadS(this.#video) >= BEGIN_WITH_S)) return;
    this.#begun = true;
    this.dispatchEvent(new Event("play"));
  }

  #awaitFrame() {
    this.#cancelFrame = atNextFrame(this.#video, () => {
      this.#shown = true;
      this.#look();
      if (this.state === "connecting") this.#awaitFrame();
    });
  }

  #playbackFailed(status) {
    if (status === 404 && this.state !== "connecting") return this.#attempt();
    this.#retry("retrying", "", this.#backoff.nextMs());
  }

  /** Servers name edges by turns, with each no: the first one counts. */
  #sentTo(edge) {
    if (this.alternate !== null) return;
    this.alternate = edge;
    this.#enter(this.state);
  }

  #look() {
    if (this.playback === null) return this.#lookForAnswer();
    const nowMs = performance.now();
    const { currentTime } = this.#video;
    const progressed = currentTime !== this.#positionS;
    this.#positionS = currentTime;
    const isPaused = this.#shown && this.#video.paused && !this.#video.ended;
    // What a page in the background does not play is not frozen, and what a browser has paused waits for a tap.
    if (progressed || document.hidden || isPaused) this.#progressMs = nowMs;
    const stillMs = nowMs - this.#progressMs;
    if (this.playback.over && stillMs > 2 * LOOK_EVERY_MS) this.#retry("waiting", "", this.#backoff.nextMs());
    else if (this.state !== "live") this.#lookForLife(progressed, stillMs);
    else if (stillMs > FROZEN_AFTER_MS) this.#enter("frozen");
  }

  #lookForAnswer() {
    const isOwed = this.#retryTimer === 0 && ["connecting", "waiting"].includes(this.state);
    if (isOwed && performance.now() - this.#progressMs > ANSWER_WITHIN_MS) this.#failed(new Error("no answer"));
  }

  #lookForLife(progressed, stillMs) {
    const isFrozen = this.state === "frozen";
    // hls.js jumps to where it begins: a video on the jump has nothing to show.
    const { paused, readyState, seeking } = this.#video;
    const plays = this.#shown && !paused && !seeking && readyState >= HTMLMediaElement.HAVE_CURRENT_DATA;
    if (plays && this.playback.advancing && (progressed || !isFrozen)) {
      this.#backoff.reset();
      this.#enter("live");
    } else if (stillMs > (isFrozen ? ANEW_AFTER_MS : FIRST_FRAME_WITHIN_MS)) {
      this.#retry("retrying", "", this.#backoff.nextMs());
    }
  }

  #failed(error) {
    this.alternate = error.alternate ?? null;
    if (!(error instanceof Refusal)) this.#retry("retrying", "", this.#backoff.nextMs());
    else if (error.isWithoutPublisher) this.#retry("waiting", error.message, atLeast(error.pauseMs));
    else if (error.isPassing) this.#retry("retrying", error.message, atLeast(error.pauseMs));
    else this.#refuse(error.message);
  }

  #refuse(sentence) {
    this.#stop();
    this.#enter("refused", sentence);
  }

  #retry(state, sentence, pauseMs) {
    this.#stop();
    this.#retryTimer = setTimeout(() => this.#attempt(state === "waiting" ? "waiting" : "connecting"), pauseMs);
    this.#enter(state, sentence, Date.now() + pauseMs);
  }

  #stop() {
    this.#abort.abort();
    this.#cancelFrame();
    clearTimeout(this.#retryTimer);
    this.#retryTimer = 0;
    this.#begun = this.#shown = false;
    if (this.playback === null) return;
    this.dispatchEvent(new Event("stream"));
    this.playback.close();
    this.playback = null;
  }

  #enter(state, sentence = "", retryAtMs = null) {
    Object.assign(this, { state, sentence, retryAtMs });
    this.dispatchEvent(new Event("state"));
  }
}
