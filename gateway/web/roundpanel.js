import { find, setText } from "./page.js";
import { betTone, betWords, isOver, roundWords } from "./roundwords.js";

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

  /** `clock`: a FrameClock. */
  constructor(signals, clock) {
    this.#signals = signals;
    this.#clock = clock;
    signals.addEventListener("round", ({ round }) => this.#onRound(round));
    signals.addEventListener("bet", () => this.#show());
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

  #place(choice) {
    const round = this.#open;
    if (round !== null) this.#signals.place(round.roundId, { choice, stake: STAKE });
  }

  #show() {
    const open = this.#open;
    if (!this.#signals.rounds.some(({ roundId }) => roundId === this.#shown?.roundId)) this.#shown = null;
    find("#round").hidden = this.#shown === null;
    find("#round").dataset.state = this.#shown?.state ?? "";
    for (const button of this.#buttons) button.disabled = open === null || !this.#signals.mayBet || !this.#signals.carrier;
    const bet = this.#signals.bets.at(-1);
    find("#bet").dataset.tone = bet ? betTone(bet.state) : "";
    setText("#bet", bet ? betWords(bet) : this.#hint());
    this.#showWords();
  }

  #hint() {
    if (!this.#signals.carrier) return "Connecting to the table's bets…";
    return this.#signals.mayBet ? "Play money: nothing is won or lost here." : "You may watch this table, and not bet.";
  }

  #showWords() {
    if (this.#shown !== null) setText("#round-words", roundWords(this.#shown));
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
