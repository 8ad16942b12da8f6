"""The cook that the demo sends: the user's own, or a sample that is drawn, sounded and spoken once and kept."""

from dataclasses import dataclass, field
from pathlib import Path

from coaching.providers.ports import SpeechRequest
from coaching.providers.registry import get_text_to_speech
from media_tools.sample_cook import Variant, find_memo, render_cook
from project.demo.options import DemoOptions

SAMPLE_VARIANTS = {"good": Variant.GOOD, "mistake": Variant.EGG_OVERCOOKED_BEFORE_RICE}
SAMPLE_SEED = 7
OWN_RATINGS = {"appearance": 3, "taste": 3, "texture": 3, "aroma": 3}


@dataclass(frozen=True, slots=True, kw_only=True)
class Footage:
    video: Path
    memo: Path | None
    ratings: dict[str, int] = field(default_factory=dict)


def find_footage(options: DemoOptions, folder: Path) -> Footage:
    """The user's files, or a sample out of `folder`, made there first where it is missing."""
    if options.video in SAMPLE_VARIANTS:
        variant = SAMPLE_VARIANTS[options.video]
        return Footage(
            video=make_sample(variant, folder),
            memo=options.memo or speak_memo(variant, folder),
            ratings=find_memo(variant).ratings,
        )
    return Footage(video=Path(options.video), memo=options.memo, ratings=OWN_RATINGS)


def make_sample(variant: Variant, folder: Path) -> Path:
    """Draw the cook unless an earlier demo did."""
    path = folder / f"{variant.value}.mp4"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        unfinished = folder / f"unfinished-{variant.value}.mp4"
        render_cook(variant, SAMPLE_SEED, unfinished)
        unfinished.replace(path)
    return path


def speak_memo(variant: Variant, folder: Path) -> Path:
    """Have the product's own voice say what this learner says."""
    path = folder / f"{variant.value}.wav"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        unfinished = folder / f"unfinished-{variant.value}.wav"
        get_text_to_speech().synthesise(SpeechRequest(text=find_memo(variant).text, output=unfinished))
        unfinished.replace(path)
    return path
