"""The shapes of the knowledge files: frozen dataclasses that check themselves.

Texts end in `_ja` (learners read them: no measurements, only what is heard, seen, felt) or `_en` (operators do).
Slugs are the controlled vocabulary of the whole product: principles are skills, mistakes are what recurs.
"""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field, StringConstraints
from pydantic.dataclasses import dataclass

Text = Annotated[str, StringConstraints(min_length=1, pattern=r"^\S(.*\S)?$")]
PrincipleSlug = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z_]*$", max_length=64)]
MistakeSlug = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z_]*$", max_length=64)]
DishSlug = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]*$", max_length=64)]

CHECKED = ConfigDict(extra="forbid", strict=False)


@dataclass(frozen=True, kw_only=True, config=CHECKED)
class Category:
    key: str
    name_ja: Text


@dataclass(frozen=True, kw_only=True, config=CHECKED)
class Mistake:
    slug: MistakeSlug
    ja: Text
    en: Text


@dataclass(frozen=True, kw_only=True, config=CHECKED)
class Cues:
    sound: Text
    look: Text
    feel_or_smell: Text


@dataclass(frozen=True, kw_only=True, config=CHECKED)
class Principle:
    """`safety_note_ja` is official advice: it is shown apart from the coach, who never speaks it."""

    slug: PrincipleSlug
    category: str
    name_ja: Text
    name_en: Text
    summary_ja: Text
    summary_en: Text
    why_ja: Text
    why_en: Text
    examples_ja: Annotated[tuple[Text, ...], Field(min_length=1)]
    decisive_rule_ja: Text
    cues_ja: Cues
    cues_en: Cues
    mistakes: Annotated[tuple[Mistake, ...], Field(min_length=1)]
    next_action_ja: Text
    next_action_en: Text
    success_sign_ja: Text
    success_sign_en: Text
    related: tuple[PrincipleSlug, ...]
    transfers_to: tuple[DishSlug, ...]
    safety_note_ja: str = ""


@dataclass(frozen=True, kw_only=True, config=CHECKED)
class KeyPoint:
    """What matters about one principle in one dish; `mistake` is one of that principle's."""

    principle: PrincipleSlug
    mistake: MistakeSlug
    moment_ja: Text
    watch_for_ja: Text
    typical_mistake_ja: Text
    success_sign_ja: Text
    summary_en: Text


@dataclass(frozen=True, kw_only=True, config=CHECKED)
class Dish:
    """`principles` is the dish's vocabulary, wider than its `key_points`."""

    slug: DishSlug
    name_ja: Text
    name_en: Text
    month_unlocked: Annotated[int, Field(ge=1)]
    order: Annotated[int, Field(ge=1)]
    description_ja: Text
    description_en: Text
    transferable_to: tuple[DishSlug, ...]
    principles: Annotated[tuple[PrincipleSlug, ...], Field(min_length=1)]
    key_points: Annotated[tuple[KeyPoint, ...], Field(min_length=1)]


@dataclass(frozen=True, kw_only=True, config=CHECKED)
class Section:
    key: str
    title_ja: Text
    intro_ja: Text


@dataclass(frozen=True, kw_only=True, config=CHECKED)
class Option:
    value: str
    label_ja: Text


@dataclass(frozen=True, kw_only=True, config=CHECKED)
class Question:
    """One question; its answer lands in the learner's profile under the dotted `profile_key`.

    `core` ones make the onboarding complete. `sensitive` ones are kept only under the consent to that.
    `llm_untrusted` marks free text that a prompt must fence. `visible_if` maps a profile key to the options of
    which one must be chosen. `diagnostic` ones have a `best_value` and say which `principle` they sound out.
    """

    id: str
    section: str
    type: Literal["short_text", "long_text", "number", "single", "multi", "scale"]
    text_ja: Text
    profile_key: Annotated[str, StringConstraints(pattern=r"^[a-z_]+(\.[a-z_]+)?$")]
    core: bool
    required: bool
    help_ja: str = ""
    options: tuple[Option, ...] = ()
    max_length: int | None = None
    min: int | None = None
    max: int | None = None
    min_select: int = 0
    max_select: int | None = None
    exclusive_option: str = ""
    unit_ja: str = ""
    sensitive: bool = False
    llm_untrusted: bool = False
    visible_if: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    diagnostic: bool = False
    shuffle_options: bool = False
    pin_last: str = ""
    best_value: str = ""
    principle: str = ""

    @property
    def option_values(self) -> frozenset[str]:
        return frozenset(option.value for option in self.options)


@dataclass(frozen=True, kw_only=True, config=CHECKED)
class ConsentText:
    """`note_ja` is for whoever builds the page: what must be shown beside it. Learners never read it."""

    key: Annotated[str, StringConstraints(pattern=r"^[a-z_]+$", max_length=64)]
    required: bool
    version: Annotated[str, StringConstraints(min_length=1, max_length=32)]
    label_ja: Text
    note_ja: str = ""


@dataclass(frozen=True, kw_only=True, config=CHECKED)
class Quiz:
    title_ja: Text
    intro_ja: Text
    labels: dict[str, Text]
    sections: tuple[Section, ...]
    questions: tuple[Question, ...]
    consents: tuple[ConsentText, ...]


@dataclass(frozen=True, kw_only=True)
class Catalogue:
    """Everything that is known of cooking, checked as a whole. `diagnoses` are examples of each principle."""

    categories: tuple[Category, ...]
    principles: tuple[Principle, ...]
    dishes: tuple[Dish, ...]
    diagnoses: dict[str, tuple[str, ...]]
