"""Questions to the coach: asked on a page, followed by polls that end with the answer."""

import math
import threading
import uuid
from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from coaching import queries
from coaching.errors import InvalidInput, MomentCloneError, NotFound, Refused
from coaching.models import Reply
from coaching.problems import find_status
from coaching.web.pages import get_learner, wants_fragment
from tasks import chat

FASTEST_POLL_SECONDS = 0.1
SLOWEST_POLL_SECONDS = 4.0
BACK_OFF = 1.5
# A poll that waits for news keeps a thread of this process: most of them may, the others stay free for pages.
_held_polls = threading.BoundedSemaphore(settings.CHAT_HELD_POLLS)


@never_cache
@login_required
@require_POST
def ask_question(request: HttpRequest) -> HttpResponse:
    """htmx gets the question with its pending answer and an empty box; a browser without it is sent to the room."""
    learner = get_learner(request)
    text = request.POST.get("text", "")
    try:
        reply, _ = chat.ask(
            user_id=learner.pk,
            text=text,
            idempotency_key=request.POST.get("key", ""),
            session_id=_read_id(request.POST.get("session", "")),
        )
    except NotFound:
        raise
    except Refused as error:
        return _show_refusal(request, error, text=text)
    if not wants_fragment(request):
        return HttpResponseRedirect(f"{reverse('coaching')}#message-{reply.answer_id}")
    return render(request, "chat/_asked.html", {"reply": reply, "box": make_box(session_id=reply.session_id)})


def make_box(*, session_id: int | None = None) -> dict[str, Any]:
    """What the question box's template needs: a key of its own, so that a double click asks once."""
    return {
        "key": uuid.uuid4().hex,
        "session_id": session_id,
        "max_characters": settings.CHAT_MESSAGE_MAX_CHARACTERS,
        "text": "",
        "fault": "",
    }


def _show_refusal(request: HttpRequest, error: MomentCloneError, *, text: str) -> HttpResponse:
    """The box again, with what was typed and why it was not taken."""
    fault = error.faults[0].message if isinstance(error, InvalidInput) and error.faults else error.learner_message
    box = make_box(session_id=_read_id(request.POST.get("session", "")))
    box |= {"text": text, "fault": fault}
    if wants_fragment(request):
        response = render(request, "chat/_question_box.html", {"box": box}, status=422)
        response.headers["HX-Retarget"] = "#question-box"
        response.headers["HX-Reswap"] = "outerHTML"
        return response
    return render(request, "chat/refused.html", {"box": box}, status=find_status(error))


@never_cache
@login_required
@require_safe
def follow_reply(request: HttpRequest, reply_id: int) -> HttpResponse:
    """What is new of an answer, and the next poll: at once while words flow, later and later while nothing comes."""
    delay_seconds = _read_delay(request.GET.get("delay", ""))
    has_place = _held_polls.acquire(blocking=False)
    try:
        news = queries.follow_reply(
            get_learner(request),
            reply_id,
            after=request.GET.get("after", ""),
            wait_seconds=settings.CHAT_HOLD_SECONDS if has_place else 0.0,
        )
    finally:
        if has_place:
            _held_polls.release()
    if not wants_fragment(request):
        return HttpResponseRedirect(f"{reverse('coaching')}#message-{news.reply.answer_id}")
    delay_seconds = FASTEST_POLL_SECONDS if news.is_news else min(SLOWEST_POLL_SECONDS, delay_seconds * BACK_OFF)
    context: dict[str, Any] = {"news": news, "reply": news.reply}
    context |= {"delay_ms": int(delay_seconds * 1000), "delay": f"{delay_seconds:.2f}"}
    if not news.is_pending:
        context |= _describe_ended(news.reply)
    return render(request, "chat/_news.html", context)


def _describe_ended(reply: Reply) -> dict[str, Any]:
    return {"grounds": queries.describe_grounds([reply.answer]).get(reply.answer_id)}


@never_cache
@login_required
@require_POST
def ask_again(request: HttpRequest, reply_id: int) -> HttpResponse:
    """Another try for an answer that failed."""
    reply = chat.ask_again(user=get_learner(request), reply_id=reply_id)
    if not wants_fragment(request):
        return HttpResponseRedirect(f"{reverse('coaching')}#message-{reply.answer_id}")
    return render(request, "chat/_reply.html", {"reply": reply})


def _read_id(text: str) -> int | None:
    """ "" is none; whatever is no id is the id of nothing."""
    if not text:
        return None
    if not text.isascii() or not text.isdigit() or len(text) > 18:
        raise NotFound(f"no session {text[:40]!r}")
    return int(text)


def _read_delay(text: str) -> float:
    """The pause that the page made before this poll; what is none counts as the shortest."""
    try:
        delay_seconds = float(text)
    except ValueError:
        return FASTEST_POLL_SECONDS
    if math.isnan(delay_seconds):
        return FASTEST_POLL_SECONDS
    return min(SLOWEST_POLL_SECONDS, max(FASTEST_POLL_SECONDS, delay_seconds))
