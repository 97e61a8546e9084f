/**
 * The operators' page: what this gateway's tables do, now and in the last quarter of an hour, from GET /api/v1/ops.
 *
 * Where the gateway asks for a token, the link carries it, /ops#token=..., or the page asks for it.
 *
 * For tests, `window.railbird` has state ("connecting", "live", "refused", "retrying") and selected, the table's name.
 */
import { LivePlot } from "./opsplots.js";
import { dropsOf, roundsOf, roundsSummary, scoreTone, scoreWords, tablesOf, termsOf } from "./opstables.js";
import { find, setText } from "./page.js";
import { authorization, refusal } from "./signalling.js";

const READ_EVERY_MS = 2000;
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

let token = new URLSearchParams(location.hash.slice(1)).get("token") ?? "";
let selected = "";
let state = "connecting";
let timer = 0;

window.railbird = {
  get state() {
    return state;
  },
  get selected() {
    return selected;
  },
};

async function read() {
  clearTimeout(timer);
  timer = setTimeout(read, READ_EVERY_MS);
  try {
    const query = selected ? `?stream=${encodeURIComponent(selected)}` : "";
    const response = await fetch(`/api/v1/ops${query}`, {
      headers: authorization(token),
      cache: "no-store",
      signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
    });
    if (!response.ok) throw await refusal(response);
    show(await response.json());
  } catch (error) {
    failed(error);
  }
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
  find("#tiles").replaceChildren(...tiles(report).map(tile));
  if (!report.streams.some(({ stream }) => stream === selected)) selected = report.streams[0]?.stream ?? "";
  find("#tables").replaceChildren(...tablesOf(report.streams, selected, select));
  for (const plot of EDGE_PLOTS) plot.show(report.history.edge);
  const stream = report.streams.find((each) => each.stream === selected);
  find("#table").hidden = stream === undefined;
  if (stream) showTable(stream, report.history.streams[selected]);
}

function showTable(stream, history) {
  setText("#table-name", stream.stream);
  find("#terms").replaceChildren(...termsOf(stream.qos?.windows["1m"]));
  find("#drops").replaceChildren(...dropsOf(stream.frames_dropped));
  setText("#rounds-summary", roundsSummary(stream));
  find("#rounds").replaceChildren(...roundsOf(stream.rounds));
  if (history) for (const plot of Object.values(PLOTS)) plot.show(history);
}

function select(stream) {
  selected = stream;
  read();
}

/** [term, value, what stands below it, tone]. */
function tiles({ gateway, qos, bets, upstream, aborts, streams, history }) {
  const edge = qos.edge.windows["1m"];
  const live = streams.filter((each) => each.state === "live").length;
  const viewers = (protocol) => streams.reduce((sum, each) => sum + each.viewers_by_protocol[protocol], 0);
  const aborted = Object.values(aborts).reduce((sum, count) => sum + count, 0);
  const refused = Object.entries(bets).reduce((sum, [name, count]) => sum + (name === "accepted" ? 0 : count), 0);
  const undelivered = upstream?.outcomes.undelivered ?? 0;
  const worst = edge.worst_stream === null ? "" : `worst: ${edge.worst_stream}, ${scoreWords(edge.worst_score)}`;
  return [
    ["QoS of the last minute", scoreWords(edge.score), worst, scoreTone(edge.score)],
    ["Live tables", String(live), `${streams.length} known`],
    ["Viewers", String(viewers("webrtc") + viewers("hls")), `${viewers("webrtc")} WebRTC, ${viewers("hls")} HLS`],
    ["Bet signals", String(sum(gateway.signals)), signalWords(gateway.signals)],
    ["Bets accepted", (bets.accepted ?? 0).toLocaleString("en"), `${refused.toLocaleString("en")} refused`],
    ["Bets on their way", String(upstream?.waiting ?? 0), `${undelivered} undelivered`, undelivered ? "bad" : ""],
    ["Rounds aborted", String(aborted), "since the start", aborted ? "fair" : ""],
    ["CPU", percent(history.edge.cpu_share.at(-1)), `loop waits at most ${(gateway.loop_lag_max_s * 1000).toFixed(0)} ms`],
    ["Lost in the kernel", gateway.kernel_drops.toLocaleString("en"), "datagrams", gateway.kernel_drops ? "bad" : ""],
  ];
}

function signalWords(signals) {
  return `${signals.data_channel ?? 0} data channel, ${signals.websocket ?? 0} WebSocket`;
}

function sum(counts) {
  return Object.values(counts).reduce((total, count) => total + count, 0);
}

function percent(share) {
  return share === null || share === undefined ? "—" : `${(share * 100).toFixed(0)} %`;
}

function tile([term, value, below, tone = ""]) {
  const made = Object.assign(document.createElement("dl"), { className: "tile" });
  const figure = Object.assign(document.createElement("dd"), { textContent: value });
  figure.dataset.tone = tone;
  const small = Object.assign(document.createElement("small"), { textContent: below });
  made.append(Object.assign(document.createElement("dt"), { textContent: term }), figure, small);
  return made;
}

find("#door").addEventListener("submit", (event) => {
  event.preventDefault();
  token = find("#token").value.trim();
  read();
});
read();
