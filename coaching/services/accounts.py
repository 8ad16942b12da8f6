"""Accounts: who a learner is. Logging in and out is HTTP's affair; whether the password fits is asked here."""

from django.contrib.auth import authenticate
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction

from coaching.errors import FieldFault, InvalidInput
from coaching.models import User
from coaching.services.chat import open_rooms
from coaching.services.learner_text import TextRefused, clean_name

EMAIL_MAX_LENGTH = 254
PASSWORD_MAX_LENGTH = 256  # hashing a longer one costs and adds nothing
EMAIL_TAKEN = FieldFault(field="email", code="taken", message="このメールアドレスは、すでに登録されています。")


def register_user(*, email: str, password: str, first_name: str) -> User:
    """A new learner with both rooms. Raises `InvalidInput` with every fault at once."""
    faults: list[FieldFault] = []
    try:
        email = check_email(email)
    except InvalidInput as error:
        faults += error.faults
    try:
        first_name = clean_name(first_name)
    except TextRefused as error:
        faults.append(FieldFault(field="first_name", code=error.code, message=str(error)))
    faults += find_password_faults(password, User(email=email, first_name=first_name))
    if faults:
        raise InvalidInput(faults)
    if User.objects.filter(email__iexact=email).exists():
        raise InvalidInput([EMAIL_TAKEN])
    try:
        with transaction.atomic():
            user = User.objects.create_user(email, password, first_name=first_name)
            open_rooms(user)
    except IntegrityError as error:  # two registrations at once: the database let one through
        raise InvalidInput([EMAIL_TAKEN]) from error
    return user


def find_user_by_password(*, email: str, password: str) -> User | None:
    """The active user whose password this is. As slow for an unknown address as for a wrong password."""
    user = authenticate(None, username=email.strip(), password=password)
    return user if isinstance(user, User) else None


def check_email(email: str) -> str:
    """The address as it is kept; raises `InvalidInput`."""
    email = User.objects.normalize_email(email.strip())
    try:
        validate_email(email)
    except ValidationError as error:
        fault = FieldFault(field="email", code="invalid", message="メールアドレスの形をご確認ください。")
        raise InvalidInput([fault]) from error
    return email


def find_password_faults(password: str, user: User, *, field: str = "password") -> list[FieldFault]:
    """Why this would be no good password for this user; nothing if it is one."""
    if len(password) > PASSWORD_MAX_LENGTH:
        message = f"パスワードは{PASSWORD_MAX_LENGTH}文字以内にしてください。"
        return [FieldFault(field=field, code="max_length", message=message)]
    try:
        validate_password(password, user)
    except ValidationError as error:
        return [
            FieldFault(field=field, code=fault.code or "invalid", message=" ".join(fault.messages))
            for fault in error.error_list
        ]
    return []
