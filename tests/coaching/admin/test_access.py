"""Who may see and change what, and what nobody can change by a form: states, plans, consents, rights."""

import re
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group
from django.test import Client
from django_celery_results.models import TaskResult

from coaching.models import AuditEntry, Message, OutboxMail, PipelineRun, Session, Stage, StageRun, User
from coaching.models.mail import MailKind
from coaching.services.mail import queue_mail
from tests.coaching.admin.conftest import enter, make_staff
from tests.coaching.services.run_steps import finish_before, start_cook

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("loaded_content", "object_store")]

READ_ONLY = ("session", "pipelinerun", "consent", "learnerstate", "userdishprogress", "message", "outboxmail")


def list_addresses() -> list[str]:
    return [f"/admin/{model._meta.app_label}/{model._meta.model_name}/" for model in admin.site._registry]


def test_every_list_opens_for_a_superuser_and_for_nobody_else(alice: User, stan: User, sam_admin: Client) -> None:
    for path in list_addresses():
        assert sam_admin.get(path).status_code == 200, path
        assert enter(stan).get(path).status_code == 403, path
        assert enter(alice).get(path).status_code == 302, path
        assert Client().get(path).headers["Location"].startswith("/admin/login/"), path


def test_nothing_but_accounts_and_groups_is_added_and_nothing_deleted(alice: User, sam_admin: Client) -> None:
    start_cook(alice)
    for path in list_addresses():
        may_add = path.endswith(("/user/", "/group/"))
        assert sam_admin.get(f"{path}add/").status_code == (200 if may_add else 403), path
    for kind, pk in (("session", Session.objects.get().pk), ("pipelinerun", PipelineRun.objects.get().pk)):
        path = f"/admin/coaching/{kind}/{pk}/delete/"
        assert sam_admin.post(path, {"post": "yes"}).status_code == 403
        action = {"action": "delete_selected", "_selected_action": pk, "post": "yes"}
        sam_admin.post(f"/admin/coaching/{kind}/", action)
    assert Session.objects.count() == PipelineRun.objects.count() == 1


def test_a_forged_form_changes_no_state(alice: User, sam_admin: Client) -> None:
    run = finish_before(start_cook(alice), Stage.COMPOSE)
    session = run.session
    result = TaskResult.objects.create(task_id="t-1", status="SUCCESS", result="{}")
    before = (
        list(Session.objects.values()),
        list(PipelineRun.objects.values()),
        list(StageRun.objects.values()),
        list(TaskResult.objects.values()),
    )
    forged = {"status": "completed", "state": "completed", "pipeline_job_id": "", "coaching_video_gcs_path": "x"}
    forged |= {"stages-TOTAL_FORMS": "1", "stages-0-state": "done", "result": "[]", "_save": "Save"}
    for path in (
        f"/admin/coaching/session/{session.pk}/change/",
        f"/admin/coaching/pipelinerun/{run.pk}/change/",
        f"/admin/django_celery_results/taskresult/{result.pk}/change/",
    ):
        assert sam_admin.post(path, forged).status_code == 403, path
    # The list has no editable column, whatever a form claims.
    edited = {"form-TOTAL_FORMS": "1", "form-INITIAL_FORMS": "1", "form-0-id": session.pk, "form-0-status": "completed"}
    sam_admin.post("/admin/coaching/session/", edited | {"_save": "Save"})
    assert before == (
        list(Session.objects.values()),
        list(PipelineRun.objects.values()),
        list(StageRun.objects.values()),
        list(TaskResult.objects.values()),
    )


def test_no_page_of_the_machine_has_a_field_to_fill_in(alice: User, sam_admin: Client) -> None:
    run = start_cook(alice)
    html = sam_admin.get(f"/admin/coaching/session/{run.session_id}/change/").content.decode()
    page = html.split('id="content-start"')[1]
    assert not re.search(r"<(input|select|textarea|form)\b", page)


def test_what_belongs_to_learners_is_only_read(alice: User, sam_admin: Client) -> None:
    consent = alice.consents.get(key="terms")
    path = f"/admin/coaching/consent/{consent.pk}/change/"
    assert sam_admin.get(path).status_code == 200
    assert sam_admin.post(path, {"granted": ""}).status_code == 403
    consent.refresh_from_db()
    assert consent.granted


# --- accounts -------------------------------------------------------------------------------------------------------


def post_account(client: Client, user: User, **fields: Any) -> int:
    path = f"/admin/coaching/user/{user.pk}/change/"
    inline = {"consents-TOTAL_FORMS": "0", "consents-INITIAL_FORMS": "0"}
    return client.post(path, inline | fields).status_code


@pytest.fixture
def clara(db: None) -> User:
    return make_staff("Clara", "view_user", "change_user")


def test_staff_may_block_a_learner_and_it_is_written_down(alice: User, clara: User) -> None:
    assert post_account(enter(clara), alice) == 302  # the box "active" is not ticked
    alice.refresh_from_db()
    assert not alice.is_active
    entry = AuditEntry.objects.get()
    assert (entry.actor, entry.action, entry.target) == (clara, "user.change", f"user:{alice.pk}")
    assert entry.details == {"is_active": False}


