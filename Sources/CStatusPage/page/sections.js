// The other parts of the page, each made from the status document.

const NO_SUMS = { objects: 0, events: 0, bytes: 0 };

function sum(parts, of) {
  return parts.reduce((total, part) => {
    const each = of(part) ?? NO_SUMS;
    return { objects: total.objects + each.objects, events: total.events + each.events, bytes: total.bytes + each.bytes };
  }, NO_SUMS);
}

/** A bar that says its own value; `marks` are shares with a name. */
function meter(label, share, text, marks = [], kind = "") {
  const percent = (part) => `${(100 * Math.min(1, Math.max(0, part))).toFixed(2)}%`;
  const bar = el("div", {
    class: `meter ${kind}`, role: "meter", "aria-label": label, "aria-valuemin": 0, "aria-valuemax": 100,
    "aria-valuenow": Math.round(100 * Math.min(1, Math.max(0, share))), "aria-valuetext": text,
  }, el("span", { class: "meter-fill" }), marks.map(() => el("span", { class: "meter-mark" })));
  bar.firstChild.style.inlineSize = percent(share);
  marks.forEach((at, index) => { bar.children[index + 1].style.insetInlineStart = percent(at); });
  return bar;
}

function showFigures(status, now) {
  const everyone = [...status.connectors, ...status.orphans.map((orphan) => ({ held: orphan }))];
  const held = sum(everyone, (each) => each.held);
  const rate = status.connectors.reduce((total, each) => total + (each.rate?.events_per_second ?? 0), 0);
  const risk = sum(status.connectors.flatMap((each) => each.episodes ?? []), (each) => each.at_risk);
  const oldest = status.connectors.map((each) => each.held.oldest).filter(Boolean).sort()[0];
  const figures = [
    ["Waiting", held.events ? short(held.events) : "nothing", held.events ? `events, ${size(held.bytes)} in ${count(held.objects, "object")}` : ""],
    ["Oldest", oldest ? span((now - Date.parse(oldest)) / 1000) : "–", oldest ? "has waited so long" : ""],
    ["Delivered", rate ? perSecond(rate) : "nothing", rate ? "events, in the last minute" : "in the last minute"],
    ["At risk", risk.events ? short(risk.events) : "nothing", risk.events ? `events, ${size(risk.bytes)}` : "of being dropped"],
    ["Disk", status.spool.free_bytes === undefined ? "–" : size(status.spool.free_bytes), "free for the spool"],
  ];
  show(byId("figures"), figures, () => figures.map(([term, value, more]) =>
    el("div", { "data-level": term === "At risk" && risk.events ? "bad" : undefined }, el("dt", {}, term), el("dd", {}, el("strong", {}, value), more ? [" ", el("span", { class: "quiet" }, more)] : ""))));
}

/** How many bars there are before the table is enough. */
const BARS = 5;

function showEpisodes(status, now) {
  const left = (episode) => episode.clock_stands ? Infinity : episode.first_drop_in_seconds ?? Infinity;
  const waiting = status.connectors.flatMap((connector) => (connector.episodes ?? [])
    .filter((episode) => episode.at_risk.events > 0 && episode.first_drop !== undefined)
    .map((episode) => ({
      name: connector.name, window: connector.expire_after_seconds, episode, words: dropWords(episode, now),
      since: moment(new Date(episode.since), now),
    }))).sort((a, b) => left(a.episode) - left(b.episode));
  byId("window").hidden = !waiting.length;
  show(byId("episodes"), waiting, () => [
    waiting.slice(0, BARS).map(({ name, window, episode, words, since }) => {
      const passed = Math.max(0, window - episode.first_drop_in_seconds);
      const risk = episode.at_risk;
      const scope = episode.event_type ? `, events of type ${episode.event_type}` : "";
      return el("div", { class: "episode" },
        el("p", { class: "episode-words" }, el("strong", {}, name), `${scope}: `,
          episode.clock_stands ? words : timed(words, new Date(episode.first_drop))),
        meter(`Window of ${name}${scope}`, passed / window, `${span(passed)} of ${span(window)} have passed; ${words}`, [], "urgent"),
        el("p", { class: "quiet" },
          `${span(passed)} of ${span(window)} have passed; ${count(risk.events, "event")} at risk, ${size(risk.bytes)} in ${count(risk.objects, "object")}; rejected since `,
          timed(since, new Date(episode.since)), `, ${count(episode.attempts, "attempt")}`, episode.code ? `, ${episode.code}` : "", "."));
    }),
    waiting.length > BARS ? el("p", { class: "quiet" }, `And ${whole(waiting.length - BARS)} more, with more time left; the table has them.`) : "",
  ]);
}

