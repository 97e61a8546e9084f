/**
 * Tables that change every other second: cells are changed in place, so that what is clicked, selected or scrolled to
 * stays there.
 *
 * A cell is a text, or { text, tone: "good" | "fair" | "bad" | "" }, or { stream, pressed }: a button with its name.
 */

/** Fill `table`: the columns in `texts` are words, those in `long` wrap, the others are figures; `empty` is said of no rows. */
export function fill(table, { head, texts, long = [], rows, empty = "None" }) {
  const body = tableBody(table, head, texts);
  const shown = rows.length ? rows : [[empty, ...head.slice(1).map(() => "")]];
  while (body.rows.length > shown.length) body.deleteRow(-1);
  for (const [index, cells] of shown.entries()) {
    const row = body.rows[index] ?? addRow(body, "td", head.length, texts, long);
    cells.forEach((cell, column) => put(row.cells[column], cell));
  }
}

function tableBody(table, head, texts) {
  if (!table.tHead) {
    const row = addRow(table.createTHead(), "th", head.length, texts, []);
    head.forEach((words, column) => put(row.cells[column], words));
    table.createTBody();
  }
  return table.tBodies[0];
}

function addRow(section, tag, columns, texts, long) {
  const row = section.insertRow();
  for (let column = 0; column < columns; column += 1) {
    const cell = document.createElement(tag);
    cell.classList.toggle("text", texts.includes(column));
    cell.classList.toggle("long", long.includes(column));
    row.append(cell);
  }
  return row;
}

function put(element, cell) {
  if (cell.stream !== undefined) {
    putButton(element, cell);
    return;
  }
  const { text, tone } = typeof cell === "string" ? { text: cell, tone: "" } : cell;
  if (element.textContent !== text || element.firstElementChild) element.textContent = text;
  if (element.dataset.tone !== tone) element.dataset.tone = tone;
}

function putButton(element, { stream, pressed }) {
  let button = element.querySelector("button");
  if (!button) {
    button = Object.assign(document.createElement("button"), { className: "row-button", type: "button" });
    element.replaceChildren(button);
  }
  if (button.textContent !== stream) button.textContent = stream;
  button.dataset.stream = stream;
  button.ariaPressed = String(pressed);
}
