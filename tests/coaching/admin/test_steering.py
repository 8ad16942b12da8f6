"""Orders from the admin: planned on a page of their own, done when confirmed, refused with a reason, written down."""

import re
from typing import Any

import pytest
from django.test import Client
from pytest_django import DjangoCaptureOnCommitCallbacks

from coaching.errors import PermanentError
from coaching.models import AuditEntry, PipelineRun, RunState, Stage, User
from coaching.services import steering
from coaching.services.steering import Order
from tests.coaching.admin.conftest import enter
from tests.coaching.services.run_steps import complete, fail_at, finish_before, make_cook, start_cook

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("loaded_content", "object_store")]

LIST = "/admin/coaching/session/"


def address(order: str, *runs: PipelineRun, **query: str) -> str:
    sessions = [f"session={run.session_id}" for run in runs]
    return f"{LIST}steer/{order}/?{'&'.join([*sessions, *(f'{k}={v}' for k, v in query.items())])}"


def read(client: Client, path: str) -> str:
    response = client.get(path)
    assert response.status_code == 200, response.status_code
    return re.sub(r"\s+", " ", response.content.decode())


def confirm(client: Client, page: str, *, reason: str = "the film has no sound", **changed: Any) -> list[str]:
    """Press the button of the page as it was shown; answers the messages of the page that follows."""
    html = read(client, page)
    seen = re.findall(r'name="seen" value="([^"]+)"', html)
    stage = re.search(r'name="stage" value="([^"]+)"', html)
    fields: dict[str, Any] = {"seen": seen, "stage": stage[1] if stage else "", "reason": reason}
    if 'name="supersede" value="on"' in html:
        fields["supersede"] = "on"
    response = client.post(page.partition("?")[0], fields | changed, follow=True)
    assert response.status_code == 200
    return [str(message) for message in response.context["messages"]]


def test_the_list_offers_orders_for_many_and_does_nothing_before_they_are_confirmed(
    alice: User, bob: User, olga_admin: Client
) -> None:
    runs = [fail_at(start_cook(user), Stage.SCRIPT, PermanentError("no words")) for user in (alice, bob)]
    chosen = [run.session_id for run in runs]
    response = olga_admin.post(LIST, {"action": "retry_sessions", "_selected_action": chosen})
    assert response.status_code == 302
    assert set(re.findall(r"session=(\d+)", response.headers["Location"])) == {str(pk) for pk in chosen}
    assert "2 of 2 sessions can" in read(olga_admin, response.headers["Location"])
    assert PipelineRun.objects.count() == 2
    assert not AuditEntry.objects.exists()


def test_the_plan_says_what_is_kept_what_replaced_and_what_refused(
    alice: User, bob: User, charlie: User, olga_admin: Client
) -> None:
    done, failed = complete(start_cook(alice)), fail_at(start_cook(bob), Stage.ANALYSE, PermanentError("no"))
    running = finish_before(start_cook(charlie), Stage.COMPOSE)
    text = read(olga_admin, address("rerun", done, failed, running, stage="compose"))
    kept, replaced = (re.findall(rf'mc-stage-{kind}">(\w+)<', text) for kind in ("kept", "replaced"))
    assert kept == ["inspect", "listen", "analyse", "retrieve", "script", "narrate"]
    assert replaced == ["compose", "deliver"]
    assert "1 of 3 sessions can" in text
    assert "nothing of analyse can be kept, it is failed: re-run from analyse or before" in text
    assert "its run is in progress" in text
    with_superseding = read(olga_admin, address("rerun", running, stage="compose", supersede="on"))
    assert "Its run in progress ends." in with_superseding


