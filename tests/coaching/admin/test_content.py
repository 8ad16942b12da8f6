"""Dishes and principles are edited in the admin, checked as the files are, and indexed anew."""

import re
from typing import Any

import pytest
from django.forms.models import model_to_dict
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoCaptureOnCommitCallbacks

from coaching.admin.content_forms import DishForm, PrincipleForm
from coaching.models import AuditEntry, ContentIndex, Dish, Principle, User
from coaching.services import content, content_editing
from tests.coaching.admin.conftest import enter, make_staff

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("loaded_content", "object_store")]


@pytest.fixture
def egg_timing(loaded_content: None) -> Principle:
    return Principle.objects.get(slug="egg_timing")


def read_form(form: PrincipleForm | DishForm) -> dict[str, Any]:
    """What a browser would send of an unchanged form."""
    return {name: "" if (value := form[name].value()) is None else value for name in form.fields}


def post(client: Client, row: Principle | Dish, **changes: str) -> Any:
    kind = "principle" if isinstance(row, Principle) else "dish"
    form = PrincipleForm(instance=row) if isinstance(row, Principle) else DishForm(instance=row)
    return client.post(f"/admin/coaching/{kind}/{row.pk}/change/", read_form(form) | changes)


def read_errors(response: Any) -> str:
    assert response.status_code == 200
    return " ".join(re.findall(r'<ul class="errorlist"[^>]*>.*?</ul>', response.content.decode(), re.DOTALL))


def test_every_row_of_the_files_passes_the_checks_of_an_edit() -> None:
    for principle in Principle.objects.all():
        assert content_editing.check_principle(principle, principle.content) == []
    for dish in Dish.objects.all():
        assert content_editing.check_dish(dish, model_to_dict(dish, content_editing.DISH_FIELDS)) == []


def test_an_unchanged_form_changes_nothing(sam_admin: Client, egg_timing: Principle) -> None:
    before = dict(egg_timing.content)
    assert post(sam_admin, egg_timing).status_code == 302
    egg_timing.refresh_from_db()
    assert egg_timing.content == before
    assert not AuditEntry.objects.exists()


def test_an_edit_is_kept_audited_and_makes_the_index_out_of_date(
    sam: User,
    sam_admin: Client,
    egg_timing: Principle,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    digest = content.hash_documents(content.collect_index_documents())
    ContentIndex.objects.create(pk=1, documents_sha256=digest, built_at=timezone.now())
    assert content.describe_index().is_current
    with django_capture_on_commit_callbacks() as callbacks:
        response = post(sam_admin, egg_timing, name_ja="卵の頃合い", summary_ja="卵がまだ光るうちに合わせます。")
    assert response.status_code == 302
    assert [callback.__name__ for callback in callbacks] == ["publish_refresh"]
    egg_timing.refresh_from_db()
    assert egg_timing.name_ja == egg_timing.content["name_ja"] == "卵の頃合い"
    entry = AuditEntry.objects.get()
    assert (entry.actor, entry.action, entry.target) == (sam, "principle.edit", "principle:egg_timing")
    assert entry.details["summary_ja"]["after"] == "卵がまだ光るうちに合わせます。"
    assert not content.describe_index().is_current
    assert "out of date" in sam_admin.get("/admin/coaching/principle/").content.decode()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"summary_ja": "中火で三分炒めます。"}, "is a measurement"),
        ({"mistakes": "another_one | 別の失敗 | another"}, "must stay"),
        ({"mistakes": "no bars here"}, "is not of the form"),
        ({"related": "no_such_principle"}, "no principle"),
        ({"transfers_to": "no-such-dish"}, "no dish"),
        ({"why_ja": "  "}, "This field is required"),
        ({"category": "secret"}, "Select a valid choice"),
    ],
)
def test_what_the_files_would_not_take_is_refused_at_its_field(
    sam_admin: Client, egg_timing: Principle, changes: dict[str, str], words: str
) -> None:
    before = dict(egg_timing.content)
    assert words in read_errors(post(sam_admin, egg_timing, **changes))
    egg_timing.refresh_from_db()
    assert egg_timing.content == before


def test_a_mistake_of_another_principle_cannot_be_taken(sam_admin: Client, egg_timing: Principle) -> None:
    lines = str(PrincipleForm.base_fields["mistakes"].prepare_value(egg_timing.content["mistakes"]))
    taken = f"{lines}\nheat_too_high_throughout | 強火のまま | too hot"
    assert "another mistake already" in read_errors(post(sam_admin, egg_timing, mistakes=taken))
    fresh = f"{lines}\negg_left_alone | 卵をそのままにする | leaving the egg alone"
    assert post(sam_admin, egg_timing, mistakes=fresh).status_code == 302
    egg_timing.refresh_from_db()
    assert egg_timing.content["mistakes"][-1]["slug"] == "egg_left_alone"


def test_a_dish_is_edited_with_its_key_points(sam_admin: Client) -> None:
    dish = Dish.objects.get(slug="fried-rice")
    points = DishForm(instance=dish)["key_points"].value()
    assert post(sam_admin, dish, name_en="Fried rice, Chinese style").status_code == 302
    dish.refresh_from_db()
    assert dish.name_en == "Fried rice, Chinese style"
    broken = points.replace("over_cook_egg_before_combining", "x_y")
    assert "x_y is no mistake of egg_timing" in read_errors(post(sam_admin, dish, key_points=broken))
    assert "Enter a valid JSON" in read_errors(post(sam_admin, dish, key_points="{"))
    assert "another dish has this place" in read_errors(post(sam_admin, dish, order="2"))


def test_forged_fields_of_content_change_nothing(sam_admin: Client, egg_timing: Principle) -> None:
    sha256 = egg_timing.content_sha256
    response = post(sam_admin, egg_timing, slug="stolen", content='{"slug": "stolen"}', content_sha256="0" * 64)
    assert response.status_code == 302
    egg_timing.refresh_from_db()
    assert (egg_timing.slug, egg_timing.content["slug"], egg_timing.content_sha256) == ("egg_timing",) * 2 + (sha256,)


def test_rows_are_neither_added_nor_deleted(sam_admin: Client, egg_timing: Principle) -> None:
    for path in ("add/", f"{egg_timing.pk}/delete/"):
        assert sam_admin.get(f"/admin/coaching/principle/{path}").status_code == 403
        assert sam_admin.post(f"/admin/coaching/principle/{path}", {"post": "yes"}).status_code == 403
    sam_admin.post(
        "/admin/coaching/principle/", {"action": "delete_selected", "_selected_action": egg_timing.pk, "post": "yes"}
    )
    assert Principle.objects.filter(pk=egg_timing.pk).exists()


def test_who_may_only_see_content_reads_it(egg_timing: Principle) -> None:
    client = enter(make_staff("Rita", "view_principle"))
    assert client.get(f"/admin/coaching/principle/{egg_timing.pk}/change/").status_code == 200
    assert post(client, egg_timing, name_ja="別の名").status_code == 403
    assert client.post("/admin/coaching/principle/reindex/").status_code == 403
    egg_timing.refresh_from_db()
    assert egg_timing.name_ja != "別の名"
