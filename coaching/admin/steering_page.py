"""The page between an order and its doing: what would happen to each session, and why not; then it is done.

A GET plans, a POST does. The POST names the run of each session that its page showed: who confirms what has changed
meanwhile is told so, session by session, and the others are done.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse, HttpResponseNotFound, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse

from coaching.errors import Refused
from coaching.models import PipelineRun, RunState, Session, Stage, StageState, User
from coaching.services import steering
from coaching.services.steering import REASON_MAX_LENGTH, Order, Plan, Steering
from tasks import pipeline

MOST_SESSIONS = 100
TITLES = {
    Steering.RERUN: "Re-run from a stage",
    Steering.RETRY: "Retry the failed stage",
    Steering.CANCEL: "Cancel the run in progress",
}
CONFIRM = {Steering.RERUN: "Re-run", Steering.RETRY: "Retry", Steering.CANCEL: "Cancel the run"}
DONE = {Steering.RERUN: "Re-run started", Steering.RETRY: "Retry started", Steering.CANCEL: "Run cancelled"}


class PlanForm(forms.Form):
    """What to plan. Only a re-run has a choice; the other orders take what they are given."""

    stage = forms.ChoiceField(label="Begin at", choices=[(stage.value, stage.value) for stage in Stage])
    supersede = forms.BooleanField(label="End runs that are in progress", required=False)


class ReasonForm(forms.Form):
    reason = forms.CharField(
        label="Why",
        max_length=REASON_MAX_LENGTH,
        help_text="Goes into the audit log with your name.",
        widget=forms.Textarea(attrs={"rows": 2, "cols": 60}),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """One session to steer, and the newest run of it that the page showed."""

    session_id: int
    seen_run_id: UUID | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """Everything that a plan depends on."""

    steering: Steering
    first_stage: Stage
    supersede: bool


def answer(request: HttpRequest, name: str, *, site_context: dict[str, Any]) -> HttpResponse:
    """The caller has checked who asks."""
    if name not in list(Steering):
        return HttpResponseNotFound(f"no such order: {name}")
    if request.method == "POST":
        return _answer_order(request, Steering(name), site_context)
    wanted = [Wanted(session_id=pk, seen_run_id=None) for pk in _read_numbers(request.GET.getlist("session"))]
    form = PlanForm(request.GET) if "stage" in request.GET else None
    asked = _read_request(Steering(name), form, wanted)
    return _show_plan(request, asked, wanted, form=form, reason=ReasonForm(), site_context=site_context)


def _answer_order(request: HttpRequest, name: Steering, site_context: dict[str, Any]) -> HttpResponse:
    wanted = _read_seen(request.POST.getlist("seen"))
    form, reason = PlanForm(request.POST), ReasonForm(request.POST)
    if not reason.is_valid() or (name == Steering.RERUN and not form.is_valid()):
        asked = _read_request(name, form if form.is_valid() else None, wanted)
        return _show_plan(request, asked, wanted, form=form, reason=reason, site_context=site_context)
    asked = _read_request(name, form, wanted)
    done: list[int] = []
    for one in wanted:
        actor = request.user if isinstance(request.user, User) else None
        order = Order(actor=actor, reason=reason.cleaned_data["reason"], seen_run_id=one.seen_run_id)
        try:
            _choose_deed(asked)(session_id=one.session_id, order=order)
        except Refused as refusal:
            messages.warning(request, f"Refused: {refusal}.")
        else:
            done.append(one.session_id)
    if done:
        messages.success(request, f"{DONE[name]}: session{'s' if len(done) > 1 else ''} {', '.join(map(str, done))}.")
    return HttpResponseRedirect(_find_way_back([one.session_id for one in wanted]))


def _choose_deed(asked: Request) -> Callable[..., PipelineRun]:
    if asked.steering == Steering.CANCEL:
        return pipeline.cancel
    if asked.steering == Steering.RETRY:
        return pipeline.retry

    def rerun(*, session_id: int, order: Order) -> PipelineRun:
        return pipeline.rerun(
            session_id=session_id, first_stage=asked.first_stage, order=order, supersede=asked.supersede
        )

    return rerun


def _plan(asked: Request, session_ids: Sequence[int]) -> list[Plan]:
    if asked.steering == Steering.CANCEL:
        return steering.plan_cancel(session_ids=session_ids)
    if asked.steering == Steering.RETRY:
        return steering.plan_retry(session_ids=session_ids)
    return steering.plan_rerun(session_ids=session_ids, first_stage=asked.first_stage, supersede=asked.supersede)


def _show_plan(
    request: HttpRequest,
    asked: Request,
    wanted: Sequence[Wanted],
    *,
    form: PlanForm | None,
    reason: ReasonForm,
    site_context: dict[str, Any],
) -> HttpResponse:
    plans = _plan(asked, [one.session_id for one in wanted])
    possible = [plan for plan in plans if not plan.refusal]
    choices = form or PlanForm(initial={"stage": asked.first_stage, "supersede": asked.supersede})
    context = {
        **site_context,
        "opts": Session._meta,
        "title": TITLES[asked.steering],
        "steering": asked.steering,
        "plan_form": choices if asked.steering == Steering.RERUN else None,
        "reason_form": reason,
        "plans": plans,
        "possible_count": len(possible),
        "missing_count": len(wanted) - len(plans),
        "confirm": CONFIRM[asked.steering],
        "back_url": _find_way_back([one.session_id for one in wanted]),
        "first_stage": asked.first_stage,
        "supersede": asked.supersede,
        "kept": next((plan.kept for plan in possible), ()),
        "replaced": next((plan.replaced for plan in possible), ()),
    }
    return TemplateResponse(request, "admin/coaching/session/steer.html", context, status=200)


# --- reading what came ----------------------------------------------------------------------------------------------


def _read_request(name: Steering, form: PlanForm | None, wanted: Sequence[Wanted]) -> Request:
    if name == Steering.RERUN and form is not None and form.is_valid():
        return Request(
            steering=name, first_stage=Stage(form.cleaned_data["stage"]), supersede=form.cleaned_data["supersede"]
        )
    return Request(steering=name, first_stage=_suggest_stage(name, wanted), supersede=False)


def _suggest_stage(name: Steering, wanted: Sequence[Wanted]) -> Stage:
    """Where a re-run begins most often: at what failed; else at the words, which everything after rests on."""
    if name == Steering.RERUN and len(wanted) == 1:
        plans = steering.plan_rerun(session_ids=[wanted[0].session_id], first_stage=Stage.INSPECT)
        run = plans[0].newest_run if plans else None
        if run is not None and run.state in {RunState.FAILED, RunState.CANCELLED}:
            return next((Stage(row.stage) for row in run.stages.all() if row.state != StageState.DONE), Stage.SCRIPT)
    return Stage.SCRIPT


def _read_numbers(texts: Sequence[str]) -> list[int]:
    """Session numbers, each once; raises `BadRequest` for anything else, for none, and for too many."""
    if not texts or len(texts) > MOST_SESSIONS or not all(text.isdecimal() and len(text) < 19 for text in texts):
        raise BadRequest(f"1 to {MOST_SESSIONS} numbers of sessions are wanted")
    return list(dict.fromkeys(int(text) for text in texts))


def _read_seen(texts: Sequence[str]) -> list[Wanted]:
    """`session:run` each, the run empty where there was none. Raises `BadRequest`."""
    runs = {}
    for text in texts:
        number, _, run = text.partition(":")
        try:
            runs[number] = UUID(run) if run else None
        except ValueError:
            raise BadRequest("an id of a run is malformed") from None
    return [Wanted(session_id=pk, seen_run_id=runs[str(pk)]) for pk in _read_numbers(list(runs))]


def _find_way_back(session_ids: Sequence[int]) -> str:
    if len(session_ids) == 1:
        return reverse("admin:coaching_session_change", args=[session_ids[0]])
    return reverse("admin:coaching_session_changelist")
