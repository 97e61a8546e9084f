/** What a media element has: its TimeRanges, as seconds. */

/** Seconds that are there beyond the picture of now; null where it stands outside of what is there. */
export function aheadS({ buffered, currentTime }) {
  for (let range = 0; range < buffered.length; range += 1) {
    const endS = buffered.end(range);
    if (buffered.start(range) <= currentTime && currentTime <= endS) return endS - currentTime;
  }
  return null;
}

/** Where the last of the ranges ends; 0 where there is none. */
export function endS(ranges) {
  return ranges.length ? ranges.end(ranges.length - 1) : 0;
}
