import { Backoff, atLeast } from "./backoff.js";
import { Refusal, Session } from "./signalling.js";

const CONNECTED_WITHIN_MS = 10000;
/**
 * Live for so long: what ends then has ended anew. Longer than any pause, so that two studios that take a table from one
 * another do so ever more slowly.
 */
const STEADY_AFTER_MS = 30000;

/** The video codecs that this browser can send and that the gateway passes through, by their names in MIME types. */
export function sendableCodecs() {
  const known = RTCRtpSender.getCapabilities("video")?.codecs ?? [];
  return ["H264", "VP8", "VP9", "AV1"].filter((name) => known.some((codec) => isCodec(codec, name)));
}

/**
 * Publishes one MediaStream by WHIP until `stop`, and publishes again when the connection is lost.
 *
 *     idle --publish--> connecting --ICE and DTLS--> live --lost--> retrying --pause--> connecting
 *                           `--4xx--> refused
 *
 * Events: "state" after each change of `state`. It knows no page.
 */
export class WhipClient extends EventTarget {
  /** One of idle, connecting, live, retrying, refused. */
  state = "idle";
  /** The server's sentence with retrying and refused; else "". */
  sentence = "";
  /** When the next attempt is made (Date.now() clock), with retrying; else null. */
  retryAtMs = null;

  #endpoint;
  #peer = null;
  #session = null;
  #offer = null;
  #backoff = new Backoff();
  #timer = 0;
  #wasLive = false;

  constructor(endpoint) {
    super();
    this.#endpoint = endpoint;
  }

  /**
   * Publish the tracks of `mediaStream`.
   *
   * codec            the one video codec to offer, or "" for all that there are, in the browser's order
   * maxBitrateBps    of the picture
   * keepsResolution  under pressure lose frames, not pixels: for cards and lettering
   * token            for `Authorization: Bearer`, or ""
   */
  publish(mediaStream, { codec = "", maxBitrateBps = 1500000, keepsResolution = false, token = "" } = {}) {
    this.#offer = { mediaStream, codec, maxBitrateBps, keepsResolution, token };
    this.#wasLive = false;
    this.#backoff.reset();
    this.#attempt();
  }

  /** Stop publishing and tell the server so; fit for a page that is being closed. */
  stop() {
    this.#end();
    this.#enter("idle");
  }

  async #attempt() {
    this.#end();
    this.#enter("connecting");
    const peer = (this.#peer = this.#newPeer());
    try {
      await peer.setLocalDescription(await peer.createOffer());
      const { session, answerSdp } = await Session.open(this.#endpoint, peer.localDescription.sdp, this.#offer.token);
      if (this.#peer !== peer) return session.close();
      this.#session = session;
      this.#timer = setTimeout(() => this.#lost(), CONNECTED_WITHIN_MS);
      await peer.setRemoteDescription({ type: "answer", sdp: answerSdp });
      const { transport } = peer.getSenders()[0];
      transport?.addEventListener("statechange", () => this.#transportChanged(peer, transport));
      if (this.#offer.keepsResolution) await keepResolution(peer);
    } catch (error) {
      if (this.#peer === peer) this.#failed(error);
    }
  }

  #newPeer() {
    const { mediaStream, codec, maxBitrateBps } = this.#offer;
    const peer = new RTCPeerConnection({ bundlePolicy: "max-bundle" });
    for (const track of mediaStream.getTracks()) {
      const encoding = track.kind === "video" ? { maxBitrate: maxBitrateBps } : {};
      const sending = { direction: "sendonly", streams: [mediaStream], sendEncodings: [encoding] };
      const transceiver = peer.addTransceiver(track, sending);
      if (track.kind === "video" && codec) transceiver.setCodecPreferences(onlyCodec(codec));
    }
    peer.addEventListener("connectionstatechange", () => this.#connectionChanged(peer));
    return peer;
  }

  #connectionChanged(peer) {
    if (peer !== this.#peer) return;
    if (peer.connectionState === "connected") {
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => this.#backoff.reset(), STEADY_AFTER_MS);
      this.#wasLive = true;
      this.#enter("live");
    }
    if (["disconnected", "failed"].includes(peer.connectionState)) this.#lost();
  }

  /** The gateway says goodbye by DTLS long before ICE misses it. */
  #transportChanged(peer, transport) {
    if (peer === this.#peer && transport.state === "closed") this.#lost();
  }

  #lost() {
    this.#retry("", this.#backoff.nextMs());
  }

  #failed(error) {
    if (!(error instanceof Refusal)) return this.#lost();
    // Just after a break the gateway may still hold our own lost session for live: then 409 passes.
    const passes = error.isPassing || (error.status === 409 && this.#wasLive);
    if (passes) return this.#retry(error.message, atLeast(error.pauseMs));
    this.#end();
    this.#enter("refused", error.message);
  }

  #retry(sentence, pauseMs) {
    this.#end();
    this.#timer = setTimeout(() => this.#attempt(), pauseMs);
    this.#enter("retrying", sentence, Date.now() + pauseMs);
  }

  #end() {
    clearTimeout(this.#timer);
    this.#session?.close();
    this.#peer?.close();
    this.#session = this.#peer = null;
  }

  #enter(state, sentence = "", retryAtMs = null) {
    Object.assign(this, { state, sentence, retryAtMs });
    this.dispatchEvent(new Event("state"));
  }
}

/** `name` and its retransmissions: offered alone, so that it is the one that is sent. */
function onlyCodec(name) {
  const { codecs } = RTCRtpSender.getCapabilities("video");
  return codecs.filter((codec) => isCodec(codec, name) || isCodec(codec, "rtx"));
}

function isCodec(codec, name) {
  return codec.mimeType.toLowerCase() === `video/${name.toLowerCase()}`;
}

async function keepResolution(peer) {
  for (const sender of peer.getSenders().filter(({ track }) => track?.kind === "video")) {
    await sender.setParameters({ ...sender.getParameters(), degradationPreference: "maintain-resolution" });
  }
}
