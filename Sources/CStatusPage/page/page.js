// The page itself: asks the daemon again and again, and says so where it does not answer.

const EVERY = 3, EVERY_WHILE_HIDDEN = 30, AGAIN_AFTER_FAILURE = 1, ANSWER_WITHIN = 10, HISTORY_EVERY = 30;

const table = new ConnectorTable();
const backlog = new Chart(byId("backlog"), {
  title: "Backlog",
  values: (samples, measure) => measure === "events" ? samples.held_events : samples.held_bytes,
  write: (value, measure) => measure === "events" ? count(value, "event") : size(value),
  axis: (value, measure) => measure === "events" ? short(value) : size(value).replace(".0", ""),
  column: (measure) => measure === "events" ? "Events waiting" : "Bytes waiting",
  least: (measure) => measure === "events" ? 10 : 1000,
});
const throughput = new Chart(byId("throughput"), {
  title: "Delivered",
  values: (samples, measure) => (measure === "events" ? samples.delivered_events : samples.delivered_bytes).map((each) => each / 60),
  losses: (samples) => samples.dropped_events,
  write: (value, measure) => measure === "events" ? `${perSecond(value).slice(0, -2)}\u00a0events/s` : `${size(value)}/s`,
  axis: (value, measure) => measure === "events" ? perSecond(value) : `${size(value).replace(".0", "")}/s`,
  column: (measure) => measure === "events" ? "Events per second" : "Bytes per second",
  least: (measure) => measure === "events" ? 0.5 : 1000,
});

let latest, past, failures = 0, why = "", spoken = "", timer, historyAt = -Infinity, isAsking = false;
const measure = () => document.querySelector("input[name=measure]:checked").value;

async function ask(path) {
  const answer = await fetch(path, { cache: "no-store", signal: AbortSignal.timeout(ANSWER_WITHIN * 1000) });
  if (!answer.ok) throw new Error(`it answers ${answer.status} to ${path}`);
  return answer.json();
}

async function refresh() {
  if (isAsking) return;
  isAsking = true;
  clearTimeout(timer);
  try {
    const answer = await ask("/status");
    // Another daemon has another page, which knows what it says.
    if (latest && latest.version !== answer.version) location.reload();
    const isAnother = answer.started !== latest?.started;
    latest = answer;
    failures = 0;
    if (isAnother || performance.now() - historyAt > HISTORY_EVERY * 1000) {
      past = await ask("/history");
      historyAt = performance.now();
      drawCharts();
    }
  } catch (error) {
    // Who is silent for so long need not be asked twice.
    failures += error.name === "TimeoutError" ? 2 : 1;
    why = error instanceof Error && error.message.startsWith("it answers") ? error.message : "";
  }
  isAsking = false;
  const pause = failures === 1 ? AGAIN_AFTER_FAILURE : document.hidden ? EVERY_WHILE_HIDDEN : EVERY;
  timer = setTimeout(refresh, pause * 1000);
  render();
}

function drawCharts() {
  backlog.update(past, measure());
  throughput.update(past, measure());
}

function render() {
  const isSilent = failures > 1 || (failures > 0 && !latest);
  document.documentElement.classList.toggle("stale", isSilent && latest !== undefined);
  if (latest) {
    const now = new Date(latest.now);
    byId("content").hidden = false;
    setText(byId("place"), `${latest.spool.zone} / ${latest.spool.partition}`);
    showFigures(latest, now);
    showEpisodes(latest, now);
    table.update(latest, now);
    showProblems(latest, now);
    showSpool(latest, past);
    showQuarantine(latest);
    showLosses(latest);
    showAbout(latest, now);
    if (backlog.end === undefined && past) drawCharts();
  }
  showVerdict(isSilent);
}

function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

function showVerdict(isSilent) {
  const now = latest && new Date(latest.now);
  const verdict = isSilent ? silence(now) : latest ? judge(now) : undefined;
  if (!verdict) return;
  const { level, headline, todo, run, also, later } = verdict;
  byId("verdict").dataset.level = level;
  show(byId("verdict-mark"), level, mark);
  setText(byId("headline"), sentence(headline));
  // Spoken only where it becomes another headline: not every minute, because the time left is another.
  const theme = level + headline.replaceAll(/\d[\d.,:]*/g, "");
  if (theme !== spoken) setText(byId("spoken"), sentence(headline));
  spoken = theme;
  show(byId("advice"), [todo, run, also, later], () => [
    todo || run ? el("p", {}, todo ? `${todo} ` : "", run ? command(run) : "") : "",
    also.length ? el("ul", {}, also.map((each) => el("li", {}, sentence(each)))) : "",
    later.length ? el("div", { class: "later" }, el("p", {}, "When there is time:"),
      el("ul", {}, later.map((each) => el("li", {}, `${sentence(each.headline)} `, each.run ? command(each.run) : "")))) : "",
  ]);
  document.title = `${{ well: "✓", note: "✓", warn: "!", bad: "✕", none: "?" }[level]} ${headline} – Sluice`;
  const colour = { well: "1d7a46", note: "1d7a46", warn: "b7791f", bad: "c2321f", none: "6b7280" }[level];
  const shape = `<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'><circle cx='8' cy='8' r='8' fill='#${colour}'/></svg>`;
  const icon = `data:image/svg+xml,${encodeURIComponent(shape)}`;
  if (byId("icon").getAttribute("href") !== icon) byId("icon").setAttribute("href", icon);
  show(byId("asof"), [latest?.now, isSilent], () => now ? [isSilent ? "last answer " : "as of ", timed(clock(now), now)] : "");
}

function silence(now) {
  const headline = now
    ? `No answer since ${clock(now)}; what is shown is from then`
    : "No answer from sluiced";
  return {
    level: "none", headline, run: "systemctl status sluiced", also: [], later: [],
    todo: why ? sentence(why) : "It may be stopped or starting; events are safe in the spool. This page goes on asking.",
  };
}

function judge(now) {
  const found = findings(latest, past, now);
  const urgent = grouped(found.filter((each) => each.level === "bad" || each.level === "warn"));
  const later = grouped(found.filter((each) => each.level === "note")).slice(0, 4);
  if (!urgent.length) {
    const verified = latest.connectors.filter((each) => each.state === "delivering").length;
    const who = verified ? `${count(verified, "connector")} ${verified === 1 ? "delivers" : "deliver"}` : "nothing is in trouble";
    const paused = latest.connectors.length - verified;
    const rest = verified && paused ? `, ${whole(paused)} ${paused === 1 ? "does" : "do"} not` : "";
    return { level: "well", headline: `All is well: ${who}${rest}`, also: [], later };
  }
  const [worst, ...others] = urgent;
  const also = others.slice(0, 3).map((each) => each.headline);
  if (others.length > 3) also.push(`and ${whole(others.length - 3)} more, in the table below`);
  return { ...worst, also, later };
}

byId("show-problems").addEventListener("click", () => {
  showsAllProblems = !showsAllProblems;
  render();
});
document.querySelectorAll("input[name=measure]").forEach((each) => each.addEventListener("change", () => past && drawCharts()));
document.addEventListener("visibilitychange", () => document.hidden || refresh());
refresh();
