// The pictures of the last six hours: an area over time, its values by pointer and by keyboard, and the
// same as a table.

const SPAN_SECONDS = 6 * HOUR, CHART_HEIGHT = 190, TOP = 8, BOTTOM = 24;

/** Round steps so that at most `most` of them reach the largest value. */
function ticks(largest, most) {
  const rough = Math.max(largest, Number.MIN_VALUE) / most;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((each) => each * power).find((each) => each >= rough * 0.9999);
  const top = Math.ceil(largest / step - 1e-9) * step;
  return Array.from({ length: Math.round(top / step) + 1 }, (_, index) => Number((index * step).toPrecision(12)));
}

class Chart {
  /**
   * `options`: title; unit (`events`, for the axis); write (a value for a person); values(samples, measure);
   * losses(samples): what was dropped, drawn and told where there is any.
   */
  constructor(figure, options) {
    this.figure = figure;
    this.options = options;
    this.unit = el("span", { class: "quiet" });
    this.title = el("h3", { id: `${figure.id}-title` }, options.title, " ", this.unit);
    this.readout = el("p", { class: "readout" });
    this.cursor = el("div", {
      class: "cursor", role: "slider", tabindex: 0, "aria-orientation": "horizontal",
      "aria-label": `${options.title}, minute by minute`,
    });
    this.plot = el("div", { class: "plot" }, svg("svg"), this.cursor);
    this.table = el("tbody");
    this.head = el("th", { scope: "col", class: "number" });
    const caption = el("caption", {}, `${options.title}, every half hour`);
    const heads = el("tr", {}, el("th", { scope: "col" }, "Time"), this.head);
    figure.setAttribute("aria-labelledby", this.title.id);
    figure.replaceChildren(
      el("figcaption", {}, this.title, this.readout), this.plot,
      el("details", {}, el("summary", {}, "The same as a table"), el("table", {}, caption, el("thead", {}, heads), this.table)));
    this.cursor.addEventListener("keydown", (event) => this.move(event));
    this.cursor.addEventListener("pointermove", (event) => this.point(event));
    this.cursor.addEventListener("pointerdown", (event) => this.point(event));
    this.cursor.addEventListener("pointerleave", () => this.choose(null));
    this.cursor.addEventListener("focus", () => this.cursor.matches(":focus-visible") && this.choose(this.chosen ?? this.values.length - 1));
    this.cursor.addEventListener("blur", () => this.choose(null));
    new ResizeObserver(() => this.draw()).observe(this.plot);
    this.values = [];
    this.chosen = null;
  }

  update(history, measure) {
    this.measure = measure;
    this.unit.textContent = this.options.column(measure).toLowerCase();
    this.interval = history.interval_seconds;
    this.end = Date.parse(history.end ?? history.now);
    this.values = this.options.values(history.samples, measure);
    this.losses = this.options.losses?.(history.samples) ?? [];
    this.draw();
    this.tabulate();
  }

  time(index) {
    return new Date(this.end - (this.values.length - 1 - index) * this.interval * 1000);
  }

  write(index) {
    const lost = this.losses[index] ? `, ${count(this.losses[index], "event")} dropped` : "";
    return `${this.options.write(this.values[index], this.measure)}${lost}`;
  }

  summary() {
    if (!this.values.length) return "no sample yet: the first comes a minute after the start";
    const highest = this.values.indexOf(Math.max(...this.values));
    const lost = this.losses.reduce((sum, each) => sum + each, 0);
    const now = `now ${this.options.write(this.values.at(-1), this.measure)}`;
    const peak = this.values[highest] === 0 ? "nothing in all this time"
      : `highest ${this.options.write(this.values[highest], this.measure)} at ${clock(this.time(highest), false)}`;
    return `${now}; ${peak}${lost ? `; ${count(lost, "event")} dropped` : ""}`;
  }

