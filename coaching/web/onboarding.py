"""The quiz, a section a page: saved as it goes, taken up again where it was left, closed by the consents."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods

from coaching.errors import InvalidInput
from coaching.knowledge.entries import Question
from coaching.knowledge.loader import read_quiz
from coaching.models import User
from coaching.queries import list_consent_texts, list_granted_consents
from coaching.queries.onboarding import (
    CONSENT_STEP,
    SENSITIVE_CONSENT,
    get_section,
    list_quiz_steps,
    list_section_questions,
)
from coaching.services.onboarding import describe_onboarding, save_onboarding
from coaching.web.pages import get_learner


@login_required
@require_GET
def take_up(request: HttpRequest) -> HttpResponse:
    """To the first step that is open; to an overview where none is."""
    learner = get_learner(request)
    steps = list_quiz_steps(learner)
    open_step = next((step for step in steps if not step.is_done), None)
    if open_step is None:
        return render(request, "onboarding/overview.html", {"steps": steps, "status": describe_onboarding(learner)})
    return redirect("onboarding_step", step=open_step.key)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def answer_step(request: HttpRequest, step: str) -> HttpResponse:
    learner = get_learner(request)
    if step == CONSENT_STEP:
        return _answer_consents(request, learner)
    questions = list_section_questions(step)
    if request.method != "POST":
        return _show_section(request, learner, step)
    answers = {question.profile_key: _read_answer(request.POST, question) for question in questions}
    is_put_off = "later" in request.POST
    consents = {}
    if any(question.sensitive for question in questions):
        consents[SENSITIVE_CONSENT] = SENSITIVE_CONSENT in request.POST
    try:
        save_onboarding(
            user=learner,
            answers=answers,
            consents=consents,
            needed=() if is_put_off else [question.profile_key for question in questions if question.core],
        )
    except InvalidInput as error:
        faults = {fault.field.removeprefix("answers."): fault.message for fault in error.faults}
        return _show_section(request, learner, step, typed=answers, faults=faults)
    return redirect("onboarding_step", step=_find_next_step(learner, step))


def _read_answer(posted: QueryDict, question: Question) -> Any:
    if question.type == "multi":
        return posted.getlist(question.profile_key) or None
    return posted.get(question.profile_key, "").strip() or None


def _find_next_step(learner: User, step: str) -> str:
    keys = [each.key for each in list_quiz_steps(learner)]
    return keys[keys.index(step) + 1]


def _show_section(
    request: HttpRequest,
    learner: User,
    step: str,
    *,
    typed: dict[str, Any] | None = None,
    faults: dict[str, str] | None = None,
) -> HttpResponse:
    context = _describe_way(learner, step) | {"view": get_section(learner, step, typed), "faults": faults or {}}
    if typed is not None:
        context["is_consenting"] = SENSITIVE_CONSENT in request.POST
    return render(request, "onboarding/section.html", context, status=422 if faults else 200)


def _answer_consents(request: HttpRequest, learner: User) -> HttpResponse:
    faults: dict[str, str] = {}
    given = list_granted_consents(learner)
    if request.method == "POST":
        given = {text.key for text in list_consent_texts() if text.key in request.POST}
        consents = {text.key: text.key in given for text in list_consent_texts() if text.key != SENSITIVE_CONSENT}
        status = save_onboarding(user=learner, answers={}, consents=consents)
        if status.done:
            messages.success(request, "準備ができました。最初の一皿を選びましょう。")
            return redirect("dashboard")
        if not status.missing_consents:
            messages.info(request, "同意をお預かりしました。あと少しだけ、必須の質問が残っています。")
            return redirect("onboarding")
        faults = dict.fromkeys(status.missing_consents, "ご利用には、この項目への同意が必要です。")
    context = _describe_way(learner, CONSENT_STEP) | {
        "texts": [text for text in list_consent_texts() if text.key != SENSITIVE_CONSENT],
        "given": given,
        "faults": faults,
    }
    return render(request, "onboarding/consents.html", context, status=422 if faults else 200)


def _describe_way(learner: User, step: str) -> dict[str, Any]:
    steps = list_quiz_steps(learner)
    position = [each.key for each in steps].index(step)
    return {
        "steps": steps,
        "step": steps[position],
        "number": position + 1,
        "before": steps[position - 1] if position else None,
        "status": describe_onboarding(learner),
        "quiz": read_quiz(),
    }
