"""Composes the coaching film: a timelapse under part 1, the key moment under part 2, a card with applause.

Every frame is encoded once, and the sound once. The picture is made in parts, because all inputs of one filter graph
are open at once: one graph over the 16 beats of an intro held 510 MB of 1080p footage and 1.1 GB of 4K, while a part
holds what `film_picture.DECODERS_BYTES` allows, whatever the footage. The parts' packets are then put behind one
another next to the sound, without another encode.
"""

import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import av
import ffmpeg

from media_tools.encoding import SOUND_OPTIONS, TIMESCALE
from media_tools.errors import MediaCancelled, MediaToolFailed
from media_tools.ffmpeg import DEFAULT_LIMITS, Limits, Stream, compile_arguments, open_input, run
from media_tools.film_clock import to_seconds
from media_tools.film_picture import Footage, Titles, add_titles, draw_ending, draw_shots, group_shots
from media_tools.film_plan import FilmPlan, FilmRequest, Section, plan_film
from media_tools.film_sound import SoundPlan, level_sound, mix_sound
from media_tools.narration import Loudness, measure_loudness, measure_speech
from media_tools.titles import make_titles
from media_tools.webvtt import write_webvtt

__all__ = ["Film", "FilmRequest", "Section", "compose_film", "name_captions", "name_chapters"]

PLANNED_PERCENT = 1
SOUND_PERCENT = 3
PICTURE_PERCENT = 96
JOINED_PERCENT = 99


@dataclass(frozen=True, slots=True, kw_only=True)
class Film:
    """A finished film. `key_start_seconds`: where the key clip begins; `moment_seconds`: where the moment shows in it.

    `loudness_lufs` is that of the whole, None if nothing can be heard in it.
    """

    path: Path
    duration_seconds: float
    frames: int
    width_px: int
    height_px: int
    loudness_lufs: float | None
    true_peak_dbfs: float | None
    captions_path: Path
    chapters_path: Path
    key_start_seconds: float
    moment_seconds: float
    sections: tuple[Section, ...]


@dataclass(frozen=True, slots=True)
class _Part:
    """A stretch of the film's picture, encoded and counted."""

    path: Path
    frames: int


class _Process:
    """How the processes of one composition are run, and how far it has come."""

    def __init__(
        self, on_progress: Callable[[int], None] | None, cancel: threading.Event | None, limits: Limits
    ) -> None:
        self.cancel = cancel
        self.limits = limits
        self._on_progress = on_progress
        self._percent = -1

    def report(self, percent: float) -> None:
        """Whole percents that only rise."""
        if self._on_progress is not None and int(percent) > self._percent:
            self._percent = int(percent)
            self._on_progress(self._percent)

    def stop_if_cancelled(self) -> None:
        if self.cancel is not None and self.cancel.is_set():
            raise MediaCancelled("cancelled while the film was composed")

    def encode(self, output: Stream, *, frames: int, from_percent: float, to_percent: float) -> None:
        """Run FFmpeg over so many frames, which bring the whole from one percentage to another."""

        def report_share(percent: int) -> None:
            self.report(from_percent + (to_percent - from_percent) * percent / 100)

        run(
            compile_arguments(output),
            total_frames=frames,
            on_progress=report_share,
            cancel=self.cancel,
            limits=self.limits,
        )


def compose_film(
    request: FilmRequest,
    *,
    on_progress: Callable[[int], None] | None = None,
    cancel: threading.Event | None = None,
    limits: Limits = DEFAULT_LIMITS,
) -> Film:
    """Make the film, its captions and its chapters; all three appear when all is verified, or none does.

    `on_progress` gets rising whole percents, 100 when the film is there. `limits` hold for each process.
    Raises InvalidMedia (a recording without sound), MediaCancelled, MediaLimitExceeded, MediaToolFailed, MissingTool.
    """
    process = _Process(on_progress, cancel, limits)
    with tempfile.TemporaryDirectory(prefix="compose-", dir=request.work_folder) as name:
        folder = Path(name).absolute()
        part1 = measure_speech(request.part1_audio, cancel=cancel, limits=limits)
        part2 = measure_speech(request.part2_audio, cancel=cancel, limits=limits)
        plan = plan_film(request, part1, part2)
        process.report(PLANNED_PERCENT)
        sound = folder / "sound.wav"
        loudness = mix_sound(_plan_sound(plan), folder, sound, cancel=cancel, limits=limits)
        process.report(SOUND_PERCENT)
        parts = _encode_picture(process, plan, folder)
        with _replace_together(request.output) as (film, captions, chapters):
            _join(
                process,
                _list_parts(folder, parts),
                level_sound(open_input(sound, formats=("wav",)).audio, loudness),
                film,
                frames=plan.frames,
            )
            measured = measure_loudness(open_input(film, formats=("mov",)).audio, cancel=cancel, limits=limits)
            write_webvtt(captions, plan.list_captions())
            write_webvtt(chapters, plan.list_chapters())
            process.stop_if_cancelled()
    process.report(100)
    return _describe(plan, measured)


def name_captions(film: Path) -> Path:
    """Where the captions of a film lie."""
    return film.with_suffix(".captions.vtt")


