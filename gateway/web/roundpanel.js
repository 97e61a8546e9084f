import { find, setText } from "./page.js";
import { betTone, betsWords, isOver, roundWords } from "./roundwords.js";

const COUNT_DOWN_EVERY_MS = 200;
const STAKE = 10;

/**
 * Shows the table's round, and lets the player bet on it. What is said follows the picture: "no more bets" comes with its
 * frame. The buttons follow the gateway, which is ahead of the picture: a bet that would be late cannot be placed.
 */
export class RoundPanel {
  #clock;
  #shown = null;
  #signals;
  #told = [];

  /** `clock`: a FrameClock. */
  constructor(signals, clock) {
    this.#signals = signals;
    this.#clock = clock;
    signals.addEventListener("round", ({ round }) => this.#onRound(round));
    signals.addEventListener("bet", ({ bet, before }) => this.#onBet(bet, before));
    signals.addEventListener("state", () => this.#show());
    for (const button of this.#buttons) button.addEventListener("click", () => this.#place(button.dataset.choice));
    setInterval(() => this.#showWords(), COUNT_DOWN_EVERY_MS);
  }

  /** The round as the picture shows it; null before the first. */
  get shown() {
    return this.#shown;
  }

  get #buttons() {
    return document.querySelectorAll("#choices button");
  }

  /** The round that takes bets, as far as is known here. */
  get #open() {
    const open = this.#signals.rounds.filter(({ state }) => state === "betting_open");
    return open.findLast((round) => this.#secondsLeft(round) !== 0) ?? null;
  }

  #onRound(round) {
    this.#clock.when(round.at, () => {
      if (!this.#isOld(round)) this.#shown = round;
      this.#show();
    });
    this.#show();
  }

  /** What is said of the round before must not hide the one that is open, be it one that began before at another edge. */
  #isOld(round) {
    const shown = this.#shown;
    if (shown === null || shown.roundId === round.roundId) return false;
    return shown.at.unixMs > round.at.unixMs && (isOver(round) || !isOver(shown));
  }

  /** Told are the newest bet, and of the others what has gone wrong since it was placed, or was said to and has not. */
  #onBet(bet, before) {
    const wentWrong = [bet.state, before].some((state) => betTone(state) === "bad");
    if (bet.state === "sending") this.#told = [bet];
    else if (wentWrong && !this.#told.includes(bet)) this.#told.push(bet);
    this.#show();
  }

  #place(choice) {
    const round = this.#open;
    if (round !== null) this.#signals.place(round.roundId, { choice, stake: STAKE });
  }

  #show() {
    const open = this.#open;
    if (!this.#signals.rounds.some(({ roundId }) => roundId === this.#shown?.roundId)) this.#shown = null;
    find("#round").hidden = this.#shown === null && this.#told.length === 0;
    find("#round").dataset.state = this.#shown?.state ?? "";
    for (const button of this.#buttons) button.disabled = open === null || !this.#signals.mayBet || !this.#signals.carrier;
    const tones = this.#told.map(({ state }) => betTone(state));
    find("#bet").dataset.tone = tones.find((tone) => tone === "bad") ?? tones[0] ?? "";
    setText("#bet", betsWords(this.#told) || this.#hint());
    this.#showWords();
  }

  #hint() {
    if (!this.#signals.carrier) return "Connecting to the table's bets…";
    return this.#signals.mayBet ? "Play money: nothing is won or lost here." : "You may watch this table, and not bet.";
  }

  #showWords() {
    setText("#round-words", this.#shown === null ? "" : roundWords(this.#shown));
    // Beside the words, which are read out whenever they change.
    const secondsLeft = this.#shown?.state === "betting_open" ? this.#secondsLeft(this.#shown) : null;
    setText("#round-seconds", secondsLeft === null ? "" : ` – ${secondsLeft} s`);
    if (this.#open === null) for (const button of this.#buttons) button.disabled = true;
  }

  /** Until its bets close by themselves; null where the table says when. */
  #secondsLeft({ closesAtUnixMs }) {
    if (closesAtUnixMs === null) return null;
    const leftMs = closesAtUnixMs - (Date.now() + this.#signals.gatewayAheadMs);
    return Math.max(0, Math.ceil(leftMs / 1000));
  }
}
