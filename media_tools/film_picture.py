"""The filter graphs of the film's picture: shots of the footage on one canvas, still frames, the blurred outro.

Every graph counts frames: whatever the footage's rate, gaps or faults, a shot gives exactly the frames it was planned
with.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import ffmpeg

from media_tools.facts import VideoFacts
from media_tools.ffmpeg import Stream, open_input
from media_tools.film_clock import FRAMES_PER_SECOND, count_frames, to_seconds
from media_tools.key_moment import REPLAY_SPEED, KeyClip
from media_tools.picture import fit_picture
from media_tools.timelapse import Shot
from media_tools.titles import CARD_FADE_SECONDS, find_font_folder

DECODERS_BYTES = 400 << 20
"""What the decoders of one graph may hold together. All inputs of a graph are open at once: of 4K footage the beats of
one intro would hold gigabytes, so its graph is cut into several, one after the other."""

FRAMES_PER_DECODER = 10  # reference pictures and queues, as measured with the decoders' threads set to 1
INDEX_BYTES_PER_SECOND = 2500  # an open file's tables of samples
DECODER_BYTES = 4 << 20

LARGE_FRAME_BYTES = 8 << 20
"""Of frames as large as this, those that a second thread of a decoder keeps are too many."""

SPARE_SECONDS = 1.0
"""How much more than needed is read of a shot, for footage whose frames lie far apart."""

ZOOM_SHARE = 0.04  # of the picture's size, at each side, over a whole still
BLUR_SHARE = 0.025  # of the picture's shorter side
VEIL = "0x33261D@0.42"


@dataclass(frozen=True, slots=True)
class Canvas:
    """The film's size in pixels, both even."""

    width_px: int
    height_px: int


LANDSCAPE = Canvas(1280, 720)
PORTRAIT = Canvas(720, 1280)


@dataclass(frozen=True, slots=True)
class Footage:
    """What is shown and where it is shown: a local file or our own signed URL, its facts, the film's canvas."""

    source: Path | str
    facts: VideoFacts
    canvas: Canvas

    def open(self, start_seconds: float, length_seconds: float, *, threads: int = 1, copy: int = 0) -> Stream:
        """The footage's picture from there on, its clock at zero; `copy` as in `open_input`."""
        return self._take_picture(
            open_input(
                self.source,
                seek_seconds=start_seconds,
                length_seconds=length_seconds + SPARE_SECONDS,
                threads=threads,
                copy=copy,
            )
        )

    def open_at_key_frame(self, start_seconds: float) -> Stream:
        """The footage's picture from the key frame before there on, at a negative time.

        It has no end of its own, since FFmpeg would count its length from the key frame.
        """
        return self._take_picture(open_input(self.source, seek_seconds=start_seconds, is_seek_exact=False, threads=1))

    def fit(self, stream: Stream) -> Stream:
        return fit_picture(stream, self.facts, self.canvas.width_px, self.canvas.height_px)

    def _take_picture(self, opened: Stream) -> Stream:
        return opened[str(self.facts.stream_index)]


@dataclass(frozen=True, slots=True)
class Titles:
    """The script of the whole film's titles, and the frame of the film at which a part of it begins."""

    script: Path
    first_frame: int