def test_forged_rights_plans_and_addresses_change_nothing(alice: User, clara: User) -> None:
    forged = {"is_active": "on", "is_staff": "on", "is_superuser": "on", "email": "mallory@example.com"}
    forged |= {
        "subscription_status": "active",
        "subscribed_since": "2020-01-01",
        "onboarding_done": "",
        "password": "x",
    }
    before = User.objects.filter(pk=alice.pk).values().get()
    post_account(enter(clara), alice, **forged, groups=["1"], user_permissions=["1"])
    assert User.objects.filter(pk=alice.pk).values().get() == before
    assert not alice.user_permissions.exists()


def test_staff_touch_neither_other_staff_nor_passwords(alice: User, stan: User, sam: User, clara: User) -> None:
    client = enter(clara)
    for other in (stan, sam, clara):
        assert post_account(client, other) == 403
        other.refresh_from_db()
        assert other.is_active
    password = {"password1": "mallory-was-here-1", "password2": "mallory-was-here-1", "usable_password": "true"}
    assert client.post(f"/admin/coaching/user/{alice.pk}/password/", password).status_code == 403
    assert client.get("/admin/coaching/user/add/").status_code == 403


def test_a_superuser_makes_staff_and_cannot_lock_themselves_out(sam: User, sam_admin: Client) -> None:
    new = {"email": "nina@example.com", "first_name": "Nina", "usable_password": "true"}
    new |= {"password1": "kome-to-tamago-7", "password2": "kome-to-tamago-7"}
    assert sam_admin.post("/admin/coaching/user/add/", new).status_code == 302
    nina = User.objects.get(email="nina@example.com")
    assert nina.check_password("kome-to-tamago-7")
    assert post_account(sam_admin, nina, is_active="on", is_staff="on") == 302
    nina.refresh_from_db()
    assert nina.is_staff
    post_account(sam_admin, sam)
    sam.refresh_from_db()
    assert sam.is_active
    assert sam.is_superuser
    assert "kome-to-tamago-7" not in str(list(AuditEntry.objects.values_list("details", flat=True)))


def test_groups_are_for_superusers(sam_admin: Client) -> None:
    greta = make_staff("Greta", "view_group", "change_group", "add_group")
    assert enter(greta).get("/admin/auth/group/add/").status_code == 403
    assert sam_admin.post("/admin/auth/group/add/", {"name": "operators"}).status_code == 302
    assert AuditEntry.objects.get().target == f"group:{Group.objects.get().pk}"


# --- what is read ---------------------------------------------------------------------------------------------------


def test_a_mail_that_opens_an_account_is_not_shown(alice: User, sam_admin: Client) -> None:
    secret = "https://example.com/reset/secret-token"
    for kind in MailKind:
        queue_mail(user=alice, kind=kind, outcome_key=f"{kind}:test", subject="subject", body=f"read {secret}")
    for mail in OutboxMail.objects.all():
        html = sam_admin.get(f"/admin/coaching/outboxmail/{mail.pk}/change/").content.decode()
        is_secret = mail.kind in {MailKind.VERIFY_EMAIL, MailKind.RESET_PASSWORD}
        assert (secret in html) != is_secret, mail.kind


def test_a_message_that_is_markup_stays_text(alice: User, sam_admin: Client) -> None:
    room, _ = alice.chat_rooms.get_or_create(room_type="coaching")
    message = Message.objects.create(chat_room=room, sender="user", text="<script>alert(1)</script>")
    for path in ("/admin/coaching/message/", f"/admin/coaching/message/{message.pk}/change/"):
        html = sam_admin.get(path).content.decode()
        assert "<script>alert" not in html
        assert "&lt;script&gt;alert" in html


def test_the_admin_speaks_english_and_the_rest_of_the_product_japanese(sam_admin: Client) -> None:
    html = sam_admin.get("/admin/").content.decode()
    assert '<html lang="en"' in html
    assert "Log out" in html
    assert "Log in" in Client().get("/admin/login/").content.decode()
    refused = sam_admin.get("/api/sessions/4711/")
    assert "見つかりません" in refused.content.decode()


def test_no_page_has_a_script_or_a_style_of_its_own(alice: User, sam_admin: Client) -> None:
    """A strict policy refuses them. Django's change list has one style element where a list has no actions."""
    run = start_cook(alice)
    for path in (
        "/admin/",
        "/admin/coaching/session/",
        f"/admin/coaching/session/{run.session_id}/change/",
        f"/admin/coaching/session/steer/cancel/?session={run.session_id}",
        f"/admin/coaching/user/{alice.pk}/change/",
        "/admin/coaching/principle/",
    ):
        html = sam_admin.get(path).content.decode()
        assert not re.search(r"<script(?![^>]*\bsrc=)(?![^>]*application/json)[^>]*>", html), path
        assert not re.search(r"\son[a-z]+=|\sstyle=|<style", html), path


def test_attempts_to_log_in_count_together_with_those_of_the_learners_page(sam: User) -> None:
    client = Client()
    for path in ["/admin/login/"] * 5 + ["/login/"] * 5:
        assert client.post(path, {"username": sam.email, "email": sam.email, "password": "x"}).status_code != 429
    for path in ("/admin/login/", "/login/"):
        assert client.post(path, {"username": sam.email, "email": sam.email, "password": "x"}).status_code == 429
