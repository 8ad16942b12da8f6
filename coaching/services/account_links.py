"""Links in mails that prove something: that an address is the learner's, or that a password may be set anew.

No token is kept anywhere: a mail holds `LINK_PLACE` until the moment it is sent, so that whoever reads the outbox
can use nothing of it. A verification token is signed over user and address; a reset token is Django's, which dies
with the password that it replaces, with the next login and after PASSWORD_RESET_TIMEOUT.
"""

from django.conf import settings
from django.contrib.auth.tokens import default_token_generator
from django.core import signing
from django.utils.http import urlsafe_base64_decode, urlsafe_base64_encode

from coaching.errors import LinkRefused
from coaching.models import User
from coaching.models.mail import MailKind

LINK_PLACE = "{link}"
VERIFICATION_SALT = "coaching.verify-email"
EXPIRED = "このリンクは期限が切れているか、すでに使われています。お手数ですが、もう一度お手続きください。"


def make_verification_token(user: User) -> str:
    return signing.dumps({"user": user.pk, "email": user.email}, salt=VERIFICATION_SALT)


def read_verification_token(token: str) -> User:
    """The user whose present address the token proves; raises `LinkRefused`."""
    try:
        claim = signing.loads(token, salt=VERIFICATION_SALT, max_age=settings.VERIFICATION_LIFETIME)
    except signing.BadSignature as error:
        raise LinkRefused(f"verification link: {error}", learner_message=EXPIRED) from error
    user = User.objects.filter(pk=claim["user"], email=claim["email"], is_active=True).first()
    if user is None:
        raise LinkRefused("verification link of an address that is no longer used", learner_message=EXPIRED)
    return user


def make_reset_path(user: User) -> str:
    return f"/password/{urlsafe_base64_encode(str(user.pk).encode())}/{default_token_generator.make_token(user)}/"


def read_reset_link(user_code: str, token: str) -> User:
    """The user who may set a password anew; raises `LinkRefused`."""
    try:
        key = int(urlsafe_base64_decode(user_code).decode("ascii"))
    except ValueError as error:
        raise LinkRefused("reset link of no user", learner_message=EXPIRED) from error
    user = User.objects.filter(pk=key, is_active=True).first()
    if user is None or not default_token_generator.check_token(user, token):
        raise LinkRefused(f"reset link of user {key} does not hold", learner_message=EXPIRED)
    return user


def fill_link(body: str, *, kind: str, user: User) -> str:
    """The mail's text as it is sent, with a link that is made now."""
    match kind:
        case MailKind.VERIFY_EMAIL:
            path = f"/verify/{make_verification_token(user)}/"
        case MailKind.RESET_PASSWORD:
            path = make_reset_path(user)
        case _:
            return body
    return body.replace(LINK_PLACE, f"{settings.PUBLIC_URL}{path}")