def test_a_confirmed_rerun_starts_and_is_published_after_its_commit(
    alice: User, olga: User, olga_admin: Client, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    run = complete(start_cook(alice))
    with django_capture_on_commit_callbacks() as callbacks:
        said = confirm(olga_admin, address("rerun", run, stage="narrate"))
    assert said == [f"Re-run started: session {run.session_id}."]
    assert len(callbacks) == 1
    again = PipelineRun.objects.get(previous=run)
    assert (again.first_stage, again.requested_by, again.state) == (Stage.NARRATE, olga, RunState.RUNNING)
    entry = AuditEntry.objects.get()
    assert (entry.actor, entry.action, entry.reason) == (olga, "run.rerun", "the film has no sound")


def test_of_many_the_possible_ones_are_done_and_the_others_told_why(alice: User, bob: User, olga_admin: Client) -> None:
    done, failed = complete(start_cook(alice)), fail_at(start_cook(bob), Stage.SCRIPT, PermanentError("no words"))
    page = address("retry", done, failed)
    seen = [f"{run.session_id}:{run.pk}" for run in (done, failed)]
    said = confirm(olga_admin, page, seen=seen)  # what a page would not send: a refused one among them
    assert said == [
        f"Refused: session {done.session_id}: its newest run is completed: nothing to retry.",
        f"Retry started: session {failed.session_id}.",
    ]
    assert AuditEntry.objects.count() == 1


def test_a_cancelled_run_stops_and_the_page_says_so(alice: User, olga_admin: Client) -> None:
    run = finish_before(start_cook(alice), Stage.COMPOSE)
    assert confirm(olga_admin, address("cancel", run)) == [f"Run cancelled: session {run.session_id}."]
    run.refresh_from_db()
    assert run.state == RunState.CANCELLED
    assert AuditEntry.objects.get().action == "run.cancel"
    text = read(olga_admin, f"{LIST}{run.session_id}/change/")
    assert "its newest run is cancelled: nothing is in progress" in text


def test_superseding_ends_the_run_in_progress(alice: User, olga_admin: Client) -> None:
    run = finish_before(start_cook(alice), Stage.COMPOSE)
    confirm(olga_admin, address("rerun", run, stage="script", supersede="on"))
    run.refresh_from_db()
    assert run.state == RunState.CANCELLED
    assert PipelineRun.objects.get(previous=run).first_stage == Stage.SCRIPT


def test_an_order_needs_a_reason(alice: User, olga_admin: Client) -> None:
    run = complete(start_cook(alice))
    page = address("rerun", run, stage="compose")
    for reason in ("", "   ", "x" * 501):
        response = olga_admin.post(
            page.partition("?")[0], {"seen": f"{run.session_id}:{run.pk}", "stage": "compose", "reason": reason}
        )
        assert response.status_code == 200
        assert "errorlist" in response.content.decode()
    assert PipelineRun.objects.count() == 1


def test_who_confirms_an_outdated_page_is_told_who_was_first(alice: User, charlie: User, olga_admin: Client) -> None:
    run = fail_at(start_cook(alice), Stage.SCRIPT, PermanentError("no words"))
    seen = f"{run.session_id}:{run.pk}"
    steering.retry(session_id=run.session_id, order=Order(actor=charlie, reason="first", seen_run_id=run.pk))
    (said,) = confirm(olga_admin, address("retry", run), seen=seen)
    assert "has moved on since you looked" in said
    assert "charlie@example.com" in said
    assert AuditEntry.objects.count() == 1


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"seen": "{pk}:{run}", "stage": "no-such-stage"}, 200),
        ({"seen": "{pk}:not-a-uuid", "stage": "compose"}, 400),
        ({"seen": "one:{run}", "stage": "compose"}, 400),
        ({"seen": [], "stage": "compose"}, 400),
        ({"seen": [f"{number}:" for number in range(101)], "stage": "compose"}, 400),
        ({"seen": "999999:", "stage": "compose"}, 302),
    ],
)
def test_a_tampered_order_changes_nothing(alice: User, olga_admin: Client, fields: dict[str, Any], status: int) -> None:
    run = complete(start_cook(alice))
    seen = fields["seen"]
    if isinstance(seen, str):
        seen = seen.format(pk=run.session_id, run=run.pk)
    response = olga_admin.post(f"{LIST}steer/rerun/", fields | {"seen": seen, "reason": "forged"})
    assert response.status_code == status
    assert PipelineRun.objects.count() == 1
    assert not AuditEntry.objects.exists()


def test_an_order_that_there_is_not_is_not_found(alice: User, olga_admin: Client) -> None:
    run = complete(start_cook(alice))
    assert olga_admin.get(address("explode", run)).status_code == 404
    assert olga_admin.get(f"{LIST}steer/rerun/").status_code == 400
    assert olga_admin.get(f"{LIST}steer/rerun/?session=1;drop").status_code == 400
    assert "does not exist" in read(olga_admin, f"{LIST}steer/cancel/?session={run.session_id}&session=999999")


def test_a_session_that_was_never_submitted_has_no_buttons_to_press(alice: User, olga_admin: Client) -> None:
    session = make_cook(alice)
    text = read(olga_admin, f"{LIST}{session.pk}/change/")
    assert text.count('aria-disabled="true"') == 3
    assert "it was never submitted" in text


def test_who_may_only_see_sessions_steers_none(alice: User, vera: User) -> None:
    run = fail_at(start_cook(alice), Stage.SCRIPT, PermanentError("no words"))
    client = enter(vera)
    page = f"{LIST}{run.session_id}/change/"
    assert "mc-buttons" not in read(client, page)
    assert "retry_sessions" not in read(client, LIST)
    order = {"seen": f"{run.session_id}:{run.pk}", "stage": "script", "reason": "forged"}
    for name in ("rerun", "retry", "cancel"):
        assert client.get(address(name, run)).status_code == 403
        assert client.post(f"{LIST}steer/{name}/", order).status_code == 403
    client.post(LIST, {"action": "retry_sessions", "_selected_action": run.session_id})
    assert PipelineRun.objects.count() == 1


def test_learners_strangers_and_staff_without_rights_get_no_further(alice: User, stan: User) -> None:
    run = fail_at(start_cook(alice), Stage.SCRIPT, PermanentError("no words"))
    order = {"seen": f"{run.session_id}:{run.pk}", "stage": "script", "reason": "forged"}
    for client, status in ((Client(), 302), (enter(alice), 302), (enter(stan), 403)):
        for path in (LIST, f"{LIST}{run.session_id}/change/", address("retry", run)):
            assert client.get(path).status_code == status
        assert client.post(f"{LIST}steer/retry/", order).status_code == status
    assert PipelineRun.objects.count() == 1


def test_an_order_needs_the_token_of_its_form(alice: User, olga: User) -> None:
    run = fail_at(start_cook(alice), Stage.SCRIPT, PermanentError("no words"))
    client = Client(enforce_csrf_checks=True)
    client.force_login(olga)
    order = {"seen": f"{run.session_id}:{run.pk}", "stage": "script", "reason": "forged"}
    assert client.post(f"{LIST}steer/retry/", order).status_code == 403
    assert PipelineRun.objects.count() == 1
