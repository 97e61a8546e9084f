/** What a round, and a bet on it, is in words. Pure. */

const STAKE_NAMES = { player: "Player", tie: "Tie", banker: "Banker" };

const ABORTS = {
  studio_request: "the table called it off",
  studio_disconnected: "the studio's connection ended",
  ingest_loss: "the picture from the studio was disturbed",
  ingest_freeze: "the picture from the studio stopped",
  encoder_stalled: "the studio's camera stopped",
  gateway_overload: "our own server stood still",
  host_receive_drops: "our own server lost part of the picture",
  policy: "the operator called it off",
};

const BETS = {
  sending: "sending…",
  accepted: "taken",
  delivered: "taken and booked",
  undelivered: "not booked, it does not count",
  late: "too late, bets were closed",
  duplicate: "already placed",
  unknown_round: "no such round",
  rate_limited: "too many bets at once",
  unavailable: "not taken, bets cannot be booked now",
  forbidden: "not allowed to bet here",
  unanswered: "no answer came",
  unsent: "not sent, and not taken",
};

/** Good, bad, or still open: how a bet's words are coloured. */
export function betTone(state) {
  if (["accepted", "delivered"].includes(state)) return "good";
  return state === "sending" ? "open" : "bad";
}

/** "10 on Banker: taken; 10 on Tie: not booked, it does not count (2 times)". */
export function betsWords(bets) {
  const counts = new Map();
  for (const words of bets.map(betWords)) counts.set(words, (counts.get(words) ?? 0) + 1);
  return [...counts].map(([words, count]) => (count === 1 ? words : `${words} (${count} times)`)).join("; ");
}

function betWords({ fields, state }) {
  return `${fields === null ? "An earlier bet" : stakeWords(fields)}: ${BETS[state] ?? state}`;
}

function stakeWords({ choice, stake }) {
  return `${stake} on ${STAKE_NAMES[choice] ?? choice}`;
}

/** Whether it is at its end, and changes no more. */
export function isOver({ state }) {
  return ["settled", "aborted"].includes(state);
}

/** What is said of a round that stands as `round` says. */
export function roundWords(round) {
  return ROUNDS[round.state]?.(round) ?? "";
}

const ROUNDS = {
  scheduled: () => "The next round begins soon",
  betting_open: () => "Place your bets",
  betting_closed: () => "No more bets",
  result: ({ result }) => resultWords(result),
  settled: ({ result }) => resultWords(result),
  aborted: ({ cause }) => `Round void: ${ABORTS[cause] ?? "it could not be played to its end"}. Bets do not count.`,
};

/** The demo table's { player, banker, winner }, or whatever a studio says of its own game. */
function resultWords(result) {
  if (result === null) return "The result is known";
  if (typeof result !== "object") return `Result: ${result}`;
  const { player, banker, winner } = result;
  if (winner === undefined) return "The result is known";
  const wins = winner === "tie" ? "Tie" : `${STAKE_NAMES[winner] ?? winner} wins`;
  return player === undefined ? wins : `${wins}: Player ${player}, Banker ${banker}`;
}