  draw() {
    const width = Math.floor(this.plot.clientWidth);
    if (!width || this.end === undefined) return;
    const { values } = this;
    const scale = ticks(Math.max(...values, this.options.least(this.measure)), 4);
    const most = scale.at(-1), labels = scale.map((each) => this.options.axis(each, this.measure));
    const left = 10 + 7 * Math.max(...labels.map((each) => each.length));
    const x = (time) => left + (width - left - 6) * (1 - (this.end - time) / SPAN_SECONDS / 1000);
    const y = (value) => CHART_HEIGHT - BOTTOM - (CHART_HEIGHT - BOTTOM - TOP) * (value / most);
    this.x = x; this.y = y; this.left = left;
    const parts = scale.map((each, index) => [
      svg("line", { class: index ? "grid" : "axis", x1: left, x2: width - 6, y1: y(each), y2: y(each) }),
      svg("text", { class: "tick", x: left - 8, y: y(each) + 4, "text-anchor": "end" }, labels[index]),
    ]);
    const hours = width < 420 ? 2 : 1;
    const first = new Date(this.end - SPAN_SECONDS * 1000);
    first.setMinutes(0, 0, 0);
    for (let each = first; each <= this.end; each = new Date(+each + HOUR * 1000)) {
      const at = x(each);
      if (each.getHours() % hours || at < left + 14 || at > width - 18) continue;
      parts.push(svg("line", { class: "axis", x1: at, x2: at, y1: y(0), y2: y(0) + 4 }),
        svg("text", { class: "tick", x: at, y: CHART_HEIGHT - 6, "text-anchor": "middle" }, clock(each, false)));
    }
    if (values.length) {
      const points = values.map((value, index) => `${x(this.time(index)).toFixed(1)},${y(value).toFixed(1)}`);
      const begin = x(this.time(0)).toFixed(1), end = x(this.end).toFixed(1);
      parts.push(svg("path", { class: "area", d: `M${begin},${y(0)}L${points.join("L")}L${end},${y(0)}Z` }),
        svg("path", { class: "line", d: `M${points.join("L")}` }),
        values.length === 1 ? svg("circle", { class: "dot", r: 3, cx: end, cy: y(values[0]) }) : "");
      if (begin - left > 90) {
        parts.push(svg("text", { class: "tick", x: (left + Number(begin)) / 2, y: y(0) - 10, "text-anchor": "middle" },
          "no samples"));
      }
      this.losses.forEach((lost, index) => lost && parts.push(
        svg("path", { class: "lost", d: `M${x(this.time(index)).toFixed(1)},${y(0)}V${TOP}` })));
    }
    this.hair = svg("path", { class: "hair", d: "" });
    this.dot = svg("circle", { class: "dot", r: 4 });
    const name = `${this.options.title} over the last six hours: ${this.summary()}.`;
    const picture = svg("svg", {
      width, height: CHART_HEIGHT, viewBox: `0 0 ${width} ${CHART_HEIGHT}`, role: "img", "aria-label": name,
    }, ...parts.flat(), this.hair, this.dot);
    // The cursor stays where it is, and so does the focus.
    this.plot.firstChild.replaceWith(picture);
    this.cursor.setAttribute("aria-valuemin", 0);
    this.cursor.setAttribute("aria-valuemax", Math.max(0, values.length - 1));
    this.choose(this.chosen);
  }

  /** Shows one minute's value, or with nil the summary. */
  choose(index) {
    this.chosen = index === null || !this.values.length ? null : Math.min(this.values.length - 1, Math.max(0, index));
    const at = this.chosen ?? this.values.length - 1;
    const text = at < 0 ? this.summary() : `${clock(this.time(at), false)}: ${this.write(at)}`;
    this.cursor.setAttribute("aria-valuenow", Math.max(0, at));
    this.cursor.setAttribute("aria-valuetext", text);
    this.readout.textContent = this.chosen === null ? sentence(this.summary()) : text;
    this.readout.classList.toggle("chosen", this.chosen !== null);
    if (!this.hair) return;
    const isShown = this.chosen !== null;
    this.hair.setAttribute("d", isShown ? `M${this.x(this.time(at))},${TOP}V${this.y(0)}` : "");
    this.dot.setAttribute("visibility", isShown ? "visible" : "hidden");
    if (!isShown) return;
    this.dot.setAttribute("cx", this.x(this.time(at)));
    this.dot.setAttribute("cy", this.y(this.values[at]));
  }

  point(event) {
    const from = this.plot.getBoundingClientRect().left;
    const seconds = (this.x(this.end) - (event.clientX - from)) / (this.x(this.end) - this.left) * SPAN_SECONDS;
    this.choose(this.values.length - 1 - Math.round(seconds / this.interval));
  }

  move(event) {
    const last = this.values.length - 1, from = this.chosen ?? last;
    const to = {
      ArrowLeft: from - 1, ArrowDown: from - 1, ArrowRight: from + 1, ArrowUp: from + 1,
      PageDown: from - 30, PageUp: from + 30, Home: 0, End: last,
    }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    this.choose(to);
  }

  tabulate() {
    this.head.textContent = this.options.column(this.measure);
    const every = Math.max(1, Math.round(30 * MINUTE / this.interval));
    const rows = [];
    for (let index = this.values.length - 1; index >= 0; index -= every) {
      rows.push(el("tr", {}, el("th", { scope: "row" }, timed(clock(this.time(index), false), this.time(index))),
        el("td", { class: "number" }, this.write(index))));
    }
    this.table.replaceChildren(...rows);
  }
}
