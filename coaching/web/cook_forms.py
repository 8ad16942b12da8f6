"""The form of a cook as a browser without JavaScript sends it: everything in one request."""

from typing import Any

from django import forms

from coaching.queries.cook_pages import RATING_NAMES_JA
from coaching.services.intake import RATING_VALUES


class CookForm(forms.Form):
    """`needs_video` is False where a whole video waits already: then the form may complete what is missing."""

    video = forms.FileField(required=False, allow_empty_file=True, max_length=255)
    memo = forms.FileField(required=False, allow_empty_file=True, max_length=255)

    def __init__(self, *args: Any, needs_video: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.needs_video = needs_video
        for name in RATING_NAMES_JA:
            self.fields[name] = forms.TypedChoiceField(
                required=False,
                coerce=int,
                empty_value=None,
                choices=[(value, value) for value in RATING_VALUES],
                error_messages={"invalid_choice": "一から五の間でお選びください。"},
            )

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if self.needs_video and not cleaned.get("video") and "video" not in self.errors:
            self.add_error("video", "動画を選んでください。")
        return cleaned

    @property
    def ratings(self) -> dict[str, int]:
        return {name: self.cleaned_data[name] for name in RATING_NAMES_JA if self.cleaned_data.get(name)}
