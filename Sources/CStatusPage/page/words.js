// How numbers, sizes, spans and times are written. A space that must not break is \u00a0.

const MINUTE = 60, HOUR = 3600, DAY = 86400;

function whole(number) {
  return Math.round(number).toLocaleString("en");
}

/** `999,999`, `1.2 M`, `123 M`: for where there is little room. */
function short(number) {
  if (number < 1e6) return whole(number);
  const [unit, size] = number < 1e9 ? ["M", 1e6] : number < 1e12 ? ["G", 1e9] : ["T", 1e12];
  const value = number / size;
  return `${value < 10 ? Math.floor(value * 10) / 10 : whole(Math.floor(value))}\u00a0${unit}`;
}

/** `1.2 GB`, `58 kB`, `912 B`: as the journal writes sizes. */
function size(bytes) {
  let value = bytes, unit = "B";
  for (const next of ["kB", "MB", "GB", "TB", "PB"]) {
    if (value < 1000) break;
    [value, unit] = [value / 1000, next];
  }
  const digits = unit !== "B" && value < 10 ? (Math.floor(value * 10) / 10).toFixed(1) : Math.floor(value);
  return `${digits}\u00a0${unit}`;
}

function count(number, noun) {
  return `${short(number)}\u00a0${noun}${number === 1 ? "" : "s"}`;
}

/** How far a large object is on its way: `Uploading report.csv: 37% of 4.0 GB, 52 MB/s, 50 s left.` */
function uploadText({ key, size: total, sent, bytes_per_second: rate, seconds_left: left }) {
  const pace = rate > 0 ? `${size(rate)}/s${left === undefined ? "" : `, ${span(left)} left`}` : "and nothing goes at present";
  return `Uploading ${key.split("/").pop()}: ${Math.floor(100 * sent / total)}% of ${size(total)}, ${pace}.`;
}

/** Events in a second, also few of them: `1,200/s`, `0.05/s`. */
function perSecond(events) {
  const value = events >= 10 || events === 0 ? short(events) : String(Number(events.toPrecision(2)));
  return `${value}/s`;
}

/** Two units at most: `3 d 4 h`, `7 h 12 min`, `12 min`, `45 s`. */
function span(seconds) {
  const rest = Math.max(0, Math.floor(seconds));
  const of = (length, unit, smaller, smallerUnit) => {
    const parts = [`${Math.floor(rest / length)}\u00a0${unit}`];
    const left = Math.floor((rest % length) / smaller);
    if (left) parts.push(`${left}\u00a0${smallerUnit}`);
    return parts.join(" ");
  };
  if (rest >= 3 * DAY) return of(DAY, "d", HOUR, "h");
  if (rest >= HOUR) return of(HOUR, "h", MINUTE, "min");
  if (rest >= 2 * MINUTE) return `${Math.floor(rest / MINUTE)}\u00a0min`;
  return `${rest}\u00a0s`;
}

const WEEKDAYS = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const two = (number) => String(number).padStart(2, "0");

/** `14:02:11`, of this place. */
function clock(time, seconds = true) {
  return `${two(time.getHours())}:${two(time.getMinutes())}` + (seconds ? `:${two(time.getSeconds())}` : "");
}

/** `18:04`; `18:04 on Sunday` where that is another day; `18:04 on 3 Nov` where it is far. */
function moment(time, now) {
  if (time.toDateString() === now.toDateString()) return clock(time, false);
  const far = Math.abs(time - now) > 6 * DAY * 1000;
  const day = far ? `${time.getDate()}\u00a0${MONTHS[time.getMonth()]}` : WEEKDAYS[time.getDay()];
  return `${clock(time, false)} on ${day}`;
}

/** The same where there is little room: `18:04`, `Sun 18:04`, `3 Nov 18:04`. */
function shortMoment(time, now) {
  const [at, day] = moment(time, now).split(" on ");
  return day ? `${/\d/.test(day) ? day : day.slice(0, 3)}\u00a0${at}` : at;
}

function utc(time) {
  return time.toISOString().slice(0, 19).replace("T", " ") + " UTC";
}

/** A text with the exact time behind it. */
function timed(text, time) {
  return el("time", { datetime: time.toISOString(), title: utc(time) }, text);
}

/** With a full stop, and a capital where it begins with a word: names of connectors and files stay as they are. */
function sentence(text) {
  const start = /^[a-z]+ /.test(text) ? text.charAt(0).toUpperCase() + text.slice(1) : text;
  return /[.!?…]$/.test(start) ? start : start + ".";
}
