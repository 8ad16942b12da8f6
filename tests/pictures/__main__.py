"""`make screenshots`: pictures of every page into docs/pictures, and the app's icons.

ONLY=dashboard,dish draws some of the pages; OUT=folder puts them elsewhere. FILM=film.mp4, a film that `make demo
OUT=film.mp4` made, also makes the sample film of the first page and the animated picture of the README anew.
"""

import os
import shutil
import sys
import tempfile
from contextlib import ExitStack
from io import BytesIO
from pathlib import Path
from typing import Literal

import django
from django.core.management import call_command
from PIL import Image
from playwright.sync_api import Browser, sync_playwright

from project import embedded
from project.embedded.places import PROJECT_FOLDER, find_server_uid
from tests.chromium import HOW_TO_INSTALL, find_chromium
from tests.pictures.admin import take_admin_pictures
from tests.pictures.film import draw_animation, keep_sample_film
from tests.pictures.icons import draw_icons

SAMPLE_FILM = PROJECT_FOLDER / "coaching" / "static" / "coaching" / "sample" / "film.mp4"
FOLDER = PROJECT_FOLDER / "docs" / "pictures"
# width in px, colour scheme, suffix of the picture's name
VIEWS: tuple[tuple[int, Literal["light", "dark"], str], ...] = (
    (375, "light", "phone"),
    (375, "dark", "phone-dark"),
    (1280, "light", "wide"),
)
SHOWN_DARK = {"landing", "dashboard", "dish", "film", "progress"}
# All pictures together stay under 2 MB: long pages are cut, wide ones made smaller.
QUALITY = 50
PHONE_HEIGHT_PX = 1050  # one screen of a phone, its tabs at the bottom, a little taller than they are
MAX_WIDTH_PX = 900
MAX_ASPECT = {True: 3.0, False: 1.6}  # height to width, of a phone's picture and of a wide one


def main() -> int:
    chromium = find_chromium()
    if chromium is None:
        print(f"{HOW_TO_INSTALL}; a Japanese font is needed too (fonts-noto-cjk).", file=sys.stderr)
        return 1
    wanted = set(filter(None, os.environ.get("ONLY", "").split(",")))
    folder = Path(os.environ.get("OUT") or FOLDER)
    folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        origin = start_product(stack)
        playwright = stack.enter_context(sync_playwright())
        os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"  # Playwright's loop runs in this thread
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        stack.callback(browser.close)
        draw_icons(browser)
        if film := os.environ.get("FILM"):
            keep_sample_film(Path(film))
            with tempfile.TemporaryDirectory() as work:
                draw_animation(Path(film), folder, Path(work))
        take_pictures(browser, origin, folder, wanted)
        take_admin_pictures(browser, origin, folder, wanted, keep=keep_picture)
    return 0


def start_product(stack: ExitStack) -> str:
    """Servers, a database with the world of the pictures and a web process, all its own; answers where it serves."""
    parent = Path("/var/tmp") if find_server_uid() is not None else Path(tempfile.gettempdir())
    own = Path(tempfile.mkdtemp(prefix="moment-clone-pictures-", dir=parent))
    own.chmod(0o711)
    stack.callback(shutil.rmtree, own)
    os.environ |= {
        "EMBEDDED_DIR": str(own / "servers"),
        "VAR_FOLDER": str(own / "var"),
        "EMBEDDED_FSYNC": "off",
        "MODEL_CACHE_FOLDER": str(PROJECT_FOLDER / "var" / "models"),
        "DJANGO_SETTINGS_MODULE": "project.settings",
    }
    stack.enter_context(embedded.ensure())
    django.setup()
    call_command("migrate", interactive=False, verbosity=0)
    call_command("collectstatic", interactive=False, verbosity=0)
    from tests.coaching.web.server import run_server  # models load after django.setup()

    server = stack.enter_context(run_server(own, var_folder=own / "var"))
    return f"http://127.0.0.1:{server.port}"


def take_pictures(browser: Browser, origin: str, folder: Path, wanted: set[str]) -> None:
    from coaching.services.content import load_content  # models load after django.setup()
    from tests.browser.conftest import log_in  # likewise
    from tests.browser.world import PAGES, build_world  # likewise
    from tests.finished_cooks import make_footage  # likewise

    load_content()
    with tempfile.TemporaryDirectory() as work:
        world = build_world(make_footage(Path(work), shown=SAMPLE_FILM), has_runs=True)
    for case in PAGES:
        if wanted and case.name not in wanted:
            continue
        for width_px, theme, suffix in VIEWS:
            if theme == "dark" and case.name not in SHOWN_DARK:
                continue
            profile = browser.new_context(
                base_url=origin,
                viewport={"width": width_px, "height": PHONE_HEIGHT_PX if width_px < 500 else 800},
                color_scheme=theme,
                locale="ja-JP",
                timezone_id="Asia/Tokyo",
                reduced_motion="reduce",
            )
            page = profile.new_page()
            user = world.find_user(case.who)
            if user is not None:
                log_in(page, user)
            page.goto(world.find_path(case), wait_until="networkidle")
            keep_picture(page.screenshot(full_page=width_px > 500), folder / f"{case.name}-{suffix}.webp")
            profile.close()


def keep_picture(drawn: bytes, path: Path) -> None:
    """As WebP; FORMAT=png keeps it whole, for a closer look."""
    with Image.open(BytesIO(drawn)) as picture:
        if os.environ.get("FORMAT") == "png":
            picture.save(path.with_suffix(".png"))
            return
        limit_px = round(picture.width * MAX_ASPECT[picture.width < 500])
        kept = picture.convert("RGB").crop((0, 0, picture.width, min(picture.height, limit_px)))
        kept.thumbnail((MAX_WIDTH_PX, limit_px))
        kept.save(path, quality=QUALITY, method=6)


if __name__ == "__main__":
    sys.exit(main())
