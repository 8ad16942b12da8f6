"""What a film is made of, and the plan that follows: every section and shot in frames, before anything is encoded."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from media_tools.captions import make_captions
from media_tools.encoding import EncoderSettings
from media_tools.facts import VideoFacts
from media_tools.film_clock import count_frames, to_seconds
from media_tools.film_picture import LANDSCAPE, PORTRAIT, Canvas
from media_tools.key_moment import KeyClip, plan_key_clip
from media_tools.narration import Speech
from media_tools.outro import OUTRO_SECONDS
from media_tools.timelapse import Shot, plan_timelapse
from media_tools.titles import TitleFrames, TitleTexts
from media_tools.webvtt import Cue

INTRO_TITLE = "今回の調理"
KEY_TITLE = "ここがポイント"
OUTRO_TITLE = "次回に向けて"


@dataclass(frozen=True, slots=True, kw_only=True)
class FilmRequest:
    """What a film is made of.

    `source`: the learner's footage, a local file or our own signed https URL, as the probe found it to be (`facts`).
    `key_moment_seconds`: where in the footage; outside it counts as its nearest end. `part1_audio`, `part2_audio`:
    recordings of `part1_text` and of `part2_text` (the pivot and part 2 in one). `output`: where the film goes; the
    captions and chapters go beside it. `work_folder`: for what is needed in between, all of which is removed.
    `canvas`: by default 1280x720, or 720x1280 for footage that is higher than wide.
    """

    source: Path | str
    facts: VideoFacts
    key_moment_seconds: float
    part1_audio: Path
    part2_audio: Path
    part1_text: str
    part2_text: str
    titles: TitleTexts
    output: Path
    work_folder: Path
    encoder: EncoderSettings = field(default_factory=EncoderSettings)
    canvas: Canvas | None = None


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the film, in its seconds."""

    name: Literal["intro", "key_moment", "outro"]
    title: str
    start_seconds: float
    end_seconds: float


@dataclass(frozen=True, slots=True)
class FilmPlan:
    """The film in frames: the intro's shots, the key clip, the outro, and the recordings that set their lengths."""

    request: FilmRequest
    part1: Speech
    part2: Speech
    shots: Sequence[Shot]
    clip: KeyClip
    canvas: Canvas

    @property
    def intro_frames(self) -> int:
        return sum(shot.frames for shot in self.shots)

    @property
    def outro_frames(self) -> int:
        return count_frames(OUTRO_SECONDS)

    @property
    def outro_frame(self) -> int:
        """The outro's first frame."""
        return self.intro_frames + self.clip.frames

    @property
    def frames(self) -> int:
        return self.outro_frame + self.outro_frames

    @property
    def moment_frame(self) -> int:
        """The frame of the film that shows the key moment first."""
        return self.intro_frames + self.clip.moment_frame

    def list_sections(self) -> tuple[Section, ...]:
        key_seconds, outro_seconds = to_seconds(self.intro_frames), to_seconds(self.outro_frame)
        return (
            Section("intro", INTRO_TITLE, 0.0, key_seconds),
            Section("key_moment", KEY_TITLE, key_seconds, outro_seconds),
            Section("outro", OUTRO_TITLE, outro_seconds, to_seconds(self.frames)),
        )

    def list_chapters(self) -> list[Cue]:
        return [Cue(section.start_seconds, section.end_seconds, section.title) for section in self.list_sections()]

    def list_captions(self) -> list[Cue]:
        return [
            *make_captions(self.request.part1_text, self.part1, 0.0),
            *make_captions(self.request.part2_text, self.part2, to_seconds(self.intro_frames)),
        ]

    def place_titles(self) -> TitleFrames:
        replay_frame = self.intro_frames + self.clip.pass_frames
        return TitleFrames(
            key_frame=self.intro_frames,
            moment_frame=self.moment_frame,
            replay_frame=replay_frame if self.clip.replay_frames else None,
            still_frame=replay_frame + self.clip.replay_frames,
            outro_frame=self.outro_frame,
            end_frame=self.frames,
        )


def plan_film(request: FilmRequest, part1: Speech, part2: Speech) -> FilmPlan:
    """Plan the film that the request asks for, around its two recordings as measured."""
    duration_seconds = request.facts.duration_seconds
    return FilmPlan(
        request=request,
        part1=part1,
        part2=part2,
        shots=plan_timelapse(duration_seconds, part1.duration_seconds),
        clip=plan_key_clip(duration_seconds, request.key_moment_seconds, part2.duration_seconds),
        canvas=request.canvas or (PORTRAIT if request.facts.is_portrait else LANDSCAPE),
    )
