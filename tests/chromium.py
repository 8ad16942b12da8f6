"""The browser that tests and pictures are made with: Debian's Chromium, driven by Playwright."""

import shutil

CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
    "--autoplay-policy=no-user-gesture-required",
]
HOW_TO_INSTALL = "Chromium is not installed (apt-get install chromium)"


def find_chromium() -> str | None:
    """Its path, or None where it is not installed. A test that is skipped for that has failed in `.ci/run`."""
    return shutil.which("chromium") or shutil.which("chromium-browser")
