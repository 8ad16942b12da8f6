"""A completed cook in the form in which the coach looks back on it."""

from typing import Any

from coaching.models import Session
from coaching.providers.ports import Analysis, CoachingText, CookingEvent, CookReview, NarrationScript, Usage


def review_cook(session: Session) -> CookReview:
    """What was published of the session: its analysis, texts and memo. The session has its coaching."""
    return CookReview(
        session_number=session.session_number,
        duration_seconds=float(session.video_facts["duration_seconds"]),
        analysis=_read_analysis(session.video_analysis),
        coaching_text=CoachingText(**session.coaching_text),
        narration=NarrationScript(**session.narration_script),
        memo_transcript=session.voice_transcript,
    )


def _read_analysis(published: dict[str, Any]) -> Analysis:
    """The document's `video_analysis`, as `deliver` publishes it, read back."""
    return Analysis(
        outcome=published["outcome"],
        events=tuple(
            CookingEvent(
                seconds=event["seconds"],
                event=event["event"],
                description=event["description"],
                state=event["state"],
                confidence=event["confidence"],
            )
            for event in published["cooking_events"]
        ),
        key_moment_seconds=published["key_moment_seconds"],
        diagnosis=published["diagnosis"],
        principle_slug=published["principle_slug"],
        mistake_slug=published["mistake_slug"],
        done_well=tuple(published["done_well"]),
        confidence=published["confidence"],
        reasons=tuple(published["reasons"]),
        usage=Usage(provider="", model=""),  # of a call long past; it is accounted for in its stage
    )
