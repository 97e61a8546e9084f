/** The front page: the tables that this gateway carries, from GET /api/v1/streams. */
import { bitrateWords, durationWords, find, readJson, setText } from "./page.js";

const READ_EVERY_MS = 2000;

let shown = "";

async function refresh() {
  const answer = await readJson("/api/v1/streams");
  setText("#summary", summary(answer));
  // The list is drawn anew only when it says something new: nobody loses a button under the finger.
  const described = JSON.stringify((answer?.streams ?? []).map(description));
  if (answer === null || described === shown) return;
  shown = described;
  find("#tables").replaceChildren(...answer.streams.map(tableCard));
}

function summary(answer) {
  if (answer === null) return "The gateway does not answer.";
  const live = answer.streams.filter(({ state }) => state === "live").length;
  if (live === 0) return "No table is live.";
  return live === 1 ? "One table is live." : `${live} tables are live.`;
}

function description(stream) {
  const viewers = stream.viewers === 1 ? "1 viewer" : `${stream.viewers} viewers`;
  if (stream.state !== "live") return [stream.stream, "Waiting", `${viewers} · no studio`];
  const since = `live for ${durationWords(stream.since_s, "minutes")}`;
  const video = (stream.tracks ?? []).find(({ kind }) => kind === "video");
  const picture = video ? `${video.codec}, ${bitrateWords(Math.round(video.bitrate_bps / 1e5) * 1e5)}` : "sound only";
  return [stream.stream, "Live", `${viewers} · ${since} · ${picture}`];
}

function tableCard(stream) {
  const [name, state, words] = description(stream);
  const card = element("li", "panel");
  const heading = element("div", "table-name");
  const badge = element("span", "state", state);
  badge.dataset.state = stream.state;
  heading.append(element("h2", "", name), badge);
  const doors = element("div", "doors");
  doors.append(door("watch", name, "Watch", "button primary"), door("studio", name, "Studio", "button"));
  card.append(heading, element("p", "", words), doors);
  return card;
}

function door(page, name, text, className) {
  const link = element("a", className, text);
  link.href = `/${page}/${encodeURIComponent(name)}`;
  link.setAttribute("aria-label", `${text} ${name}`);
  return link;
}

function element(tag, className, text = "") {
  return Object.assign(document.createElement(tag), { className, textContent: text });
}

find("#open").addEventListener("submit", (event) => {
  event.preventDefault();
  const page = event.submitter?.value ?? "watch";
  location.assign(`/${page}/${encodeURIComponent(find("#name").value.trim())}`);
});
refresh();
setInterval(refresh, READ_EVERY_MS);
