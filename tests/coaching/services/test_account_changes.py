"""Addresses are proven, passwords set anew, names and addresses changed; nothing of it can be guessed or repeated."""

import re
from datetime import timedelta

import pytest
from django.core import mail as django_mail
from django.test import override_settings
from django.utils import timezone
from pytest_django import Settings

from coaching.errors import InvalidInput, LinkRefused
from coaching.models import OutboxMail, User
from coaching.services import account_changes, account_links
from coaching.services.mail import send_due_mail

pytestmark = pytest.mark.django_db

NEW_PASSWORD = "atarashii-nabe-5"


@pytest.fixture(autouse=True)
def _public_url(settings: Settings) -> None:
    settings.PUBLIC_URL = "https://moment.example"


def read_link() -> str:
    """The path in the one mail that is waiting, once it has been sent."""
    assert send_due_mail() == 1
    body = str(django_mail.outbox[-1].body)
    found = re.search(r"https://moment\.example(/\S+)", body)
    assert found is not None, body
    return found[1]


def test_a_mail_proves_the_address(bob: User) -> None:
    account_changes.request_verification(bob)
    token = read_link().split("/")[2]
    assert account_changes.verify_email(token).email_verified_at is not None


def test_the_outbox_holds_no_token(bob: User) -> None:
    account_changes.request_verification(bob)
    account_changes.request_password_reset(bob.email)
    assert all(account_links.LINK_PLACE in mail.body for mail in OutboxMail.objects.all())
    assert not OutboxMail.objects.filter(body__contains="http").exists()


def test_asking_again_and_again_sends_one_mail(bob: User) -> None:
    for _ in range(5):
        account_changes.request_password_reset(bob.email.upper())
    assert OutboxMail.objects.filter(kind="reset_password").count() <= 2  # two where the pause ended meanwhile


def test_an_unknown_address_gets_no_mail_and_no_error(db: None) -> None:
    account_changes.request_password_reset("nobody@example.com")
    assert not OutboxMail.objects.exists()


def test_a_proven_address_is_not_asked_for_proof(bob: User) -> None:
    bob.email_verified_at = timezone.now()
    account_changes.request_verification(bob)
    assert not OutboxMail.objects.exists()


@pytest.mark.parametrize("token", ["", "abc", "eyJ1c2VyIjogMX0:1:x"])
def test_a_forged_verification_is_refused(token: str) -> None:
    with pytest.raises(LinkRefused):
        account_changes.verify_email(token)


def test_a_verification_expires(bob: User) -> None:
    token = account_links.make_verification_token(bob)
    with override_settings(VERIFICATION_LIFETIME=timedelta(seconds=-1)), pytest.raises(LinkRefused):
        account_changes.verify_email(token)


def test_a_verification_proves_no_later_address(bob: User) -> None:
    token = account_links.make_verification_token(bob)
    User.objects.filter(pk=bob.pk).update(email="other@example.com")
    with pytest.raises(LinkRefused):
        account_changes.verify_email(token)


def test_a_reset_link_sets_the_password_once(bob: User) -> None:
    account_changes.request_password_reset(bob.email)
    _, _, code, token, _ = read_link().split("/")
    account_changes.reset_password(user_code=code, token=token, password=NEW_PASSWORD)
    bob.refresh_from_db()
    assert bob.check_password(NEW_PASSWORD)
    assert bob.email_verified_at is not None, "whoever reads the mail owns the address"
    with pytest.raises(LinkRefused):
        account_changes.reset_password(user_code=code, token=token, password="mata-atarashii-6")


def test_a_reset_link_of_another_user_does_not_hold(bob: User, charlie: User) -> None:
    bobs, charlies = account_links.make_reset_path(bob).split("/"), account_links.make_reset_path(charlie).split("/")
    with pytest.raises(LinkRefused):
        account_links.read_reset_link(charlies[2], bobs[3])


@pytest.mark.parametrize("code", ["", "!!", "44GC", "OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5"])
def test_a_link_of_nobody_is_refused(db: None, code: str) -> None:
    with pytest.raises(LinkRefused):
        account_links.read_reset_link(code, "x-y")


def test_a_weak_new_password_is_refused_and_the_link_lives_on(bob: User) -> None:
    _, _, code, token, _ = account_links.make_reset_path(bob).split("/")
    with pytest.raises(InvalidInput):
        account_changes.reset_password(user_code=code, token=token, password="12345678")
    assert account_links.read_reset_link(code, token) == bob


def test_a_password_is_changed_by_who_knows_it(bob: User) -> None:
    bob.set_password("mukashi-no-nabe-4")
    bob.save()
    with pytest.raises(InvalidInput) as refused:
        account_changes.change_password(user=bob, current="wrong", new=NEW_PASSWORD)
    assert refused.value.faults[0].field == "current"
    account_changes.change_password(user=bob, current="mukashi-no-nabe-4", new=NEW_PASSWORD)
    assert User.objects.get(pk=bob.pk).check_password(NEW_PASSWORD)


def test_a_new_address_waits_for_its_proof(bob: User) -> None:
    bob.set_password(NEW_PASSWORD)
    bob.email_verified_at = timezone.now()
    bob.save()
    account_changes.change_email(user=bob, email="New@Example.com", password=NEW_PASSWORD)
    changed = User.objects.get(pk=bob.pk)
    assert (changed.email, changed.email_verified_at) == ("New@example.com", None)
    assert OutboxMail.objects.get().kind == "verify_email"


def test_an_address_of_somebody_else_is_refused(bob: User, charlie: User) -> None:
    bob.set_password(NEW_PASSWORD)
    bob.save()
    with pytest.raises(InvalidInput):
        account_changes.change_email(user=bob, email=charlie.email.upper(), password=NEW_PASSWORD)
    assert User.objects.get(pk=bob.pk).email == "bob@example.com"


def test_a_name_of_markup_is_refused(bob: User) -> None:
    with pytest.raises(InvalidInput):
        account_changes.change_name(user=bob, first_name="<b>ボブ</b>")
    account_changes.change_name(user=bob, first_name="ボブ")
    assert User.objects.get(pk=bob.pk).first_name == "ボブ"
