// The table of connectors: troubled ones first, a row each, and what more there is to know below the row.

/** How many well ones are shown where there are many. */
const FEW = 20, MANY = 30;

class ConnectorTable {
  constructor() {
    this.rows = new Map();
    this.open = new Set();
    this.showsAll = false;
    this.body = byId("rows");
    this.filter = byId("filter");
    this.filter.addEventListener("input", () => this.arrange());
    byId("show-all").addEventListener("click", () => {
      this.showsAll = !this.showsAll;
      this.arrange();
    });
  }

  update(status, now) {
    const orphans = status.orphans.filter((orphan) => orphan.objects > 0).map((orphan) => ({
      ...orphan, state: "left the configuration", isOrphan: true, episodes: [],
      held: { objects: orphan.objects, events: orphan.events, bytes: orphan.bytes },
    }));
    this.now = now;
    this.all = [...status.connectors, ...orphans].map((connector) => {
      const found = connector.isOrphan ? [] : connectorFindings(connector, now);
      const [words, ownLevel] = connector.isOrphan ? ["left the configuration", "idle"] : stateOf(connector);
      const level = [ownLevel, ...found.map((each) => each.level).filter((each) => each !== "note")]
        .sort((a, b) => LEVELS.indexOf(a) - LEVELS.indexOf(b))[0];
      const rank = Math.min(...found.map((each) => each.rank), connector.isOrphan ? 75 : 1000);
      return { connector, found, words, level, rank };
    }).sort((a, b) => a.rank - b.rank || a.connector.name.localeCompare(b.connector.name, "en", { numeric: true }));
    byId("filter-box").hidden = this.all.length < 8;
    this.arrange();
  }

  matches({ connector, words }) {
    const wanted = this.filter.value.trim().toLowerCase().split(/\s+/);
    const text = `${connector.name} ${connector.bucket ?? ""} ${connector.folder ?? ""} ${words}`.toLowerCase();
    return wanted.every((each) => text.includes(each));
  }

  arrange() {
    const isFiltered = this.filter.value.trim() !== "" && !byId("filter-box").hidden;
    const matching = isFiltered ? this.all.filter((each) => this.matches(each)) : this.all;
    const troubled = matching.filter((each) => each.rank < 1000).length;
    const isCut = !isFiltered && !this.showsAll && matching.length > MANY;
    const shown = isCut ? matching.slice(0, Math.max(FEW, Math.min(troubled, 50))) : matching;
    const wanted = shown.flatMap((each) => this.row(each));
    // Rows that stay are not touched, so that focus and selection live on.
    wanted.forEach((row, index) => {
      if (this.body.children[index] !== row) this.body.insertBefore(row, this.body.children[index] ?? null);
    });
    while (this.body.children.length > wanted.length) this.body.lastChild.remove();
    const button = byId("show-all");
    button.hidden = isFiltered || this.all.length <= MANY;
    button.textContent = this.showsAll ? "Show fewer" : `Show all ${this.all.length} connectors`;
    const total = count(this.all.length, "connector");
    byId("shown").textContent = shown.length < this.all.length
      ? `${whole(shown.length)} of ${total} shown, those in trouble first.`
      : this.all.length ? "" : "No connector is configured: put one into connectors.d/.";
  }