/** When free space reaches the mark at the pace at which the backlog grew in the last hour; in seconds. */
function forecast(spool, history) {
  const held = history?.samples.held_bytes.slice(-61) ?? [];
  if (held.length < 11 || spool.minimum_free_bytes === undefined) return undefined;
  const pace = (held.at(-1) - held[0]) / ((held.length - 1) * history.interval_seconds);
  const room = spool.free_bytes - spool.minimum_free_bytes;
  return pace > 0 && room > 0 && room / pace < 14 * DAY ? room / pace : undefined;
}

function showSpool(status, history) {
  const { spool } = status;
  const held = sum([...status.connectors.map((each) => each.held), ...status.orphans], (each) => each);
  const left = forecast(spool, history);
  const intake = {
    running: "Event files are accepted.", opening: "The spool is being read; event files wait for that.",
    waiting: "Event files wait in incoming/.", failed: "No event file is accepted.",
  }[spool.intake] ?? spool.intake;
  const level = { running: "well", opening: "note" }[spool.intake] ?? "bad";
  const ignored = Object.values(spool.ignored_members ?? {}).reduce((total, each) => total + each, 0);
  show(byId("spool"), [spool, held.bytes, left && Math.round(left / HOUR)], () => {
    const parts = [];
    if (spool.size_bytes && spool.free_bytes !== undefined) {
      const used = 1 - spool.free_bytes / spool.size_bytes;
      const text = `${size(spool.free_bytes)} free of ${size(spool.size_bytes)}`;
      const least = spool.minimum_free_bytes;
      const short = least !== undefined && spool.free_bytes <= least;
      parts.push(el("p", {}, el("strong", {}, text), least ? [" ", el("span", { class: "quiet block" }, `intake waits below ${size(least)}`)] : ""),
        meter("Disk of the spool, used", used, `${text}; intake waits below ${size(least ?? 0)}`,
          least ? [1 - least / spool.size_bytes] : [], short ? "urgent" : ""),
        least ? el("p", { class: "scale" }, el("span", {}, "used"), el("span", {}, "the mark is where intake waits")) : "");
    } else if (spool.free_bytes !== undefined) {
      parts.push(el("p", {}, `${size(spool.free_bytes)} free`));
    }
    if (left) parts.push(el("p", {}, `At the last hour's pace intake waits in about ${span(left)}.`));
    parts.push(el("p", {}, el("span", { class: "health", "data-level": level }, mark(level), el("span", {}, `intake ${spool.intake}`)), " ",
      spool.detail ? sentence(spool.detail) : intake));
    const work = [count(spool.active_files, "event file") + " in work", count(spool.unsealed_batches, "open batch").replace("batchs", "batches"), `${size(held.bytes)} held`];
    parts.push(el("p", { class: "quiet" }, `${work.join(", ")}, in `, el("span", { class: "path" }, spool.directory), "."));
    if (ignored) parts.push(el("p", { class: "quiet" }, `${count(ignored, "member")} without a field in their schema left out since the start.`));
    return parts;
  });
}

function showQuarantine(status) {
  const number = status.spool.quarantined;
  show(byId("quarantine"), number, () => number === 0
    ? el("p", {}, "Empty: nothing was refused.")
    : [
      el("p", {}, el("strong", {}, count(number, "file")), " with events that were refused. Nothing of it is lost."),
      el("p", {}, "To see what and why: ", command("sluicectl quarantine list")),
    ]);
}

