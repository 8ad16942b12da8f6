"""Forms over content: one field a text, lists a line each, checked by the services that write them."""

import json
from collections.abc import Iterable
from typing import Any

from django import forms

from coaching.errors import FieldFault
from coaching.models import Dish, Principle
from coaching.services import content_editing

SEPARATOR = " | "


class PrettyJSON(json.JSONEncoder):
    def __init__(self, **options: Any) -> None:
        super().__init__(**{**options, "indent": 2, "ensure_ascii": False})


class LinesField(forms.CharField):
    """A list of texts, a line each."""

    def __init__(self, **options: Any) -> None:
        rows = options.pop("rows", 4)
        widget = forms.Textarea(attrs={"rows": rows, "class": "vLargeTextField"})
        super().__init__(**{"required": False, "strip": False, "widget": widget, **options})

    def prepare_value(self, value: Any) -> Any:
        return value if isinstance(value, str) or value is None else "\n".join(value)

    def to_python(self, value: Any) -> Any:
        return [line.strip() for line in (value or "").splitlines() if line.strip()]


class MistakesField(LinesField):
    """A mistake a line: slug | Japanese | English."""

    def prepare_value(self, value: Any) -> Any:
        if isinstance(value, str) or value is None:
            return value
        return "\n".join(SEPARATOR.join((one["slug"], one["ja"], one["en"])) for one in value)

    def to_python(self, value: Any) -> Any:
        return [self._read(line) for line in super().to_python(value)]

    def _read(self, line: str) -> dict[str, str]:
        parts = [part.strip() for part in line.split("|")]
        if len(parts) != 3:
            raise forms.ValidationError(f"“{line}” is not of the form: slug | Japanese | English")
        return dict(zip(("slug", "ja", "en"), parts, strict=True))


def _show_faults(form: forms.BaseForm, faults: Iterable[FieldFault]) -> None:
    """Each fault at its field; of a fault without one the form as a whole speaks."""
    for fault in faults:
        name = next((name for name in form.fields if name == fault.field or name.startswith(f"{fault.field}_")), None)
        form.add_error(name, fault.message)


def _make_text(*, rows: int = 2, help_text: str = "", required: bool = True) -> forms.CharField:
    widget = forms.Textarea(attrs={"rows": rows, "class": "vLargeTextField"})
    return forms.CharField(widget=widget, help_text=help_text, required=required)


class PrincipleForm(forms.ModelForm[Principle]):
    """The fields of `content`; cues are three texts in each language."""

    CUES = ("sound", "look", "feel_or_smell")

    name_ja = forms.CharField(max_length=100)
    name_en = forms.CharField(max_length=100)
    category = forms.ChoiceField()
    summary_ja = _make_text()
    summary_en = _make_text()
    why_ja = _make_text(rows=4)
    why_en = _make_text(rows=4)
    examples_ja = LinesField(help_text="One example a line.")
    decisive_rule_ja = _make_text(help_text="The one sentence that the film ends with.")
    cues_ja_sound = _make_text(rows=1)
    cues_ja_look = _make_text(rows=1)
    cues_ja_feel_or_smell = _make_text(rows=1)
    cues_en_sound = _make_text(rows=1)
    cues_en_look = _make_text(rows=1)
    cues_en_feel_or_smell = _make_text(rows=1)
    mistakes = MistakesField(
        help_text="One a line: slug | Japanese | English. A slug that is there stays: learners' histories name it."
    )
    next_action_ja = _make_text()
    next_action_en = _make_text()
    success_sign_ja = _make_text()
    success_sign_en = _make_text()
    related = LinesField(help_text="Slugs of principles, one a line.")
    transfers_to = LinesField(help_text="Slugs of dishes, one a line.")
    safety_note_ja = _make_text(
        required=False, help_text="Official advice, shown apart from the coach, who never speaks it."
    )

    class Meta:
        model = Principle
        fields = ()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        categories = Principle.objects.order_by("category").values_list("category", flat=True).distinct()
        category = self.fields["category"]
        if isinstance(category, forms.ChoiceField):
            category.choices = [(name, name) for name in categories]
        for name, value in self._flatten(self.instance.content).items():
            if name in self.fields:
                self.initial.setdefault(name, value)

    def _flatten(self, content: dict[str, Any]) -> dict[str, Any]:
        cues = {
            f"{language}_{name}": content.get(language, {}).get(name, "")
            for language in ("cues_ja", "cues_en")
            for name in self.CUES
        }
        return content | cues

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        if not self.errors:
            _show_faults(self, content_editing.check_principle(self.instance, self.compose_content()))
        return cleaned

    def compose_content(self) -> dict[str, Any]:
        """The whole entry; what the form does not show (there is nothing today) is kept."""
        given = self.cleaned_data
        own = {name: given[name] for name in self.fields if not name.startswith("cues_") and name in given}
        cues = {
            language: {name: given[f"{language}_{name}"] for name in self.CUES} for language in ("cues_ja", "cues_en")
        }
        content = {**self.instance.content, **own, **cues}
        if not content["safety_note_ja"] and "safety_note_ja" not in self.instance.content:
            del content["safety_note_ja"]
        return content


class DishForm(forms.ModelForm[Dish]):
    description_ja = _make_text(rows=3)
    principles = LinesField(rows=10, required=True, help_text="Slugs, one a line, in the order of teaching.")
    transferable_to = LinesField(help_text="Slugs of dishes, one a line.")
    key_points = forms.JSONField(
        encoder=PrettyJSON,
        widget=forms.Textarea(attrs={"rows": 30, "class": "vLargeTextField mc-code"}),
        help_text="What matters about each principle in this dish; each mistake is one of that principle's.",
    )

    class Meta:
        model = Dish
        fields = (
            *("name_ja", "name_en", "description_ja", "month_unlocked", "order"),
            *("principles", "transferable_to", "key_points"),
        )

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        if not self.errors:
            _show_faults(self, content_editing.check_dish(self.instance, self.cleaned_data))
        return cleaned
