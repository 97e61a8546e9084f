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

/** 33 -> "33 s", 90 -> "1 min 30 s", 7300 -> "2 h 1 min". */
export function durationWords(seconds) {
  const whole = Math.floor(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}
