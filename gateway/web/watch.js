/**
 * The player page: shows what RoamingPlayer receives, by WebRTC or by LL-HLS, and says its state, and which one it is, in
 * words.
 *
 * Where the gateway asks for a bearer token, the link carries it: /watch/table#token=... What stands behind # is never sent
 * with the address, nor logged.
 *
 * The query string is for tests and for support: ?transport=webrtc|hls forces one of the two, ?transport=native is HLS by
 * the browser's own player, &debug writes the log of hls.js to the console.
 *
 * For tests and monitoring, `window.railbird` has
 *     transport   "webrtc" or "hls": which one the state is about
 *     edge        the origin that it plays from, and moves, how often that has changed
 *     state       connecting, live, frozen, waiting, retrying, refused, idle
 *     stats()     a promise of the figures that figures.js lists, on HLS those of hlsfigures.js, of this moment
 *     signals     { carrier, rttMs, mayBet, rounds, bets, shown }: see SignalsClient and RoundPanel
 *     place(roundId, fields)   place a bet, whatever the page's buttons allow
 */
import { FigureReader } from "./figures.js";
import { FrameClock } from "./frameclock.js";
import { HlsFigureReader } from "./hlsfigures.js";
import { prefetchLibrary } from "./hlsplayback.js";
import { Overlay } from "./overlay.js";
import { find, setText, streamName } from "./page.js";
import { Reporter } from "./reporter.js";
import { RoamingPlayer } from "./roaming.js";
import { RoundPanel } from "./roundpanel.js";
import { SignalsClient } from "./signals.js";
import { Stage } from "./stage.js";

const READ_EVERY_MS = 500;

const stream = streamName();
const stage = new Stage(
  { webrtc: find("#picture"), hls: find("#picture-hls") },
  { webrtc: find("#picture-2"), hls: find("#picture-hls-2") },
  find("#still"),
);
const token = new URLSearchParams(location.hash.slice(1)).get("token") ?? "";
const only = new URLSearchParams(location.search).get("transport") ?? "";
const player = new RoamingPlayer(stream, token, stage, only);
const signals = new SignalsClient(stream, token);
const panel = new RoundPanel(signals, new FrameClock(player, stage));
const overlay = new Overlay(find("#statistics dl"));
let reporter, readers, statsReaders, reportReaders;
let readTimer = 0;
let reportTimer = 0;

window.railbird = {
  get transport() {
    return player.transport;
  },
  get edge() {
    return player.edge;
  },
  get moves() {
    return player.moves;
  },
  get state() {
    return player.state;
  },
  stats: () => readFigures(statsReaders),
  get signals() {
    const { carrier, rttMs, mayBet, rounds, bets } = signals;
    return { carrier, rttMs, mayBet, rounds, bets, shown: panel.shown };
  },
  place: (roundId, fields = {}) => signals.place(roundId, fields),
};

/** At the start, and after each move: what is counted begins anew. Each its own, as each measures since its last reading. */
function measureAnew() {
  reporter = new Reporter();
  [readers, statsReaders, reportReaders] = [newReaders(), newReaders(), newReaders()];
}

function newReaders() {
  return { webrtc: new FigureReader(), hls: new HlsFigureReader() };
}

function readFigures({ webrtc, hls }) {
  const { videos } = stage.front;
  return player.transport === "hls" ? hls.read(player.hls, videos.hls) : webrtc.read(player.whep.peer, videos.webrtc);
}

function words() {
  const secondsLeft = Math.max(1, Math.ceil(((player.retryAtMs ?? 0) - Date.now()) / 1000));
  return {
    idle: "Stopped",
    connecting: "Connecting…",
    live: "Live",
    frozen: "Picture frozen – reconnecting",
    waiting: "Waiting for the studio",
    retrying: `Reconnecting in ${secondsLeft} s`,
    refused: "Cannot play",
  }[player.state];
}

/** Which way the live picture comes, in words; "" while there is none. */
function wayWords() {
  if (player.state !== "live") return "";
  if (player.isMoving) return "Changing servers";
  if (player.transport === "webrtc") return "WebRTC";
  const behindS = player.hls.playback?.latencyS ?? null;
  return behindS === null ? "HLS" : `HLS, ${behindS.toFixed(1)} s behind`;
}

function announcement() {
  if (player.state === "refused") return player.sentence;
  if (player.state === "live" && player.transport === "hls") return "Live by HLS, about a second behind";
  return words();
}

