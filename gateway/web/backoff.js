/** Growing pauses between attempts, spread so that a thousand pages do not come back in the same instant. */
export class Backoff {
  #attempts = 0;
  #firstMs;
  #longestMs;
  #share;

  /** `share`: of a pause, by which it may be shorter or longer. */
  constructor(firstMs = 1000, longestMs = 15000, share = 0.2) {
    this.#firstMs = firstMs;
    this.#longestMs = longestMs;
    this.#share = share;
  }

  /** The pause before the next attempt, in ms: it doubles each time, give or take the share. */
  nextMs() {
    const pauseMs = Math.min(this.#firstMs * 2 ** this.#attempts, this.#longestMs);
    this.#attempts += 1;
    return spread(pauseMs, 1 - this.#share, 1 + this.#share);
  }

  /** Start over: the last attempt was a success. */
  reset() {
    this.#attempts = 0;
  }
}

/** A pause that the server asked for: never shorter, at most a quarter longer. */
export function atLeast(pauseMs) {
  return spread(pauseMs, 1, 1.25);
}

function spread(pauseMs, least, most) {
  return Math.round(pauseMs * (least + Math.random() * (most - least)));
}
