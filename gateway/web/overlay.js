const WEBRTC_ROWS = [
  ["Transport", () => "WebRTC"],
  ["Round trip", (f) => unit(f.rttMs, 0, "ms")],
  ["Bitrate", (f) => unit(scaled(f.bitrateBps, 1e-6), 2, "Mb/s")],
  ["Picture", pictureOf],
  ["Frame rate", (f) => unit(f.frameRate, 0, "a second")],
  ["Frames decoded", (f) => count(f.framesDecoded)],
  ["Frames dropped", (f) => count(f.framesDropped)],
  ["Freezes", (f) => occurrences(f.freezeCount, f.freezesS)],
  ["Packets lost", (f) => `${count(f.packetsLost)} of ${count(f.packetsLost + f.packetsReceived)}`],
  ["Jitter buffer", (f) => unit(f.jitterBufferMs, 0, "ms")],
  ["Delay", (f) => unit(f.captureDelayMs, 0, "ms")],
];
const HLS_ROWS = [
  ["Transport", () => "Low-latency HLS"],
  ["Behind the live edge", (f) => unit(scaled(f.latencyMs, 1e-3), 2, "s")],
  ["Aimed at", (f) => unit(scaled(f.targetLatencyMs, 1e-3), 2, "s")],
  ["Buffer", (f) => unit(scaled(f.bufferMs, 1e-3), 2, "s")],
  ["Stalls", (f) => occurrences(f.stallCount, f.stallsS)],
  ["Bitrate", (f) => unit(scaled(f.bitrateBps, 1e-6), 2, "Mb/s")],
  ["Picture", pictureOf],
  ["Frame rate", (f) => unit(f.frameRate, 0, "a second")],
  ["Frames decoded", (f) => count(f.framesDecoded)],
  ["Frames dropped", (f) => count(f.framesDropped)],
  ["Playback rate", (f) => `${f.playbackRate.toFixed(2)}×`],
];
const SIGNAL_ROWS = [
  ["Bet signals", ({ carrier }) => ({ data_channel: "data channel", websocket: "WebSocket" })[carrier] ?? "none"],
  ["Their round trip", (f) => unit(f.signalRttMs, 1, "ms")],
];
const EDGE_ROW = ["Comes from", ({ edge, moves }) => `${new URL(edge).host}${moves > 0 ? ` (move ${moves})` : ""}`];
const TIMECODE_ROW = ["Delay (time code)", (f) => unit(f.timecodeDelayMs, 0, "ms")];

/** Shows figures as a list of terms in `list`, a `dl` element: those of FigureReader, or of HlsFigureReader. */
export class Overlay {
  #list;

  constructor(list) {
    this.#list = list;
  }

  /** `transport`: "webrtc" or "hls", which one the figures are of; with them `carrier` and `signalRttMs` of the signals, and `edge` and `moves`. */
  show(figures, transport) {
    const rows = [...(transport === "hls" ? HLS_ROWS : WEBRTC_ROWS), ...SIGNAL_ROWS, EDGE_ROW];
    const all = figures.timecodeDelayMs === null ? rows : [...rows, TIMECODE_ROW];
    this.#list.replaceChildren(...all.map(([term, text]) => row(term, text(figures))));
  }
}

function row(term, text) {
  const group = document.createElement("div");
  group.append(
    Object.assign(document.createElement("dt"), { textContent: term }),
    Object.assign(document.createElement("dd"), { textContent: text }),
  );
  return group;
}

function pictureOf({ width, height, codec }) {
  return width ? `${width}×${height} ${codec ?? ""}`.trim() : "—";
}

function occurrences(times, durationS) {
  if (times === null) return "—";
  return times === 0 ? "none" : `${count(times)}, ${durationS.toFixed(1)} s in all`;
}

function unit(value, digits, name) {
  return value === null ? "—" : `${value.toFixed(digits)} ${name}`;
}

function scaled(value, factor) {
  return value === null ? null : value * factor;
}

function count(value) {
  return value.toLocaleString("en");
}
