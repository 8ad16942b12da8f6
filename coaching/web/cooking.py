"""The pages of one cook: `/sessions/new/{slug}/` begins it, `/sessions/{id}/` shows what became of it."""

import hashlib
from typing import Any, Literal

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_GET, require_http_methods, require_POST, require_safe

from coaching import problems, queries
from coaching.errors import InvalidInput, MomentCloneError, QuotaUsedUp, Refused
from coaching.models import Dish, Session, SessionStatus, Stage, StageState, User
from coaching.queries.cook_pages import (
    RATING_NAMES_JA,
    RATING_WORDS_JA,
    describe_finished_cook,
    list_own_ratings,
    read_track,
)
from coaching.services import intake, sessions
from coaching.services.media_heads import MEMO_FAMILIES, VIDEO_FAMILIES
from coaching.services.received_files import locate_upload
from coaching.web.cook_forms import CookForm
from coaching.web.pages import get_learner, render_page, wants_fragment
from coaching.web.questions import make_box
from tasks import pipeline

FORM_OVERHEAD_BYTES = 64 * 1024  # boundaries, headers and small fields around the files
POLL_SECONDS = 3
STAGE_DOINGS_JA: dict[Stage, str] = {
    Stage.INSPECT: "届いた動画を確かめています。",
    Stage.LISTEN: "音声メモに耳をかたむけています。",
    Stage.ANALYSE: "料理の様子を、音と映像でじっくり見ています。",
    Stage.RETRIEVE: "料理の原理と照らし合わせています。",
    Stage.SCRIPT: "次につながるひとことを考えています。",
    Stage.NARRATE: "ナレーションを吹きこんでいます。",
    Stage.COMPOSE: "あなたの映像から、コーチング動画をつくっています。",
    Stage.DELIVER: "まもなくお届けします。",
}


# --- beginning ------------------------------------------------------------------------------------------------------


@csrf_exempt  # until it is known that the body is welcome: the check itself reads all of it
@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def begin_cook(request: HttpRequest, slug: str) -> HttpResponseBase:
    learner = get_learner(request)
    dish = queries.get_dish(learner, slug).dish
    taken_up = _find_taken_up(request, learner, dish)
    try:
        sessions.require_session_welcome(user=learner, dish=dish, reopened=taken_up)
    except Refused as refusal:
        return _show_refusal(request, learner, dish, refusal)
    if request.method == "POST":
        if _count_body_bytes(request) > settings.VIDEO_MAX_BYTES + settings.MEMO_MAX_BYTES + FORM_OVERHEAD_BYTES:
            faults = {"video": "動画のファイルが大きすぎます。画質を少し下げて撮り直してみてください。"}
            return _show_form(request, dish, taken_up, faults=faults, status=413)
        return _receive_cook(request, dish, taken_up)
    return _show_form(request, dish, taken_up)


def _find_taken_up(request: HttpRequest, learner: User, dish: Dish) -> Session | None:
    """The session that this page goes on with: the one that was asked for (`?session=`), or an unfinished one."""
    asked = request.GET.get("session", "")
    if asked.isascii() and asked.isdigit() and len(asked) < 19:
        session = queries.get_session(learner, int(asked))
        if session.dish_id == dish.pk and session.status in sessions.REOPENABLE:
            return session
    return queries.find_unfinished_session(learner, dish.slug)


def _count_body_bytes(request: HttpRequest) -> int:
    stated = str(request.META.get("CONTENT_LENGTH") or "")
    return int(stated) if stated.isascii() and stated.isdigit() else 0


@csrf_protect
def _receive_cook(request: HttpRequest, dish: Dish, taken_up: Session | None) -> HttpResponseBase:
    """All of a cook in one request, as a browser without JavaScript sends it."""
    learner = get_learner(request)
    has_video = taken_up is not None and queries.find_whole_upload(taken_up) is not None
    form = CookForm(request.POST, request.FILES, needs_video=not has_video)
    if not form.is_valid():
        return _show_form(request, dish, taken_up, faults=_read_faults(form), status=400)
    field = "video"
    try:
        session = taken_up or sessions.create_session(user=learner, dish_slug=dish.slug)
        taken_up = session
        if video := form.cleaned_data["video"]:
            with locate_upload(video) as file:
                intake.receive_video(
                    user=learner, session_id=session.pk, file=file.path, claimed_type=file.claimed_type
                )
        intake.save_ratings(user=learner, session_id=session.pk, ratings=form.ratings)
        if memo := form.cleaned_data["memo"]:
            field = "memo"
            with locate_upload(memo) as file:
                intake.attach_memo(user=learner, session_id=session.pk, file=file.path, claimed_type=file.claimed_type)
        field = "video"
        pipeline.submit(session_id=session.pk, user_id=learner.pk)
    except MomentCloneError as error:
        faults = {field: error.learner_message}
        if isinstance(error, InvalidInput):
            faults = {fault.field: fault.message for fault in error.faults}
        return _show_form(request, dish, taken_up, faults=faults, status=problems.find_status(error))
    return redirect("session", session_id=session.pk)


def _read_faults(form: CookForm) -> dict[str, str]:
    return {name: str(errors[0]) for name, errors in form.errors.items()}


