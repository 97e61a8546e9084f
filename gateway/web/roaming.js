import { Backoff } from "./backoff.js";
import { edgeOf } from "./edges.js";
import { Player } from "./player.js";

/** From the start at another edge to a picture that moves: longer, and it is the next one's turn. */
const LIVE_WITHIN_MS = 8000;
/** So long after the last try, a move needs no pause. */
const STEADY_AFTER_MS = 60000;
/** For the signals to follow the picture: then the session at the former edge ends all the same. */
const LINGER_MS = 3000;
/** Without a picture for so long at another edge: the page's own address, which leads to whoever is ready, has its turn. */
const LOST_AFTER_MS = 3000;
/** A player waits no longer than that for its turn, whatever it is told. */
const LONGEST_WAIT_MS = 120000;

/**
 * Watches one stream, and moves to another edge when told to, or when the one that it is at refuses it and names another.
 * Make before break: a second Player starts behind the first one, and takes the screen with its first frame.
 *
 *     stays --move--> waits its turn --> tries an edge beside the old one --live--> stays there, leaves the old one
 *       ^                  ^                 |
 *       |                  `-- backoff ------| refused, no picture in 8 s: by turns the edge named, and the page's own
 *       `----------------------------------- `-- the old one has lost its picture, and has let the player in again
 *
 * What the old edge had let in before it sent the player away is no reason to stay, though its picture may come only then.
 *
 * It moves to the page's own address of itself when it has been without a picture at another edge for three seconds: edges
 * that are named may die, and nobody is left then who would say so. The lost one has its chance beside that: whichever plays
 * first is stayed at. A final no ends it all only when each edge has said one.
 *
 * Two edges that send a player to and fro do so at the backoff's pace: only the first move in a minute is made at once.
 *
 * Events: "state" and "play" as Player's; "channel" (with `channel`, `isAhead`) for each new data channel, `isAhead` that of
 * an edge where the player is not yet; "moved" after each move: then call `release` as soon as the former edge is not needed.
 */
export class RoamingPlayer extends EventTarget {
  /** How often it has changed its edge. */
  moves = 0;
  /** Whether it is about to change its edge. */
  isMoving = false;

  #current;
  #hasLostPicture = false;
  #isUnsteady = false;
  #isUrgent = false;
  #left = null;
  #newPlayer;
  #next = null;
  #pauses = new Backoff(500, 8000);
  /** Of this move: edges whose last answer was a final no. */
  #refusing = new Set();
  /** The attempts of the old one that are to end. */
  #sentAway = [];
  #stage;
  /** Timers by what they wait for. */
  #timers = {};
  #to = null;
  #turn = 0;
  #turnAtMs = null;

  /** As a Player's. `stage`: a Stage. */
  constructor(stream, token, stage, only = "") {
    super();
    this.#stage = stage;
    this.#newPlayer = (edge, layers) => this.#followed(new Player(edge, stream, token, layers, only));
    this.#current = this.#newPlayer(location.origin, stage.front);
  }

  /** The origin that it plays from. */
  get edge() {
    return this.#current.edge;
  }

  get transport() {
    return this.#face.transport;
  }

  get state() {
    return this.#isPausing ? "retrying" : this.#face.state;
  }

  get sentence() {
    return this.#isPausing ? "" : this.#face.sentence;
  }

  get retryAtMs() {
    return this.#isPausing ? this.#turnAtMs : this.#face.retryAtMs;
  }

  get whep() {
    return this.#current.whep;
  }

  get hls() {
    return this.#current.hls;
  }

  /** Begin to watch. */
  join() {
    this.#current.join();
  }

  /** Try now what would be tried later. */
  retryNow() {
    this.#current.retryNow();
  }

  /** Stop watching, and tell the servers so; fit for a page that is being closed. */
  leave() {
    this.#stay();
    this.release();
    this.#current.leave();
  }

  /**
   * Move after `afterMs`: to the edge `to`, an origin; where it is null, or none, by the page's own address, behind which
   * another gateway may answer by then.
   */
  move(to, afterMs = 0) {
    this.#to = edgeOf(to);
    this.#sentAway = this.#attempts;
    this.#begin(afterMs);
  }

  /** End the session that a move has left behind. */
  release() {
    clearTimeout(this.#timers.linger);
    if (this.#left === null) return;
    this.#left.leave();
    this.#left = null;
    this.#stage.spare.clear();
  }

  /** The player that the state is about. */
  get #face() {
    return this.#next !== null && !this.#current.hasPicture ? this.#next : this.#current;
  }

  /** The old edge will never play again, and the next try is yet to come. */
  get #isPausing() {
    return this.isMoving && this.#next === null && this.#current.state === "refused";
  }

