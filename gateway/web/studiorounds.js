import { newId } from "./ids.js";
import { durationWords, find, setText } from "./page.js";
import { roundWords } from "./roundwords.js";
import { authorization, refusal } from "./signalling.js";

const READ_EVERY_MS = 1000;
const ANSWER_WITHIN_MS = 5000;
const SHOWN = 5;

/** The one step that follows each state by its button; null where a round is over. */
const NEXT = {
  scheduled: { state: "betting_open", words: "Open betting" },
  betting_open: { state: "betting_closed", words: "No more bets" },
  betting_closed: { state: "result", words: "Announce the result" },
  result: { state: "settled", words: "Settle" },
};

/** Lets the dealer open a round, and move it on step by step; says how the last ones ended. */
export class StudioRounds {
  #address;
  /** Of the round that is opened next: said again, when the answer was lost, it is the same round. */
  #nextId = newId();
  /** The newest reading that is under way. */
  #reading = null;
  #rounds = [];
  #token;

  /** `token` is asked for at each request: a field of the page has it. */
  constructor(stream, token) {
    this.#address = `/api/v1/streams/${encodeURIComponent(stream)}/rounds`;
    this.#token = token;
    find("#round-next").addEventListener("click", () => this.#step());
    find("#round-abort").addEventListener("click", () => this.#command({ state: "aborted", roundId: this.#open.roundId }));
    setInterval(() => this.#reading ?? this.#read(), READ_EVERY_MS);
    this.#read();
  }

  /** The round that is played: the oldest that is not over. */
  get #open() {
    return this.#rounds.find(({ state }) => NEXT[state]) ?? null;
  }

  #step() {
    const open = this.#open;
    const state = open ? NEXT[open.state].state : "betting_open";
    const command = { state, roundId: open?.roundId ?? this.#nextId };
    const closesInMs = Number(find("#round-closes").value);
    if (state === "betting_open" && closesInMs) command.closesInMs = closesInMs;
    if (state === "result") command.result = { winner: find("#round-result").value };
    return this.#command(command);
  }

  async #command(command) {
    setText("#round-verdict", "");
    try {
      const headers = { "Content-Type": "application/json", ...authorization(this.#token()) };
      const body = JSON.stringify(command);
      const response = await this.#ask({ method: "POST", headers, body });
      if (!response.ok) throw await refusal(response);
    } catch (error) {
      setText("#round-verdict", error.status ? error.message : "The gateway does not answer.");
    }
    await this.#read();
  }

  async #read() {
    const reading = (this.#reading = {});
    let rounds = this.#rounds;
    try {
      const response = await this.#ask({ headers: authorization(this.#token()), cache: "no-store" });
      if (response.ok) rounds = (await response.json()).rounds;
    } catch {
      // What was known stays on the page: the next reading is a second away.
    }
    // What was asked before a command knows nothing of it.
    if (reading !== this.#reading) return;
    this.#reading = null;
    this.#rounds = rounds;
    if (rounds.some(({ roundId }) => roundId === this.#nextId)) this.#nextId = newId();
    this.#show();
  }

  #ask(request) {
    return fetch(this.#address, { ...request, signal: AbortSignal.timeout(ANSWER_WITHIN_MS) });
  }

  #show() {
    const open = this.#open;
    setText("#round-state", open ? `${roundWords(open)}${betsWords(open.bets)}` : "No round is open.");
    setText("#round-next", open ? NEXT[open.state].words : "Open betting");
    find("#round-abort").hidden = open === null;
    find("#round-closes-field").hidden = open !== null && open.state !== "scheduled";
    find("#round-result-field").hidden = open?.state !== "betting_closed";
    const over = this.#rounds.filter(({ state }) => !NEXT[state]).slice(-SHOWN).reverse();
    find("#rounds").replaceChildren(...over.map((round) => item(overWords(round))));
  }
}

function overWords(round) {
  const { steps, bets } = round;
  const tookS = (steps.at(-1).atUnixMs - steps[0].atUnixMs) / 1000;
  return `${new Date(steps[0].atUnixMs).toLocaleTimeString("en-GB")}, ${durationWords(tookS)}: ${roundWords(round)}${betsWords(bets)}`;
}

function betsWords(bets) {
  return bets === 1 ? " (1 bet)" : ` (${bets} bets)`;
}

function item(textContent) {
  return Object.assign(document.createElement("li"), { textContent });
}
