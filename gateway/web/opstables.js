import { bitrateWords } from "./page.js";
import { roundWords } from "./roundwords.js";

const TERMS = {
  signal_rtt: "Round trip of bet signals",
  frames_dropped: "Frames dropped",
  frozen: "Time with a frozen picture",
  freezes: "Freezes",
  packets_lost: "Packets lost",
  rounds_aborted: "Rounds aborted",
};
const LEGS = { ingest: "Studio to gateway", egress: "Gateway", player: "Player" };

/** A score's words, good from 80 on and bad below 60, as ITU-T G.109 has it of its scale. */
export function scoreTone(score) {
  if (score === null) return "";
  if (score >= 80) return "good";
  return score >= 60 ? "fair" : "bad";
}

export function scoreWords(score) {
  return score === null ? "—" : score.toFixed(0);
}

/** All tables, one a row; `selected` is the one that is shown below, `select` is called with the name of another. */
export function tablesOf(streams, selected, select) {
  const head = ["Table", "State", "QoS", "Round trip p50", "p95", "p99", "Dropped: ingest", "gateway", "player", "WebRTC", "HLS", "Bitrate", "Round"];
  return table(head, [0, 1, 12], streams.map((stream) => tableRow(stream, selected, select)));
}

function tableRow(stream, selected, select) {
  const window = stream.qos?.windows["1m"] ?? null;
  const rtt = window?.measured.rtt;
  const button = Object.assign(document.createElement("button"), {
    className: "row-button",
    type: "button",
    textContent: stream.stream,
    ariaPressed: String(stream.stream === selected),
    onclick: () => select(stream.stream),
  });
  const score = window?.score ?? null;
  return [
    button,
    stream.state,
    toned(scoreWords(score), scoreTone(score)),
    ms(rtt?.p50_ms),
    ms(rtt?.p95_ms),
    ms(rtt?.p99_ms),
    ...["ingest", "egress", "player"].map((leg) => share(window?.measured.frames[leg].dropped_share)),
    String(stream.viewers_by_protocol.webrtc),
    String(stream.viewers_by_protocol.hls),
    bitrateWords(stream.bitrate_bps ?? 0),
    stream.rounds.open.length ? roundWords(pageRound(stream.rounds.open[0])) : "none",
  ];
}

/** What each term of the score measured and cost. */
export function termsOf(window) {
  const rows = (window?.terms ?? []).map(({ term, value, unit, lost, points }) => [
    TERMS[term] ?? term,
    valueWords(value, unit),
    toned(lost === 0 ? "none" : lost.toFixed(1), lost === 0 ? "" : "bad"),
    String(points),
  ]);
  return table(["Term", "Measured", "Points lost", "At most"], [0], rows);
}

/** Frames dropped, by leg and reason; those without any are left out. */
export function dropsOf(framesDropped) {
  const rows = Object.entries(framesDropped).flatMap(([leg, reasons]) =>
    Object.entries(reasons)
      .filter(([, count]) => count > 0)
      .map(([reason, count]) => [LEGS[leg] ?? leg, reason.replaceAll("_", " "), count.toLocaleString("en")]),
  );
  return table(["Leg", "Reason", "Frames"], [0, 1], rows.length ? rows : [["None", "", ""]]);
}

/** Open rounds first, then the last ones, newest first. */
export function roundsOf({ open, last }) {
  const rows = [...open, ...last].map((round) => [
    new Date(round.began_unix_ms).toLocaleTimeString("en-GB"),
    round.round_id,
    toned(round.state.replaceAll("_", " "), { settled: "good", aborted: "bad" }[round.state] ?? ""),
    (round.cause ?? "").replaceAll("_", " "),
    String(round.bets),
    evidenceWords(round.evidence),
  ]);
  const made = table(["Began", "Round", "State", "Cause", "Bets", "Evidence"], [0, 1, 2, 3, 5], rows);
  for (const row of made[1].rows) row.cells[5].classList.add("long");
  return made;
}

/** "12 settled, 1 aborted: 1 ingest loss". */
export function roundsSummary({ rounds_ended: ended, aborts }) {
  const causes = Object.entries(aborts)
    .filter(([, count]) => count > 0)
    .map(([cause, count]) => `${count} ${cause.replaceAll("_", " ")}`);
  const words = `${ended.settled ?? 0} settled, ${ended.aborted ?? 0} aborted`;
  return causes.length ? `${words}: ${causes.join(", ")}.` : `${words}.`;
}

function pageRound({ state, result, cause }) {
  return { state, result, cause };
}

function evidenceWords(evidence) {
  return Object.entries(evidence ?? {})
    .filter(([, value]) => value !== null)
    .map(([name, value]) => `${name} ${typeof value === "number" && !Number.isInteger(value) ? value.toFixed(3) : value}`)
    .join(", ");
}

function valueWords(value, unit) {
  if (value === null) return "no data";
  if (unit === "s") return ms(value * 1000);
  if (unit === "1/min") return `${value.toFixed(2)} a minute`;
  return unit === "ratio" ? share(value) : `${value.toFixed(2)} ${unit}`;
}

function ms(value) {
  return value === null || value === undefined ? "—" : `${value.toFixed(value < 10 ? 1 : 0)} ms`;
}

function share(value) {
  return value === null || value === undefined ? "—" : `${(value * 100).toFixed(2)} %`;
}

function toned(textContent, tone) {
  const made = Object.assign(document.createElement("span"), { textContent });
  made.dataset.tone = tone;
  return made;
}

/** [thead, tbody]: cells are texts or elements; the columns in `texts` are words, the others figures. */
function table(head, texts, rows) {
  const section = (tag, cellTag, lines) => {
    const made = document.createElement(tag);
    for (const line of lines) {
      const row = made.insertRow();
      line.forEach((content, column) => {
        const cell = document.createElement(cellTag);
        cell.append(content);
        cell.classList.toggle("text", texts.includes(column));
        row.append(cell);
      });
    }
    return made;
  };
  return [section("thead", "th", [head]), section("tbody", "td", rows)];
}
