/**
 * The operators' page: what this gateway's tables do, now and in the last quarter of an hour, from GET /api/v1/ops.
 *
 * Where the gateway asks for a token, the link carries it, /ops#token=..., or the page asks for it.
 *
 * For tests, `window.railbird` has state ("connecting", "live", "refused", "retrying"), selected, the table's name, and
 * points, how many the plots of the gateway have.
 */
import { fill } from "./opscells.js";
import { History } from "./opshistory.js";
import { LivePlot } from "./opsplots.js";
import { dropsOf, factsOf, roundsOf, roundsSummary, scoreTone, scoreWords, signalWords, tablesOf, termsOf } from "./opstables.js";
import { durationWords, find, setText } from "./page.js";
import { authorization, refusal } from "./signalling.js";

const READ_EVERY_MS = 2000;
const HIDDEN_READ_EVERY_MS = 30000;
const ANSWER_WITHIN_MS = 5000;

const PLOTS = {
  score: new LivePlot(find("#plot-score"), [["score", "Score"]], 100),
  rtt: new LivePlot(find("#plot-rtt"), [["rtt_p50_ms", "p50"], ["rtt_p95_ms", "p95"]], 10),
  drops: new LivePlot(find("#plot-drops"), [
    ["dropped_ingest_per_s", "Ingest"],
    ["dropped_egress_per_s", "Gateway"],
    ["dropped_player_per_s", "Player"],
  ]),
  viewers: new LivePlot(find("#plot-viewers"), [["viewers_webrtc", "WebRTC"], ["viewers_hls", "HLS"]], 5),
};
const EDGE_PLOTS = [
  new LivePlot(find("#plot-lag"), [["loop_lag_max_ms", "Lag"]], 20),
  new LivePlot(find("#plot-cpu"), [["cpu_share", "CPU", 100]], 100),
];

const edgeHistory = new History();
const tableHistory = new History();

let token = new URLSearchParams(location.hash.slice(1)).get("token") ?? "";
/** The table that was asked for; where it is not there, the first one is shown. */
let wanted = "";
let selected = "";
let isWhole = false;
/** The process that answered last: { process_id, uptime_s }. */
let answered = null;
let state = "connecting";
let timer = 0;
let turn = 0;

window.railbird = {
  get state() {
    return state;
  },
  get selected() {
    return selected;
  },
  get points() {
    return edgeHistory.plot?.at_unix_s.length ?? 0;
  },
};

async function read() {
  clearTimeout(timer);
  timer = setTimeout(read, document.hidden ? HIDDEN_READ_EVERY_MS : READ_EVERY_MS);
  turn += 1;
  const mine = turn;
  try {
    const response = await fetch(`/api/v1/ops?${query()}`, {
      headers: authorization(token),
      cache: "no-store",
      signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
    });
    if (!response.ok) throw await refusal(response);
    const report = await response.json();
    // What was asked for before another table was selected, or before a slow answer, is no longer wanted.
    if (mine === turn) show(report);
  } catch (error) {
    if (mine === turn) failed(error);
  }
}

/** With all points at first, then with those that the page does not have. */
function query() {
  const since = isWhole ? Math.max(edgeHistory.newestUnixS, tableHistory.newestUnixS) : 0;
  return new URLSearchParams({ ...(selected && { stream: selected }), since_unix_s: String(since) });
}

function failed(error) {
  const isRefused = [401, 403].includes(error.status);
  enter(isRefused ? "refused" : "retrying", isRefused ? "Not allowed" : "The gateway does not answer");
  if (!isRefused) return;
  clearTimeout(timer);
  find("#door").hidden = false;
  setText("#verdict", error.message);
}

function enter(next, words) {
  state = next;
  find("#state").dataset.state = next === "live" ? "live" : "frozen";
  setText("#state", words);
}

function show(report) {
  find("#door").hidden = true;
  const draining = report.gateway.is_draining ? ", draining" : "";
  enter("live", `Live${draining}`);
  forgetAnotherProcess(report.gateway);
  const names = report.streams.map(({ stream }) => stream);
  const shown = names.includes(wanted) ? wanted : (names[0] ?? "");
  if (shown !== selected) turnTo(shown);
  find("#tiles").replaceChildren(...tiles(report).map(tile));
  fill(find("#tables"), tablesOf(report.streams, selected));
  edgeHistory.add(report.history.edge);
  for (const plot of EDGE_PLOTS) plot.show(edgeHistory.plot);
  showTable(report);
}

