"""The forms of accounts: what a browser sends, before a service judges it. Labels and help are Japanese."""

from typing import Any

from django import forms

from coaching.errors import InvalidInput
from coaching.services.accounts import EMAIL_MAX_LENGTH, PASSWORD_MAX_LENGTH
from coaching.services.learner_text import NAME_MAX_LENGTH

REQUIRED = {"required": "入力してください。", "invalid": "メールアドレスの形をご確認ください。"}


class PageForm(forms.Form):
    """Shown by `forms/_field.html`; refused input goes back to its fields."""

    use_required_attribute = True

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.label_suffix = ""

    def add_faults(self, error: InvalidInput) -> None:
        for fault in error.faults:
            self.add_error(fault.field if fault.field in self.fields else None, fault.message)


def _make_email_field(label: str = "メールアドレス") -> forms.EmailField:
    widget = forms.EmailInput(attrs={"autocomplete": "email", "inputmode": "email"})
    return forms.EmailField(label=label, max_length=EMAIL_MAX_LENGTH, widget=widget, error_messages=REQUIRED)


def _make_password_field(label: str, *, autocomplete: str, help_text: str = "") -> forms.CharField:
    return forms.CharField(
        label=label,
        max_length=PASSWORD_MAX_LENGTH,
        strip=False,
        help_text=help_text,
        widget=forms.PasswordInput(attrs={"autocomplete": autocomplete}),
        error_messages=REQUIRED,
    )


def _make_name_field() -> forms.CharField:
    return forms.CharField(
        label="お名前（ニックネームでも）",
        max_length=NAME_MAX_LENGTH,
        help_text="コーチが「さん」を付けてお呼びします。",
        widget=forms.TextInput(attrs={"autocomplete": "given-name"}),
        error_messages=REQUIRED,
    )


CHOOSING_HELP = "8文字以上で、数字だけのものや、よく使われるものは避けてください。"


class RegisterForm(PageForm):
    first_name = _make_name_field()
    email = _make_email_field()
    password = _make_password_field("パスワード", autocomplete="new-password", help_text=CHOOSING_HELP)


class LoginForm(PageForm):
    email = _make_email_field()
    password = _make_password_field("パスワード", autocomplete="current-password")


class ResetRequestForm(PageForm):
    email = _make_email_field()


class NewPasswordForm(PageForm):
    password = _make_password_field("新しいパスワード", autocomplete="new-password", help_text=CHOOSING_HELP)


class NameForm(PageForm):
    first_name = _make_name_field()


class EmailForm(PageForm):
    email = _make_email_field("新しいメールアドレス")
    password = _make_password_field("いまのパスワード", autocomplete="current-password")


class PasswordForm(PageForm):
    current = _make_password_field("いまのパスワード", autocomplete="current-password")
    new = _make_password_field("新しいパスワード", autocomplete="new-password", help_text=CHOOSING_HELP)


class DeletionForm(PageForm):
    password = _make_password_field("いまのパスワード", autocomplete="current-password")
