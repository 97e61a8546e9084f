const ROWS = [
  ["Round trip", (f) => unit(f.rttMs, 0, "ms")],
  ["Bitrate", (f) => unit(scaled(f.bitrateBps, 1e-6), 2, "Mb/s")],
  ["Picture", (f) => (f.width ? `${f.width}×${f.height} ${f.codec ?? ""}`.trim() : "—")],
  ["Frame rate", (f) => unit(f.frameRate, 0, "a second")],
  ["Frames decoded", (f) => count(f.framesDecoded)],
  ["Frames dropped", (f) => count(f.framesDropped)],
  ["Freezes", freezes],
  ["Packets lost", (f) => `${count(f.packetsLost)} of ${count(f.packetsLost + f.packetsReceived)}`],
  ["Jitter buffer", (f) => unit(f.jitterBufferMs, 0, "ms")],
  ["Delay", (f) => unit(f.captureDelayMs, 0, "ms")],
];
const TIMECODE_ROW = ["Delay (time code)", (f) => unit(f.timecodeDelayMs, 0, "ms")];

/** Shows a FigureReader's figures as a list of terms in `list`, a `dl` element. */
export class Overlay {
  #list;

  constructor(list) {
    this.#list = list;
  }

  show(figures) {
    const rows = figures.timecodeDelayMs === null ? ROWS : [...ROWS, TIMECODE_ROW];
    this.#list.replaceChildren(...rows.map(([term, text]) => row(term, text(figures))));
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

function freezes({ freezeCount, freezesS }) {
  if (freezeCount === null) return "—";
  return freezeCount === 0 ? "none" : `${count(freezeCount)}, ${freezesS.toFixed(1)} s in all`;
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
