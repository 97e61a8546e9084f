/** Plots of a quarter of an hour, by uPlot, which `make setup` puts there; without it the page does without. */

const LIBRARY = "/web/vendor/uPlot.esm.js";
const HEIGHT_PX = 170;
const INK = "#b9cabf";
const GRID = { stroke: "rgb(241 239 230 / 10%)", width: 1 };
const COLOURS = ["#6fd69a", "#f0cd7a", "#ff9c8a", "#8fb8ff"];
const WIDTHS_PX = { axis: 54, line: 1.75, time: 80 };

const Plot = await import(LIBRARY).then((library) => library.default, () => null);

/** One plot in `element`: columns of a history over time. */
export class LivePlot {
  #columns;
  #element;
  #plot = null;

  /** `series`: [column, name, scale of its values (1)]; `most`: the top of the axis at least. */
  constructor(element, series, most = 1) {
    this.#element = element;
    this.#columns = series.map(([column, , factor = 1]) => [column, factor]);
    if (Plot === null) {
      element.textContent = "Plots need uPlot: make setup fetches it.";
      return;
    }
    this.#plot = new Plot(options(series, most, element.clientWidth), [[]], element);
    new ResizeObserver(() => this.#plot.setSize({ width: element.clientWidth, height: HEIGHT_PX })).observe(element);
  }

  /** Show a PLOT of /api/v1/ops: { at_unix_s, column: values }. */
  show(history) {
    const values = this.#columns.map(([column, factor]) => history[column].map((value) => scaled(value, factor)));
    this.#plot?.setData([history.at_unix_s, ...values]);
  }

  /** Show nothing. */
  clear() {
    this.#plot?.setData([[], ...this.#columns.map(() => [])]);
  }
}

function options(series, most, width) {
  const axis = { stroke: INK, grid: GRID, ticks: GRID, font: "12px system-ui, sans-serif" };
  return {
    width,
    height: HEIGHT_PX,
    cursor: { y: false },
    scales: { y: { range: (_plot, _low, high) => [0, Math.max(most, high * 1.1)] } },
    axes: [{ ...axis, space: WIDTHS_PX.time, values: (_plot, ticks) => ticks.map(clockWords) }, { ...axis, size: WIDTHS_PX.axis }],
    series: [
      { value: (plot, unixS) => clockWords(unixS ?? plot.data[0].at(-1)) },
      ...series.map(([, label], index) => ({
        label,
        stroke: COLOURS[index],
        width: WIDTHS_PX.line,
        points: { show: false },
        value: (plot, value, series) => figureWords(value ?? plot.data[series]?.at(-1)),
      })),
    ],
  };
}

/** Of where the cursor is; without one of the newest. */
function figureWords(value) {
  return value === null || value === undefined ? "—" : value.toFixed(1);
}

function clockWords(unixS) {
  return unixS === undefined ? "" : new Date(unixS * 1000).toLocaleTimeString("en-GB");
}

function scaled(value, factor) {
  return value === null ? null : value * factor;
}
