/**
 * The time of capture, in the picture: 32 cells of 16x16 px along its top edge, cell i at x = 16 i, white for 1 and black
 * for 0, most significant bit first: unix time in milliseconds modulo 2**32. `gateway/demo/clock_strip.py` draws the same.
 */

const CELLS = 32;
const CELL_PX = 16;
const STRIP_PX = CELLS * CELL_PX;
const MODULUS = 2 ** CELLS;
/** The width at which the drawn tables are drawn: an encoder short of bandwidth may have made them smaller. */
const DRAWN_WIDTH_PX = 1280;
const PLAUSIBLE_MS = 60000;
const DARK = 90;
const BRIGHT = 165;

let scratch = null;

/** Draw the time code of `unixMs` along the top edge of a 2D context. */
export function drawTimecode(context, unixMs) {
  const code = unixMs % MODULUS;
  for (let cell = 0; cell < CELLS; cell += 1) {
    const bit = Math.floor(code / 2 ** (CELLS - 1 - cell)) % 2;
    context.fillStyle = bit ? "#fff" : "#000";
    context.fillRect(cell * CELL_PX, 0, CELL_PX, CELL_PX);
  }
}

/**
 * The time code in the frame that `video` shows now: unix milliseconds modulo 2**32. null where there is no strip, or
 * where it says a time that is more than a minute from this machine's clock, which no strip but chance would say.
 */
export function readTimecode(video) {
  if (!video.videoWidth) return null;
  const scales = new Set([1, video.videoWidth / DRAWN_WIDTH_PX]);
  for (const scale of scales) {
    const code = readAt(video, scale);
    if (code !== null && Math.abs(sinceTimecode(code)) < PLAUSIBLE_MS) return code;
  }
  return null;
}

/** Milliseconds from the time code to `unixMs`, across the wrap of the code (each 49.7 days). */
export function sinceTimecode(code, unixMs = Date.now()) {
  const difference = ((unixMs - code) % MODULUS + MODULUS) % MODULUS;
  return difference > MODULUS / 2 ? difference - MODULUS : difference;
}

function readAt(video, scale) {
  if (STRIP_PX * scale > video.videoWidth) return null;
  scratch ??= newScratch();
  scratch.drawImage(video, 0, 0, STRIP_PX * scale, CELL_PX * scale, 0, 0, STRIP_PX, CELL_PX);
  const pixels = scratch.getImageData(0, 0, STRIP_PX, CELL_PX).data;
  let code = 0;
  for (let cell = 0; cell < CELLS; cell += 1) {
    const brightness = brightnessOf(pixels, cell);
    if (brightness > DARK && brightness < BRIGHT) return null;
    code = code * 2 + (brightness >= BRIGHT ? 1 : 0);
  }
  return code;
}

/** The mean of green over the middle of a cell: its edges are the codec's. */
function brightnessOf(pixels, cell) {
  let sum = 0;
  for (let y = 6; y < 10; y += 1) {
    for (let x = 6; x < 10; x += 1) {
      sum += pixels[(y * STRIP_PX + cell * CELL_PX + x) * 4 + 1];
    }
  }
  return sum / 16;
}

function newScratch() {
  const canvas = document.createElement("canvas");
  canvas.width = STRIP_PX;
  canvas.height = CELL_PX;
  return canvas.getContext("2d", { willReadFrequently: true });
}
