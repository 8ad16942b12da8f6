"""The app's icons as PNG, out of `icon.svg`: what home screens take.

`maskable` icons are cut to a shape by the home screen, so their ground fills the square and the drawing is smaller.
"""

from pathlib import Path

from playwright.sync_api import Browser

FOLDER = Path(__file__).resolve().parents[2] / "coaching" / "static" / "coaching" / "icons"
GROUND = "#c8401e"
# file name, size in px, whether the ground fills the whole square
ICONS = (
    ("icon-180.png", 180, True),
    ("icon-192.png", 192, False),
    ("icon-512.png", 512, False),
    ("icon-maskable-512.png", 512, True),
)


def draw_icons(browser: Browser) -> list[Path]:
    drawing = (FOLDER / "icon.svg").read_text(encoding="utf-8")
    return [_draw(browser, drawing, FOLDER / name, size_px, fills) for name, size_px, fills in ICONS]


def _draw(browser: Browser, drawing: str, path: Path, size_px: int, fills: bool) -> Path:
    page = browser.new_page(viewport={"width": size_px, "height": size_px})
    ground = GROUND if fills else "transparent"
    inner_px = size_px * 0.8 if fills else size_px
    page.set_content(
        f"<body style='margin:0;display:grid;place-items:center;height:100vh;background:{ground}'>"
        f"<div style='width:{inner_px}px;height:{inner_px}px'>{drawing}</div>"
    )
    page.screenshot(path=path, omit_background=True)
    page.close()
    return path
