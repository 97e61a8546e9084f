/**
 * The player page: shows what WhepClient receives, and its state in words.
 *
 * Where the gateway asks for a bearer token, the link carries it: /watch/table#token=... What stands behind # is never sent
 * with the address, nor logged.
 *
 * For tests and monitoring, `window.railbird` has
 *     state     the state of WhepClient: connecting, live, frozen, waiting, retrying, refused, idle
 *     stats()   a promise of the figures that figures.js lists, of this moment
 */
import { FigureReader } from "./figures.js";
import { Overlay } from "./overlay.js";
import { find, setText, streamName } from "./page.js";
import { WhepClient } from "./whep.js";

const READ_EVERY_MS = 500;

const stream = streamName();
const video = find("#picture");
const token = new URLSearchParams(location.hash.slice(1)).get("token") ?? "";
const client = new WhepClient(`/whep/${encodeURIComponent(stream)}`, token);
const overlay = new Overlay(find("#statistics dl"));
const reader = new FigureReader();
const statsReader = new FigureReader(); // its own, as each reader measures since its last reading
let readTimer = 0;

window.railbird = {
  get state() {
    return client.state;
  },
  stats: () => statsReader.read(client.peer, video),
};

function words() {
  const secondsLeft = Math.max(1, Math.ceil(((client.retryAtMs ?? 0) - Date.now()) / 1000));
  return {
    idle: "Stopped",
    connecting: "Connecting…",
    live: "Live",
    frozen: "Picture frozen – reconnecting",
    waiting: "Waiting for the studio",
    retrying: `Reconnecting in ${secondsLeft} s`,
    refused: "Cannot play",
  }[client.state];
}

function showState() {
  find("#state").dataset.state = find("#stage").dataset.state = client.state;
  setText("#announcement", client.state === "refused" ? client.sentence : words());
  find("#again").hidden = client.state !== "refused";
  find("#veil").hidden = client.state === "live";
  if (client.state === "live") find("#stage").dataset.picture = "there";
  showWords();
}

function showWords() {
  setText("#state", words());
  setText("#message", words());
  setText("#sentence", client.sentence);
}

async function play() {
  try {
    await video.play();
    find("#play").hidden = true;
  } catch (error) {
    // Phones that save power refuse even a muted start until somebody taps.
    find("#play").hidden = error.name !== "NotAllowedError";
  }
}

function toggleSound() {
  video.muted = !video.muted;
  play();
}

function showSound() {
  setText("#sound", video.muted ? "Tap for sound" : "Mute");
  find("#sound").classList.toggle("primary", video.muted);
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
  overlay.show(await reader.read(client.peer, video));
}

function toggleFull() {
  const rail = find("#rail");
  if (document.fullscreenElement) document.exitFullscreen();
  else if (rail.requestFullscreen) rail.requestFullscreen();
  else video.webkitEnterFullscreen?.(); // iPhones know it for video elements only
}

function shortcut(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
  if (event.key === "i") toggleStatistics();
}

setText("#name", stream);
document.title = `${stream} – railbird`;
find("#full").hidden = !(document.fullscreenEnabled || video.webkitEnterFullscreen);
find("#sound").addEventListener("click", toggleSound);
find("#play").addEventListener("click", play);
find("#again").addEventListener("click", () => client.retryNow());
find("#show-statistics").addEventListener("click", toggleStatistics);
find("#full").addEventListener("click", toggleFull);
document.addEventListener("keydown", shortcut);
video.addEventListener("volumechange", showSound);
client.addEventListener("state", showState);
client.addEventListener("stream", () => {
  find("#stage").dataset.picture = "none";
  video.srcObject = client.mediaStream;
  play();
});
setInterval(showWords, 250);
addEventListener("online", () => client.retryNow());
addEventListener("pagehide", () => client.leave());
addEventListener("pageshow", ({ persisted }) => persisted && client.join());
client.join();
