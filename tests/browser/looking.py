"""What is looked for on every page: what axe finds, targets too small for a thumb, a page wider than the screen."""

from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

TOUCH_PX = 44
# Rules of the levels that the product promises (WCAG 2.2 A and AA) and axe's own best practices.
AXE_OPTIONS = {"resultTypes": ["violations"], "rules": {"target-size": {"enabled": True}}}
SERIOUS = {"serious", "critical"}

_FIND_SMALL = """(leastPx) => {
    const isInSentence = (element) => {
        const around = element.closest("p, li, dd, label, td, th, figcaption");
        return getComputedStyle(element).display === "inline" && around !== null
            && around.textContent.trim().length > element.textContent.trim().length;
    };
    const found = [];
    for (const element of document.querySelectorAll("a, button, input, select, textarea, summary, [role=button]")) {
        const target = element.matches("[type=checkbox], [type=radio]") ? element.closest("label") ?? element : element;
        const { width, height } = target.getBoundingClientRect();
        const isShown = element.checkVisibility({ visibilityProperty: true }) && width > 0 && height > 0;
        if (!isShown || element.matches(".skip-link, [type=hidden]") || isInSentence(element)) continue;
        if (height < leastPx - 0.5 || width < leastPx - 0.5) {
            const name = (element.textContent.trim() || element.name || element.id).slice(0, 30);
            found.push(`${element.tagName.toLowerCase()} "${name}" ${Math.round(width)}x${Math.round(height)}`);
        }
    }
    return found;
}"""

_FIND_WIDE = """() => {
    const width = document.documentElement.clientWidth;
    if (document.documentElement.scrollWidth <= width) return [];
    return [...document.querySelectorAll("body *")]
        .filter((element) => element.getBoundingClientRect().right > width + 1)
        .slice(0, 5)
        .map((element) => `${element.tagName.toLowerCase()}.${element.className}`);
}"""


def list_barriers(page: Page) -> list[str]:
    """Serious and critical violations that axe finds, with the first place of each."""
    found = Axe().run(page, options=AXE_OPTIONS).response["violations"]
    return [_describe(violation) for violation in found if violation["impact"] in SERIOUS]


def _describe(violation: dict[str, Any]) -> str:
    places = violation["nodes"]
    reason = places[0].get("failureSummary", "")[:300]
    return f"{violation['id']} ({len(places)}x): {places[0]['html'][:160]} {reason}"


def list_small_targets(page: Page) -> list[str]:
    """What can be tapped and is smaller than 44 px, links within a sentence apart."""
    return list(page.evaluate(_FIND_SMALL, TOUCH_PX))


def list_overflowing(page: Page) -> list[str]:
    """What reaches past the right edge; nothing where the page does not scroll sideways."""
    return list(page.evaluate(_FIND_WIDE))
