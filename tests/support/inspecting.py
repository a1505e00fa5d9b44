"""What nobody may meet on a page, in light or in dark: what axe finds, and what axe cannot see.

axe sees about half of what the guidelines ask. Here are some more: everything is reached and shown by Tab, nothing is
wider than a window of 320 or 640 pixels (WCAG 1.4.10), wider spaced text is not cut off (1.4.12), nothing moves for
people who asked for that.
"""

from __future__ import annotations

from axe_playwright_python.base import AXE_SCRIPT
from browsing import DESKTOP, NARROWEST, PHONE, Visitor
from playwright.sync_api import Page

LEVELS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
ALL_RULES = {"runOnly": LEVELS, "rules": {"target-size": {"enabled": True}}}
"`target-size` (WCAG 2.5.8: 24 pixels) is new in WCAG 2.2; axe leaves it out unless it is asked for."
OF_COLOUR = {"runOnly": {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}}
"What another scheme can break: the rest of the rules does not look at colours."
OF_SIZE = {"runOnly": {"type": "rule", "values": ["target-size"]}}
ZOOMED = (640, 400)
"1280 pixels at 200 %."
MOST_BYTES = 120_000


def problems(visitor: Visitor, *, keys: bool = True) -> list[str]:
    """Of the page that is open, all that folds unfolded; `keys` for whether Tab is tried too."""
    page = visitor.page
    found = weight(page) + (without_mouse(page) if keys else [])
    page.evaluate("for (const one of document.querySelectorAll('details')) one.open = true")
    for scheme, rules in (("dark", OF_COLOUR), ("light", ALL_RULES)):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        found += [f"{scheme}: {one}" for one in axe(page, rules)]
    for size in (ZOOMED, PHONE, NARROWEST):
        visitor.resize(size)
        if visitor.overflow > 0:
            found.append(f"{visitor.overflow} px too wide at {size[0]}")
    found += [f"{NARROWEST[0]} px: {one}" for one in axe(page, OF_SIZE)]
    found += page.evaluate(SPACED)
    visitor.resize(DESKTOP)
    return found


def axe(page: Page, rules: dict[str, object] = ALL_RULES) -> list[str]:
    """What axe finds: rule, where, and what to do."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE_SCRIPT)
    found = page.evaluate("(rules) => axe.run({ resultTypes: ['violations'], ...rules })", rules)
    return [
        f"{one['id']}: {node['target']} {node['failureSummary']}"
        for one in found["violations"]
        for node in one["nodes"]
    ]


def weight(page: Page) -> list[str]:
    """Of the page and all that it loads, before compression."""
    load = "performance.getEntriesByType('navigation').concat(performance.getEntriesByType('resource'))"
    total = page.evaluate(f"{load}.reduce((sum, one) => sum + one.decodedBodySize, 0)")
    return [f"weighs {total} bytes"] if not 0 < total <= MOST_BYTES else []


SPACED = """() => {
  const wider = new CSSStyleSheet();  // a style element would be refused
  wider.replaceSync(`p { margin-bottom: 2em !important; }
    * { line-height: 1.5 !important; letter-spacing: .12em !important; word-spacing: .16em !important; }`);
  document.adoptedStyleSheets = [wider];
  const found = [], tell = (why, one) => found.push(`${why}: ${one.outerHTML.slice(0, 200)}`);
  const { scrollWidth, clientWidth } = document.documentElement;
  if (scrollWidth > clientWidth) found.push(`spaced text: ${scrollWidth - clientWidth} px too wide`);
  for (const one of document.body.querySelectorAll("*")) {
    const { overflowX, overflowY, clipPath, transitionDuration, animationName } = getComputedStyle(one);
    const cuts = clipPath === "none" && /hidden|clip/.test(overflowX + overflowY);
    if (cuts && (one.scrollWidth > one.clientWidth || one.scrollHeight > one.clientHeight)) tell("cut off", one);
    if (transitionDuration !== "0s" || animationName !== "none") tell("moves", one);
  }
  document.adoptedStyleSheets = [];
  return found;
}"""
WATCH_FOCUS = """() => {
  const usable = [...document.querySelectorAll("a[href], button, input, select, textarea, summary, [tabindex='0']")];
  const byArrows = (one) => one.type === "radio" && !one.checked;
  window.unreached = new Set(usable.filter((one) => one.checkVisibility() && !one.disabled && !byArrows(one)));
  window.unseen = new Set();
  unreached.delete(document.activeElement);  // a form's first field has the focus from the start
  document.addEventListener("focusin", ({ target }) => {
    unreached.delete(target);
    if (getComputedStyle(target).outlineStyle === "none") unseen.add(target);
  });
  const dates = document.querySelectorAll("input[type=date]").length;  // day, month, year
  return 2 * (unreached.size + 3 * dates + 2);  // twice round: a page that begins in its middle goes on at its top
}"""
TOLD_FOCUS = """() => {
  const told = (why, elements) => [...elements].map((one) => `${why}: ${one.outerHTML.slice(0, 200)}`);
  return [...told("Tab does not lead to", unreached), ...told("focus is not seen on", unseen)];
}"""


def without_mouse(page: Page) -> list[str]:
    """Whether Tab leads to whatever can be used, and shows where it is."""
    for _ in range(page.evaluate(WATCH_FOCUS)):
        page.keyboard.press("Tab")
        if page.evaluate("unreached.size") == 0:
            break
    return list(page.evaluate(TOLD_FOCUS))
