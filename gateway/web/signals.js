import { Backoff } from "./backoff.js";
import { ChannelCarrier, SocketCarrier } from "./carriers.js";
import { newId } from "./ids.js";
import { isOver } from "./roundwords.js";

/** Without a data channel for so long, a WebSocket is opened; a channel that opens later takes over. */
const CHANNEL_WITHIN_MS = 2500;
const LOOK_EVERY_MS = 250;
/** The data channel loses messages: a bet without an answer is sent again. The gateway takes each betId once. */
const SEND_AGAIN_AFTER_MS = 1000;
const GIVE_UP_AFTER_MS = 15000;
/** A path may end without a word: after so many pings that did not come, and so long at least, another one is opened. */
const SILENT_PINGS = 5;
const SILENT_MS = 10000;
/** A page stays away no longer than that, whatever a goodbye says. */
const LONGEST_AWAY_MS = 30000;
/** Rounds that are remembered. */
const REMEMBERED = 20;
/** What became of a bet may be told minutes later. */
const REMEMBERED_BETS = 100;
const UNANSWERED = ["unanswered", "No answer came: the bet may or may not have been taken."];
const UNSENT = ["unsent", "Nothing could carry the bet: it was not sent, and not taken."];
/** What became of an accepted bet. */
const DELIVERIES = ["delivered", "undelivered"];
const ACCEPTED = ["accepted", ...DELIVERIES];

/**
 * Bet signals (docs/signals.md): answers the gateway's pings, tells of rounds, places bets and says what became of them.
 *
 * Events: "state" when `carrier`, `rttMs` or `mayBet` changed; "round" (with `round`) when one entered a new state; "bet"
 * (with `bet`, and `before`, its state until then) when one was placed or got an answer; "move" (with `to`, `afterMs`) when
 * the gateway sends its players elsewhere: see RoamingPlayer. A bet is { betId, roundId, fields, state, sentence }; its state
 * is "sending", one of the gateway's, "delivered", "undelivered", "unanswered", or "unsent". The fields of one that this page
 * did not place, or has forgotten, are null.
 *
 * It moves with the picture, by `moveTo`: until something at the new edge carries signals, those of the former one do. Bets
 * that have no answer are sent again there, as on each new carrier.
 */
export class SignalsClient extends EventTarget {
  /** Newest last. */
  bets = [];
  /** What the gateway's last ping measured; null before. */
  rttMs = null;
  mayBet = false;
  /** Between two reports of what this browser measures; null before the first welcome. */
  reportIntervalMs = null;
  /** The gateway's clock minus this browser's, as well as a message without its travelling time tells. */
  gatewayAheadMs = 0;

