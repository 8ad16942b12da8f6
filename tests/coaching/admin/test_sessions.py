"""What operators read: the list of sessions and the page of one."""

import json
import re
import uuid
from datetime import timedelta

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django_celery_results.models import TaskResult

from coaching.errors import MediaWorkFailed, PermanentError
from coaching.models import PipelineRun, Session, SessionStatus, Stage, StageRun, User
from coaching.models.user import SubscriptionStatus
from coaching.services import runs, steering
from coaching.services.steering import Order
from tests.coaching.conftest import make_learner
from tests.coaching.services.run_steps import (
    Outputs,
    claim,
    complete,
    fail_at,
    finish_before,
    make_cook,
    start_cook,
    store_bytes,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("loaded_content", "object_store")]

LIST = "/admin/coaching/session/"


def page_of(session_id: int) -> str:
    return f"{LIST}{session_id}/change/"


def read(client: Client, path: str) -> str:
    response = client.get(path)
    assert response.status_code == 200, (response.status_code, response.headers)
    return response.content.decode()


def listed(client: Client, query: str) -> set[int]:
    return {int(found) for found in re.findall(r">Session (\d+)</a></th>", read(client, f"{LIST}?{query}"))}


def make_outputs(run_name: str = "first") -> Outputs:
    """What stages keep, as far as the admin looks into it, with the objects that it points to."""

    def part(name: str) -> dict[str, object]:
        path = store_bytes(f"{run_name}/{uuid.uuid4()}-{name}.wav", content_type="audio/wav")
        return {"object_path": path, "duration_seconds": 31.5, "loudness_lufs": -16.2}

    film = store_bytes(f"{run_name}/{uuid.uuid4()}.mp4")
    captions = store_bytes(f"{run_name}/{uuid.uuid4()}.vtt", b"WEBVTT\n", "text/vtt")
    return {
        Stage.INSPECT: {"video": {"content_type": "video/mp4"}, "thumbnail_path": ""},
        Stage.NARRATE: {"part1": part("part1"), "part2": part("part2")},
        Stage.COMPOSE: {
            "film_path": film,
            "captions_path": captions,
            "chapters_path": captions,
            "duration_seconds": 62.0,
            "width_px": 1280,
            "height_px": 720,
            "loudness_lufs": -16.0,
        },
    }


# --- the list -------------------------------------------------------------------------------------------------------


def test_the_list_says_where_each_session_stands(alice: User, bob: User, sam_admin: Client) -> None:
    failed = fail_at(start_cook(alice), Stage.SCRIPT, PermanentError("no words"))
    running = finish_before(start_cook(bob), Stage.COMPOSE)
    runs.report_progress(claim(running, Stage.COMPOSE), 42)
    text = read(sam_admin, LIST)
    assert f"Session {failed.session_id}" in text
    assert re.search(r"script <span[^>]*>failed", text)
    assert re.search(r"compose <span[^>]*>running 42 %", text)
    assert "1, 1 error" in text
    assert re.search(r'field-age"><span title="[-0-9: ]{19}">[^<]+</span></td>', text)


def test_the_list_costs_the_same_few_queries_however_long(alice: User, sam_admin: Client) -> None:
    fail_at(start_cook(alice), Stage.SCRIPT, PermanentError("no words"))
    sam_admin.get(LIST)
    with CaptureQueriesContext(connection) as few:
        sam_admin.get(LIST)
    for number in range(8):
        complete(start_cook(make_learner(f"Learner{number}", status=SubscriptionStatus.FREE)))
    with CaptureQueriesContext(connection) as many:
        sam_admin.get(LIST)
    assert len(many) == len(few) <= 12


def test_a_failed_rerun_shows_although_the_learner_has_a_film(alice: User, sam: User, sam_admin: Client) -> None:
    first = complete(start_cook(alice))
    again = steering.rerun(session_id=first.session_id, first_stage=Stage.COMPOSE, order=Order(actor=sam))
    runs.fail_stage(claim(again, Stage.COMPOSE), PermanentError("no disk"))
    assert Session.objects.get(pk=first.session_id).status == SessionStatus.COMPLETED
    assert listed(sam_admin, "trouble=failed") == {first.session_id}
    assert "re-run failed" in read(sam_admin, LIST)