/** A gateway that restarted counts from nothing, and so do the plots; a container's process may have the same id again. */
function forgetAnotherProcess(gateway) {
  if (answered && (gateway.process_id !== answered.process_id || gateway.uptime_s < answered.uptime_s)) {
    edgeHistory.clear();
    tableHistory.clear();
  }
  answered = gateway;
}

function showTable({ streams, details, history }) {
  const detail = details[selected];
  find("#table").hidden = selected === "";
  isWhole = selected === "" || detail !== undefined;
  if (!detail) return;
  setText("#table-name", selected);
  const row = streams.find(({ stream }) => stream === selected);
  find("#facts").replaceChildren(...factsOf(row, detail).map(fact));
  fill(find("#terms"), termsOf(detail.qos?.windows["1m"]));
  fill(find("#drops"), dropsOf(detail.frames_dropped));
  setText("#rounds-summary", roundsSummary(detail));
  fill(find("#rounds"), roundsOf(detail.rounds));
  if (history.streams[selected]) tableHistory.add(history.streams[selected]);
  if (tableHistory.plot) for (const plot of Object.values(PLOTS)) plot.show(tableHistory.plot);
}

/** Show that table, "" for none; what is there of it comes with the next answer, at once. */
function turnTo(stream) {
  selected = stream;
  isWhole = false;
  tableHistory.clear();
  for (const plot of Object.values(PLOTS)) plot.clear();
  if (stream) queueMicrotask(read);
}

/** [term, value, what stands below it, tone]. */
function tiles({ gateway, edge, bets, upstream, aborts, streams }) {
  const live = streams.filter((each) => each.state === "live").length;
  const webrtc = streams.reduce((total, each) => total + each.viewers_webrtc, 0);
  const hls = streams.reduce((total, each) => total + each.viewers_hls, 0);
  const accepted = bets.accepted ?? 0;
  const aborted = sum(aborts);
  const undelivered = upstream.outcomes.undelivered ?? 0;
  const worst = edge.worst_stream === null ? "no data yet" : `worst: ${edge.worst_stream}, ${scoreWords(edge.worst_score)}`;
  return [
    ["QoS of the last minute", scoreWords(edge.score), worst, scoreTone(edge.score)],
    ["Live tables", String(live), `${streams.length} known`],
    ["Viewers", String(webrtc + hls), `${webrtc} WebRTC, ${hls} HLS`],
    ["Bet signals", String(sum(gateway.signals)), signalWords(gateway.signals)],
    ["Bets accepted", accepted.toLocaleString("en"), `${(sum(bets) - accepted).toLocaleString("en")} refused`],
    ["Bets on their way", String(upstream.waiting), `${undelivered} undelivered`, undelivered ? "bad" : ""],
    ["Rounds aborted", String(aborted), "since the start", aborted ? "fair" : ""],
    ["CPU", `${(gateway.cpu_share * 100).toFixed(0)} %`, `loop waits at most ${(gateway.loop_lag_max_s * 1000).toFixed(0)} ms`],
    ["Lost in the kernel", gateway.kernel_drops.toLocaleString("en"), "datagrams", gateway.kernel_drops ? "bad" : ""],
    ["Running for", durationWords(gateway.uptime_s, gateway.uptime_s < 60 ? "seconds" : "minutes"), memoryWords(gateway.resident_bytes)],
  ];
}

function memoryWords(bytes) {
  return bytes === null ? "" : `${(bytes / 1e6).toFixed(0)} MB of memory`;
}

function sum(counts) {
  return Object.values(counts).reduce((total, count) => total + count, 0);
}

function tile([term, value, below, tone = ""]) {
  const made = Object.assign(document.createElement("dl"), { className: "tile" });
  const figure = Object.assign(document.createElement("dd"), { textContent: value });
  figure.dataset.tone = tone;
  const small = Object.assign(document.createElement("small"), { textContent: below });
  made.append(Object.assign(document.createElement("dt"), { textContent: term }), figure, small);
  return made;
}

function fact([term, words]) {
  const made = document.createElement("div");
  made.append(
    Object.assign(document.createElement("dt"), { textContent: term }),
    Object.assign(document.createElement("dd"), { textContent: words }),
  );
  return made;
}

find("#door").addEventListener("submit", (event) => {
  event.preventDefault();
  token = find("#token").value.trim();
  read();
});
find("#tables").addEventListener("click", (event) => {
  const stream = event.target.closest("button")?.dataset.stream;
  if (stream === undefined || stream === selected) return;
  wanted = stream;
  turnTo(stream);
});
document.addEventListener("visibilitychange", () => {
  if (!document.hidden && state !== "refused") read();
});
read();
