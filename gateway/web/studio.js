/**
 * The studio page: publishes a camera, a screen or the drawn table, says what the gateway receives of it, and drives the
 * rounds.
 *
 * The query string presets it, for a kiosk or a test: ?source=camera|screen|table &codec=h264|vp8|vp9|av1
 * &bitrate=1500000 (bit/s) &autostart=1. The token is kept in the page's memory only.
 *
 * For tests, `window.railbird.state` is the state of WhipClient: idle, connecting, live, retrying, refused.
 */
import { find, readJson, setText, streamName } from "./page.js";
import { receptionWords } from "./reception.js";
import { SOURCES } from "./source.js";
import { StudioRounds } from "./studiorounds.js";
import { WhipClient, sendableCodecs } from "./whip.js";

const READ_EVERY_MS = 1000;

const stream = streamName();
const client = new WhipClient(`/whip/${encodeURIComponent(stream)}`);
let source = null;

window.railbird = {
  get state() {
    return client.state;
  },
};

async function publish() {
  stop();
  setText("#verdict", "");
  // The browser may ask for leave, and take its time: meanwhile a second click would open a second source.
  find("#publish").disabled = true;
  try {
    source = await SOURCES[find("input[name=source]:checked").value]();
  } catch (error) {
    setText("#verdict", sourceFailure(error));
    return;
  } finally {
    find("#publish").disabled = false;
  }
  find("#preview").srcObject = source.mediaStream;
  // The browser's own "stop sharing" ends the track: then there is nothing left to publish.
  source.mediaStream.getVideoTracks()[0].addEventListener("ended", stop);
  client.publish(source.mediaStream, {
    codec: find("#codec").value,
    maxBitrateBps: Number(find("#bitrate").value),
    keepsResolution: source.keepsResolution,
    token: find("#token").value.trim(),
  });
}

function stop() {
  client.stop();
  closeSource();
}

function closeSource() {
  source?.stop();
  source = null;
  find("#preview").srcObject = null;
}

function sourceFailure(error) {
  if (error.name === "NotAllowedError") return "The browser was not allowed to use this source.";
  if (error.name === "NotFoundError") return "There is no such camera or microphone.";
  if (!navigator.mediaDevices) return "Camera and screen need a page served over HTTPS.";
  return `The source cannot be opened: ${error.message}`;
}

function words() {
  const secondsLeft = Math.max(1, Math.ceil(((client.retryAtMs ?? 0) - Date.now()) / 1000));
  return {
    idle: "Not publishing",
    connecting: "Connecting…",
    live: "Live",
    retrying: `Reconnecting in ${secondsLeft} s`,
    refused: "Refused",
  }[client.state];
}

function showState() {
  const publishing = !["idle", "refused"].includes(client.state);
  if (client.state === "refused") closeSource();
  find("#state").dataset.state = client.state;
  setText("#state", words());
  setText("#verdict", client.sentence);
  setText("#publish", publishing ? "Stop" : "Publish");
  find("#publish").classList.toggle("stop", publishing);
  find("#publish").classList.toggle("primary", !publishing);
  find("#veil").hidden = source !== null || publishing;
  for (const field of document.querySelectorAll("#form input, #form select")) field.disabled = publishing;
}

async function readReception() {
  const described = await readJson(`/api/v1/streams/${encodeURIComponent(stream)}`);
  setTimeout(readReception, READ_EVERY_MS);
  const sentences = receptionWords(described);
  const items = sentences.map((textContent) => Object.assign(document.createElement("li"), { textContent }));
  find("#reception").replaceChildren(...items);
}

function preset(query) {
  const codecs = sendableCodecs();
  find("#codec").append(...codecs.map((name) => new Option(name, name)));
  find("#codec").value = codecs.find((name) => name.toLowerCase() === query.get("codec")?.toLowerCase()) ?? "";
  if (Object.hasOwn(SOURCES, query.get("source") ?? "")) find(`input[value=${query.get("source")}]`).checked = true;
  const bitrateBps = Number(query.get("bitrate"));
  if (bitrateBps >= 100000) find("#bitrate").add(new Option(`${bitrateBps / 1e6} Mb/s`, bitrateBps, true, true));
  if (query.get("autostart") === "1") publish();
}

setText("#name", stream);
document.title = `${stream} – railbird studio`;
find("#watch").href = `/watch/${encodeURIComponent(stream)}`;
find("#form").addEventListener("submit", (event) => {
  event.preventDefault();
  if (["idle", "refused"].includes(client.state)) publish();
  else stop();
});
client.addEventListener("state", showState);
setInterval(() => setText("#state", words()), 250);
addEventListener("pagehide", stop);
preset(new URLSearchParams(location.search));
readReception();
new StudioRounds(stream, () => find("#token").value.trim());
