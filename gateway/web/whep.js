import { Backoff, atLeast } from "./backoff.js";
import { newChannel } from "./carriers.js";
import { answerAfterRestart, restartFragment } from "./sdpfrag.js";
import { Refusal, Session } from "./signalling.js";

/** Without a new frame for this long the picture counts as frozen, however healthy the connection says it is. */
const FROZEN_AFTER_MS = 2000;
/** From the POST to the first frame: longer means that no path, or no keyframe, comes. */
const FIRST_FRAME_WITHIN_MS = 8000;
const LOOK_EVERY_MS = 500;
/** Looks in a row that must find new frames after a freeze: a gateway whose studio hangs plays its last second again. */
const LOOKS_AFTER_FREEZE = 4;

/**
 * Watches one stream by WHEP, and keeps watching until `leave`.
 *
 *     connecting --first frame--> live --no frame, ICE lost--> frozen --frames--> live
 *         |  \                                                   | restarts ICE, then joins anew
 *         |   `--409--> waiting --Retry-After--> (joins anew)    v
 *         |--4xx--> refused                                   connecting
 *         `--no server, 5xx--> retrying --pause--> connecting
 *
 * Events: "state" after each change of `state`, "stream" when `mediaStream` and `channel` are new. It knows no page: what the states
 * look like is the page's affair.
 */
export class WhepClient extends EventTarget {
  /** One of idle, connecting, live, frozen, waiting, retrying, refused. */
  state = "idle";
  /** The server's sentence with waiting, retrying and refused; else "". */
  sentence = "";
  /** When the next attempt is made (Date.now() clock), with waiting and retrying; else null. */
  retryAtMs = null;
  /** What is being received, for a video element; null before the first answer. */
  mediaStream = null;
  /** The data channel for bet signals, which opens with the connection or never; null before the first attempt. */
  channel = null;
  /** The RTCPeerConnection of now, for statistics only; null without one. */
  peer = null;
  /** The HTTP status of the refusal, with refused; else null. */
  status = null;
  /** The edge to go to, which the server named with its no, with retrying; else null. */
  alternate = null;

  #endpoint;
  #token;
  #session = null;
  #answerSdp = "";
  #backoff = new Backoff();
  #retryTimer = 0;
  #lookTimer = 0;
  #framesDecoded = 0;
  #patientUntilMs = 0;
  #restarted = false;
  #isRestarting = false;
  #looksWanted = 1;
  #looksWithFrames = 0;

  constructor(endpoint, token = "") {
    super();
    this.#endpoint = endpoint;
    this.#token = token;
  }

