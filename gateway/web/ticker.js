/** A worker that beats 30 times a second: browsers slow the timers of a page in the background down, but not these. */
setInterval(() => postMessage(null), 1000 / 30);