  row(entry) {
    const { connector } = entry;
    let made = this.rows.get(connector.name);
    if (!made) {
      const id = `more-${connector.name}`;
      const button = el("button", { type: "button", class: "name", "aria-expanded": "false", "aria-controls": id });
      const heading = el("th", { scope: "row", role: "rowheader" }, button);
      const cells = ["", "number", "number", "number", "number", "number", "number"]
        .map((kind) => el("td", { role: "cell", class: kind }));
      const more = el("td", { role: "cell", colspan: 8, id });
      made = { button, cells, more, main: el("tr", { role: "row" }, heading, ...cells), below: el("tr", { role: "row", class: "below" }, more) };
      button.addEventListener("click", () => {
        if (!this.open.delete(connector.name)) this.open.add(connector.name);
        this.arrange();
      });
      button.classList.toggle("long", connector.name.length > 28);
      this.rows.set(connector.name, made);
    }
    const isOpen = this.open.has(connector.name);
    made.button.setAttribute("aria-expanded", String(isOpen));
    made.main.dataset.level = entry.level;
    show(made.button, connector.name, (name) => name);
    this.fill(made.cells, entry);
    const notes = entry.found.map(({ what, todo, run }) => ({ what, todo, run }));
    const uploads = connector.uploads ?? [];
    show(made.more, { notes, uploads, facts: isOpen ? this.facts(connector) : [] }, ({ notes, uploads, facts }) => [
      uploads.map((upload) => el("p", { class: "note" }, uploadText(upload))),
      notes.map((note, index) => el("p", { class: "note" },
        index || !note.todo ? `${sentence(note.what)} ` : "",
        note.todo ? `${note.todo} ` : "", note.run ? command(note.run) : "")),
      facts.length ? el("dl", { class: "facts" }, facts.map(([term, value]) => el("div", { class: value.length > 60 ? "wide" : undefined }, el("dt", {}, term), el("dd", {}, value)))) : "",
    ]);
    return notes.length || uploads.length || isOpen ? [made.main, made.below] : [made.main];
  }

  fill(cells, { connector, words, level }) {
    const { held, rate, last_object: last } = connector;
    const age = (time) => span((this.now - Date.parse(time)) / 1000);
    const since = connector.since && shortMoment(new Date(connector.since), this.now);
    const [health, ...numbers] = cells;
    show(health, [level, words, since], () => [
      el("span", { class: "health", "data-level": level }, mark(level), el("span", {}, words)),
      since ? [" ", el("span", { class: "quiet" }, "since ", timed(since, new Date(connector.since)))] : "",
    ]);
    const empty = held.events === 0 && held.objects === 0;
    const texts = [
      ["Events waiting", empty ? "–" : short(held.events)],
      ["Objects", empty ? "–" : short(held.objects)],
      ["Size", empty ? "–" : size(held.bytes)],
      ["Oldest", held.oldest ? age(held.oldest) : "–", held.oldest],
      ["Rate", rate?.events_per_second ? perSecond(rate.events_per_second) : "–"],
      ["Last object", last ? `${age(last.time)} ago` : "–", last?.time],
    ];
    texts.forEach(([label, text, time], index) => {
      const cell = numbers[index];
      cell.dataset.label = label;
      cell.classList.toggle("none", text === "–");
      show(cell, [text, time], () => time ? timed(text, new Date(time)) : text);
    });
  }

  facts(connector) {
    const facts = [];
    const { held, rate, delivered } = connector;
    if (connector.bucket) facts.push(["Objects go to", `s3://${connector.bucket}/${connector.folder ? connector.folder + "/" : ""}`]);
    if (connector.format) facts.push(["Writes", `${connector.kind ?? ""} ${connector.format}`.trim()]);
    if (delivered) {
      facts.push(["Delivered since the start", `${count(delivered.events, "event")} in ${count(delivered.objects, "object")}, ${size(delivered.bytes)}`]);
    }
    if (rate) facts.push(["In the last minute", `${whole(rate.events_per_second)} events/s, ${size(rate.bytes_per_second)}/s`]);
    if (connector.expire_after_seconds) facts.push(["Window", span(connector.expire_after_seconds)]);
    if (held.most_bytes) facts.push(["May hold at most", size(held.most_bytes)]);
    if (connector.denied_event_types?.length) facts.push(["Denied event types", connector.denied_event_types.join(", ")]);
    if (connector.last_object) facts.push(["Last object", `s3://${connector.bucket}/${connector.last_object.key}`]);
    return facts;
  }
}
