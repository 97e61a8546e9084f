const RANKS = ["A", "2", "3", "4", "5", "6", "7", "8", "9", "10", "J", "Q", "K"];
/** U+FE0E asks for the plain sign, not for an emoji. */
const SUITS = ["♠\uFE0E", "♥\uFE0E", "♦\uFE0E", "♣\uFE0E"];
const RED_SUITS = [1, 2];

export const CARD_WIDTH = 96;
export const CARD_HEIGHT = 136;

const COUP_MS = 16000;
const FIRST_CARD_MS = 4000;
const CARD_EVERY_MS = 1100;
const FLIGHT_MS = 500;
const OUTCOME_MS = 9500;
const SWEEP_MS = 14500;

/** The coup of a moment: four cards by a timetable of 16 s, the same for everybody who looks at the same time. */
export function coupAt(unixMs) {
  const number = Math.floor(unixMs / COUP_MS);
  const atMs = unixMs - number * COUP_MS;
  const cards = [0, 1, 2, 3].map((place) => cardOf(number * 4 + place));
  const dealt = atMs < SWEEP_MS ? cards.map((card, place) => ({ ...card, place, wayIn: wayIn(atMs, place) })) : [];
  return { dealt: dealt.filter(({ wayIn }) => wayIn > 0), stage: stageAt(atMs, cards) };
}

/** Draw a card with its top left corner at (x, y): its face, or its back while it flies. */
export function drawCard(context, card, x, y) {
  context.fillStyle = "#faf7f0";
  context.strokeStyle = "#787468";
  context.lineWidth = 1;
  context.beginPath();
  context.roundRect(x, y, CARD_WIDTH, CARD_HEIGHT, 9);
  context.fill();
  context.stroke();
  if (card.wayIn < 1) drawBack(context, x, y);
  else drawFace(context, card, x, y);
}

function drawBack(context, x, y) {
  context.fillStyle = "#7c1a26";
  context.beginPath();
  context.roundRect(x + 7, y + 7, CARD_WIDTH - 14, CARD_HEIGHT - 14, 5);
  context.fill();
}

function drawFace(context, { rank, suit }, x, y) {
  context.fillStyle = RED_SUITS.includes(suit) ? "#b2222c" : "#1a1c20";
  context.textAlign = "center";
  context.textBaseline = "middle";
  context.font = "600 26px sans-serif";
  context.fillText(RANKS[rank], x + 19, y + 23);
  context.font = "22px sans-serif";
  context.fillText(SUITS[suit], x + 19, y + 50);
  context.font = "64px sans-serif";
  context.fillText(SUITS[suit], x + 56, y + 84);
}

function wayIn(atMs, place) {
  return Math.min(Math.max((atMs - FIRST_CARD_MS - place * CARD_EVERY_MS) / FLIGHT_MS, 0), 1);
}

function stageAt(atMs, cards) {
  if (atMs < FIRST_CARD_MS || atMs >= SWEEP_MS + 500) return "PLACE YOUR BETS";
  if (atMs < OUTCOME_MS) return "NO MORE BETS";
  const points = [0, 1].map((hand) => (value(cards[hand]) + value(cards[hand + 2])) % 10);
  if (points[0] === points[1]) return "A TIE";
  return points[0] > points[1] ? "PLAYER WINS" : "BANKER WINS";
}

function value({ rank }) {
  return rank < 9 ? rank + 1 : 0;
}

/** Card `index` of an endless shoe: a small integer hash, not a shuffle. */
function cardOf(index) {
  let hash = Math.imul(index + 1, 0x9e3779b1);
  hash = Math.imul(hash ^ (hash >>> 15), 0x85ebca6b) >>> 0;
  const card = (hash ^ (hash >>> 13)) >>> 0;
  return { rank: card % 13, suit: (card >>> 8) % 4 };
}