  /** Begin to watch. `doubtful`: be live only when frames have come for two seconds, not with the first. */
  join(doubtful = false) {
    this.#stop();
    this.#looksWanted = doubtful ? LOOKS_AFTER_FREEZE : 1;
    clearInterval(this.#lookTimer);
    this.#lookTimer = setInterval(() => this.look(), LOOK_EVERY_MS);
    this.#attempt("connecting");
  }

  /** Whether sound is all that comes: then no frame will. */
  get hasNoVideo() {
    return this.peer !== null && receivesNoVideo(this.peer);
  }

  /** Compare the count of decoded frames with that of the last look: twice a second, and when told that one is there. */
  async look() {
    const peer = this.peer;
    if (!peer || !this.#session) return;
    const framesDecoded = await decodedFrames(peer);
    if (peer !== this.peer) return;
    if (framesDecoded > this.#framesDecoded || (receivesNoVideo(peer) && peer.connectionState === "connected")) {
      this.#framesDecoded = framesDecoded;
      this.#patience(FROZEN_AFTER_MS);
      this.#looksWithFrames += 1;
      if (this.#looksWithFrames >= this.#looksWanted) this.#isLive();
      return;
    }
    this.#looksWithFrames = 0;
    // A page in the background may not decode at all: what it does not show is not frozen.
    if (document.hidden) this.#patience(FROZEN_AFTER_MS);
    if (Date.now() > this.#patientUntilMs) this.#recover();
  }

  /** Do not wait for the end of the pause: somebody asked, or the network is back. */
  retryNow() {
    if (["waiting", "retrying", "refused"].includes(this.state)) this.#attempt("connecting");
  }

  /** Stop watching and tell the server so; fit for a page that is being closed. */
  leave() {
    this.#stop();
    clearInterval(this.#lookTimer);
    this.#enter("idle");
  }

  async #attempt(state) {
    this.#stop();
    this.status = this.alternate = null;
    const peer = (this.peer = this.#newPeer());
    this.#enter(state);
    if (this.peer !== peer) return;
    this.dispatchEvent(new Event("stream"));
    try {
      await peer.setLocalDescription(await peer.createOffer());
      const opened = await Session.open(this.#endpoint, peer.localDescription.sdp, this.#token);
      if (this.peer !== peer) return opened.session.close();
      this.#session = opened.session;
      this.#answerSdp = opened.answerSdp;
      this.#patience(FIRST_FRAME_WITHIN_MS);
      if (state === "waiting") this.#enter("connecting");
      await peer.setRemoteDescription({ type: "answer", sdp: opened.answerSdp });
      receiveWithoutDelay(peer);
      this.#joinAnewWhenDismissed(peer);
    } catch (error) {
      if (this.peer === peer) this.#failed(error);
    }
  }

  #newPeer() {
    const peer = new RTCPeerConnection({ bundlePolicy: "max-bundle" });
    const mediaStream = new MediaStream();
    for (const kind of ["video", "audio"]) {
      const { receiver } = peer.addTransceiver(kind, { direction: "recvonly" });
      mediaStream.addTrack(receiver.track);
    }
    peer.addEventListener("connectionstatechange", () => this.#connectionChanged(peer));
    this.mediaStream = mediaStream;
    this.channel = newChannel(peer);
    return peer;
  }

  #connectionChanged(peer) {
    if (peer !== this.peer || !this.#session) return;
    if (["disconnected", "failed"].includes(peer.connectionState)) this.#recover();
  }

  /** The gateway says goodbye by DTLS: it drains, or ended the session. No restart of ICE brings that back. */
  #joinAnewWhenDismissed(peer) {
    const { transport } = peer.getReceivers()[0];
    transport?.addEventListener("statechange", () => {
      if (peer === this.peer && transport.state === "closed") this.#attempt("frozen");
    });
  }

  #isLive() {
    this.#looksWanted = 1;
    // A picture may go on before the restart is answered: a second one in between would get the first one's answer.
    this.#restarted = this.#isRestarting;
    this.#backoff.reset();
    if (this.state !== "live") this.#enter("live");
  }

  /** First new ICE credentials for the session that stands, which costs a round trip; after that a new session. */
  async #recover() {
    const peer = this.peer;
    if (this.#restarted || !peer?.remoteDescription) {
      this.#looksWanted = LOOKS_AFTER_FREEZE;
      this.#retry("retrying", "", this.#backoff.nextMs());
      return;
    }
    this.#restarted = this.#isRestarting = true;
    this.#patience(FROZEN_AFTER_MS);
    if (this.state === "live") this.#enter("frozen");
    try {
      await this.#restartIce(peer);
      if (peer === this.peer) this.#isRestarting = false;
    } catch {
      if (peer !== this.peer) return;
      this.#looksWanted = LOOKS_AFTER_FREEZE;
      // It may be live by now, of the session that ends here.
      this.#attempt(this.state === "live" ? "frozen" : this.state);
    }
  }

  async #restartIce(peer) {
    await peer.setLocalDescription(await peer.createOffer({ iceRestart: true }));
    const fragment = await this.#session.restartIce(restartFragment(peer.localDescription.sdp));
    if (peer !== this.peer) return;
    this.#answerSdp = answerAfterRestart(this.#answerSdp, fragment);
    await peer.setRemoteDescription({ type: "answer", sdp: this.#answerSdp });
    this.#patience(FROZEN_AFTER_MS);
  }

  #failed(error) {
    if (error instanceof Refusal && error.isWithoutPublisher) {
      this.#retry("waiting", error.message, atLeast(error.pauseMs));
    } else if (error instanceof Refusal && error.isPassing) {
      this.alternate = error.alternate;
      this.#retry("retrying", error.message, atLeast(error.pauseMs));
    } else if (error instanceof Refusal) {
      this.#stop();
      this.status = error.status;
      this.#enter("refused", error.message);
    } else {
      this.#retry("retrying", "", this.#backoff.nextMs());
    }
  }

  #retry(state, sentence, pauseMs) {
    this.#stop();
    this.#retryTimer = setTimeout(() => this.#attempt(state === "waiting" ? "waiting" : "connecting"), pauseMs);
    this.#enter(state, sentence, Date.now() + pauseMs);
  }

  #patience(durationMs) {
    this.#patientUntilMs = Date.now() + durationMs;
  }

  #stop() {
    clearTimeout(this.#retryTimer);
    this.#session?.close();
    const { peer, channel } = this;
    peer?.close();
    this.#session = this.peer = null;
    this.#framesDecoded = this.#looksWithFrames = 0;
    this.#restarted = this.#isRestarting = false;
    // Safari tells a channel nothing of its connection's end: https://github.com/w3c/webrtc-pc/issues/3085
    if (peer) channel.dispatchEvent(new Event("close"));
  }

  #enter(state, sentence = "", retryAtMs = null) {
    Object.assign(this, { state, sentence, retryAtMs });
    this.dispatchEvent(new Event("state"));
  }
}

async function decodedFrames(peer) {
  const reports = await peer.getStats();
  const video = [...reports.values()].find((report) => report.type === "inbound-rtp" && report.kind === "video");
  return video?.framesDecoded ?? 0;
}

function receivesNoVideo(peer) {
  const video = peer.getTransceivers().find(({ receiver }) => receiver.track.kind === "video");
  return video?.currentDirection === "inactive" || video?.currentDirection === "stopped";
}

/** Players bet on what they see: show each frame when it is there, and let the jitter buffer grow only where it must. */
function receiveWithoutDelay(peer) {
  for (const receiver of peer.getReceivers()) {
    receiver.playoutDelayHint = 0;
    receiver.jitterBufferTarget = 0;
  }
}
