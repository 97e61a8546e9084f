/** What the plots show, put together from answers that each have what is newer than the last. Pure. */

const KEPT_S = 15 * 60;

export class History {
  #plot = null;

  /** Take in a PLOT of /api/v1/ops, { at_unix_s, column: values }, and let go what is older than a quarter of an hour. */
  add(plot) {
    const before = this.#plot ?? Object.fromEntries(Object.keys(plot).map((column) => [column, []]));
    const skipped = plot.at_unix_s.filter((atUnixS) => atUnixS <= this.newestUnixS).length;
    const newest = plot.at_unix_s.at(-1) ?? this.newestUnixS;
    const gone = before.at_unix_s.filter((atUnixS) => atUnixS <= newest - KEPT_S).length;
    const joined = Object.keys(before).map((column) => [column, [...before[column].slice(gone), ...plot[column].slice(skipped)]]);
    this.#plot = Object.fromEntries(joined);
  }

  /** Begin anew. */
  clear() {
    this.#plot = null;
  }

  /** A PLOT of all that is there; null before the first. */
  get plot() {
    return this.#plot;
  }

  /** Time of the newest point; 0 without one. */
  get newestUnixS() {
    return this.#plot?.at_unix_s.at(-1) ?? 0;
  }
}
