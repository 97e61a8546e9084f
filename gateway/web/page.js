/** What every page needs of its surroundings. */

/** The stream that the address names: /watch/demo -> "demo". */
export function streamName() {
  return decodeURIComponent(location.pathname.split("/")[2] ?? "");
}

/** The one element that matches, or an error that says which is missing. */
export function find(selector) {
  const element = document.querySelector(selector);
  if (!element) throw new Error(`The page has no ${selector}.`);
  return element;
}

/** Change the text of the one element that matches, and leave it alone where it says so already. */
export function setText(selector, text) {
  const element = find(selector);
  if (element.textContent !== text) element.textContent = text;
}

/** GET a JSON object; null where it cannot be had. */
export async function readJson(address) {
  try {
    const response = await fetch(address, { cache: "no-store", signal: AbortSignal.timeout(5000) });
    return response.ok ? await response.json() : null;
  } catch {
    return null;
  }
}

/** 1500000 -> "1.50 Mb/s", 64000 -> "64 kb/s". */
export function bitrateWords(bps) {
  return bps >= 1e6 ? `${(bps / 1e6).toFixed(2)} Mb/s` : `${Math.round(bps / 1000)} kb/s`;
}

/** 33 -> "33 s", 90 -> "1 min 30 s", 7300 -> "2 h 1 min"; in "minutes": "less than a minute", "1 min", "2 h 1 min". */
export function durationWords(seconds, finest = "seconds") {
  const minutes = Math.floor(seconds / 60);
  const rest = `${Math.floor(seconds % 60)} s`;
  if (minutes >= 60) return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
  if (finest === "minutes") return minutes ? `${minutes} min` : "less than a minute";
  return minutes ? `${minutes} min ${rest}` : rest;
}

/** Names as people write them: the gateway's are those of SDP. */
export function codecName(codec) {
  return codec.toLowerCase() === "opus" ? "Opus" : codec;
}
