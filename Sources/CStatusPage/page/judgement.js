// What is wrong, the worst first, and what to do about it. Pure: a status document in, findings out.

/** The words and the level of each state of a connector. */
const STATES = {
  delivering: ["delivering", "well"],
  never_verified: ["never verified", "warn"],
  backing_off: ["backing off", "warn"],
  misconfigured: ["misconfigured", "bad"],
  credentials_failing: ["credentials failing", "bad"],
  paused: ["paused", "idle"],
};

const LEVELS = ["bad", "warn", "note", "idle", "well"];

function stateOf(connector) {
  return STATES[connector.state] ?? [connector.state.replaceAll("_", " "), "bad"];
}

/** The daemon's sentences name the connector themselves. */
function withoutName(text, name) {
  const start = `connector ${name}: `;
  return text.startsWith(start) ? text.slice(start.length) : text;
}

/** The episode that gives events up first; those whose clock stands come last. */
function nextDrop(connector) {
  const left = (episode) => episode.clock_stands ? Infinity : episode.first_drop_in_seconds ?? Infinity;
  return (connector.episodes ?? []).filter((episode) => episode.at_risk.events > 0)
    .sort((a, b) => left(a) - left(b))[0];
}

/** `first drop in 7 h 12 min, at 18:04` */
function dropWords(episode, now) {
  const [noun, verb] = episode.on_expiry === "archive" ? ["first move to the archive", "archived"]
    : ["first drop", "dropped"];
  if (episode.clock_stands) return `the clock of the window stands: none is ${verb} now`;
  if (episode.first_drop === undefined) return "";
  if (episode.first_drop_in_seconds <= 0) return `events are ${verb} with the next rejected attempt`;
  const at = new Date(episode.first_drop);
  return `${noun} in ${span(episode.first_drop_in_seconds)}, at ${moment(at, now)}`;
}

/** Smaller ranks are worse. */
function connectorFindings(connector, now) {
  const name = connector.name;
  const found = [];
  const add = (rank, level, what, todo, run) =>
    found.push({ rank, level, subject: name, what, headline: `${name}: ${what}`, todo, run });
  const detail = connector.detail && sentence(withoutName(connector.detail, name));
  const test = `sluicectl test ${name}`;
  const noun = connector.kind === "data-export" ? "file" : "event";
  const wait = connector.held.events > 0 ? `${count(connector.held.events, noun)} wait` : "nothing waits";
  const [words] = stateOf(connector);
  switch (connector.state) {
    case "credentials_failing": {
      const episode = nextDrop(connector);
      const drop = episode ? dropWords(episode, now) : "";
      const soon = episode && !episode.clock_stands && episode.on_expiry !== "archive"
        ? episode.first_drop_in_seconds ?? Infinity : Infinity;
      const rank = soon <= 0 ? 0 : soon < Infinity ? 10 + Math.min(9, soon / DAY) : 25;
      const verb = connector.denied_event_types?.length ? "S3 denies some event types" : "S3 rejects the credentials";
      add(rank, "bad", `${verb}; ${drop || wait}`, detail, test);
      break;
    }
    case "misconfigured":
      add(30, "bad", `misconfigured; ${wait}`, detail, test);
      break;
    case "backing_off":
      add(50, "warn", `backing off; ${wait}, and it is tried again by itself`, detail);
      break;
    case "never_verified":
      add(70, connector.held.events > 0 ? "warn" : "note", `never verified; ${wait}`,
        detail ?? "Nothing was ever delivered with these credentials.", test);
      break;
    case "paused":
      add(80, "note", `paused; ${wait}`, "Nothing is sent or dropped until it is resumed.",
        `sluicectl resume ${name}`);
      break;
    case "delivering":
      break;
    default:
      add(40, "bad", `${words}; ${wait}`, detail);
  }
  const fault = connector.at_fault;
  if (fault?.objects > 0) {
    add(40, "bad", `${fault.objects === 1 ? "1 object is" : `${whole(fault.objects)} objects are`} held by itself`,
      fault.detail && sentence(withoutName(fault.detail, name)), "sluicectl fsck");
  }
  if (connector.held.files_wait) {
    add(55, "warn", "it holds as much as its max_held; its files wait",
      `Files in incoming/${name}/ wait until it has delivered some of ${size(connector.held.bytes)}.`);
  }
  return found;
}

function findings(status, history, now) {
  const found = status.connectors.flatMap((connector) => connectorFindings(connector, now));
  const add = (rank, level, headline, todo, run) => found.push({ rank, level, headline, todo, run });
  const spool = status.spool;
  const detail = spool.detail && sentence(spool.detail);
  if (spool.intake === "failed") {
    add(1, "bad", "Intake has failed: no event file is accepted", detail, "journalctl -u sluiced -p err");
  } else if (spool.intake === "waiting") {
    const most = [...status.connectors].sort((a, b) => b.held.bytes - a.held.bytes)[0];
    const share = most?.held.bytes > 0 ? `${most.name} holds most: ${size(most.held.bytes)}.` : "";
    add(20, "bad", "Intake waits: event files stay in incoming/ until there is room", `${detail ?? ""} ${share} Make room on that disk; intake goes on by itself.`.trim());
  } else if (spool.intake === "opening") {
    add(90, "note", "The spool is being read; event files wait for that");
  }
  const dropped = (history?.samples.dropped_events ?? []).reduce((sum, each) => sum + each, 0);
  if (dropped > 0) {
    add(45, "warn", `${count(dropped, "event")} ${dropped === 1 ? "was" : "were"} dropped in the last six hours`,
      "The journal tells each.", "journalctl -u sluiced -p crit");
  }
  for (const orphan of status.orphans) {
    if (orphan.objects > 0) {
      found.push({ rank: 75, level: "note", subject: orphan.name,
        headline: `${orphan.name}: left the configuration; ${count(orphan.events, "event")} wait`,
        todo: `Put connectors.d/${orphan.name}.toml back to deliver them.` });
    }
  }
  const kept = [...status.connectors, ...status.orphans].reduce((sum, each) => sum + (each.in_archive?.events ?? 0), 0);
  if (kept > 0) add(85, "note", `${count(kept, "event")} in the archive wait for a decision`, undefined, "sluicectl archive list");
  if (spool.quarantined > 0) {
    add(86, "note", `${count(spool.quarantined, "file")} in quarantine wait for a look`, undefined, "sluicectl quarantine list");
  }
  if (!status.connectors.length) add(60, "warn", "No connector is configured, so nothing is delivered", undefined, "sluicectl check");
  return found.sort((a, b) => a.rank - b.rank);
}

/** One line for those that are in the same trouble: the worst of them is named, the others are counted. */
function grouped(found) {
  const groups = new Map();
  for (const each of found) {
    const trouble = each.what?.split(";")[0] ?? each.headline;
    groups.set(trouble, [...groups.get(trouble) ?? [], each]);
  }
  return [...groups.values()].map(([worst, ...others]) => others.length
    ? { ...worst, headline: `${worst.subject} and ${whole(others.length)} more: ${worst.what}` } : worst);
}
