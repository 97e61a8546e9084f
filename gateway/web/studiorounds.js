import { durationWords, find, setText } from "./page.js";
import { roundWords } from "./roundwords.js";
import { authorization, refusal } from "./signalling.js";

const READ_EVERY_MS = 1000;
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
  #rounds = [];
  #token;

  /** `token` is asked for at each request: a field of the page has it. */
  constructor(stream, token) {
    this.#address = `/api/v1/streams/${encodeURIComponent(stream)}/rounds`;
    this.#token = token;
    find("#round-next").addEventListener("click", () => this.#step());
    find("#round-abort").addEventListener("click", () => this.#command({ state: "aborted", roundId: this.#open.roundId }));
    setInterval(() => this.#read(), READ_EVERY_MS);
    this.#read();
  }

  /** The round that is played: the oldest that is not over. */
  get #open() {
    return this.#rounds.find(({ state }) => NEXT[state]) ?? null;
  }

  #step() {
    const open = this.#open;
    const state = open ? NEXT[open.state].state : "betting_open";
    const command = { state, ...(open && { roundId: open.roundId }) };
    const closesInMs = Number(find("#round-closes").value);
    if (state === "betting_open" && closesInMs) command.closesInMs = closesInMs;
    if (state === "result") command.result = { winner: find("#round-result").value };
    return this.#command(command);
  }

  async #command(command) {
    setText("#round-verdict", "");
    try {
      const headers = { "Content-Type": "application/json", ...authorization(this.#token()) };
      const response = await fetch(this.#address, { method: "POST", headers, body: JSON.stringify(command) });
      if (!response.ok) throw await refusal(response);
    } catch (error) {
      setText("#round-verdict", error.status ? error.message : "The gateway does not answer.");
    }
    await this.#read();
  }

  async #read() {
    try {
      const response = await fetch(this.#address, { headers: authorization(this.#token()), cache: "no-store" });
      this.#rounds = response.ok ? (await response.json()).rounds : [];
    } catch {
      return; // What was known stays on the page: the next reading is a second away.
    }
    this.#show();
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