function showLosses(status) {
  const everyone = [...status.connectors, ...status.orphans];
  const lost = (each) => each.dropped?.events || each.archived?.events || each.discarded?.events || each.in_archive?.events;
  const rows = everyone.filter(lost).map(({ name, dropped, archived, discarded, in_archive }) =>
    ({ name, dropped, archived, discarded, in_archive }));
  show(byId("losses"), rows, () => {
    if (!rows.length) return el("p", {}, "Nothing: no event was ever dropped, archived or discarded in this spool.");
    const parts = [];
    const tell = (kind, words, run) => {
      const total = sum(rows, (row) => row[kind]);
      if (!total.events) return;
      const perhaps = rows.reduce((number, row) => number + (row[kind].perhaps_delivered_events ?? 0), 0);
      const names = rows.filter((row) => row[kind]?.events).map((row) => row.name);
      const of = names.length > 3 ? `${names.slice(0, 3).join(", ")} and ${names.length - 3} more` : names.join(", ");
      parts.push(el("p", {}, el("strong", {}, `${count(total.events, "event")} ${words}`), ` (${size(total.bytes)}) of ${of}`,
        perhaps ? `; ${whole(perhaps)} of them were perhaps delivered` : "", ". ", run ? command(run) : ""));
    };
    tell("dropped", "dropped by the window", "journalctl -u sluiced -p crit");
    tell("archived", "moved to the archive");
    tell("in_archive", "in the archive now", "sluicectl archive list");
    tell("discarded", "discarded by hand");
    return parts;
  });
}

const PRIORITIES = { crit: ["critical", "bad"], err: ["error", "bad"], warning: ["warning", "warn"] };

/** Where a kind of line has a command that shows more. */
const COMMANDS = {
  credentials_failing: (name) => `sluicectl test ${name}`, credentials_still_failing: (name) => `sluicectl test ${name}`,
  destination_misconfigured: (name) => `sluicectl test ${name}`, connector_unverified: (name) => `sluicectl test ${name}`,
  file_quarantined: () => "sluicectl quarantine list", events_quarantined: () => "sluicectl quarantine list",
  events_archived: () => "sluicectl archive list", reload_refused: () => "sluicectl check",
  spool_damaged: () => "sluicectl fsck",
};
const FEW_PROBLEMS = 6;
let showsAllProblems = false;

function showProblems(status, now) {
  const problems = status.problems ?? [];
  const shown = showsAllProblems ? problems : problems.slice(0, FEW_PROBLEMS);
  const model = shown.map((problem) => ({ ...problem, at: moment(new Date(problem.time), now) }));
  show(byId("problems"), model, () => model.map(({ time, kind, priority, connector, text, count: times, at }) => {
    const [words, level] = PRIORITIES[priority] ?? [priority, "warn"];
    const needsName = COMMANDS[kind]?.length > 0;
    const run = COMMANDS[kind] && (connector || !needsName) ? COMMANDS[kind](connector) : undefined;
    return el("li", {},
      el("p", { class: "problem-head" }, el("span", { class: "health", "data-level": level }, mark(level), el("span", {}, words)), " ",
        timed(at, new Date(time)), el("span", { class: "quiet" }, ` ${kind.replaceAll("_", " ")}${times > 1 ? `, ${whole(times)} times` : ""}`)),
      el("p", {}, `${sentence(text)} `, run && !text.includes(run) ? command(run) : ""));
  }));
  const none = byId("no-problems");
  none.hidden = problems.length > 0;
  none.textContent = "None since sluiced started.";
  const button = byId("show-problems");
  button.hidden = problems.length <= FEW_PROBLEMS;
  button.textContent = showsAllProblems ? "Show the newest" : `Show all ${problems.length}`;
}

function showAbout(status, now) {
  const started = new Date(status.started);
  show(byId("about"), [status.version, status.pid, status.started, moment(started, now)], () => [
    el("p", {}, `Sluice ${status.version}, process ${status.pid}, started at `, timed(moment(started, now), started),
      ". The same as data: ", el("a", { href: "/status" }, "/status"), ", ", el("a", { href: "/history" }, "/history"), ", ",
      el("a", { href: "/metrics" }, "/metrics"), ". In a terminal: ", command("sluicectl status"), ". Times are local; point at one for UTC.")]);
}