def test_stuck_sessions_are_found_by_the_way_they_are_stuck(
    alice: User, bob: User, charlie: User, sam_admin: Client
) -> None:
    long_ago = timezone.now() - timedelta(seconds=11 * settings.STAGE_LEASE_SECONDS)
    at_work, waiting, well = (start_cook(user) for user in (alice, bob, charlie))
    claim(at_work, Stage.INSPECT)
    StageRun.objects.filter(run=at_work, state="running").update(started_at=long_ago)
    StageRun.objects.filter(run=waiting, state="queued").update(queued_at=long_ago)
    claim(well, Stage.INSPECT)
    assert listed(sam_admin, "trouble=running+long") == {at_work.session_id}
    assert listed(sam_admin, "trouble=queued+long") == {waiting.session_id}
    assert listed(sam_admin, "trouble=stuck") == {at_work.session_id, waiting.session_id}


def test_a_lease_that_ran_out_and_a_run_without_any_event_are_silent(
    alice: User, bob: User, charlie: User, sam_admin: Client
) -> None:
    abandoned, forgotten, well = (start_cook(user) for user in (alice, bob, charlie))
    claim(abandoned, Stage.INSPECT)
    StageRun.objects.filter(run=abandoned, state="running").update(
        lease_until=timezone.now() - timedelta(seconds=2 * settings.STAGE_LEASE_SECONDS)
    )
    StageRun.objects.filter(run=forgotten).update(
        queued_at=timezone.now() - timedelta(seconds=settings.STUCK_RUN_SECONDS + 5)
    )
    assert listed(sam_admin, "trouble=silent") == {abandoned.session_id, forgotten.session_id}
    assert well.session_id in listed(sam_admin, "")


def test_a_wait_for_a_retry_is_not_stuck(alice: User, sam_admin: Client) -> None:
    run = start_cook(alice)
    runs.fail_stage(claim(run, Stage.INSPECT), MediaWorkFailed("a hiccup", retry_after_seconds=3600))
    StageRun.objects.filter(run=run, stage=Stage.INSPECT).update(queued_at=timezone.now() - timedelta(hours=1))
    assert listed(sam_admin, "trouble=queued+long") == set()


@pytest.mark.parametrize("find", [lambda r: r.session.user.email, lambda r: str(r.pk), lambda r: str(r.session_id)])
def test_a_session_is_found_by_learner_run_or_number(alice: User, bob: User, sam_admin: Client, find: object) -> None:
    run = start_cook(alice)
    complete(start_cook(bob))
    assert callable(find)
    assert run.session_id in listed(sam_admin, f"q={find(run)}")
    assert listed(sam_admin, "q=nobody") == set()


def test_filters_by_state_stage_and_dish_hold_together(alice: User, bob: User, sam_admin: Client) -> None:
    run = finish_before(start_cook(alice), Stage.NARRATE)
    complete(start_cook(bob))
    query = "status__exact=processing&stage=narrate&dish=fried-rice"
    assert listed(sam_admin, query) == {run.session_id}
    assert listed(sam_admin, "stage=compose") == set()


def test_the_front_page_shows_what_fares_how(alice: User, bob: User, sam_admin: Client) -> None:
    fail_at(start_cook(alice), Stage.SCRIPT, PermanentError("no words"))
    start_cook(bob)
    text = read(sam_admin, "/admin/")
    assert re.search(r"<strong>1</strong> failed", text)
    assert re.search(r"<strong>1</strong> waiting", text)
    assert re.search(r"<strong>0</strong> stuck", text)


# --- the page of one ------------------------------------------------------------------------------------------------


