"""Sample cooks filmed for the offline coach, and how its answers are counted. Needs neither Django nor a database."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from coaching.knowledge.loader import read_catalogue
from coaching.providers.local.signal_coach import SignalCoach
from coaching.providers.ports import (
    Analysis,
    AnalysisRequest,
    DishText,
    KeyPoint,
    MediaLocation,
    MistakeText,
    PrincipleText,
    SensoryCues,
)
from media_tools.sample_cook import (
    SMALL_FPS,
    SMALL_SIZE,
    Conditions,
    CookTruth,
    Negative,
    Variant,
    Verdict,
    render_cook,
    render_negative,
)
from media_tools.sample_cook.recipe import write_recipe

NEAR_SECONDS = 3.0

Answer = Literal["right", "could not tell", "false"]
ConditionsFor = Callable[[float], Conditions]  # from the second of the key moment


def talk_around(key_seconds: float) -> tuple[tuple[float, float], ...]:
    """Somebody talks at the start, over the key moment, and later once more."""
    return ((2, 6), (max(0.0, key_seconds - 4), key_seconds + 3), (key_seconds + 8, key_seconds + 16))


CONDITIONS: dict[str, ConditionsFor] = {
    "plain": lambda key: Conditions(),
    "automatic gain": lambda key: Conditions(automatic_gain=True),
    "hood": lambda key: Conditions(hood_level=1.0),
    "loud hood": lambda key: Conditions(hood_level=3.0),
    "speech over it": lambda key: Conditions(speech_windows=talk_around(key)),
    "gain, hood, speech": lambda key: Conditions(
        automatic_gain=True, hood_level=1.0, speech_windows=talk_around(key), automatic_exposure=True
    ),
    "quiet": lambda key: Conditions(gain_db=-30),
    "too loud": lambda key: Conditions(gain_db=12),
    "shaky and noisy": lambda key: Conditions(jitter_px=8, picture_noise=25),
    "dim, auto exposure": lambda key: Conditions(light=0.35, automatic_exposure=True),
    "steam on the lens": lambda key: Conditions(lens_steam_windows=((max(1.0, key - 3), key + 6),)),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One film to be made. `kind` says which; `hidden` goes with the negatives that hide a cook."""

    kind: Variant | Negative
    seed: int
    conditions: str = "plain"
    hidden: Variant = Variant.GOOD

    @property
    def name(self) -> str:
        return (
            f"{self.kind.value}-{self.seed}-{self.conditions.replace(', ', '-').replace(' ', '_')}-{self.hidden.value}"
        )

    def film(self, folder: Path) -> tuple[Path, CookTruth]:
        """Make it, small and quick, unless it lies there already."""
        film = folder / f"{self.name}.mp4"
        truth_path = film.with_suffix(".json")
        if truth_path.exists():
            return film, CookTruth.from_json(truth_path.read_text(encoding="utf-8"))
        if isinstance(self.kind, Variant):
            conditions = CONDITIONS[self.conditions](write_recipe(self.kind, self.seed).key_moment_seconds)
            truth = render_cook(self.kind, self.seed, film, size=SMALL_SIZE, fps=SMALL_FPS, conditions=conditions)
        else:
            truth = render_negative(
                self.kind,
                self.seed,
                film,
                size=SMALL_SIZE,
                fps=SMALL_FPS,
                conditions=CONDITIONS[self.conditions](25.0),
                hidden_variant=self.hidden,
            )
        truth.write(truth_path)
        return film, truth


def analyse(film: Path, truth: CookTruth, *, dish: DishText, coach: SignalCoach) -> Analysis:
    return coach.analyse(
        AnalysisRequest(
            video=MediaLocation(object_path=film.name, source=film),
            duration_seconds=truth.duration_seconds,
            has_audio=truth.variant != Negative.NO_TRACK,
            dish=dish,
            session_number=1,
        )
    )


