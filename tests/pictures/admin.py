"""Pictures of the admin: what operators see of runs at work, runs that failed, and an order before it is confirmed."""

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Literal

from playwright.sync_api import Browser

WIDE_PX = 1280
SHOWN_DARK = {"admin-session"}
THEMES: tuple[tuple[Literal["light", "dark"], str], ...] = (("light", ""), ("dark", "-dark"))


def take_admin_pictures(
    browser: Browser, origin: str, folder: Path, wanted: set[str], *, keep: Callable[[bytes, Path], None]
) -> None:
    """Needs Django set up and the content loaded. `keep` writes a drawn picture under a path."""
    from coaching.models import Principle, User  # models load after django.setup()
    from tests.browser.admin_world import build_admin_world  # likewise
    from tests.browser.conftest import log_in  # likewise

    if wanted and not any(name.startswith("admin") for name in wanted):
        return
    operator = User.objects.create_superuser("sam@example.com", first_name="Sam")
    with tempfile.TemporaryDirectory() as work:
        world = build_admin_world(operator, Path(work))
    sessions = "/admin/coaching/session/"
    both = f"session={world.at_work.session_id}&session={world.in_vain.session_id}&session={world.failed.session_id}"
    pages = {
        "admin": "/admin/",
        "admin-sessions": sessions,
        "admin-session": f"{sessions}{world.at_work.session_id}/change/",
        "admin-session-failed": f"{sessions}{world.in_vain.session_id}/change/",
        "admin-rerun": f"{sessions}steer/rerun/?{both}&stage=compose",
        "admin-principle": f"/admin/coaching/principle/{Principle.objects.get(slug='egg_timing').pk}/change/",
    }
    for theme, suffix in THEMES:
        profile = browser.new_context(
            base_url=origin, viewport={"width": WIDE_PX, "height": 800}, color_scheme=theme, timezone_id="Asia/Tokyo"
        )
        page = profile.new_page()
        log_in(page, operator)
        for name, path in pages.items():
            if (wanted and name not in wanted) or (theme == "dark" and name not in SHOWN_DARK):
                continue
            page.goto(path)
            page.wait_for_load_state("load")
            keep(page.screenshot(full_page=True), folder / f"{name}{suffix}.webp")
        profile.close()
