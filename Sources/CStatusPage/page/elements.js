// Making and changing elements. What the daemon says becomes text, never markup.

function el(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  return fill(made, attributes, children);
}

const SVG = "http://www.w3.org/2000/svg";

function svg(name, attributes = {}, ...children) {
  return fill(document.createElementNS(SVG, name), attributes, children);
}

function fill(made, attributes, children) {
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== undefined && value !== null && value !== false) made.setAttribute(key, value);
  }
  made.append(...children.flat().filter((child) => child !== undefined && child !== null && child !== ""));
  return made;
}

const byId = (id) => document.getElementById(id);

const shownIn = new WeakMap();

/** Builds the contents anew only where what they show has changed, so that nobody's selection is lost. */
function show(node, model, build) {
  const text = JSON.stringify(model);
  if (shownIn.get(node) === text) return;
  shownIn.set(node, text);
  node.replaceChildren(...[build(model)].flat(Infinity).filter((child) => child || child === 0));
}

function command(text) {
  return el("code", { class: "command" }, text);
}

/** Each level has a shape of its own beside its colour. */
const SHAPES = {
  well: "M3.5 8.5l3 3 6-7",
  note: "M8 7v4.5M8 4.2v.6",
  warn: "M8 4.5v4.5M8 11.4v.4",
  bad: "M4.5 4.5l7 7M11.5 4.5l-7 7",
  idle: "M6 4.5v7M10 4.5v7",
  none: "M4 8h8",
};

function mark(level) {
  const plate = level === "warn"
    ? svg("path", { class: "plate", d: "M8 .8L15.6 14.6H.4z" })
    : level === "bad"
      ? svg("path", { class: "plate", d: "M4.7 0h6.6L16 4.7v6.6L11.3 16H4.7L0 11.3V4.7z" })
      : svg("circle", { class: "plate", cx: 8, cy: 8, r: 8 });
  const shape = svg("path", { class: "sign", d: level === "warn" ? "M8 5.4v4.4M8 12.1v.4" : SHAPES[level] });
  return svg("svg", { class: "mark", viewBox: "0 0 16 16", "data-level": level, "aria-hidden": "true" },
    plate, shape);
}
