/**
 * Makes reports for the gateway of what the readers of figures.js and hlsfigures.js read: what was counted since the report
 * before, and what is so now.
 */
export class Reporter {
  #before = null;

  /** The report since the call before; null at the first one, and after a new connection or another transport. */
  take(transport, figures) {
    const sample = { transport, atMs: performance.now(), ...COUNTS[transport](figures) };
    const before = this.#before;
    this.#before = sample;
    if (before?.transport !== transport || sample.framesDecoded < before.framesDecoded) return null;
    const since = (name) => Math.max(0, sample[name] - before[name]);
    return {
      protocol: transport,
      intervalMs: Math.round(sample.atMs - before.atMs),
      framesDecoded: since("framesDecoded"),
      framesDropped: since("framesDropped"),
      freezeCount: since("freezes"),
      freezesMs: Math.round(since("frozenMs")),
      packetsReceived: sample.packetsReceived === null ? null : since("packetsReceived"),
      packetsLost: sample.packetsLost === null ? null : since("packetsLost"),
      ...NOW[transport](figures),
    };
  }
}

const COUNTS = {
  webrtc: (figures) => ({
    framesDecoded: figures.framesDecoded,
    framesDropped: figures.framesDropped,
    freezes: figures.freezeCount ?? 0,
    frozenMs: (figures.freezesS ?? 0) * 1000,
    packetsReceived: figures.packetsReceived,
    packetsLost: Math.max(0, figures.packetsLost),
  }),
  hls: (figures) => ({
    framesDecoded: figures.framesDecoded,
    framesDropped: figures.framesDropped,
    freezes: figures.stallCount,
    frozenMs: figures.stallsS * 1000,
    packetsReceived: null,
    packetsLost: null,
  }),
};

const NOW = {
  webrtc: (figures) => ({
    jitterBufferMs: figures.jitterBufferMs,
    rttMs: figures.rttMs,
    delayMs: atLeastZero(figures.captureDelayMs),
  }),
  hls: (figures) => ({ jitterBufferMs: figures.bufferMs, rttMs: null, delayMs: atLeastZero(figures.latencyMs) }),
};

/** Clocks of two machines differ: a delay below zero is none that was measured. */
function atLeastZero(value) {
  return value === null || value < 0 ? null : value;
}