def test_the_page_tells_a_failure_with_all_that_is_known(alice: User, sam_admin: Client) -> None:
    error = MediaWorkFailed("the encoder broke", stderr_tail="[libx264 @ 0x1] broken <pipe>")
    run = finish_before(start_cook(alice), Stage.COMPOSE)
    for _ in range(settings.STAGE_MAX_ATTEMPTS):
        StageRun.objects.filter(run=run, stage=Stage.COMPOSE).update(due_at=timezone.now())
        runs.fail_stage(claim(run, Stage.COMPOSE), error)
    text = read(sam_admin, page_of(run.session_id))
    assert "compose: MediaWorkFailed" in text
    assert "[libx264 @ 0x1] broken &lt;pipe&gt;" in text
    assert "gave up after" in text
    run.refresh_from_db()
    assert run.learner_message in text
    assert "Retry compose…" in text


def test_the_timeline_has_a_bar_for_every_wait_and_every_attempt(alice: User, sam_admin: Client) -> None:
    run = finish_before(start_cook(alice), Stage.ANALYSE)
    runs.fail_stage(claim(run, Stage.ANALYSE), MediaWorkFailed("a hiccup"))
    claim(run, Stage.ANALYSE)
    svg = read(sam_admin, page_of(run.session_id)).split('<svg class="mc-gantt"')[1].split("</svg>")[0]
    looks = re.findall(r'class="bar ([a-z-]+)"', svg)
    assert looks == ["queued", "work-done", "queued", "work-done", "queued", "work-retry", "retry-wait", "work-running"]
    assert "analyse, attempt 1: running" in svg
    assert "MediaWorkFailed: a hiccup" in svg
    assert re.search(r"<desc[^>]*>running for .*inspect: done", svg)
    assert "style=" not in svg


def test_a_cancelled_wait_is_drawn_as_a_wait(alice: User, sam: User, sam_admin: Client) -> None:
    run = finish_before(start_cook(alice), Stage.LISTEN)
    steering.cancel(session_id=run.session_id, order=Order(actor=sam, reason="a test"))
    svg = read(sam_admin, page_of(run.session_id)).split('<svg class="mc-gantt"')[1].split("</svg>")[0]
    assert re.findall(r'class="bar ([a-z-]+)"', svg) == ["queued", "work-done", "queued"]
    assert "not reached" in svg


def test_a_rerun_shows_what_it_kept_and_leads_to_the_earlier_run(alice: User, sam: User, sam_admin: Client) -> None:
    first = complete(start_cook(alice), make_outputs())
    order = Order(actor=sam, reason="the ending is cut off")
    second = steering.rerun(session_id=first.session_id, first_stage=Stage.COMPOSE, order=order)
    text = read(sam_admin, page_of(first.session_id))
    assert text.count(">kept from an earlier run</text>") == 6
    assert "the ending is cut off" in text
    assert f"?run={first.pk}" in text
    earlier = read(sam_admin, f"{page_of(first.session_id)}?run={first.pk}")
    assert "An earlier run" in earlier
    assert f"<code>{first.pk}</code>" in earlier
    assert f"<code>{second.pk}</code>" in read(sam_admin, f"{page_of(first.session_id)}?run=nonsense")


def test_nothing_of_the_upload_shows_before_it_was_inspected(alice: User, sam_admin: Client) -> None:
    run = start_cook(alice)
    Session.objects.filter(pk=run.session_id).update(voice_memo_path=store_bytes("memos/1.wav"))
    text = read(sam_admin, page_of(run.session_id))
    assert "<video" not in text
    assert "<audio" not in text
    assert "once inspect has passed" in text
    finish_before(run, Stage.LISTEN, make_outputs())
    text = read(sam_admin, page_of(run.session_id))
    assert "The learner&#x27;s cook" in text or "The learner's cook" in text
    assert text.count("<audio") == 1


def test_everything_a_run_made_can_be_played(alice: User, sam_admin: Client) -> None:
    run = complete(start_cook(alice), make_outputs())
    text = read(sam_admin, page_of(run.session_id))
    urls = set(re.findall(r'src="(/media/[^"]+)"', text))
    assert len(urls) == 5  # the cook, two parts of narration, the film, its captions and chapters (one object here)
    for url in urls:
        assert sam_admin.get(url.replace("&amp;", "&")).status_code == 200