def group_shots(shots: Sequence[Shot], facts: VideoFacts) -> Iterator[tuple[Shot, ...]]:
    """Cut the shots into runs of even length whose decoders fit into memory together."""
    index_bytes = int(INDEX_BYTES_PER_SECOND * facts.duration_seconds)
    most = max(1, DECODERS_BYTES // (FRAMES_PER_DECODER * _measure_frame_bytes(facts) + index_bytes + DECODER_BYTES))
    groups = -(-len(shots) // most)
    for group in range(groups):
        yield tuple(shots[len(shots) * group // groups : len(shots) * (group + 1) // groups])


def draw_shots(footage: Footage, shots: Sequence[Shot]) -> Stream:
    """The shots one after another."""
    return _join(
        [
            _draw_still(footage, shot) if shot.kind == "still" else _draw_moving(footage, shot, copy)
            for copy, shot in enumerate(shots)
        ]
    )


def draw_ending(footage: Footage, clip: KeyClip, outro_frames: int, titles: Titles) -> Stream:
    """The key clip, and behind it the moment's frame, blurred and veiled, with the outro's card; all with titles.

    The footage is opened once: the replay and the stills are split off.
    """
    threads = 2 if _measure_frame_bytes(footage.facts) < LARGE_FRAME_BYTES else 1
    raw = footage.open(clip.start_seconds, to_seconds(clip.pass_frames), threads=threads)
    if clip.replay_frames:
        raws = raw.filter_multi_output("split", 2)
        raw, replayed = raws[0], _draw_replay(footage, clip, raws[1])
    shown = _count_out(footage.fit(_sample(raw, "PTS")), clip.pass_frames)
    copies = shown.filter_multi_output("split", 3 if clip.still_frames else 2)
    parts = [copies[0]]
    if clip.replay_frames:
        parts.append(replayed)
    if clip.still_frames:
        parts.append(_zoom(_count_out(_pick(copies[2], clip.moment_frame), clip.still_frames), clip.still_frames))
    backdrop = _blur(_pick(copies[1], clip.moment_frame), footage.canvas)
    outro_titles = replace(titles, first_frame=titles.first_frame + clip.frames)
    return _join([add_titles(_join(parts), titles), *_draw_outro(backdrop, outro_frames, outro_titles)])


def add_titles(picture: Stream, titles: Titles) -> Stream:
    """Draw the titles onto a part of the film, where they belong in the whole."""
    placed = _number(picture, first_frame=titles.first_frame)
    return _number(placed.filter("ass", filename=str(titles.script), fontsdir=str(find_font_folder())))


def _draw_outro(backdrop: Stream, frames: int, titles: Titles) -> Iterator[Stream]:
    """The card is drawn anew only while it fades in; then its picture is held, which saves 6 ms of CPU a frame."""
    fading = min(frames - 1, count_frames(CARD_FADE_SECONDS) + 1)
    copies = backdrop.filter_multi_output("split", 2)
    yield add_titles(_count_out(copies[0], fading), titles)
    settled = add_titles(copies[1], replace(titles, first_frame=titles.first_frame + fading))
    yield _count_out(settled, frames - fading)


def _blur(frame: Stream, canvas: Canvas) -> Stream:
    blur_px = BLUR_SHARE * min(canvas.width_px, canvas.height_px)
    return frame.filter("gblur", sigma=blur_px).filter("drawbox", color=VEIL, t="fill")


def _measure_frame_bytes(facts: VideoFacts) -> int:
    return facts.width_px * facts.height_px * 3 // 2 * (2 if facts.bit_depth > 8 else 1)


def _draw_moving(footage: Footage, shot: Shot, copy: int) -> Stream:
    if not shot.slack_seconds:
        raw = footage.open(shot.start_seconds, shot.source_seconds, copy=copy)
        return _count_out(footage.fit(_sample(raw, f"PTS/{shot.speed:.9f}")), shot.frames)
    # Where a key frame lies within the slack, the shot begins there and nothing is decoded in vain.
    near = footage.open_at_key_frame(shot.start_seconds).filter("trim", start=-shot.slack_seconds)
    return _count_out(footage.fit(_sample(near, f"(PTS-STARTPTS)/{shot.speed:.9f}")), shot.frames)


def _draw_still(footage: Footage, shot: Shot) -> Stream:
    first = _pick(_sample(footage.open(shot.start_seconds, to_seconds(1)), "PTS"), 0)
    return _zoom(_count_out(footage.fit(first), shot.frames), shot.frames)


def _draw_replay(footage: Footage, clip: KeyClip, raw: Stream) -> Stream:
    """Fitted before it is slowed down: what waits for its turn in the graph is then small."""
    start_seconds = clip.replay_start_seconds - clip.start_seconds
    cut = raw.filter("trim", start=start_seconds, end=start_seconds + clip.replay_source_seconds)
    return _count_out(_sample(footage.fit(cut), f"(PTS-STARTPTS)/{REPLAY_SPEED}"), clip.replay_frames)


def _sample(stream: Stream, clock: str) -> Stream:
    """The stream on another clock, at the film's rate from time zero on."""
    return stream.filter("setpts", clock).filter("fps", FRAMES_PER_SECOND, start_time=0)


def _pick(stream: Stream, frame: int) -> Stream:
    return stream.filter("trim", start_frame=frame, end_frame=frame + 1)


def _count_out(stream: Stream, frames: int) -> Stream:
    """Exactly so many frames: the last one stands in for any that the footage lacks."""
    return _number(stream.filter("tpad", stop=-1, stop_mode="clone").filter("trim", end_frame=frames))


def _number(stream: Stream, *, first_frame: int = 0) -> Stream:
    """The stream on a clock that ticks once a frame.

    `N/30/TB` would do the same on paper: `setpts` cuts its result off, and frame 123 comes out at the tick of 122.
    """
    return stream.filter("settb", f"1/{FRAMES_PER_SECOND}").filter("setpts", f"N+{first_frame}")


def _zoom(stream: Stream, frames: int) -> Stream:
    """A slow zoom towards the middle. `zoompan` moves by whole pixels and trembles; `perspective` does not."""
    edge = f"{ZOOM_SHARE}*on/{frames}"
    corners = {
        "x0": f"W*{edge}",
        "y0": f"H*{edge}",
        "x1": f"W-W*{edge}",
        "y1": f"H*{edge}",
        "x2": f"W*{edge}",
        "y2": f"H-H*{edge}",
        "x3": f"W-W*{edge}",
        "y3": f"H-H*{edge}",
    }
    return stream.filter("perspective", eval="frame", **corners)


def _join(parts: Sequence[Stream]) -> Stream:
    return parts[0] if len(parts) == 1 else _number(ffmpeg.concat(*parts, v=1, a=0))
