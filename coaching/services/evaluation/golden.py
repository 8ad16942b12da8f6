"""The golden set: cooks drawn by recipe, with labelled events, key moment and mistake, and how answers are judged.

They are synthetic, and every output says so: they show that coach, retrieval, script and rules hold together and
whether a change of a prompt makes them better or worse, not how they do in a real kitchen. Their seeds are none that
anything was tuned on (the offline coach's thresholds: seeds under 100; its benchmark: 100 to 199).
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from coaching.errors import Misconfigured
from coaching.services.evaluation.rows import Row

SEEDS = (501, 502, 503, 504)  # a cook of each variant for each: 20
NEAR_SECONDS = 3.0
DISH = "fried-rice"


@dataclass(frozen=True, slots=True, kw_only=True)
class GoldenCook:
    """One film with what is true of it: `truth` is `CookTruth` as JSON's types."""

    name: str
    film: Path
    truth: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class GoldenAnswer:
    """All that one cook brought, in JSON's types, so that it can be recorded and judged again.

    `drafts` are the scripts in order, each with its seven `texts` and the `broken` rules; `fault` is the error that
    ended it, "" where none did.
    """

    name: str
    truth: dict[str, Any]
    fault: str = ""
    outcome: str = ""
    principle_slug: str = ""
    mistake_slug: str = ""
    key_moment_seconds: float | None = None
    event_seconds: tuple[float, ...] = ()
    diagnosis: str = ""
    found_slugs: tuple[str, ...] = ()
    kept_slugs: tuple[str, ...] = ()
    drafts: tuple[dict[str, Any], ...] = ()
    part1_seconds: float = 0.0
    part2_seconds: float = 0.0
    stage_seconds: dict[str, float] = field(default_factory=dict)
    cost_usd: float = 0.0
    models: tuple[str, ...] = ()
    prompt_versions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """How one answer was judged. `claim` is "right", "could not tell", "false" or "fault"."""

    name: str
    claim: str
    off_seconds: float | None
    events_found: float
    is_principle_found: bool
    is_clean_at_once: bool
    is_clean: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class GoldenReport:
    verdicts: tuple[Verdict, ...]
    rows: tuple[Row, ...]


def draw_golden_cooks(folder: Path, *, count: int) -> Iterator[GoldenCook]:
    """Film them one after the other, small; raises `Misconfigured` where the drawing tools are missing."""
    try:
        # Pillow and scipy: the production image leaves them out.
        from media_tools.sample_cook import SMALL_FPS, SMALL_SIZE, Conditions, Variant, render_cook
    except ImportError as error:
        raise Misconfigured(f"the golden set needs the dependency group `embedded`: {error}") from error
    filmed = (Conditions(), Conditions(automatic_gain=True), Conditions(hood_level=1.0), Conditions(jitter_px=5.0))
    cases = [(seed, variant, way) for seed, way in zip(SEEDS, filmed, strict=True) for variant in Variant]
    for seed, variant, way in cases[:count]:
        name = f"{variant.value.replace('_', '-')}-{seed}"
        film = folder / f"{name}.mp4"
        truth = render_cook(variant, seed, film, size=SMALL_SIZE, fps=SMALL_FPS, conditions=way)
        yield GoldenCook(name=name, film=film, truth=json.loads(truth.to_json()))


def judge_golden(answers: Sequence[GoldenAnswer]) -> GoldenReport:
    """Judge what was answered; pure, so recorded answers are judged by the rules of today's code."""
    verdicts = tuple(_judge(answer) for answer in answers)
    return GoldenReport(verdicts=verdicts, rows=tuple(_list_rows(answers, verdicts)))


def _judge(answer: GoldenAnswer) -> Verdict:
    truth = answer.truth
    true_seconds = truth["key_moment_seconds"]
    off = None
    if answer.key_moment_seconds is not None and true_seconds is not None:
        off = abs(answer.key_moment_seconds - true_seconds)
    right_slugs = {truth["principle_slug"], *(mistake["principle_slug"] for mistake in truth["also_right"])}
    labelled = [event["seconds"] for event in truth["events"]]
    near = [any(abs(seconds - told) <= NEAR_SECONDS for told in answer.event_seconds) for seconds in labelled]
    return Verdict(
        name=answer.name,
        claim=_judge_claim(answer, off),
        off_seconds=off,
        events_found=sum(near) / len(near) if near else 1.0,
        is_principle_found=truth["verdict"] != "mistake" or bool(right_slugs & set(answer.kept_slugs)),
        is_clean_at_once=bool(answer.drafts) and not answer.drafts[0]["broken"],
        is_clean=bool(answer.drafts) and not answer.drafts[-1]["broken"],
    )


def _judge_claim(answer: GoldenAnswer, off_seconds: float | None) -> str:
    truth = answer.truth
    if answer.fault:
        return "fault"
    if answer.outcome == "could_not_tell":
        return "right" if truth["verdict"] == "could_not_tell" else "could not tell"
    if truth["verdict"] == "good":
        return "right" if answer.outcome == "good" else "false"
    names = {(truth["principle_slug"], truth["mistake_slug"])}
    names |= {(mistake["principle_slug"], mistake["mistake_slug"]) for mistake in truth["also_right"]}
    is_named = answer.outcome == "mistake" and (answer.principle_slug, answer.mistake_slug) in names
    return "right" if is_named and off_seconds is not None and off_seconds <= NEAR_SECONDS else "false"


def _list_rows(answers: Sequence[GoldenAnswer], verdicts: Sequence[Verdict]) -> Iterator[Row]:
    count = max(1, len(verdicts))
    offs = [verdict.off_seconds for verdict in verdicts if verdict.off_seconds is not None]
    near = sum(off <= NEAR_SECONDS for off in offs)

    def share(name: str, number: int, *, target: float | None = None, at_least: bool = True) -> Row:
        return Row(
            row=f"golden, synthetic: {name}", value=number / count, unit="share", target=target, at_least=at_least
        )

    claims = [verdict.claim for verdict in verdicts]
    yield share("right outcome, mistake and moment", claims.count("right"), target=0.8)
    yield share("claimed something false", claims.count("false"), target=0.05, at_least=False)
    yield share("ended in a fault", claims.count("fault"), target=0.0, at_least=False)
    yield Row(
        row="golden, synthetic: key moment within 3 s, where one is told",
        value=near / max(1, len(offs)),
        unit="share",
        target=0.9,
    )
    yield Row(
        row="golden, synthetic: labelled events told within 3 s",
        value=sum(verdict.events_found for verdict in verdicts) / count,
        unit="share",
    )
    yield share("right principle among those kept", sum(v.is_principle_found for v in verdicts), target=0.8)
    yield share("script keeps the rules at once", sum(v.is_clean_at_once for v in verdicts), target=0.8)
    yield share("script keeps the rules after its repair", sum(v.is_clean for v in verdicts), target=1.0)
    yield from _list_costs(answers, count)


def _list_costs(answers: Sequence[GoldenAnswer], count: int) -> Iterator[Row]:
    def mean(name: str, values: Sequence[float], unit: str) -> Row:
        return Row(row=f"golden, synthetic: {name}", value=sum(values) / count, unit=unit)

    yield mean("part 1 spoken", [answer.part1_seconds for answer in answers], "seconds")
    yield mean("pivot and part 2 spoken", [answer.part2_seconds for answer in answers], "seconds")
    yield mean("a cook takes", [sum(answer.stage_seconds.values()) for answer in answers], "seconds")
    yield mean("a cook costs", [answer.cost_usd for answer in answers], "USD")