  #ahead = null;
  #backoff = new Backoff();
  #carrier = null;
  #edge = location.origin;
  #joined = false;
  #lookTimer = 0;
  #moves = 0;
  #path;
  #pingIntervalMs = Infinity;
  #rounds = new Map();
  #roundsOfMove = 0;
  #socketTimer = 0;
  #takers = {
    welcome: (message) => this.#onWelcome(message),
    ping: ({ rttMs }) => this.#onPing(rttMs),
    ack: (message) => this.#onAnswer(message, message.state === "duplicate" ? (message.first ?? message.state) : message.state),
    delivery: (message) => this.#onAnswer(message, message.outcome),
    round: ({ round }) => this.#onRound(round),
    // The former edge says it again until it is left.
    move: ({ to, afterMs }) => this.isHere && this.#tell("move", { to, afterMs }),
  };
  #token;
  #waiting = null;

  constructor(stream, token = "") {
    super();
    this.#path = `/signals/${encodeURIComponent(stream)}`;
    this.#token = token;
  }

  /** "data_channel" or "websocket"; null while nothing carries signals. */
  get carrier() {
    return this.#carrier?.isOpen ? this.#carrier.kind : null;
  }

  /** Whether something carries signals at the edge of now. */
  get isHere() {
    return this.carrier !== null && this.#carrier.moves === this.#moves;
  }

  /** The rounds that are known, in the order of their beginning. */
  get rounds() {
    return [...this.#rounds.values()];
  }

  /** Begin. `hasChannel`: a data channel is on its way, and is waited for. */
  join(hasChannel) {
    this.leave();
    this.#joined = true;
    this.#lookTimer = setInterval(() => this.#look(), LOOK_EVERY_MS);
    this.#openSocketIn(hasChannel ? CHANNEL_WITHIN_MS : 0);
  }

  /** End. */
  leave() {
    this.#joined = false;
    clearInterval(this.#lookTimer);
    clearTimeout(this.#socketTimer);
    this.#waiting?.close();
    this.#ahead?.close();
    this.#drop();
  }

  /** Take this data channel as soon as it opens. Each new connection has one. */
  use(channel) {
    this.#waiting?.close();
    this.#waiting = this.#followed((calls) => new ChannelCarrier(channel, calls), this.#moves);
  }

  /** Take this data channel, of an edge to which the picture may move, with `moveTo`. The one before is forgotten. */
  useAhead(channel) {
    this.#ahead?.close();
    this.#ahead = this.#followed((calls) => new ChannelCarrier(channel, calls), this.#moves + 1);
  }

  /** The picture has moved to that edge, an origin. `hasChannel`: the channel ahead will open, if it has not. */
  moveTo(edge, hasChannel) {
    this.#edge = edge;
    this.#moves += 1;
    this.#waiting?.close();
    [this.#waiting, this.#ahead] = [this.#ahead, null];
    if (this.#waiting?.isOpen) this.#adopt(this.#waiting);
    else this.#openSocketIn(hasChannel ? CHANNEL_WITHIN_MS : 0);
  }

  /** Place a bet: `fields` is what the upstream is to get of it. Returns the bet, which changes with its answers. */
  place(roundId, fields) {
    const bet = { betId: newId(), roundId, fields, state: "sending", sentence: "", placedMs: performance.now(), sentMs: null };
    this.bets = [...this.bets, bet].slice(-REMEMBERED_BETS);
    this.#send(bet);
    this.#tell("bet", { bet, before: null });
    return bet;
  }

  /** Tell the gateway what this browser measured. */
  report(report) {
    this.#carrier?.send(JSON.stringify({ type: "report", ...report }));
  }

  #send(bet) {
    const { betId, roundId, fields } = bet;
    if (this.#carrier?.send(JSON.stringify({ ...fields, type: "bet", betId, roundId }))) bet.sentMs = performance.now();
  }

  #look() {
    this.#dropIfSilent();
    const nowMs = performance.now();
    for (const bet of this.bets.filter(({ state }) => state === "sending")) {
      if (nowMs - bet.placedMs > GIVE_UP_AFTER_MS) {
        this.#settle(bet, ...(bet.sentMs === null ? UNSENT : UNANSWERED));
      } else if (bet.sentMs === null || nowMs - bet.sentMs >= SEND_AGAIN_AFTER_MS) {
        this.#send(bet);
      }
    }
  }

  // Carriers

  #openSocketIn(pauseMs) {
    clearTimeout(this.#socketTimer);
    this.#socketTimer = setTimeout(() => {
      this.#followed((calls) => new SocketCarrier(`${this.#edge}${this.#path}`, this.#token, calls), this.#moves);
    }, pauseMs);
  }

  /** What `carrierOf(calls)` makes. `moves`: how many there have been when it is the time to use it. */
  #followed(carrierOf, moves) {
    const carrier = carrierOf({
      opened: () => this.#adopt(carrier),
      received: (text) => this.#onText(carrier, text),
      closed: () => this.#lost(carrier),
    });
    return Object.assign(carrier, { moves, reconnectAfterMs: 0, silentMs: 0, unread: [] });
  }

  #adopt(carrier) {
    if (carrier.moves > this.#moves) return;
    const isLate = carrier.kind === "websocket" && this.isHere && this.carrier === "data_channel";
    if (!this.#joined || isLate || carrier.moves < this.#moves) return carrier.close();
    clearTimeout(this.#socketTimer);
    if (carrier === this.#waiting) this.#waiting = null;
    this.#drop();
    this.#carrier = carrier;
    for (const bet of this.bets.filter(({ state }) => state === "sending")) {
      bet.mayBeTaken = bet.sentMs !== null;
      this.#send(bet);
    }
    this.#tell("state");
    for (const message of carrier.unread) this.#take(message);
  }

  #lost(carrier) {
    if (carrier === this.#waiting) this.#waiting = null;
    if (carrier === this.#ahead) this.#ahead = null;
    if (carrier === this.#carrier) this.#drop();
    if (!this.#joined || this.isHere || carrier.moves !== this.#moves) return;
    const pauseMs = carrier.kind === "websocket" ? this.#backoff.nextMs() : CHANNEL_WITHIN_MS;
    this.#openSocketIn(Math.max(pauseMs, carrier.reconnectAfterMs));
  }

  /** The page's own looks are counted, not the clock: what came while it stood still is yet to be read. */
  #dropIfSilent() {
    const carrier = this.#carrier;
    if (!carrier) return;
    carrier.silentMs += LOOK_EVERY_MS;
    if (carrier.silentMs > Math.max(SILENT_MS, SILENT_PINGS * this.#pingIntervalMs)) this.#lost(carrier);
  }

  #drop() {
    this.#carrier?.close();
    this.#carrier = null;
    this.rttMs = null;
    this.#tell("state");
  }

  // What the gateway says

  #onText(carrier, text) {
    carrier.silentMs = 0;
    let message;
    try {
      message = JSON.parse(text);
    } catch {
      return;
    }
    // At once, as the gateway measures it, on whichever carrier.
    if (message?.type === "ping") carrier.send(JSON.stringify({ type: "pong", id: message.id }));
    // By when it came: that of an edge ahead is taken with the move only.
    if (message?.type === "welcome") message.gatewayAheadMs = message.nowUnixMs - Date.now();
    // Of that carrier alone: at another edge it says nothing.
    if (message?.type === "goodbye") carrier.reconnectAfterMs = awayMs(message.reconnectAfterMs);
    if (carrier === this.#carrier) this.#take(message);
    else if (carrier === this.#ahead) carrier.unread = [...carrier.unread, message].slice(-REMEMBERED);
  }

  #take(message) {
    this.#takers[message?.type]?.(message); // What a newer gateway says besides is not for us.
  }

  #onWelcome({ gatewayAheadMs, mayBet, pingIntervalMs, reportIntervalMs, rounds, nowUnixMs }) {
    this.#backoff.reset();
    this.#pingIntervalMs = pingIntervalMs ?? Infinity;
    Object.assign(this, { gatewayAheadMs, mayBet, reportIntervalMs });
    this.#forgetRoundsBut(rounds, nowUnixMs);
    for (const round of rounds) this.#onRound(round);
    this.#tell("state");
  }

  /** A welcome names all that are open: how another one has ended, or ends at the former edge, nobody will tell. */
  #forgetRoundsBut(rounds, nowUnixMs) {
    // What is newer has overtaken the welcome. The former edge's clock is another one.
    const untilUnixMs = this.#roundsOfMove === this.#moves ? nowUnixMs : Infinity;
    this.#roundsOfMove = this.#moves;
    for (const known of this.rounds) {
      const isNamed = rounds.some(({ roundId }) => roundId === known.roundId);
      if (!isOver(known) && !isNamed && known.at.unixMs <= untilUnixMs) this.#rounds.delete(known.roundId);
    }
  }

  #onPing(rttMs) {
    this.rttMs = rttMs ?? this.rttMs;
    this.#tell("state");
  }

  /** It may come twice, and by another way than the one before it: only what is further on is news. */
  #onRound(round) {
    const known = this.#rounds.get(round.roundId);
    if (known && known.steps.length >= round.steps.length) return;
    this.#rounds.set(round.roundId, round);
    for (const roundId of [...this.#rounds.keys()].slice(0, -REMEMBERED)) this.#rounds.delete(roundId);
    this.#tell("round", { round });
  }

  #onAnswer({ betId, roundId, sentence }, state) {
    const known = this.bets.find((each) => each.betId === betId);
    const bet = known ?? (state === "undelivered" ? this.#recall(betId, roundId) : null);
    if (bet === null || !isNews(state, bet.state)) return;
    // Another gateway may have taken it, and its answer was lost: a no of this one says nothing of that.
    if (bet.mayBeTaken && !ACCEPTED.includes(state)) this.#settle(bet, ...UNANSWERED);
    else this.#settle(bet, state, sentence);
  }

  /** An accepted bet that this page did not place, or has forgotten; the gateway may tell of it again and again. */
  #recall(betId, roundId) {
    const bet = { betId, roundId, fields: null, state: "accepted", sentence: "" };
    this.bets = [bet, ...this.bets].slice(-REMEMBERED_BETS);
    return bet;
  }

  #settle(bet, state, sentence = "") {
    const before = bet.state;
    Object.assign(bet, { state, sentence, answeredMs: bet.answeredMs ?? performance.now() });
    this.#tell("bet", { bet, before });
  }

  #tell(name, what = {}) {
    this.dispatchEvent(Object.assign(new Event(name), what));
  }
}

/** A bet that was sent twice may be refused, and taken all the same: `accepted` counts. */
function isNews(state, before) {
  if (DELIVERIES.includes(state)) return state !== before;
  return before === "sending" || (state === "accepted" && !ACCEPTED.includes(before));
}

function awayMs(reconnectAfterMs) {
  return Number.isFinite(reconnectAfterMs) ? Math.min(reconnectAfterMs, LONGEST_AWAY_MS) : 0;
}
