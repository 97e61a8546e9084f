import { bitrateWords, codecName, durationWords } from "./page.js";
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
const CARRIERS = { data_channel: "data channel", websocket: "WebSocket" };
const WINDOWS = { "1m": "minute", "5m": "5 minutes", "1h": "hour" };

/** A score's words, good from 80 on and bad below 60, as ITU-T G.109 has it of its scale. */
export function scoreTone(score) {
  if (score === null) return "";
  if (score >= 80) return "good";
  return score >= 60 ? "fair" : "bad";
}

export function scoreWords(score) {
  return score === null ? "—" : score.toFixed(0);
}

/** { accepted: 7, late: 0, unknown_round: 1 } -> "7 accepted, 1 unknown round"; those without any are left out. */
export function countWords(counts, names = {}) {
  const told = Object.entries(counts).filter(([, count]) => count > 0);
  return told.map(([name, count]) => `${count.toLocaleString("en")} ${names[name] ?? words(name)}`).join(", ") || "none";
}

export function signalWords(signals) {
  return countWords(signals, CARRIERS);
}

/** All tables, one a row; `selected` is the one that is shown below. */
export function tablesOf(streams, selected) {
  return {
    head: ["Table", "State", "QoS", "Lost most by", "Round trip p50", "p95", "p99", "Dropped: ingest", "gateway", "player", "WebRTC", "HLS", "Bitrate", "Aborted", "Round"],
    texts: [0, 1, 3, 14],
    rows: streams.map((stream) => tableRow(stream, selected)),
    empty: "Nobody publishes here now.",
  };
}

function tableRow(row, selected) {
  return [
    { stream: row.stream, pressed: row.stream === selected },
    row.state,
    toned(scoreWords(row.score), scoreTone(row.score)),
    row.worst_term === null ? "—" : (TERMS[row.worst_term] ?? row.worst_term),
    ms(row.rtt_p50_ms),
    ms(row.rtt_p95_ms),
    ms(row.rtt_p99_ms),
    share(row.dropped_ingest_share),
    share(row.dropped_egress_share),
    share(row.dropped_player_share),
    String(row.viewers_webrtc),
    String(row.viewers_hls),
    bitrateWords(row.bitrate_bps),
    String(row.rounds_aborted),
    row.round === null ? "none" : words(row.round),
  ];
}

/** [term, words] of a table: who plays there, and what the gateway hears of them. */
export function factsOf(row, detail) {
  return [
    ["QoS", scoresWords(detail.qos)],
    ["Studio", studioWords(row, detail)],
    ["Viewers", `${row.viewers_webrtc} WebRTC, ${row.viewers_hls} HLS`],
    ["Bet signals", signalWords(detail.signals)],
    ["Pings unanswered", detail.pings_unanswered.toLocaleString("en")],
    ["Bets", countWords(detail.bets)],
    ["Players’ reports", countWords(detail.reports)],
    ["Round", detail.rounds.open.length ? roundWords(detail.rounds.open[0]) : "none"],
  ];
}

function scoresWords(qos) {
  if (qos === null) return "not measured yet";
  return Object.entries(qos.windows).map(([window, { score }]) => `${scoreWords(score)} (${WINDOWS[window] ?? window})`).join(", ");
}

function studioWords({ state }, { since_s: sinceS, tracks }) {
  if (state !== "live") return state === "gone" ? "gone" : "not on air";
  const media = tracks.map(({ kind, codec, frame_rate: rate }) => (kind === "video" ? `${codecName(codec)} ${rate.toFixed(0)}/s` : codecName(codec)));
  return [...media, `for ${durationWords(sinceS ?? 0)}`].join(", ");
}

/** What each term of the score measured and cost. */
export function termsOf(window) {
  return {
    head: ["Term", "Measured", "Points lost", "At most"],
    texts: [0],
    rows: (window?.terms ?? []).map(({ term, value, unit, lost, points }) => [
      TERMS[term] ?? term,
      valueWords(value, unit),
      toned(lost === 0 ? "none" : lost.toFixed(1), lost === 0 ? "" : "bad"),
      String(points),
    ]),
    empty: "Not measured yet",
  };
}

/** Frames dropped, by leg and reason; those without any are left out. */
export function dropsOf(framesDropped) {
  const rows = Object.entries(framesDropped).flatMap(([leg, reasons]) =>
    Object.entries(reasons)
      .filter(([, count]) => count > 0)
      .map(([reason, count]) => [LEGS[leg] ?? leg, words(reason), count.toLocaleString("en")]),
  );
  return { head: ["Leg", "Reason", "Frames"], texts: [0, 1], rows };
}

/** Open rounds first, then the last ones, newest first. */
export function roundsOf({ open, last }) {
  const rows = [...open, ...last].map((round) => [
    new Date(round.began_unix_ms).toLocaleTimeString("en-GB"),
    round.round_id,
    toned(words(round.state), { settled: "good", aborted: "bad" }[round.state] ?? ""),
    words(round.cause ?? ""),
    String(round.bets),
    evidenceWords(round.evidence),
  ]);
  return { head: ["Began", "Round", "State", "Cause", "Bets", "Evidence"], texts: [0, 1, 2, 3, 5], long: [5], rows };
}

/** "12 settled, 1 aborted: 1 ingest loss". */
export function roundsSummary({ rounds_ended: ended, aborts }) {
  const said = `${ended.settled ?? 0} settled, ${ended.aborted ?? 0} aborted`;
  const causes = countWords(aborts);
  return causes === "none" ? `${said}.` : `${said}: ${causes}.`;
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

function toned(text, tone) {
  return { text, tone };
}

/** "ingest_loss" -> "ingest loss". */
function words(name) {
  return name.replaceAll("_", " ");
}
