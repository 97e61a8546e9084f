/** A shorter wait is not seen: the frame before it stays hardly longer than any other. */
const LEAST_MS = 50;

/** Counts how often a playing video ran out of data, and for how long. */
export class Stalls {
  #count = 0;
  #listeners = { waiting: () => this.#begin(), playing: () => this.#end(true), pause: () => this.#end(this.#played) };
  #played = false;
  #sinceMs = null;
  #totalMs = 0;
  #video;

  constructor(video) {
    this.#video = video;
    for (const [name, listener] of Object.entries(this.#listeners)) video.addEventListener(name, listener);
  }

  /** How many, that of now included. */
  get count() {
    return this.#count + (this.#ofNowMs > 0 ? 1 : 0);
  }

  /** Seconds in all, those of now included. */
  get durationS() {
    return (this.#totalMs + this.#ofNowMs) / 1000;
  }

  close() {
    this.#end(false);
    for (const [name, listener] of Object.entries(this.#listeners)) this.#video.removeEventListener(name, listener);
  }

  get #ofNowMs() {
    const sinceMs = this.#sinceMs === null ? 0 : performance.now() - this.#sinceMs;
    return sinceMs < LEAST_MS ? 0 : sinceMs;
  }

  /** Waiting before the first frame, and for the target of a jump, is no stall. */
  #begin() {
    if (this.#played && !this.#video.seeking) this.#sinceMs ??= performance.now();
  }

  #end(played) {
    const ofNowMs = this.#ofNowMs;
    if (ofNowMs > 0) this.#count += 1;
    this.#totalMs += ofNowMs;
    this.#sinceMs = null;
    this.#played = played;
  }
}
