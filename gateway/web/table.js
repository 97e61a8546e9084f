import { CARD_WIDTH, coupAt, drawCard } from "./cards.js";
import { drawTimecode } from "./timecode.js";
import { Tone } from "./tone.js";

export const TABLE_WIDTH = 1280;
export const TABLE_HEIGHT = 720;

const FRAME_RATE = 30;
const BOXES = [
  { name: "PLAYER", ink: "#78b0ec", left: 64 },
  { name: "BANKER", ink: "#ec7870", left: 476 },
];
const BOX = { top: 232, width: 380, height: 220 };
const SHOE = { left: 700, top: 40 };
const WHEEL = { x: 1076, y: 320, radius: 168, turnMs: 5200 };
const POCKETS = 37;
const CLOCK = { left: 956, top: 32, width: 304, height: 78 };
const ARC_CENTRE = { x: 640, y: -640 };
/** Shines from each whole second on, as long as the tone sounds. */
const LAMP = { x: 916, y: 72, reach: 40, litMs: 180 };
const BRASS = [[26, "#3a2a12"], [25, "#96763a"], [23.5, "#e2c27a"], [21.5, "#a68242"], [19.5, "#22180c"]];

/** A dealer table drawn on a canvas, with the time code in its picture and a tone at each second, as a MediaStream. */
export class DrawnTable {
  #canvas = newCanvas(TABLE_WIDTH, TABLE_HEIGHT);
  #context = this.#canvas.getContext("2d", { alpha: false });
  #felt = drawnFelt();
  #wheel = drawnWheel();
  #litLamp = drawnLitLamp();
  #tone = new Tone();
  #ticker = new Worker("/web/ticker.js");
  mediaStream;

