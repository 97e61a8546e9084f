import { readTimecode, sinceTimecode } from "./timecode.js";

const FRAME_WITHIN_MS = 250;

/**
 * Measures a playing peer connection. A figure that cannot be had is null.
 *
 *     rttMs                 round trip of the selected ICE pair
 *     bitrateBps            picture and sound together, since the reading before
 *     codec, width, height, frameRate
 *     framesDecoded, framesDropped, freezeCount, freezesS
 *     packetsReceived, packetsLost        picture and sound together
 *     jitterBufferMs        mean of the frames since the reading before
 *     captureDelayMs        now minus the frame's captureTime: needs RTCP sender reports and a round trip measured by XR
 *     timecodeDelayMs       now minus the time code in the picture, where one is drawn; both clocks must agree
 */
export class FigureReader {
  #before = null;

  /** Read the figures of `peer`, and of the next frame of `video`. Resolves within a quarter of a second. */
  async read(peer, video) {
    const [reports, delays] = await Promise.all([peer?.getStats() ?? new Map(), frameDelays(video)]);
    const sample = sampleOf([...reports.values()]);
    const figures = { ...sample.figures, ...rates(sample, this.#before), ...delays };
    this.#before = sample;
    return figures;
  }
}

function sampleOf(reports) {
  const inbound = reports.filter((report) => report.type === "inbound-rtp");
  const video = inbound.find((report) => report.kind === "video") ?? {};
  const transport = reports.find((report) => report.type === "transport");
  const pair = reports.find((report) => report.id === transport?.selectedCandidatePairId);
  const codec = reports.find((report) => report.id === video.codecId);
  return {
    atMs: video.timestamp ?? performance.timeOrigin + performance.now(),
    bytes: sum(inbound, "bytesReceived"),
    bufferS: video.jitterBufferDelay ?? 0,
    buffered: video.jitterBufferEmittedCount ?? 0,
    figures: {
      rttMs: scaled(pair?.currentRoundTripTime, 1000),
      codec: codec?.mimeType?.split("/")[1] ?? null,
      width: video.frameWidth ?? null,
      height: video.frameHeight ?? null,
      frameRate: video.framesPerSecond ?? null,
      framesDecoded: video.framesDecoded ?? 0,
      framesDropped: video.framesDropped ?? 0,
      freezeCount: video.freezeCount ?? null,
      freezesS: video.totalFreezesDuration ?? null,
      packetsReceived: sum(inbound, "packetsReceived"),
      packetsLost: sum(inbound, "packetsLost"),
    },
  };
}

/** What is a difference of two readings; null at the first one and after a new connection. */
function rates(sample, before) {
  const elapsedMs = before ? sample.atMs - before.atMs : 0;
  if (elapsedMs <= 0 || sample.bytes < before.bytes) return { bitrateBps: null, jitterBufferMs: null };
  const frames = sample.buffered - before.buffered;
  return {
    bitrateBps: ((sample.bytes - before.bytes) * 8000) / elapsedMs,
    jitterBufferMs: frames > 0 ? ((sample.bufferS - before.bufferS) / frames) * 1000 : null,
  };
}

/** The delays that the next presented frame shows; both null where none comes, or the browser tells nothing of frames. */
export function frameDelays(video) {
  const none = { captureDelayMs: null, timecodeDelayMs: null };
  if (!video?.requestVideoFrameCallback) return Promise.resolve(none);
  return new Promise((resolve) => {
    const handle = video.requestVideoFrameCallback((_now, { captureTime }) => {
      clearTimeout(timer);
      const nowMs = performance.now();
      const code = readTimecode(video);
      resolve({
        captureDelayMs: captureTime === undefined ? null : nowMs - captureTime,
        timecodeDelayMs: code === null ? null : sinceTimecode(code, Math.round(performance.timeOrigin + nowMs)),
      });
    });
    const timer = setTimeout(() => {
      video.cancelVideoFrameCallback(handle);
      resolve(none);
    }, FRAME_WITHIN_MS);
  });
}

function sum(reports, name) {
  return reports.reduce((total, report) => total + (report[name] ?? 0), 0);
}

function scaled(value, factor) {
  return value === undefined ? null : value * factor;
}
