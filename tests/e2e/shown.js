/**
 * Looks at what the player page shows: every frame of the video on top, and every animation frame's brightness of what is on
 * top, be it a video or the last frame of one. Added before the page's own scripts run.
 */
(() => {
  /** An hour's worth; more would only be a page that nobody closed. */
  const MAX_SAMPLES = 220000;
  const shown = {
    /** { atMs, id, ageMs }: when a frame was presented, of which video, and how old it was by its time code. */
    frames: [],
    /**
     * { atMs, id, luma }: which layer was on top, and how bright it was, 0 to 255; luma null where there was nothing. A video
     * that jumps is left out: the browser keeps its last frame on the screen, and gives it to no canvas.
     */
    looks: [],

    /** Frames of one video since a time, in ms of performance.now(). */
    framesOf: (id, sinceMs = 0) => shown.frames.filter((frame) => frame.id === id && frame.atMs >= sinceMs),

    /** The longest time between two frames shown in a row, whichever video shows them. */
    longestGapMs(sinceMs) {
      const times = shown.frames.map(({ atMs }) => atMs).filter((atMs) => atMs >= sinceMs);
      return Math.max(0, ...times.slice(1).map((atMs, before) => atMs - times[before]));
    },
  };
  window.shown = shown;

  const canvas = new OffscreenCanvas(16, 9);
  const scratch = canvas.getContext("2d", { willReadFrequently: true });

  function lumaOf(layer) {
    if (layer === null || (layer.tagName === "VIDEO" && layer.readyState < 2)) return null;
    scratch.fillRect(0, 0, 16, 9);
    scratch.drawImage(layer, 0, 0, 16, 9);
    const { data } = scratch.getImageData(0, 0, 16, 9);
    let sum = 0;
    for (let at = 0; at < data.length; at += 4) sum += 0.3 * data[at] + 0.6 * data[at + 1] + 0.1 * data[at + 2];
    return sum / (data.length / 4);
  }

  function look() {
    const layer = document.querySelector("#still:not([hidden])") ?? document.querySelector("video.shown");
    if (shown.looks.length < MAX_SAMPLES && !layer?.seeking) {
      shown.looks.push({ atMs: performance.now(), id: layer?.id ?? null, luma: lumaOf(layer) });
    }
    requestAnimationFrame(look);
  }

  function follow(video, { readTimecode, sinceTimecode }) {
    const note = () => {
      const nowMs = performance.now();
      const isOnTop = video.classList.contains("shown") && document.querySelector("#still").hidden;
      if (isOnTop && shown.frames.length < MAX_SAMPLES) {
        const code = readTimecode(video);
        const ageMs = code === null ? null : sinceTimecode(code, performance.timeOrigin + nowMs);
        shown.frames.push({ atMs: nowMs, id: video.id, ageMs });
      }
      video.requestVideoFrameCallback(note);
    };
    video.requestVideoFrameCallback(note);
  }

  addEventListener("DOMContentLoaded", async () => {
    const timecode = await import("/web/timecode.js");
    for (const video of document.querySelectorAll("video")) follow(video, timecode);
    look();
  });
})();