def test_a_video_that_is_gone_is_said_to_be_gone(alice: User, sam_admin: Client, object_store: object) -> None:
    run = complete(start_cook(alice), make_outputs())
    object_store.delete(run.session.raw_video_path)  # type: ignore[attr-defined]  # the fixture is typed in its own room
    text = read(sam_admin, page_of(run.session_id))
    assert "The cook: no longer kept" in text


def test_usage_is_told_by_stage_and_summed_without_what_was_kept(alice: User, sam: User, sam_admin: Client) -> None:
    first = complete(start_cook(alice))
    usage = {"provider": "google", "model": "gemini-x", "prompt_version": "3", "input_tokens": 1200}
    usage |= {"output_tokens": 80, "audio_seconds": 0.0, "characters": 0, "cost_usd": 0.0125}
    StageRun.objects.filter(run=first, stage=Stage.ANALYSE).update(usage=[usage])
    text = read(sam_admin, page_of(first.session_id))
    assert "google gemini-x" in text
    assert "$0.01250" in text
    steering.rerun(session_id=first.session_id, first_stage=Stage.SCRIPT, order=Order(actor=sam))
    text = read(sam_admin, page_of(first.session_id))
    assert re.search(r"\$0\.0000 <span[^>]*>\+ \$0\.0125 kept", text)


def test_task_results_and_runs_lead_to_each_other(alice: User, sam_admin: Client) -> None:
    run = complete(start_cook(alice))
    result = TaskResult.objects.create(
        task_id="t-1", status="SUCCESS", result=json.dumps({"run": str(run.pk), "stage": "compose"})
    )
    other = TaskResult.objects.create(task_id="t-2", status="SUCCESS", result='"something else"')
    address = f"/admin/django_celery_results/taskresult/{result.pk}/change/"
    assert address in read(sam_admin, page_of(run.session_id))
    detail = read(sam_admin, address)
    link = f"/admin/coaching/pipelinerun/{run.pk}/change/"
    assert link in detail
    assert sam_admin.get(link).headers["Location"] == f"{page_of(run.session_id)}?run={run.pk}"
    assert "something else" in read(sam_admin, f"/admin/django_celery_results/taskresult/{other.pk}/change/")
    assert link in read(sam_admin, "/admin/django_celery_results/taskresult/")


def test_the_page_costs_the_same_few_queries_however_much_there_is(alice: User, sam: User, sam_admin: Client) -> None:
    run = complete(start_cook(alice), make_outputs())
    sam_admin.get(page_of(run.session_id))
    with CaptureQueriesContext(connection) as few:
        sam_admin.get(page_of(run.session_id))
    for _ in range(5):
        again = steering.rerun(session_id=run.session_id, first_stage=Stage.COMPOSE, order=Order(actor=sam))
        complete(again, make_outputs())
    with CaptureQueriesContext(connection) as many:
        sam_admin.get(page_of(run.session_id))
    assert len(many) == len(few) <= 40


def test_a_draft_has_a_page_too(alice: User, sam_admin: Client) -> None:
    session = make_cook(alice)
    assert "Nothing has run yet" in read(sam_admin, page_of(session.pk))


def test_an_unknown_session_leads_back(sam_admin: Client) -> None:
    for path in (page_of(4711), f"{LIST}none/change/", f"/admin/coaching/pipelinerun/{uuid.uuid4()}/change/"):
        assert sam_admin.get(path).status_code == 302


def test_runs_are_listed_with_who_asked_for_them(alice: User, sam: User, sam_admin: Client) -> None:
    first = complete(start_cook(alice))
    steering.rerun(session_id=first.session_id, first_stage=Stage.COMPOSE, order=Order(actor=sam))
    text = read(sam_admin, "/admin/coaching/pipelinerun/")
    assert "sam@example.com" in text
    assert text.count("alice@example.com") == 2
    assert PipelineRun.objects.count() == 2
