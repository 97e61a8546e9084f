import { frameDelays } from "./figures.js";
import { aheadS } from "./ranges.js";

/**
 * Measures a playing HlsClient, as FigureReader does a peer connection. A figure that cannot be had is null.
 *
 *     latencyMs, targetLatencyMs          from the live edge of the playlist to the picture; what the player aims at
 *     bufferMs              what is there beyond the picture of now
 *     stallCount, stallsS   how often, and how long in all, the picture waited for data
 *     bitrateBps            picture and sound together, since the reading before
 *     codec, width, height, frameRate, framesDecoded, framesDropped
 *     playbackRate          above 1 while the player catches up
 *     timecodeDelayMs       now minus the time code in the picture, where one is drawn; both clocks must agree
 */
export class HlsFigureReader {
  #before = null;

  /** Read the figures of `client`, and of the next frame of `video`. Resolves within a quarter of a second. */
  async read(client, video) {
    const { timecodeDelayMs } = await frameDelays(video);
    const { playback, stalls } = client;
    const quality = video.getVideoPlaybackQuality?.();
    const sample = { atMs: performance.now(), bytes: playback?.bytes ?? null, frames: quality?.totalVideoFrames ?? null };
    const figures = {
      latencyMs: inMs(playback?.latencyS),
      targetLatencyMs: inMs(playback?.targetLatencyS),
      bufferMs: inMs(aheadS(video)),
      stallCount: stalls?.count ?? 0,
      stallsS: stalls?.durationS ?? 0,
      bitrateBps: scaled(rate(sample, this.#before, "bytes"), 8),
      codec: codecName(playback?.codec),
      width: video.videoWidth || null,
      height: video.videoHeight || null,
      frameRate: rate(sample, this.#before, "frames"),
      framesDecoded: sample.frames ?? 0,
      framesDropped: quality?.droppedVideoFrames ?? 0,
      playbackRate: video.playbackRate,
      timecodeDelayMs,
    };
    this.#before = sample;
    return figures;
  }
}

/** What is a difference of two readings, a second; null at the first one and after a new start. */
function rate(sample, before, name) {
  if (before === null || before[name] === null || !(sample[name] >= before[name])) return null;
  return ((sample[name] - before[name]) * 1000) / (sample.atMs - before.atMs);
}

function codecName(codec) {
  return codec?.startsWith("avc1") ? "H264" : (codec ?? null);
}

function inMs(seconds) {
  return scaled(seconds ?? null, 1000);
}

function scaled(value, factor) {
  return value === null ? null : value * factor;
}