  /** Whether nobody is left who might say yes. */
  get #isRefused() {
    return this.#current.state === "refused" && this.#edges.every((edge) => this.#refusing.has(edge));
  }

  /** Where to try, by turns. Not where a player without a picture tries already. */
  get #edges() {
    const edges = [...new Set([this.#to ?? location.origin, location.origin])];
    return edges.filter((edge) => this.#current.hasPicture || edge !== this.edge);
  }

  /** What the current one is there by, or tries to be: each attempt has its own, by WebRTC and by HLS. */
  get #attempts() {
    const { whep, hls } = this.#current;
    return [whep.peer, hls.attempt];
  }

  /** Whether the edge that is to be left has let the player in since. */
  get #isLetInAgain() {
    const [webrtc, hls] = this.#attempts;
    return this.#current.state === "live" && !this.#sentAway.includes(this.#current.transport === "hls" ? hls : webrtc);
  }

  #followed(player) {
    player.addEventListener("state", () => this.#onState(player));
    player.addEventListener("play", ({ video }) => this.#tell("play", { video }));
    player.whep.addEventListener("stream", () => {
      const { channel } = player.whep;
      if (player !== this.#left) this.#tell("channel", { channel, isAhead: player !== this.#current });
    });
    return player;
  }

  #onState(player) {
    if (player === this.#next) this.#onNext();
    else if (player !== this.#current) return;
    else if (this.isMoving) this.#onOld();
    else if (player.alternate !== null) this.move(player.alternate);
    else this.#lookHome();
    this.#tell("state");
  }

  #lookHome() {
    const { state, hasPicture } = this.#current;
    if (hasPicture || state === "idle" || this.edge === location.origin) return this.#forgetHome();
    this.#timers.home ??= setTimeout(() => this.#goHome(), LOST_AFTER_MS);
  }

  /** Nobody sends it away: the lost edge may still play to it. */
  #goHome() {
    this.#to = null;
    this.#sentAway = [];
    this.#begin(NaN);
  }

  #forgetHome() {
    clearTimeout(this.#timers.home);
    this.#timers.home = null;
  }

  #begin(afterMs) {
    if (this.isMoving) return;
    this.#forgetHome();
    this.isMoving = true;
    this.#hasLostPicture = !this.#current.hasPicture;
    this.#isUrgent = this.#current.state !== "live";
    this.#turn = 0;
    this.#refusing.clear();
    this.#tryIn(Math.max(inTurnMs(afterMs), this.#isUnsteady ? this.#pauses.nextMs() : 0));
    this.#tell("state");
  }

  #onNext() {
    const { isShown, state, transport } = this.#next;
    // HLS is behind: who watches by WebRTC waits for WebRTC, as long as that plays.
    const isAsGood = transport === "webrtc" || !(this.#current.state === "live" && this.#current.transport === "webrtc");
    if (isShown && isAsGood) this.#arrive();
    else if (["retrying", "refused"].includes(state)) this.#fail();
  }

  /** The old edge plays again after all; or everybody refuses; or it does not play any more, and another is urgent. */
  #onOld() {
    const { state, hasPicture, alternate } = this.#current;
    this.#note(alternate);
    if ((this.#hasLostPicture && this.#isLetInAgain) || this.#isRefused) this.#stay();
    else if (state !== "live" && !this.#isUrgent) this.#hurry();
    this.#hasLostPicture = !hasPicture;
    // Not at once: the old one is in the middle of what it does, and is left when that is done.
    if (state !== "live") queueMicrotask(() => this.#askNext());
  }

  /** What was not as good as the old one may be so now. */
  #askNext() {
    if (this.#next === null) return;
    this.#onNext();
    this.#tell("state");
  }

  #hurry() {
    this.#isUrgent = true;
    this.#pauses.reset();
    if (this.#next === null) this.#tryIn(this.#pauses.nextMs());
  }

  #tryIn(pauseMs) {
    clearTimeout(this.#timers.turn);
    this.#turnAtMs = Date.now() + pauseMs;
    this.#timers.turn = setTimeout(() => this.#try(), pauseMs);
  }

  #try() {
    const edges = this.#edges;
    if (edges.length === 0) return this.#tryHere();
    this.release();
    this.#isUnsteady = true;
    clearTimeout(this.#timers.steady);
    this.#timers.steady = setTimeout(() => this.#settle(), STEADY_AFTER_MS);
    this.#next = this.#newPlayer(edges[this.#turn % edges.length], this.#stage.spare);
    this.#turn += 1;
    this.#judgeLater();
    this.#next.join();
    this.#tell("state");
  }

  /** No other way is left; who refused it may take it by now. */
  #tryHere() {
    this.#stay();
    if (this.#current.state === "refused") this.#current.retryNow();
    this.#tell("state");
  }

  #judgeLater() {
    this.#timers.turn = setTimeout(() => this.#judge(), LIVE_WITHIN_MS);
  }

  #judge() {
    const { state } = this.#next;
    // The studio moves, too, and may come there later: where that is the only way, it is waited for.
    if (state === "waiting" && this.#edges.length === 1) return this.#judgeLater();
    if (state === "live") this.#arrive();
    else this.#fail();
    this.#tell("state");
  }

  #fail() {
    const { alternate, edge, state } = this.#next;
    this.#note(alternate);
    this.#refusing[state === "refused" ? "add" : "delete"](edge);
    if (this.#isRefused) return this.#stay();
    this.#drop();
    this.#tryIn(this.#pauses.nextMs());
  }

  /** Back to where it is, or has its turn anyway, is no way on. */
  #note(alternate) {
    if (![null, this.edge, location.origin].includes(alternate)) this.#to = alternate;
  }

  #arrive() {
    clearTimeout(this.#timers.turn);
    this.#left = this.#current;
    this.#current = this.#next;
    this.#next = null;
    this.isMoving = false;
    this.moves += 1;
    this.#stage.swap();
    this.#timers.linger = setTimeout(() => this.release(), LINGER_MS);
    this.#tell("moved");
  }

  #settle() {
    this.#isUnsteady = false;
    this.#pauses.reset();
  }

  /** Call the move off. */
  #stay() {
    clearTimeout(this.#timers.turn);
    this.#forgetHome();
    this.isMoving = false;
    this.#drop();
  }

  #drop() {
    const next = this.#next;
    this.#next = null;
    if (next === null) return;
    next.leave();
    this.#stage.spare.clear();
  }

  #tell(name, what = {}) {
    this.dispatchEvent(Object.assign(new Event(name), what));
  }
}

/** Without a time of its own a player takes one: all at once would be a rush. */
function inTurnMs(afterMs) {
  if (!Number.isFinite(afterMs)) return Math.random() * 3000;
  return Math.min(Math.max(afterMs, 0), LONGEST_WAIT_MS);
}
