"""The pages of a cook, as a browser without JavaScript and htmx get them."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings

from coaching.errors import ProviderUnavailable, UnusableMedia
from coaching.models import PipelineRun, RunState, Session, SessionStatus, Stage, StageRun, StageState, User
from coaching.models.user import SubscriptionStatus
from coaching.providers.ports import SelfServedStore
from coaching.services import runs, sessions
from tests.coaching.conftest import write_memo
from tests.coaching.services.test_sessions import begin, end, send
from tests.finished_cooks import Footage, finish_cook, share_footage

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("loaded_content", "object_store")]
NEW = "/sessions/new/fried-rice/"
HTMX = {"HX-Request": "true"}


@pytest.fixture
def footage() -> Footage:
    return share_footage()


def log_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def alice_page(alice: User) -> Client:
    return log_in(alice)


def pack(video: bytes, **fields: Any) -> dict[str, Any]:
    return {"video": SimpleUploadedFile("cook.mp4", video, content_type="video/mp4"), **fields}


def read(response: Any) -> str:
    return str(response.content.decode())


# --- beginning ------------------------------------------------------------------------------------------------------


def test_who_is_not_logged_in_is_led_to_the_login_and_back(client: Client) -> None:
    response = client.get(NEW)
    assert response.status_code == 302
    assert response.headers["Location"].endswith("?next=/sessions/new/fried-rice/")


def test_a_whole_cook_goes_in_one_request_without_javascript(
    alice: User, alice_page: Client, video_bytes: bytes, tmp_path: Any
) -> None:
    memo = write_memo(tmp_path / "memo.wav", seconds=1)
    sent = pack(
        video_bytes,
        memo=SimpleUploadedFile("memo.wav", memo.read_bytes(), content_type="audio/wav"),
        appearance="4",
        taste="5",
    )
    response = alice_page.post(NEW, sent)
    session = Session.objects.get(user=alice)
    assert (response.status_code, response.headers["Location"]) == (302, f"/sessions/{session.pk}/")
    assert session.status == SessionStatus.PROCESSING
    assert session.self_ratings == {"appearance": 4, "taste": 5}
    assert session.voice_memo_path


def test_a_second_click_on_send_makes_no_second_session(alice: User, alice_page: Client, video_bytes: bytes) -> None:
    draft = begin(alice)
    first = alice_page.post(f"{NEW}?session={draft.pk}", pack(video_bytes))
    second = alice_page.get(f"{NEW}?session={draft.pk}")
    assert first.status_code == 302
    assert second.status_code == 200, "a new cook may begin"
    assert Session.objects.filter(user=alice).count() == 1


@pytest.mark.parametrize(
    ("name", "content", "content_type"),
    [
        ("cook.mp4", b"#EXTM3U\nplaylist", "video/mp4"),
        ("cook.txt", b"hello", "text/plain"),
        ("cook.mp4", b"", "video/mp4"),
        ("cook.pdf", b"%PDF-1.7", "application/pdf"),
    ],
)
def test_what_is_no_video_is_refused_beside_the_field(
    alice_page: Client, name: str, content: bytes, content_type: str
) -> None:
    response = alice_page.post(
        NEW, {"video": SimpleUploadedFile(name, content, content_type=content_type), "taste": "3"}
    )
    assert response.status_code == 400
    assert 'aria-invalid="true"' in read(response)
    assert 'name="taste" value="3" checked' in read(response), "what was tapped stays"
    assert not PipelineRun.objects.exists()


def test_a_missing_video_is_asked_for(alice_page: Client) -> None:
    response = alice_page.post(NEW, {"taste": "3"})
    assert response.status_code == 400
    assert "動画を選んでください。" in read(response)


def test_a_rating_beyond_five_is_refused_in_words(alice_page: Client, video_bytes: bytes) -> None:
    response = alice_page.post(NEW, pack(video_bytes, taste="9"))
    assert response.status_code == 400
    assert "一から五の間でお選びください。" in read(response)


def test_a_bad_memo_loses_neither_video_nor_ratings(alice: User, alice_page: Client, video_bytes: bytes) -> None:
    sent = pack(video_bytes, memo=SimpleUploadedFile("m.mp3", b"no sound", content_type="audio/mpeg"), aroma="2")
    response = alice_page.post(NEW, sent)
    assert response.status_code == 400
    assert "この音声ファイルは受け取れませんでした" in read(response)
    assert "動画は届いています" in read(response)
    session = Session.objects.get(user=alice)
    assert (session.status, session.self_ratings) == (SessionStatus.DRAFT, {"aroma": 2})
    response = alice_page.post(NEW, {"aroma": "2"})
    assert response.status_code == 302, "the video need not be sent again"


def test_a_form_of_another_site_is_refused(alice: User, video_bytes: bytes) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(alice)
    assert client.post(NEW, pack(video_bytes)).status_code == 403
    assert not Session.objects.exists()


def test_gigabytes_for_nobody_are_not_read(bob: User, settings: Settings) -> None:
    settings.VIDEO_MAX_BYTES = settings.MEMO_MAX_BYTES = 10
    response = log_in(bob).post(NEW, pack(b"x" * 200_000))
    assert response.status_code == 413
    assert "大きすぎます" in read(response)


def test_a_locked_dish_says_so_and_leads_on(alice_page: Client) -> None:
    response = alice_page.get("/sessions/new/tempura/")
    assert response.status_code == 403
    assert "この料理はまだ開いていません" in read(response)
    assert 'href="/dashboard/"' in read(response)


def test_an_unknown_dish_is_not_found(alice_page: Client) -> None:
    assert alice_page.get("/sessions/new/stone-soup/").status_code == 404


def test_a_used_up_quota_says_what_to_do(bob: User) -> None:
    end(begin(bob), SessionStatus.COMPLETED)
    response = log_in(bob).get(NEW)
    assert response.status_code == 403
    assert "プランへのお申し込み" in read(response)
    assert 'href="/account/"' in read(response)


def test_a_draft_of_another_dish_can_be_given_up_for_this_one(bob: User) -> None:
    draft = begin(bob)
    client = log_in(bob)
    response = client.get("/sessions/new/pomodoro/")
    assert response.status_code == 403
    assert f"/sessions/{draft.pk}/discard/" in read(response)
    assert client.post(f"/sessions/{draft.pk}/discard/").status_code == 302
    assert client.post(f"/sessions/{draft.pk}/discard/").status_code == 302, "a double click"
    assert client.get("/sessions/new/pomodoro/").status_code == 200


def test_a_quota_that_another_tab_took_is_told_by_the_form(bob: User, video_bytes: bytes) -> None:
    client = log_in(bob)
    assert client.get(NEW).status_code == 200
    end(begin(bob, "pomodoro"), SessionStatus.COMPLETED)
    response = client.post(NEW, pack(video_bytes))
    assert response.status_code == 403
    assert "プランへのお申し込み" in read(response)


def test_a_missing_consent_leads_to_it(alice: User, alice_page: Client) -> None:
    alice.consents.all().delete()
    response = alice_page.get(NEW)
    assert response.status_code == 403
    assert 'href="/onboarding/"' in read(response)


def test_the_page_goes_on_with_an_unfinished_session(alice: User, alice_page: Client) -> None:
    draft = begin(alice)
    assert f'data-session="{draft.pk}"' in read(alice_page.get(NEW))
    assert f'data-session="{draft.pk}"' in read(alice_page.get(f"{NEW}?session={draft.pk}"))
    assert f'data-session="{draft.pk}"' in read(alice_page.get(f"{NEW}?session=9'--"))


def test_the_page_takes_up_nobody_elses_session(alice: User, charlie: User) -> None:
    draft = begin(alice)
    assert log_in(charlie).get(f"{NEW}?session={draft.pk}").status_code == 404


# --- being made -----------------------------------------------------------------------------------------------------


@pytest.fixture
def submitted(alice: User, object_store: SelfServedStore, video_bytes: bytes) -> Session:
    session = begin(alice, size_bytes=len(video_bytes))
    send(object_store, session, video_bytes)
    sessions.submit_session(session_id=session.pk, user_id=alice.pk)
    session.refresh_from_db()
    return session


def test_the_stages_are_shown_by_name_while_they_run(alice_page: Client, submitted: Session) -> None:
    page = read(alice_page.get(f"/sessions/{submitted.pk}/"))
    assert "動画の確認" in page
    assert "順番を待っています" in page
    assert 'hx-trigger="every' in page
    assert "まだ例が少ないため" in page, "no past run, no estimate"


def test_a_poll_without_news_brings_nothing(alice_page: Client, submitted: Session) -> None:
    url = f"/sessions/{submitted.pk}/"
    fragment = alice_page.get(url, headers=HTMX)
    seen = read(fragment).partition("?seen=")[2].partition('"')[0]
    assert fragment.status_code == 200
    assert "<html" not in read(fragment)
    assert alice_page.get(f"{url}?seen={seen}", headers=HTMX).status_code == 204
    StageRun.objects.filter(stage=Stage.INSPECT).update(progress_percent=40)
    assert alice_page.get(f"{url}?seen={seen}", headers=HTMX).status_code == 200


def test_polling_costs_the_same_at_every_stage(
    alice_page: Client, submitted: Session, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    url = f"/sessions/{submitted.pk}/"
    alice_page.get(url, headers=HTMX)  # the medians are kept for a minute
    StageRun.objects.filter(run__session=submitted, position__lt=4).update(state=StageState.DONE)
    # The login takes two, then the session and its stages.
    with django_assert_num_queries(4):
        alice_page.get(url, headers=HTMX)


def test_a_login_that_ends_while_polling_leads_back_here(client: Client, submitted: Session) -> None:
    url = f"/sessions/{submitted.pk}/"
    response = client.get(url, headers=HTMX | {"HX-Current-URL": f"http://testserver{url}"})
    assert f"next=%2Fsessions%2F{submitted.pk}%2F" in response.headers["HX-Redirect"]


def test_past_runs_tell_how_long_it_takes(alice: User, alice_page: Client, submitted: Session) -> None:
    now = timezone.now()
    for number in range(3):
        past = PipelineRun.objects.create(session=submitted, state=RunState.COMPLETED)
        PipelineRun.objects.filter(pk=past.pk).update(created_at=now - timedelta(hours=1))
        for position, stage in enumerate(Stage):
            StageRun.objects.create(
                run=past,
                stage=stage,
                position=position,
                queue="llm",
                state=StageState.DONE,
                started_at=now - timedelta(minutes=30),
                finished_at=now - timedelta(minutes=30) + timedelta(seconds=30 + number),
            )
    page = read(alice_page.get(f"/sessions/{submitted.pk}/"))
    assert "あと約5分" in page, "eight stages of 31 seconds at the median"


def test_a_session_of_somebody_else_does_not_exist(charlie: User, submitted: Session) -> None:
    client = log_in(charlie)
    for path in ("", "captions.vtt", "chapters.vtt"):
        assert client.get(f"/sessions/{submitted.pk}/{path}").status_code == 404
    for path in ("try-again/", "discard/"):
        assert client.post(f"/sessions/{submitted.pk}/{path}").status_code == 404
        assert client.get(f"/sessions/{submitted.pk}/{path}").status_code == 405


# --- failed ---------------------------------------------------------------------------------------------------------


def fail(session: Session, error: Exception, *, settings: Settings) -> None:
    settings.STAGE_MAX_ATTEMPTS = 1
    run = session.runs.get(state=RunState.RUNNING)
    claim = runs.claim_stage(run_id=run.id, stage=Stage(run.first_stage), worker="w")
    assert claim is not None
    runs.fail_stage(claim, error)
    session.refresh_from_db()


def test_a_fault_of_ours_offers_another_try(
    alice: User, alice_page: Client, submitted: Session, settings: Settings
) -> None:
    fail(submitted, ProviderUnavailable("down"), settings=settings)
    page = read(alice_page.get(f"/sessions/{submitted.pk}/"))
    assert "同じ動画でもう一度" in page
    assert "別の動画を送る" in page
    assert "hx-trigger" not in page.partition('id="session"')[2], "nothing is polled any more"
    assert alice_page.post(f"/sessions/{submitted.pk}/try-again/").status_code == 302
    assert alice_page.post(f"/sessions/{submitted.pk}/try-again/").status_code == 302, "a double click"
    submitted.refresh_from_db()
    assert submitted.status == SessionStatus.PROCESSING
    assert submitted.runs.count() == 2


def test_tries_end(alice_page: Client, submitted: Session, settings: Settings) -> None:
    for _ in range(2):
        fail(submitted, ProviderUnavailable("down"), settings=settings)
        alice_page.post(f"/sessions/{submitted.pk}/try-again/")
    fail(submitted, ProviderUnavailable("down"), settings=settings)
    page = read(alice_page.get(f"/sessions/{submitted.pk}/"))
    assert "同じ動画でもう一度" not in page
    alice_page.post(f"/sessions/{submitted.pk}/try-again/")
    assert submitted.runs.count() == 3


def test_a_fault_of_the_video_offers_another_video(alice_page: Client, submitted: Session, settings: Settings) -> None:
    words = "動画が途中で切れていました。もう一度、最後までアップロードしてください。"
    fail(submitted, UnusableMedia("cut", fault="truncated", learner_message=words), settings=settings)
    page = read(alice_page.get(f"/sessions/{submitted.pk}/"))
    assert words in page
    assert "同じ動画でもう一度" not in page
    link = f"/sessions/new/fried-rice/?session={submitted.pk}"
    assert link in page
    assert f'data-session="{submitted.pk}"' in read(alice_page.get(link))


def test_a_second_try_cannot_take_a_second_free_session(
    bob: User, object_store: SelfServedStore, video_bytes: bytes, settings: Settings
) -> None:
    session = begin(bob, size_bytes=len(video_bytes))
    send(object_store, session, video_bytes)
    sessions.submit_session(session_id=session.pk, user_id=bob.pk)
    fail(session, ProviderUnavailable("down"), settings=settings)
    end(begin(bob, "pomodoro"), SessionStatus.COMPLETED)
    client = log_in(bob)
    response = client.post(f"/sessions/{session.pk}/try-again/", follow=True)
    assert "無料でできるセッションは使いきりました" in read(response)
    session.refresh_from_db()
    assert session.status == SessionStatus.FAILED


# --- finished -------------------------------------------------------------------------------------------------------


def test_a_finished_cook_shows_everything(alice: User, alice_page: Client, footage: Footage) -> None:
    earlier = finish_cook(alice, footage)
    session = finish_cook(alice, footage, session_number=2)
    page = read(alice_page.get(f"/sessions/{session.pk}/"))
    for shown in (
        "今回の問題点",
        "2回目のセッションで身につけるべきスキル",
        "次回試すこと",
        "成功のサイン",
        "前回といまの、その瞬間",
        f'data-session="{earlier.pk}" data-start="4.0" data-end="12.0"',
        'data-seek="7.0"',
        "オフラインのコーチ",
        'id="principle-egg_timing"',
        "よくできていたこと",
        f'name="session" value="{session.pk}"',
        "ご飯がすこしべちゃっとしました",
    ):
        assert shown in page, shown
    assert "hx-trigger" not in page


def test_a_finished_page_takes_as_many_queries_with_history_as_without(
    alice: User, alice_page: Client, footage: Footage, django_assert_max_num_queries: Any
) -> None:
    for number in (1, 2, 3):
        session = finish_cook(alice, footage, session_number=number)
    # The login takes two, then the session, its principles, the cooks before.
    with django_assert_max_num_queries(6):
        alice_page.get(f"/sessions/{session.pk}/")


def test_what_a_learner_said_is_text_and_nothing_else(alice: User, alice_page: Client, footage: Footage) -> None:
    session = finish_cook(alice, footage, voice_transcript='<img src=x onerror="alert(1)"> مرحبا 🍳')
    page = read(alice_page.get(f"/sessions/{session.pk}/"))
    assert "<img src=x" not in page
    assert "&lt;img src=x onerror=&quot;alert(1)&quot;&gt; مرحبا 🍳" in page
    assert 'class="said" dir="auto"' in page


def test_captions_and_chapters_come_from_our_own_origin(alice: User, alice_page: Client, footage: Footage) -> None:
    session = finish_cook(alice, footage)
    captions = alice_page.get(f"/sessions/{session.pk}/captions.vtt")
    assert captions.headers["Content-Type"] == "text/vtt; charset=utf-8"
    assert read(captions).startswith("WEBVTT")
    assert "ここがポイント" in read(alice_page.get(f"/sessions/{session.pk}/chapters.vtt"))


def test_a_cook_that_could_not_be_read_makes_no_claims(alice: User, alice_page: Client, footage: Footage) -> None:
    analysis: dict[str, Any] = {
        "outcome": "could_not_tell",
        "key_moment_seconds": None,
        "cooking_events": [],
        "is_offline": True,
    }
    session = finish_cook(alice, footage, video_analysis=analysis, retrieved_context={}, self_ratings={})
    page = read(alice_page.get(f"/sessions/{session.pk}/"))
    assert "その瞬間" not in page
    assert "今回は点をつけませんでした" not in page


def test_a_film_stays_while_a_new_one_is_made(alice: User, alice_page: Client, footage: Footage) -> None:
    session = finish_cook(alice, footage, status=SessionStatus.PROCESSING)
    page = read(alice_page.get(f"/sessions/{session.pk}/"))
    assert "つくり直しています" in page
    assert "data-film" in page
    assert "hx-trigger" not in page


def test_a_draft_leads_back_to_its_upload(alice: User, alice_page: Client) -> None:
    draft = begin(alice)
    assert f"/sessions/new/fried-rice/?session={draft.pk}" in read(alice_page.get(f"/sessions/{draft.pk}/"))


def test_a_past_due_learner_still_reads(alice: User, alice_page: Client, footage: Footage) -> None:
    session = finish_cook(alice, footage)
    User.objects.filter(pk=alice.pk).update(subscription_status=SubscriptionStatus.PAST_DUE)
    assert alice_page.get(f"/sessions/{session.pk}/").status_code == 200
    assert alice_page.get(NEW).status_code == 403