def _show_form(
    request: HttpRequest,
    dish: Dish,
    taken_up: Session | None,
    *,
    faults: dict[str, str] | None = None,
    status: int = 200,
) -> HttpResponse:
    kept = taken_up.self_ratings if taken_up else {}
    posted = request.POST if request.method == "POST" and status != 413 else {}
    context: dict[str, Any] = {
        "dish": dish,
        "taken_up": taken_up,
        "has_whole_video": taken_up is not None and queries.find_whole_upload(taken_up) is not None,
        "has_memo": bool(taken_up and taken_up.voice_memo_path),
        "faults": faults or {},
        "ratings": [
            {
                "name": name,
                "name_ja": name_ja,
                "chosen": str(posted.get(name) or kept.get(name) or ""),
                "fault": (faults or {}).get(name, ""),
            }
            for name, name_ja in RATING_NAMES_JA.items()
        ],
        "rating_words": [(str(value), word) for value, word in RATING_WORDS_JA.items()],
        "limits": {
            "video_types": ",".join(sorted(VIDEO_FAMILIES)),
            "memo_types": ",".join(sorted(MEMO_FAMILIES)),
            "video_max_bytes": settings.VIDEO_MAX_BYTES,
            "video_min_seconds": settings.VIDEO_MIN_SECONDS,
            "video_max_seconds": settings.VIDEO_MAX_SECONDS,
            "memo_max_bytes": settings.MEMO_MAX_BYTES,
            "memo_max_seconds": settings.MEMO_MAX_SECONDS,
        },
        "video_max_minutes": int(settings.VIDEO_MAX_SECONDS // 60),
        "memo_max_minutes": int(settings.MEMO_MAX_SECONDS // 60),
    }
    return render(request, "sessions/new.html", context, status=status)


def _show_refusal(request: HttpRequest, learner: User, dish: Dish, refusal: Refused) -> HttpResponse:
    """Why no cook can begin, and what the learner can do about it."""
    context = {
        "dish": dish,
        "code": refusal.code,
        "reason": refusal.learner_message,
        "other_draft": queries.find_other_draft(learner, dish.slug) if isinstance(refusal, QuotaUsedUp) else None,
    }
    return render(request, "sessions/closed.html", context, status=problems.find_status(refusal))


# --- afterwards -----------------------------------------------------------------------------------------------------


@never_cache
@login_required
@require_safe
def show_session(request: HttpRequest, session_id: int) -> HttpResponse:
    """The page of a session; asked by htmx, its changing part, or 204 while that has not changed."""
    session = queries.get_session(get_learner(request), session_id)
    context = _describe_progress(session)
    if wants_fragment(request) and request.GET.get("seen") == context["seen"]:
        return HttpResponse(status=204)
    if session.coaching_video_gcs_path:
        context |= {"cook": describe_finished_cook(session), "box": make_box(session_id=session.pk)}
    else:
        context["ratings"] = list_own_ratings(session)
    return render_page(request, "sessions/show", context)


def _describe_progress(session: Session) -> dict[str, Any]:
    is_working = session.status in {SessionStatus.UPLOADED, SessionStatus.PROCESSING}
    progress = queries.get_run_progress(session)
    context: dict[str, Any] = {
        "session": session,
        "is_working": is_working,
        "is_polled": is_working and not session.coaching_video_gcs_path,
        "poll_seconds": POLL_SECONDS,
        "progress": progress,
        "may_try_again": queries.may_try_again(session),
        "seen": session.status,
    }
    if progress is None or not context["is_polled"]:
        return context
    now = next((s for s in progress.stages if s.state in {StageState.RUNNING, StageState.QUEUED}), None)
    estimate = queries.estimate_remaining(progress, queries.list_median_seconds(), timezone.now())
    remaining = estimate.remaining_seconds
    context |= {
        "now": now,
        "doing": STAGE_DOINGS_JA[now.stage] if now else "",
        "ahead": now.ahead_in_queue if now and now.ahead_in_queue else 0,
        "is_repeated": now is not None and now.attempt > 1,
        "estimate": estimate,
        "remaining_minutes": None if remaining is None else int(remaining // 60) + (remaining % 60 > 0),
    }
    shown = [session.status, estimate.is_late, context["remaining_minutes"], context["ahead"], progress.percent]
    shown += [(stage.state, stage.percent, stage.attempt) for stage in progress.stages]
    context["seen"] = hashlib.sha256(repr(shown).encode()).hexdigest()[:16]
    return context


@login_required
@require_POST
def try_session_again(request: HttpRequest, session_id: int) -> HttpResponse:
    """The learner's second try with the same video."""
    learner = get_learner(request)
    session = queries.get_session(learner, session_id)
    if session.status not in {SessionStatus.UPLOADED, SessionStatus.PROCESSING, SessionStatus.COMPLETED}:
        try:
            pipeline.try_again(session_id=session_id, user=learner)
        except Refused as refusal:
            messages.error(request, refusal.learner_message)
    return redirect("session", session_id=session_id)


@login_required
@require_POST
def discard_session(request: HttpRequest, session_id: int) -> HttpResponse:
    """Give up a draft: its number and quota are free again. Asked twice, it is given up already."""
    learner = get_learner(request)
    session = queries.get_session(learner, session_id)
    if session.status != SessionStatus.CANCELLED:
        sessions.discard_draft(user=learner, session_id=session_id)
    messages.success(request, "このセッションを取りやめました。またいつでもはじめられます。")
    return redirect("new_session", slug=session.dish.slug)


@login_required
@require_GET
def serve_track(request: HttpRequest, session_id: int, kind: Literal["captions", "chapters"]) -> HttpResponse:
    """Captions or chapters from our own origin, so that a player needs no permission of the store's for them."""
    session = queries.get_session(get_learner(request), session_id)
    track = read_track(session, kind)
    return HttpResponse(track, content_type="text/vtt; charset=utf-8", headers={"Cache-Control": "private, no-cache"})