function showState() {
  const { state } = player;
  find("#badge").dataset.state = find("#stage").dataset.state = state;
  setText("#announcement", announcement());
  find("#again").hidden = state !== "refused";
  find("#veil").hidden = state === "live";
  if (state === "live") find("#stage").dataset.picture = "there";
  showWords();
}

function showWords() {
  setText("#state", words());
  setText("#way", wayWords());
  setText("#message", words());
  setText("#sentence", player.sentence);
}

async function play(video) {
  const matters = stage.shown === null || video === stage.video;
  try {
    await video.play();
    if (matters) find("#play").hidden = true;
  } catch (error) {
    if (error.name !== "NotAllowedError") return;
    if (!stage.muted) {
      // A browser may allow sound only to the element that was tapped: better silent than still.
      stage.muted = true;
      play(video);
    } else if (matters) {
      // Phones that save power refuse even a muted start until somebody taps.
      find("#play").hidden = false;
    }
  }
}

/** With a person's finger: it allows every element that has something to play, the one that waits its turn as well. */
function playAll() {
  for (const video of stage.videos) play(video);
}

function toggleSound() {
  stage.muted = !stage.muted;
  playAll();
}

function showSound() {
  setText("#sound", stage.muted ? "Tap for sound" : "Mute");
  find("#sound").classList.toggle("primary", stage.muted);
}

function toggleStatistics() {
  const panel = find("#statistics");
  panel.hidden = !panel.hidden;
  find("#show-statistics").setAttribute("aria-pressed", String(!panel.hidden));
  clearInterval(readTimer);
  if (panel.hidden) return;
  readTimer = setInterval(readStatistics, READ_EVERY_MS);
  readStatistics();
}

async function readStatistics() {
  const { transport } = player;
  const { carrier, rttMs } = signals;
  const { edge, moves } = player;
  overlay.show({ ...(await readFigures(readers)), carrier, signalRttMs: rttMs, edge, moves }, transport);
}

/** What this browser measures, to the gateway, as often as it asks for it. */
function reportRegularly() {
  clearTimeout(reportTimer);
  reportTimer = setTimeout(async () => {
    reportRegularly();
    const { transport } = player;
    const report = reporter.take(transport, await readFigures(reportReaders));
    if (report !== null && player.state !== "idle") signals.report(report);
  }, signals.reportIntervalMs ?? 5000);
}

function onMoved() {
  measureAnew();
  signals.moveTo(player.edge, player.transport === "webrtc");
}

function join() {
  signals.join(!["hls", "native"].includes(only));
  player.join();
}

function leave() {
  signals.leave();
  player.leave();
}

function toggleFull() {
  const rail = find("#rail");
  if (document.fullscreenElement) document.exitFullscreen();
  else if (rail.requestFullscreen) rail.requestFullscreen();
  else stage.video.webkitEnterFullscreen?.(); // iPhones know it for video elements only
}

function shortcut(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
  if (event.key === "i") toggleStatistics();
}

// All of the page has come: what is lost at a later load is counted anew, see watch.html.
if (history.state !== null) history.replaceState(null, "");
measureAnew();
setText("#name", stream);
document.title = `${stream} – railbird`;
find("#full").hidden = !(document.fullscreenEnabled || stage.video.webkitEnterFullscreen);
find("#sound").addEventListener("click", toggleSound);
find("#play").addEventListener("click", playAll);
find("#again").addEventListener("click", () => player.retryNow());
find("#show-statistics").addEventListener("click", toggleStatistics);
find("#full").addEventListener("click", toggleFull);
document.addEventListener("keydown", shortcut);
for (const video of stage.videos) {
  video.addEventListener("volumechange", showSound);
  // Nobody can pause here: a browser did, which does not let this element sound.
  video.addEventListener("pause", () => video === stage.video && player.state === "live" && !video.ended && play(video));
}
player.addEventListener("state", showState);
player.addEventListener("play", ({ video }) => play(video));
setInterval(showWords, 250);
addEventListener("online", () => player.retryNow());
player.addEventListener("channel", ({ channel, isAhead }) => (isAhead ? signals.useAhead(channel) : signals.use(channel)));
player.addEventListener("moved", onMoved);
signals.addEventListener("move", ({ to, afterMs }) => player.move(to, afterMs));
signals.addEventListener("state", () => signals.isHere && player.release());
addEventListener("pagehide", leave);
addEventListener("pageshow", ({ persisted }) => persisted && join());
join();
reportRegularly();
// Later than all that the picture waits for: what is prefetched holds up the page's load event.
addEventListener("load", () => setTimeout(prefetchLibrary));
