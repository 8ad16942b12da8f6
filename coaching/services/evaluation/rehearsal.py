"""Sends golden cooks through analysis, retrieval and script, as a run would, without a learner or rows."""

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import Any
from uuid import uuid4

from coaching.errors import MomentCloneError
from coaching.knowledge.loader import read_catalogue
from coaching.models import Dish
from coaching.providers.ports import (
    Analysis,
    AnalysisRequest,
    DishText,
    LearnerContext,
    PrincipleText,
    ScriptRequest,
    SearchRequest,
)
from coaching.providers.registry import get_coach, get_object_store, get_principle_index
from coaching.queries.content import compose_dish_text, compose_principle_text
from coaching.rules import estimate_speech_seconds
from coaching.services.analysis import check_analysis
from coaching.services.content import describe_dish
from coaching.services.evaluation.golden import DISH, GoldenAnswer, GoldenCook
from coaching.services.media_faults import translate_media_errors
from coaching.services.retrieval import choose_principles, make_query
from coaching.services.script import Draft, draft_script

FIRST_NAME = "花子"


def compose_golden_dish() -> tuple[DishText, dict[str, PrincipleText]]:
    """The dish of the golden set and every principle, straight from the knowledge files."""
    catalogue = read_catalogue()
    principles = {entry.slug: compose_principle_text(entry) for entry in catalogue.principles}
    entry = next(dish for dish in catalogue.dishes if dish.slug == DISH)
    row = Dish(**describe_dish(entry))
    return compose_dish_text(row, tuple(principles[slug] for slug in entry.principles)), principles


def rehearse_cooks(cooks: Iterable[GoldenCook]) -> Iterator[GoldenAnswer]:
    """One answer a cook; an error of the product's own ends that cook and is kept as its `fault`."""
    dish, principles = compose_golden_dish()
    for cook in cooks:
        try:
            yield _rehearse(cook, dish, principles)
        except MomentCloneError as error:
            yield GoldenAnswer(name=cook.name, truth=cook.truth, fault=f"{type(error).__name__}: {error}")


def _rehearse(cook: GoldenCook, dish: DishText, principles: Mapping[str, PrincipleText]) -> GoldenAnswer:
    watch = _StageWatch()
    with watch.timing("analyse"):
        analysis = _analyse(cook, dish)
    with watch.timing("retrieve"):
        answer = get_principle_index().search(
            SearchRequest(query=make_query(analysis, dish=dish, transcript=""), limit=5)
        )
        found = tuple(hit.principle_slug for hit in answer.hits)
        kept = choose_principles(analysis, dish=dish, issues=(), found=found)
    with watch.timing("script"):
        drafts = draft_script(
            get_coach().write_script, _make_script_request(dish, analysis, [principles[slug] for slug in kept])
        )
    narration = drafts[-1].script.narration
    usage = [analysis.usage, answer.usage, *(draft.script.usage for draft in drafts)]
    return GoldenAnswer(
        name=cook.name,
        truth=cook.truth,
        outcome=analysis.outcome,
        principle_slug=analysis.principle_slug,
        mistake_slug=analysis.mistake_slug,
        key_moment_seconds=analysis.key_moment_seconds,
        event_seconds=tuple(event.seconds for event in analysis.events),
        diagnosis=analysis.diagnosis,
        found_slugs=found,
        kept_slugs=kept,
        drafts=tuple(_describe_draft(draft) for draft in drafts),
        part1_seconds=estimate_speech_seconds(narration.part1),
        part2_seconds=estimate_speech_seconds(f"{narration.pivot}。{narration.part2}"),
        stage_seconds=watch.seconds,
        cost_usd=sum(entry.cost_usd for entry in usage),
        models=tuple(dict.fromkeys(entry.model for entry in usage)),
        prompt_versions=tuple(dict.fromkeys(entry.prompt_version for entry in usage if entry.prompt_version)),
    )


def _analyse(cook: GoldenCook, dish: DishText) -> Analysis:
    """The film goes through the object store, as every video does, and is gone afterwards."""
    store = get_object_store()
    path = f"evaluation/{uuid4()}/{cook.film.name}"
    seconds = float(cook.truth["duration_seconds"])
    store.write_file(object_path=path, source=cook.film, content_type="video/mp4")
    try:
        with translate_media_errors():
            analysis = get_coach().analyse(
                AnalysisRequest(
                    video=store.locate(path), duration_seconds=seconds, has_audio=True, dish=dish, session_number=1
                )
            )
    finally:
        store.delete(path)
    return check_analysis(analysis, dish=dish, duration_seconds=seconds)


def _make_script_request(dish: DishText, analysis: Analysis, principles: Sequence[PrincipleText]) -> ScriptRequest:
    return ScriptRequest(
        dish=dish,
        session_number=1,
        analysis=analysis,
        principles=tuple(principles),
        learner=LearnerContext(first_name=FIRST_NAME),
        memo_transcript="",
        identified_issues=(),
        questions=(),
        emotional_state="",
    )


def _describe_draft(draft: Draft) -> dict[str, Any]:
    return {
        "texts": asdict(draft.script.coaching_text) | asdict(draft.script.narration),
        "broken": [f"{finding.field}: {finding.code} {finding.excerpt}".strip() for finding in draft.findings],
    }


@dataclass(slots=True)
class _StageWatch:
    """Wall-clock seconds of each stage."""

    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def timing(self, stage: str) -> Iterator[None]:
        began = time.perf_counter()
        yield
        self.seconds[stage] = time.perf_counter() - began