def name_chapters(film: Path) -> Path:
    """Where the chapters of a film lie."""
    return film.with_suffix(".chapters.vtt")


def _plan_sound(plan: FilmPlan) -> SoundPlan:
    return SoundPlan(
        part1=plan.request.part1_audio,
        part1_speech=plan.part1,
        part2=plan.request.part2_audio,
        part2_speech=plan.part2,
        intro_frames=plan.intro_frames,
        outro_frames=plan.outro_frames,
        clip=plan.clip,
        source=plan.request.source,
        facts=plan.request.facts,
    )


def _encode_picture(process: _Process, plan: FilmPlan, folder: Path) -> list[_Part]:
    titles = folder / "titles.ass"
    script = make_titles(
        plan.request.titles,
        plan.place_titles(),
        width_px=plan.canvas.width_px,
        height_px=plan.canvas.height_px,
    )
    titles.write_text(script, encoding="utf-8")
    parts: list[_Part] = []
    first_frame = 0
    for picture, frames in _draw_parts(plan, titles):
        part = _Part(folder / f"part-{len(parts)}.mp4", frames)
        process.encode(
            ffmpeg.output(picture, str(part.path), format="mp4", **plan.request.encoder.list_options()),
            frames=frames,
            from_percent=_place_percent(first_frame / plan.frames),
            to_percent=_place_percent((first_frame + frames) / plan.frames),
        )
        _check_frames(part.path, frames)
        parts.append(part)
        first_frame += frames
    return parts


def _draw_parts(plan: FilmPlan, titles: Path) -> Iterator[tuple[Stream, int]]:
    """The film's picture in graphs that follow one another, with the frames of each."""
    footage = Footage(plan.request.source, plan.request.facts, plan.canvas)
    first_frame = 0
    for shots in group_shots(plan.shots, footage.facts):
        frames = sum(shot.frames for shot in shots)
        yield add_titles(draw_shots(footage, shots), Titles(titles, first_frame)), frames
        first_frame += frames
    ending = draw_ending(footage, plan.clip, plan.outro_frames, Titles(titles, first_frame))
    yield ending, plan.clip.frames + plan.outro_frames


def _place_percent(share: float) -> float:
    return SOUND_PERCENT + (PICTURE_PERCENT - SOUND_PERCENT) * share


def _list_parts(folder: Path, parts: Sequence[_Part]) -> Stream:
    """The parts behind one another. Their lengths are given, since a file's own may be off by a tick."""
    listing = folder / "parts.ffconcat"
    entries = (f"file {part.path.name}\nduration {to_seconds(part.frames):.6f}\n" for part in parts)
    listing.write_text("ffconcat version 1.0\n" + "".join(entries), encoding="utf-8")
    return open_input(listing, formats=("concat", "mov"), f="concat", safe=1)["v:0"]


def _join(process: _Process, picture: Stream, sound: Stream, film: Path, *, frames: int) -> None:
    output = ffmpeg.output(
        picture,
        sound,
        str(film),
        format="mp4",
        vcodec="copy",
        video_track_timescale=TIMESCALE,
        movflags="+faststart",
        map_metadata=-1,
        map_chapters=-1,
        **SOUND_OPTIONS,
    )
    process.encode(output, frames=frames, from_percent=PICTURE_PERCENT, to_percent=JOINED_PERCENT)
    _check_frames(film, frames)


def _check_frames(film: Path, frames: int) -> None:
    """FFmpeg can end with success and half a film; its packets tell."""
    with av.open(str(film), format="mov") as container:
        counted = sum(1 for packet in container.demux(video=0) if packet.size)
    if counted != frames:
        raise MediaToolFailed(f"{film.name} has {counted} frames where {frames} were planned")


@contextmanager
def _replace_together(output: Path) -> Iterator[tuple[Path, Path, Path]]:
    """Names to write the film, its captions and its chapters to; all are renamed in the end, or all are removed.

    They lie beside their final names, since a rename is atomic within one file system only. The film comes last: where
    it is, the others are.
    """
    finals = (output, name_captions(output), name_chapters(output))
    film, captions, chapters = (final.with_name(f".{final.name}.part").absolute() for final in finals)
    try:
        yield film, captions, chapters
        captions.replace(finals[1])
        chapters.replace(finals[2])
        film.replace(finals[0])
    finally:
        for draft in (film, captions, chapters):
            draft.unlink(missing_ok=True)


def _describe(plan: FilmPlan, loudness: Loudness) -> Film:
    output = plan.request.output
    return Film(
        path=output,
        duration_seconds=to_seconds(plan.frames),
        frames=plan.frames,
        width_px=plan.canvas.width_px,
        height_px=plan.canvas.height_px,
        loudness_lufs=loudness.integrated_lufs,
        true_peak_dbfs=loudness.true_peak_dbfs,
        captions_path=name_captions(output),
        chapters_path=name_chapters(output),
        key_start_seconds=to_seconds(plan.intro_frames),
        moment_seconds=to_seconds(plan.moment_frame),
        sections=plan.list_sections(),
    )
