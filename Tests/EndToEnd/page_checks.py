"""What has to hold of the status page whatever it shows: quiet, on its own, readable everywhere, by everybody."""

import os
import pathlib
import urllib.parse

from browser import Page

# WCAG 2.2, 1.4.3 and 1.4.11: each text on the ground that it stands on, and each shape that tells something.
LOW_CONTRASTS = """(() => {
  const parse = (text) => { const [r, g, b, a = 1] = text.match(/[\\d.]+/g).map(Number); return {r, g, b, a}; };
  const luminance = ({r, g, b}) => [r, g, b].map((each) => each / 255)
    .map((each) => each <= 0.04045 ? each / 12.92 : ((each + 0.055) / 1.055) ** 2.4)
    .reduce((sum, each, index) => sum + each * [0.2126, 0.7152, 0.0722][index], 0);
  const ratio = (one, other) => {
    const [dark, light] = [luminance(one), luminance(other)].sort((a, b) => a - b);
    return (light + 0.05) / (dark + 0.05);
  };
  const ground = (element) => {
    for (let each = element; each; each = each.parentElement) {
      const colour = parse(getComputedStyle(each).backgroundColor);
      if (colour.a === 1) return colour;
      if (colour.a > 0) throw new Error("a ground that is half seen through");
    }
    return {r: 255, g: 255, b: 255};
  };
  const low = [];
  const check = (element, colour, behind, least, what) => {
    const found = ratio(parse(colour), ground(behind));
    if (found < least) low.push(`${found.toFixed(2)} < ${least}: ${what}`);
  };
  let texts = 0;
  for (const element of document.body.querySelectorAll("*")) {
    const text = [...element.childNodes].filter((each) => each.nodeType === 3).map((each) => each.data.trim()).join("");
    if (!text || ["SCRIPT", "STYLE", "NOSCRIPT"].includes(element.tagName) || !element.checkVisibility()) continue;
    const style = getComputedStyle(element);
    const isLarge = parseFloat(style.fontSize) >= 24 || parseFloat(style.fontSize) >= 18.66 && style.fontWeight >= 700;
    texts += 1;
    check(element, element.ownerSVGElement ? style.fill : style.color, element, isLarge ? 3 : 4.5, text);
  }
  for (const [selector, property] of [[".plate", "fill"], [".line", "stroke"], [".lost", "stroke"], [".tick", "fill"],
      [".meter-fill", "backgroundColor"], [".meter-mark", "backgroundColor"], ["#filter", "borderTopColor"]]) {
    for (const element of document.querySelectorAll(selector)) {
      if (element.checkVisibility()) check(element, getComputedStyle(element)[property], element.parentElement, 3, selector);
    }
  }
  if (texts < 10) low.push(`only ${texts} texts were looked at`);
  return low;
})()"""

BEYOND = """(width) => [...document.querySelectorAll("body *")].filter((each) =>
  each.checkVisibility() && !each.closest(".hidden, .skip, .choice, thead") && each.getBoundingClientRect().right > width + 0.5)
  .map((each) => each.outerHTML.slice(0, 120))"""


def assert_readable(page: Page, name: str) -> None:
    """On a phone and on a screen, light and dark: nothing runs over the side, nothing is too pale.

    With SLUICE_SCREENSHOTS=DIR, pictures of all four are kept there, to be looked at.
    """
    for width in (360, 1280):
        page.resize(width)
        for scheme in ("light", "dark"):
            page.prefer(scheme)
            page.wait_until(f"matchMedia('(width: {width}px) and (prefers-color-scheme: {scheme})').matches")
            # Charts are drawn again in the frame after that.
            page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
            where = f"{width} px, {scheme}"
            # Not against innerWidth: a phone zooms out of a page that is too wide.
            assert page.evaluate("document.documentElement.scrollWidth") <= width, where
            assert page.evaluate(f"({BEYOND})({width})") == [], where
            assert page.evaluate(LOW_CONTRASTS) == [], where
            if directory := os.environ.get("SLUICE_SCREENSHOTS"):
                page.screenshot(pathlib.Path(directory) / f"{name}-{width}-{scheme}.png")


def assert_alone(page: Page, address: str) -> None:
    """Nothing was complained of, and nobody else was asked for anything."""
    assert page.complaints == []
    origins = {urllib.parse.urlsplit(each)._replace(path="", query="", fragment="").geturl()
               for each in page.requests if not each.startswith("data:")}
    assert origins == {address.rstrip("/")}, page.requests


def assert_accessible(page: Page) -> None:
    """What a screen reader goes by is there, and has a name."""
    nodes = page.accessible()
    for role in ("heading", "region", "image", "slider", "meter", "table", "button", "link", "searchbox", "figure"):
        unnamed = [node for node in nodes if node == (role, "")]
        assert not unnamed, f"{role} without a name"
    names = {role: [name for each, name in nodes if each == role] for role, _ in nodes}
    assert [len(names[role]) for role in ("banner", "main", "contentinfo", "status")] == [1, 1, 1, 1]
    for chart in ("Backlog", "Delivered"):
        assert any(name.startswith(f"{chart} over the last six hours: ") for name in names["image"]), names["image"]
    assert "Connectors" in names["table"] and "Events waiting" in names["columnheader"]
    assert "Disk of the spool, used" in names["meter"]
    levels = page.evaluate("[...document.querySelectorAll('h1, h2, h3')].filter((each) => each.checkVisibility()).map((each) => Number(each.tagName[1]))")
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(after <= before + 1 for before, after in zip(levels, levels[1:])), levels
    assert page.evaluate("document.querySelectorAll('[aria-live]').length") == 1
