"""The whole main job by way of Google's own clients, against servers that refuse what they do not know."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from project.embedded.places import PROJECT_FOLDER

pytestmark = pytest.mark.long
DEADLINE_SECONDS = 1500


@pytest.mark.timeout(DEADLINE_SECONDS + 60)
def test_a_cook_becomes_a_film_by_way_of_google_s_protocols(tmp_path: Path) -> None:
    report, film, var_folder = tmp_path / "report.json", tmp_path / "film.mp4", tmp_path / "var"
    finished = subprocess.run(
        [
            *(sys.executable, "-m", "project.demo", "--google", "emulated", "--once"),
            *("--out", str(film), "--report", str(report)),
        ],
        cwd=PROJECT_FOLDER,
        env={**os.environ, "VAR_FOLDER": str(var_folder), "VOICE": "openjtalk", "FILM_PRESET": "ultrafast"},
        timeout=DEADLINE_SECONDS,
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == 0, finished.stdout[-4000:] + finished.stderr[-4000:]
    assert film.stat().st_size > 100_000
    stages = {stage["stage"]: stage for stage in json.loads(report.read_text())["stages"]}
    assert stages["deliver"]["state"] == "done"
    assert {stage["attempts"] for stage in stages.values()} == {1}
    said = (var_folder / "log" / "emulated-google.log").read_text()
    assert "complaint" not in said, said