def count_answer(analysis: Analysis, truth: CookTruth) -> Answer:
    """A claim is right when it names the mistake within three seconds of its second; anything else claimed is false."""
    if analysis.outcome == "could_not_tell":
        return "right" if truth.verdict is Verdict.COULD_NOT_TELL else "could not tell"
    if truth.verdict is Verdict.GOOD:
        return "right" if analysis.outcome == "good" else "false"
    if truth.verdict is Verdict.COULD_NOT_TELL or analysis.outcome == "good":
        return "false"
    names = {
        (truth.principle_slug, truth.mistake_slug),
        *((m.principle_slug, m.mistake_slug) for m in truth.also_right),
    }
    error_seconds = measure_error(analysis, truth)
    near = error_seconds is not None and error_seconds <= NEAR_SECONDS
    return "right" if near and (analysis.principle_slug, analysis.mistake_slug) in names else "false"


def measure_error(analysis: Analysis, truth: CookTruth) -> float | None:
    """How many seconds the named moment lies from the true one, where there are both."""
    if analysis.key_moment_seconds is None or truth.key_moment_seconds is None:
        return None
    return abs(analysis.key_moment_seconds - truth.key_moment_seconds)


@dataclass(slots=True)
class Tally:
    """Counts answers by what was filmed."""

    counts: dict[str, dict[Answer, int]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(int)))
    errors_seconds: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))

    def add(self, row: str, analysis: Analysis, truth: CookTruth) -> Answer:
        answer = count_answer(analysis, truth)
        self.counts[row][answer] += 1
        error_seconds = measure_error(analysis, truth)
        if answer == "right" and error_seconds is not None:
            self.errors_seconds[row].append(error_seconds)
        return answer

    def total(self, answer: Answer, rows: Iterable[str] | None = None) -> int:
        return sum(self.counts[row][answer] for row in (rows if rows is not None else list(self.counts)))

    def describe(self) -> str:
        """The table: right, could not tell, false claims, error of the key moment."""
        lines = [f"{'':44}{'right':>6}{'could not tell':>16}{'false':>7}{'key moment off by':>22}"]
        for row, counts in self.counts.items():
            errors = self.errors_seconds[row]
            off = f"{sum(errors) / len(errors):.2f} s, most {max(errors):.2f}" if errors else "-"
            lines.append(f"{row:44}{counts['right']:6}{counts['could not tell']:16}{counts['false']:7}{off:>22}")
        return "\n".join(lines)


def compose_dish_text(slug: str) -> DishText:
    """The dish as the stages would hand it to a coach, straight from the knowledge files."""
    catalogue = read_catalogue()
    principles = {principle.slug: principle for principle in catalogue.principles}
    dish = next(dish for dish in catalogue.dishes if dish.slug == slug)
    return DishText(
        slug=dish.slug,
        name=dish.name_ja,
        description=dish.description_ja,
        key_points=tuple(
            KeyPoint(
                principle_slug=point.principle,
                mistake_slug=point.mistake,
                moment=point.moment_ja,
                watch_for=point.watch_for_ja,
                typical_mistake=point.typical_mistake_ja,
                success_sign=point.success_sign_ja,
            )
            for point in dish.key_points
        ),
        principles=tuple(
            PrincipleText(
                slug=principle.slug,
                name=principle.name_ja,
                summary=principle.summary_ja,
                why=principle.why_ja,
                examples=principle.examples_ja,
                decisive_rule=principle.decisive_rule_ja,
                cues=SensoryCues(
                    sound=principle.cues_ja.sound,
                    look=principle.cues_ja.look,
                    feel_or_smell=principle.cues_ja.feel_or_smell,
                ),
                mistakes=tuple(MistakeText(slug=mistake.slug, text=mistake.ja) for mistake in principle.mistakes),
                next_action=principle.next_action_ja,
                success_sign=principle.success_sign_ja,
            )
            for principle in map(principles.__getitem__, dish.principles)
        ),
    )


def list_dish_slugs() -> Sequence[str]:
    return [dish.slug for dish in read_catalogue().dishes]
