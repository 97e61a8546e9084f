/** Growing pauses between attempts, spread so that a thousand pages do not come back in the same instant. */
export class Backoff {
  #attempts = 0;
  #firstMs;
  #longestMs;

  constructor(firstMs = 1000, longestMs = 15000) {
    this.#firstMs = firstMs;
    this.#longestMs = longestMs;
  }

  /** The pause before the next attempt, in ms: it doubles each time, give or take a fifth. */
  nextMs() {
    const pauseMs = Math.min(this.#firstMs * 2 ** this.#attempts, this.#longestMs);
    this.#attempts += 1;
    return spread(pauseMs, 0.8, 1.2);
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
