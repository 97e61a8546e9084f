/**
 * What WHIP (RFC 9725) and WHEP (draft-ietf-wish-whep) share: an offer is POSTed to an endpoint, which answers with the
 * session's own resource. That resource takes PATCH (here: an ICE restart) and DELETE. And what a server's no means, which
 * is the same for HLS.
 */

import { alternateEdge } from "./edges.js";

const DEFAULT_RETRY_MS = 2000;
const ANSWER_WITHIN_MS = 10000;

/** The server answered, and it is a no. `message` is its own sentence. */
export class Refusal extends Error {
  constructor(status, sentence, retryAfterMs, alternate = null) {
    super(sentence);
    this.status = status;
    /** When it wants to be asked again, in ms; null where it did not say. */
    this.retryAfterMs = retryAfterMs;
    /** The edge that it names instead of itself, an origin; null where it names none. */
    this.alternate = alternate;
  }

  /** Nobody publishes: 409, or 404 with Retry-After, as the WHEP draft has it. */
  get isWithoutPublisher() {
    return this.status === 409 || (this.status === 404 && this.retryAfterMs !== null);
  }

  /** The same request may succeed later: the server is full, draining or ill. */
  get isPassing() {
    return this.status === 429 || this.status >= 500;
  }

  /** The pause to keep when `isWithoutPublisher` or `isPassing`, in ms. */
  get pauseMs() {
    return this.retryAfterMs ?? DEFAULT_RETRY_MS;
  }
}

/** One WHIP or WHEP session, by the address of its resource. */
export class Session {
  #resource;
  #token;

  constructor(resource, token) {
    this.#resource = resource;
    this.#token = token;
  }

  /**
   * POST an offer. Returns the session and the SDP answer.
   * Throws Refusal when the server says no, and what fetch throws when there is no server.
   */
  static async open(endpoint, offerSdp, token = "") {
    const response = await fetch(endpoint, {
      method: "POST",
      headers: { "Content-Type": "application/sdp", ...authorization(token) },
      body: offerSdp,
      signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
    });
    if (response.status !== 201) throw await refusal(response);
    const location = response.headers.get("Location");
    if (!location) throw new Refusal(502, "The server's answer names no session.", null);
    const session = new Session(new URL(location, response.url).href, token);
    return { session, answerSdp: await response.text() };
  }

  /** PATCH new ICE credentials (RFC 9725 section 4.3.2). Returns the server's fragment. */
  async restartIce(fragment) {
    const response = await fetch(this.#resource, {
      method: "PATCH",
      headers: {
        "Content-Type": "application/trickle-ice-sdpfrag",
        "If-Match": "*",
        ...authorization(this.#token),
      },
      body: fragment,
      signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
    });
    if (response.status !== 200) throw await refusal(response);
    return response.text();
  }

  /** DELETE the session. It outlives the page, and nobody waits for it: the gateway also ends what falls silent. */
  close() {
    fetch(this.#resource, { method: "DELETE", headers: authorization(this.#token), keepalive: true }).catch(() => {});
  }
}

/** The headers that show a bearer token; none for none. */
export function authorization(token) {
  return token ? { Authorization: `Bearer ${token}` } : {};
}

/** The Refusal that an answer says, whatever its status. */
export async function refusal(response) {
  const sentence = await readSentence(response);
  const { status, headers, url } = response;
  const alternate = status === 503 ? alternateEdge(headers.get("Link"), url) : null;
  return new Refusal(status, sentence, retryAfterMs(headers.get("Retry-After")), alternate);
}

/** The body's sentence, whether it comes as text or in a JSON object; else the status in words. */
async function readSentence(response) {
  const body = (await response.text().catch(() => "")).trim();
  const fallback = `The server answered ${response.status} ${response.statusText}`.trim() + ".";
  if (!body || body.startsWith("<")) return fallback;
  if (!body.startsWith("{")) return body.slice(0, 300);
  try {
    const { error, detail, message } = JSON.parse(body);
    return String(error ?? detail ?? message ?? fallback);
  } catch {
    return fallback;
  }
}

function retryAfterMs(header) {
  if (header === null) return null;
  const seconds = /^\d+(\.\d+)?$/.test(header) ? Number(header) : (Date.parse(header) - Date.now()) / 1000;
  return Number.isFinite(seconds) ? Math.min(Math.max(seconds, 0.5), 300) * 1000 : null;
}
