"""Writes the coach's answer to one question: what the coach gets to know, and what of its words is let through."""

import logging
from collections.abc import Generator
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import Any

from django.conf import settings

from coaching import queries
from coaching.errors import LeaseLost, MalformedAnswer, MomentCloneError, StageCancelled, StageTimedOut, charge
from coaching.models import Message, Principle, Reply, Session
from coaching.models.chat import Sender
from coaching.providers.ports import AnswerOutcome, ChatTurn, QuestionRequest, SearchRequest, Usage
from coaching.providers.registry import get_coach, get_principle_index
from coaching.rules import Finding, check_text
from coaching.services import answer_stream, replies
from coaching.services.budget import require_budget
from coaching.services.learner_state import describe_learner, view_learner
from coaching.services.leases import Lease, LeaseTerms, keep_renewing
from coaching.services.replies import ReplyClaim

logger = logging.getLogger(__name__)

PRINCIPLES_FOUND = 4
SENTENCE_ENDS = "。！？!?\n"
CLOSING_MARKS = "」』）)"


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenAnswer:
    text: str
    outcome: AnswerOutcome
    usage: tuple[Usage, ...]


class _RulesBroken(Exception):
    """A sentence that must not be shown; the learner never sees it."""

    def __init__(self, findings: tuple[Finding, ...]) -> None:
        super().__init__("; ".join(f"{finding.code} {finding.excerpt!r}" for finding in findings))
        self.findings = findings


def answer_question(*, reply_id: int, worker: str) -> int | None:
    """Claim the reply, write its answer and record how that ended. Answers the reply that is next in its room."""
    claim = replies.claim_reply(reply_id=reply_id, worker=worker)
    if claim is None:
        logger.info("reply %s: not mine to write", reply_id)
        return None
    try:
        with keep_renewing(_make_terms(claim)) as lease:
            _write_and_commit(claim, lease)
    except LeaseLost as error:
        logger.warning("%s", error)
        return None
    # Whatever it was, a bug included: recorded, and the learner reads that it did not work.
    except Exception as error:  # noqa: BLE001
        _record_failure(claim, error)
    answer_stream.show_end(reply_id)
    return replies.find_next_reply(claim.room_id)


def _make_terms(claim: ReplyClaim) -> LeaseTerms:
    return LeaseTerms(
        work=f"reply {claim.reply_id}",
        lease_seconds=settings.CHAT_LEASE_SECONDS,
        limit_seconds=settings.CHAT_ANSWER_SECONDS * 2,  # the answer and one repair
        renew=partial(replies.renew_lease, claim),
        on_overrun=lambda: _record_failure(claim, StageTimedOut(f"reply {claim.reply_id} ran past its limit")),
    )


def _record_failure(claim: ReplyClaim, error: Exception) -> None:
    if isinstance(error, MomentCloneError):
        logger.warning("reply %s: %s: %s", claim.reply_id, type(error).__name__, error)
    else:
        logger.error("reply %s broke", claim.reply_id, exc_info=error)
    try:
        replies.fail_reply(claim, error)
    except LeaseLost as lost:
        logger.warning("%s", lost)


def _write_and_commit(claim: ReplyClaim, lease: Lease) -> None:
    reply = Reply.objects.select_related("room__user", "question", "session__dish").get(pk=claim.reply_id)
    require_budget(reply.room.user, may_wait=False)
    request = replace(_compose_request(reply), cancel=lease.lost)
    try:
        written = _write(claim, request)
    except StageCancelled as error:
        if lease.timed_out:
            raise StageTimedOut(f"reply {claim.reply_id} took longer than two answers may") from error
        raise LeaseLost(f"reply {claim.reply_id}: taken away") from error
    replies.commit_answer(
        claim,
        text=written.text,
        metadata=_describe_outcome(written.outcome, request=request, session=reply.session),
        usage=[asdict(usage) for usage in written.usage],
    )


# --- what the coach gets to know --------------------------------------------------------------------------------------


def _compose_request(reply: Reply) -> QuestionRequest:
    session = reply.session
    question = reply.question.text
    dish = queries.get_dish_text(session.dish) if session else None
    query = f"{dish.name}。{question}" if dish else question
    hits = get_principle_index().search(SearchRequest(query=query, limit=PRINCIPLES_FOUND)).hits
    kept = session.retrieved_context.get("principle_slugs", []) if session else []
    slugs = list(dict.fromkeys([*(hit.principle_slug for hit in hits), *kept]))
    return QuestionRequest(
        question=question,
        learner=describe_learner(reply.room.user, view_learner(reply.room.user)),
        history=_list_history(reply),
        dish=dish,
        cook=queries.review_cook(session) if session else None,
        principles=queries.get_principle_texts(slugs),
        deadline_seconds=settings.CHAT_ANSWER_SECONDS,
    )


