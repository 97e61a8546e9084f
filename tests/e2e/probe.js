/**
 * Looks over a page's shoulder: what it asks of the gateway, its peer connections, and when its video shows a frame.
 * Added to every page of the tests before the page's own scripts run.
 */
(() => {
  const probe = {
    /** { method, path, startedMs, status } of every WHIP and WHEP request. */
    requests: [],
    /** Every RTCPeerConnection, the latest last. */
    peers: [],
    /** When each frame was shown, on the clock of performance.now(). */
    shownMs: [],

    get peer() {
      return probe.peers.at(-1);
    },

    /** From the start of the latest POST to the first frame shown after it; null before that. */
    firstFrameMs() {
      const post = probe.requests.findLast(({ method }) => method === "POST");
      const first = probe.shownMs.find((shownMs) => shownMs > post?.startedMs);
      return first === undefined ? null : first - post.startedMs;
    },

    /** The longest time between two frames shown in a row, the second of them after `sinceMs`. */
    longestGapMs(sinceMs) {
      const gaps = probe.shownMs.map((shownMs, at) => (shownMs > sinceMs && at ? shownMs - probe.shownMs[at - 1] : 0));
      return Math.max(0, ...gaps);
    },

    /** The inbound video's figures, with the pair of addresses that carries them. */
    async inbound() {
      const reports = [...(await probe.peer.getStats()).values()];
      const video = reports.find(({ type, kind }) => type === "inbound-rtp" && kind === "video");
      const audio = reports.find(({ type, kind }) => type === "inbound-rtp" && kind === "audio");
      const transport = reports.find(({ type }) => type === "transport");
      const byId = (id) => reports.find((report) => report.id === id);
      return { ...video, remote: byId(byId(transport?.selectedCandidatePairId)?.remoteCandidateId)?.address,
        srtpCipher: transport?.srtpCipher, audioPackets: audio?.packetsReceived ?? 0 };
    },

    /** How old each of the next `count` frames is when it is shown, in ms; frames without a readable code are left out. */
    async agesMs(count) {
      const { readTimecode, sinceTimecode } = await import("/web/timecode.js");
      const video = document.querySelector("video");
      const ages = [];
      for (let frame = 0; frame < count; frame += 1) {
        await new Promise((resolve) => video.requestVideoFrameCallback(resolve));
        const code = readTimecode(video);
        if (code !== null) ages.push(sinceTimecode(code, performance.timeOrigin + performance.now()));
      }
      return ages;
    },
  };
  window.probe = probe;

  const realFetch = window.fetch;
  window.fetch = async (address, init = {}) => {
    const request = { method: init.method ?? "GET", startedMs: performance.now(), status: null };
    request.path = new URL(address, location.href).pathname;
    if (/^\/wh[ie]p\//.test(request.path)) probe.requests.push(request);
    const response = await realFetch(address, init);
    request.status = response.status;
    return response;
  };

  window.RTCPeerConnection = class extends RTCPeerConnection {
    constructor(...parameters) {
      super(...parameters);
      probe.peers.push(this);
    }

    /** Video is sent at half its width and height: two pages that encode and decode share this machine's cores. */
    addTransceiver(track, init = {}) {
      if (track.kind === "video") for (const encoding of init.sendEncodings ?? []) encoding.scaleResolutionDownBy = 2;
      return super.addTransceiver(track, init);
    }
  };

  addEventListener("DOMContentLoaded", () => {
    const video = document.querySelector("#picture");
    const note = () => {
      probe.shownMs.push(performance.now());
      video.requestVideoFrameCallback(note);
    };
    video?.requestVideoFrameCallback(note);
  });
})();
