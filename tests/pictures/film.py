"""The sample film of the first page and the animated picture of the README, out of a film that `make demo` made.

The captions lie beside the film (`film.vtt`), as the demo leaves them.
"""

import shutil
import subprocess
from pathlib import Path

from PIL import Image

from media_tools.ffmpeg.binary import find_ffmpeg
from project.embedded.places import PROJECT_FOLDER

SAMPLE_FOLDER = PROJECT_FOLDER / "coaching" / "static" / "coaching" / "sample"
ANIMATION_SECONDS, ANIMATION_FPS, ANIMATION_WIDTH_PX = 8, 6, 480
# Scenes of the animation as parts of the film: where they begin, and how long they last. Eight seconds in all.
SCENES = ((0.0, 2.0), (0.42, 2.0), (0.60, 2.0), (0.93, 2.0))


def keep_sample_film(film: Path, *, poster_at: float = 0.64) -> None:
    """Small enough for a phone on a weak network, which loads it only when asked to."""
    SAMPLE_FOLDER.mkdir(parents=True, exist_ok=True)
    _run(
        *("-i", str(film), "-vf", "scale=640:-2,fps=20", "-c:v", "libx264", "-preset", "slow", "-crf", "33"),
        *("-c:a", "aac", "-b:a", "48k", "-ac", "1", "-map_metadata", "-1", "-map_chapters", "-1"),
        *("-movflags", "+faststart", str(SAMPLE_FOLDER / "film.mp4")),
    )
    shutil.copyfile(film.with_suffix(".vtt"), SAMPLE_FOLDER / "film.vtt")
    poster = SAMPLE_FOLDER / "poster.png"
    moment_seconds = _measure(film) * poster_at
    _run("-ss", f"{moment_seconds:.2f}", "-i", str(film), "-vf", "scale=640:-2", "-frames:v", "1", str(poster))
    with Image.open(poster) as picture:
        picture.convert("RGB").save(SAMPLE_FOLDER / "poster.webp", quality=72, method=6)
    poster.unlink()


def draw_animation(film: Path, folder: Path, work: Path) -> Path:
    """`film.webp`: eight seconds out of the film's scenes."""
    length_seconds = _measure(film)
    frames: list[Image.Image] = []
    for number, (begin, seconds) in enumerate(SCENES):
        scale = f"fps={ANIMATION_FPS},scale={ANIMATION_WIDTH_PX}:-2"
        pattern = work / f"scene-{number}-%03d.png"
        _run("-ss", f"{begin * length_seconds:.2f}", "-t", str(seconds), "-i", str(film), "-vf", scale, str(pattern))
        for path in sorted(work.glob(f"scene-{number}-*.png")):
            with Image.open(path) as picture:
                frames.append(picture.convert("RGB"))
    path = folder / "film.webp"
    frames[0].save(
        path, save_all=True, append_images=frames[1:], duration=1000 // ANIMATION_FPS, loop=0, quality=45, method=6
    )
    return path


def _measure(film: Path) -> float:
    """Its length in seconds."""
    import av  # heavy, and needed here only

    with av.open(str(film)) as container:
        return float(container.duration or 0) / av.time_base


def _run(*arguments: str) -> None:
    subprocess.run([find_ffmpeg(), "-y", "-v", "error", *arguments], check=True)