  constructor() {
    this.#ticker.addEventListener("message", () => this.#draw(Date.now()));
    this.#draw(Date.now());
    this.mediaStream = this.#canvas.captureStream(FRAME_RATE);
    this.mediaStream.addTrack(this.#tone.track);
    this.#tone.start();
  }

  stop() {
    this.#ticker.terminate();
    this.#tone.stop();
    for (const track of this.mediaStream.getTracks()) track.stop();
  }

  #draw(unixMs) {
    const context = this.#context;
    context.drawImage(this.#felt, 0, 0);
    drawCoup(context, coupAt(unixMs));
    drawTurned(context, this.#wheel, unixMs);
    if (unixMs % 1000 < LAMP.litMs) context.drawImage(this.#litLamp, LAMP.x - LAMP.reach, LAMP.y - LAMP.reach);
    drawClock(context, unixMs);
    drawTimecode(context, unixMs);
  }
}

function drawCoup(context, { dealt, stage }) {
  context.font = "600 32px sans-serif";
  context.textAlign = "center";
  context.textBaseline = "middle";
  const width = context.measureText(stage).width + 48;
  context.fillStyle = stage.endsWith("BETS") ? (stage.startsWith("NO") ? "#842028" : "#105c3a") : "#c49e54";
  fillPill(context, 460 - width / 2, 104, width, 50, 16);
  context.fillStyle = stage.endsWith("BETS") ? "#f8f4e8" : "#1e180c";
  context.fillText(stage, 460, 130);
  for (const card of dealt) drawCard(context, card, ...placeOf(card));
}

function placeOf({ place, wayIn }) {
  const rest = { x: BOXES[place % 2].left + 76 + Math.floor(place / 2) * (CARD_WIDTH + 36), y: BOX.top + 26 };
  const share = 1 - (1 - wayIn) ** 3;
  return [
    SHOE.left + 100 + (rest.x - SHOE.left - 100) * share,
    SHOE.top + (rest.y - SHOE.top) * share,
  ];
}

function drawTurned(context, wheel, unixMs) {
  const turn = ((unixMs % WHEEL.turnMs) / WHEEL.turnMs) * 2 * Math.PI;
  context.save();
  context.translate(WHEEL.x, WHEEL.y);
  context.rotate(turn);
  context.drawImage(wheel, -WHEEL.radius, -WHEEL.radius);
  context.rotate(-turn * 3.7);
  fillDisc(context, WHEEL.radius * 0.81, 0, 7, "#fafaf6");
  context.restore();
}

function drawClock(context, unixMs) {
  context.font = "38px monospace";
  context.textAlign = "center";
  context.textBaseline = "middle";
  context.fillStyle = "#08120e";
  fillPill(context, CLOCK.left, CLOCK.top, CLOCK.width, CLOCK.height, 12);
  context.fillStyle = "#f6e2a8";
  context.fillText(new Date(unixMs).toISOString().slice(11, 23), CLOCK.left + CLOCK.width / 2, CLOCK.top + 34);
  context.fillStyle = "#aaa082";
  context.font = "14px sans-serif";
  context.fillText("UTC", CLOCK.left + CLOCK.width / 2, CLOCK.top + 64);
}

/** What never changes, drawn once. */
function drawnFelt() {
  const canvas = newCanvas(TABLE_WIDTH, TABLE_HEIGHT);
  const context = canvas.getContext("2d", { alpha: false });
  const light = context.createRadialGradient(600, 330, 40, 600, 330, 760);
  light.addColorStop(0, "#227c50");
  light.addColorStop(1, "#092f1f");
  context.fillStyle = light;
  context.fillRect(0, 0, TABLE_WIDTH, TABLE_HEIGHT);
  for (const [radius, width, ink] of [[1500, 400, "#140c08"], [1340, 76, "#523020"], [1317, 12, "#683e22"], [1300, 2, "#d0ae68"], [1150, 2, "#d0ae68"]]) {
    strokeCircle(context, radius, width, ink);
  }
  for (const box of BOXES) drawBox(context, box);
  drawShoe(context);
  drawDarkLamp(context);
  context.fillStyle = "#d0ae68";
  context.font = "600 54px serif";
  context.fillText("RAILBIRD", 640, 580);
  return canvas;
}

function drawBox(context, { name, ink, left }) {
  context.fillStyle = "#0a3624";
  fillPill(context, left, BOX.top, BOX.width, BOX.height, 18);
  context.strokeStyle = ink;
  context.lineWidth = 3;
  context.stroke();
  context.fillStyle = ink;
  context.font = "24px sans-serif";
  context.textAlign = "center";
  context.textBaseline = "middle";
  context.fillText(name, left + BOX.width / 2, BOX.top + BOX.height - 24);
}

function drawShoe(context) {
  context.fillStyle = "#121418";
  fillPill(context, SHOE.left, SHOE.top, 176, 120, 14);
  context.fillStyle = "#e8e4d8";
  for (let card = 0; card < 9; card += 1) context.fillRect(SHOE.left + 16 + card * 9, SHOE.top + 14, 7, 92);
  context.fillStyle = "#2c2f36";
  fillPill(context, SHOE.left + 104, SHOE.top + 14, 58, 92, 8);
}

function drawDarkLamp(context) {
  for (const [radius, ink] of BRASS) fillDisc(context, LAMP.x, LAMP.y, radius, ink);
  fillDisc(context, LAMP.x, LAMP.y, 18, "#1e2826");
  fillDisc(context, LAMP.x, LAMP.y, 11, "#141a1a");
  context.fillStyle = "#687a74";
  context.beginPath();
  context.ellipse(LAMP.x - 5.5, LAMP.y - 10, 5.5, 3, 0, 0, 2 * Math.PI);
  context.fill();
}

function drawnLitLamp() {
  const { reach } = LAMP;
  const canvas = newCanvas(reach * 2, reach * 2);
  const context = canvas.getContext("2d");
  const glow = context.createRadialGradient(reach, reach, 24, reach, reach, reach);
  glow.addColorStop(0, "rgb(255 238 196 / 60%)");
  glow.addColorStop(1, "rgb(255 238 196 / 0%)");
  fillDisc(context, reach, reach, reach, glow);
  for (const [radius, ink] of BRASS) fillDisc(context, reach, reach, radius, ink);
  fillDisc(context, reach, reach, 18, "#ffffff");
  return canvas;
}

function drawnWheel() {
  const { radius } = WHEEL;
  const canvas = newCanvas(radius * 2, radius * 2);
  const context = canvas.getContext("2d");
  context.translate(radius, radius);
  fillDisc(context, 0, 0, radius, "#4a2a18");
  fillDisc(context, 0, 0, radius * 0.9, "#301c11");
  for (let pocket = 0; pocket < POCKETS; pocket += 1) drawPocket(context, pocket, radius * 0.74);
  fillDisc(context, 0, 0, radius * 0.5, "#c9a45c");
  fillDisc(context, 0, 0, radius * 0.48, "#3a2114");
  context.fillStyle = "#c9a45c";
  for (let arm = 0; arm < 2; arm += 1) {
    context.rotate(Math.PI / 2);
    context.fillRect(-radius * 0.36, -3, radius * 0.72, 6);
  }
  fillDisc(context, 0, 0, radius * 0.12, "#c9a45c");
  return canvas;
}

function drawPocket(context, pocket, radius) {
  const angle = (2 * Math.PI) / POCKETS;
  context.fillStyle = pocket === 0 ? "#167a42" : pocket % 2 ? "#9e1e28" : "#181a1e";
  context.strokeStyle = "#c9a45c";
  context.lineWidth = 1;
  context.beginPath();
  context.moveTo(0, 0);
  context.arc(0, 0, radius, pocket * angle, (pocket + 1) * angle);
  context.closePath();
  context.fill();
  context.stroke();
}

function fillPill(context, left, top, width, height, radius) {
  context.beginPath();
  context.roundRect(left, top, width, height, radius);
  context.fill();
}

function fillDisc(context, x, y, radius, ink) {
  context.fillStyle = ink;
  context.beginPath();
  context.arc(x, y, radius, 0, 2 * Math.PI);
  context.fill();
}

function strokeCircle(context, radius, width, ink) {
  context.strokeStyle = ink;
  context.lineWidth = width;
  context.beginPath();
  context.arc(ARC_CENTRE.x, ARC_CENTRE.y, radius, 0, 2 * Math.PI);
  context.stroke();
}

function newCanvas(width, height) {
  return Object.assign(document.createElement("canvas"), { width, height });
}
