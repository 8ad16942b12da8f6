"""Scripts as a test wants them, for what happens when one breaks the rules."""

from collections.abc import Sequence

from coaching.providers.ports import (
    Analysis,
    CoachingScript,
    CoachingText,
    LearnerContext,
    NarrationScript,
    ScriptRequest,
    Usage,
)
from coaching.rules import PIVOT
from coaching.services.evaluation import compose_golden_dish
from tests.coaching.rules.test_rules import GOOD

BROKEN_PART2 = "油は大さじ二杯です。"
USAGE = Usage(provider="test", model="writer", prompt_version="test-1")


class Writer:
    """Writes the script that keeps the rules, each time with the next of `insertions` in front of part 2."""

    def __init__(self, insertions: Sequence[str]) -> None:
        self._insertions = list(insertions)
        self.asked: list[tuple[str, ...]] = []

    def __call__(self, request: ScriptRequest) -> CoachingScript:
        self.asked.append(request.findings)
        part2 = GOOD.part2
        if insertion := self._insertions.pop(0):
            part2 = insertion + part2.partition("。")[2]
        return CoachingScript(
            coaching_text=CoachingText(
                mondaiten=GOOD.mondaiten,
                skill=GOOD.skill,
                next_action=GOOD.next_action,
                success_sign=GOOD.success_sign,
            ),
            narration=NarrationScript(part1=GOOD.part1, pivot=PIVOT, part2=part2),
            basis={},
            usage=USAGE,
        )


def make_script_request() -> ScriptRequest:
    dish, principles = compose_golden_dish()
    analysis = Analysis(
        outcome="mistake",
        events=(),
        key_moment_seconds=12.0,
        diagnosis="温まる前に卵を入れたようです。",
        principle_slug="preheat_pan",
        mistake_slug="cold_pan_start",
        done_well=(),
        confidence=0.8,
        reasons=(),
        usage=USAGE,
    )
    return ScriptRequest(
        dish=dish,
        session_number=1,
        analysis=analysis,
        principles=(principles["preheat_pan"],),
        learner=LearnerContext(first_name="花子"),
        memo_transcript="",
        identified_issues=(),
        questions=(),
        emotional_state="",
    )
