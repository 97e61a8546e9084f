/** By then the frame was missed, or does not come: what waits for it is told all the same. */
const WITHIN_MS = { webrtc: 1000, hls: 6000 };
const LOOK_EVERY_MS = 200;

/**
 * Calls back when the picture on the screen has come to a place on the media's timeline: so that "no more bets" is said
 * with the frame at which it was so at the table, however far this player is behind.
 *
 * A place is { unixMs, rtpTimestamp }, as signals name it: by WebRTC each frame says its RTP timestamp, by HLS the
 * playlist's EXT-X-PROGRAM-DATE-TIME says what time the picture is of.
 */
export class FrameClock {
  #player;
  #rtpTimestamp = null;
  #stage;
  #waiting = [];

  /** `player`: what plays on `stage`, a Stage. */
  constructor(player, stage) {
    this.#player = player;
    this.#stage = stage;
    for (const video of stage.videos) this.#follow(video);
    setInterval(() => this.#look(), LOOK_EVERY_MS);
  }

  /** Call `then` when `at` is on the screen; calls come in the order in which they were asked for. */
  when(at, then) {
    this.#waiting.push({ at, then, sinceMs: performance.now() });
    this.#look();
  }

  #follow(video) {
    video.requestVideoFrameCallback?.((_now, { rtpTimestamp }) => {
      // Each edge has a timeline of its own: only that of the picture on top counts.
      if (video === this.#stage.front.videos.webrtc) this.#rtpTimestamp = rtpTimestamp ?? null;
      this.#look();
      this.#follow(video);
    });
  }

  #look() {
    while (this.#waiting.length > 0 && this.#isDue(this.#waiting[0])) this.#waiting.shift().then();
  }

  #isDue({ at, sinceMs }) {
    const { transport } = this.#player;
    if (performance.now() - sinceMs > WITHIN_MS[transport]) return true;
    return transport === "webrtc" ? this.#isShown(at.rtpTimestamp) : this.#isPlayed(at.unixMs);
  }

  #isShown(rtpTimestamp) {
    if (rtpTimestamp === null) return true;
    // 32 bits that wrap: the difference is signed.
    return this.#rtpTimestamp !== null && ((this.#rtpTimestamp - rtpTimestamp) | 0) >= 0;
  }

  #isPlayed(unixMs) {
    const { playback } = this.#player.hls;
    if (playback === null) return false;
    return playback.playingUnixMs !== null && playback.playingUnixMs >= unixMs;
  }
}
