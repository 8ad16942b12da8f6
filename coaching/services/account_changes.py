"""What happens to an account after it was made: its address proven, its name, address and password changed."""

import time
from datetime import timedelta

from django.db import IntegrityError, transaction
from django.utils import timezone

from coaching.errors import FieldFault, InvalidInput
from coaching.models import User
from coaching.models.mail import MailKind
from coaching.services.account_links import LINK_PLACE, read_reset_link, read_verification_token
from coaching.services.accounts import EMAIL_TAKEN, check_email, find_password_faults
from coaching.services.learner_text import TextRefused, clean_name
from coaching.services.mail import queue_mail

# At most one such mail per account in this time, however often it is asked for.
MAIL_PAUSE = timedelta(minutes=5)


def request_verification(user: User) -> None:
    """Have a mail sent that lets the learner prove their address. Nothing happens for a proven one."""
    if user.email_verified_at is not None:
        return
    body = (
        f"{user.first_name}さん\n\n"
        "Moment Cloneへのご登録ありがとうございます。次のリンクを開くと、このメールアドレスの確認が終わります。\n\n"
        f"{LINK_PLACE}\n\n"
        "お心当たりのない場合は、このメールをそのまま削除してください。\n\nMoment Clone\n"
    )
    queue_mail(
        user=user,
        kind=MailKind.VERIFY_EMAIL,
        outcome_key=_name_outcome("verify_email", user),
        subject="メールアドレスの確認をお願いします",
        body=body,
    )


def verify_email(token: str) -> User:
    """Raises `LinkRefused`."""
    user = read_verification_token(token)
    User.objects.filter(pk=user.pk, email_verified_at__isnull=True).update(email_verified_at=timezone.now())
    user.refresh_from_db(fields=["email_verified_at"])
    return user


def request_password_reset(email: str) -> None:
    """Have a mail sent to the account of this address, if there is one. The caller learns nothing of that."""
    user = User.objects.filter(email__iexact=email.strip(), is_active=True).first()
    if user is None:
        return
    body = (
        f"{user.first_name}さん\n\n"
        "パスワードを新しくするためのリンクです。一度だけ、お早めにお使いください。\n\n"
        f"{LINK_PLACE}\n\n"
        "お心当たりのない場合は、このメールをそのまま削除してください。パスワードは変わりません。\n\nMoment Clone\n"
    )
    queue_mail(
        user=user,
        kind=MailKind.RESET_PASSWORD,
        outcome_key=_name_outcome("reset_password", user),
        subject="パスワードの再設定",
        body=body,
    )


def reset_password(*, user_code: str, token: str, password: str) -> User:
    """Set the password by a link out of a mail, which proves the address too.

    Raises `LinkRefused`, or `InvalidInput` for a password that is too weak.
    """
    with transaction.atomic():
        user = User.objects.select_for_update().get(pk=read_reset_link(user_code, token).pk)
        read_reset_link(user_code, token)  # under the lock: of two uses at once, the second one fails
        _set_password(user, password, field="password")
        if user.email_verified_at is None:
            user.email_verified_at = timezone.now()
            user.save(update_fields=["email_verified_at"])
    return user


def change_password(*, user: User, current: str, new: str) -> None:
    """Raises `InvalidInput`. Other browsers are logged out by it."""
    if not user.check_password(current):
        raise InvalidInput([_fault_wrong_password("current")])
    _set_password(user, new, field="new")


def change_name(*, user: User, first_name: str) -> None:
    """How the coach calls the learner; raises `InvalidInput`."""
    try:
        name = clean_name(first_name)
    except TextRefused as error:
        raise InvalidInput([FieldFault(field="first_name", code=error.code, message=str(error))]) from error
    user.first_name = name
    user.save(update_fields=["first_name"])


def change_email(*, user: User, email: str, password: str) -> None:
    """The new address counts at once and waits for its proof; raises `InvalidInput`."""
    if not user.check_password(password):
        raise InvalidInput([_fault_wrong_password("password")])
    email = check_email(email)
    if email == user.email:
        return
    if User.objects.filter(email__iexact=email).exclude(pk=user.pk).exists():
        raise InvalidInput([EMAIL_TAKEN])
    user.email = email
    user.email_verified_at = None
    try:
        with transaction.atomic():
            user.save(update_fields=["email", "email_verified_at"])
            request_verification(user)
    except IntegrityError as error:  # two accounts took it at once
        raise InvalidInput([EMAIL_TAKEN]) from error


def _set_password(user: User, password: str, *, field: str) -> None:
    if faults := find_password_faults(password, user, field=field):
        raise InvalidInput(faults)
    user.set_password(password)
    user.save(update_fields=["password"])


def _fault_wrong_password(field: str) -> FieldFault:
    return FieldFault(field=field, code="wrong", message="いまのパスワードと合いません。")


def _name_outcome(what: str, user: User) -> str:
    """The outbox keeps one mail per outcome: naming it by address and time is the limit on how many are sent."""
    return f"{what}:{user.pk}:{user.email[:40]}:{int(time.time() // MAIL_PAUSE.total_seconds())}"