def _list_history(reply: Reply) -> tuple[ChatTurn, ...]:
    earlier = (
        Message.objects.filter(chat_room_id=reply.room_id, pk__lt=reply.question_id)
        .exclude(text="")
        .exclude(sender=Sender.SYSTEM)
        .order_by("-pk")[: settings.CHAT_HISTORY_MESSAGES]
    )
    return tuple(
        ChatTurn(speaker="learner" if message.sender == Sender.USER else "coach", text=message.text)
        for message in reversed(earlier)
    )


# --- what of its words is let through ---------------------------------------------------------------------------------


def _write(claim: ReplyClaim, request: QuestionRequest) -> WrittenAnswer:
    """One answer, sentence by sentence; where one breaks a rule, a repair with the findings, shown from its beginning.

    Raises `MalformedAnswer` (a retry) where the repair breaks one too.
    """
    try:
        return _write_once(claim, request)
    except _RulesBroken as broken:
        logger.info("reply %s breaks a rule: asking for a repair: %s", claim.reply_id, broken)
        findings = tuple(finding.instruction for finding in broken.findings)
    try:
        return _write_once(claim, replace(request, findings=findings))
    except _RulesBroken as broken:
        raise MalformedAnswer(f"the answer breaks the rules after its repair: {broken}") from broken


def _write_once(claim: ReplyClaim, request: QuestionRequest) -> WrittenAnswer:
    answer_stream.show_restart(claim.reply_id)
    shown: list[str] = []
    outcomes: list[AnswerOutcome] = []
    with closing(_list_sentences(request, outcomes)) as sentences:  # a broken rule ends the call to the model, too
        for sentence in sentences:
            if findings := check_text(sentence, field="answer", first_name=request.learner.first_name):
                raise _RulesBroken(findings)
            if not shown:
                replies.note_first_words(claim)
            shown.append(sentence)
            answer_stream.show_text(claim.reply_id, sentence)
    text = "".join(shown).strip()
    if not outcomes:
        raise MalformedAnswer("the answer came without its grounds")
    outcome = outcomes[0]
    with charge(outcome.usage):
        if not text:
            raise MalformedAnswer("the coach answered with nothing")
        _check_outcome(outcome, request)
    return WrittenAnswer(text=text, outcome=outcome, usage=(outcome.usage,))


def _list_sentences(request: QuestionRequest, outcomes: list[AnswerOutcome]) -> Generator[str]:
    """Whole sentences as soon as they are whole; closing this iterator ends the call."""
    rest = ""
    with closing(get_coach().answer(request)) as pieces:  # type: ignore[type-var]  # every coach answers with a generator
        for piece in pieces:
            rest += piece.text
            if piece.outcome is not None:
                outcomes.append(piece.outcome)
            end = _find_last_end(rest)
            if end:
                yield rest[:end]
                rest = rest[end:]
    if rest.strip():
        yield rest


def _find_last_end(text: str) -> int:
    """Behind the last whole sentence. What may yet be followed by a closing mark waits for the next piece."""
    last = max((text.rfind(mark) for mark in SENTENCE_ENDS), default=-1)
    end = last + 1
    while 0 < end < len(text) and text[end] in CLOSING_MARKS:
        end += 1
    return end


def _check_outcome(outcome: AnswerOutcome, request: QuestionRequest) -> None:
    known = {p.slug for p in (*request.principles, *(request.dish.principles if request.dish else ()))}
    if strange := set(outcome.principle_slugs) - known:
        raise MalformedAnswer(f"the answer rests on principles that were not offered: {sorted(strange)}")
    moment = outcome.moment_seconds
    if moment is not None and not (request.cook and 0 <= moment <= request.cook.duration_seconds):
        raise MalformedAnswer(f"the answer names second {moment}, which the footage does not have")


def _describe_outcome(outcome: AnswerOutcome, *, request: QuestionRequest, session: Session | None) -> dict[str, Any]:
    """The answer's metadata: what it rests on, where it shows, the official note where food safety is asked about."""
    return {
        "type": "reply",
        "session_id": session.pk if session else None,
        "topic": outcome.topic,
        "principle_slugs": list(outcome.principle_slugs),
        "moment_seconds": None if outcome.moment_seconds is None else round(outcome.moment_seconds, 1),
        "safety_notes": _list_safety_notes(outcome, request) if outcome.topic == "food_safety" else [],
        "is_offline_coach": get_coach().is_offline,
    }


def _list_safety_notes(outcome: AnswerOutcome, request: QuestionRequest) -> list[str]:
    """Official text, word for word: of the principles that the answer names, else of those that were found for it."""
    for slugs in (outcome.principle_slugs, [principle.slug for principle in request.principles]):
        rows = {row.slug: row for row in Principle.objects.filter(slug__in=slugs)}
        notes = [queries.parse_principle_row(rows[slug]).safety_note_ja for slug in slugs if slug in rows]
        if found := list(dict.fromkeys(note for note in notes if note)):
            return found
    return []
