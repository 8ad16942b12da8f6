"""Content as the stages need it: rows in the ports' forms."""

from collections.abc import Iterable, Sequence

from coaching.errors import Misconfigured
from coaching.knowledge import entries
from coaching.knowledge.loader import ContentError, parse_principle
from coaching.models import Dish, Principle
from coaching.providers.ports import DishText, KeyPoint, MistakeText, PrincipleText, SensoryCues


def parse_principle_row(row: Principle) -> entries.Principle:
    """A row's content in its checked form; raises `Misconfigured` where an edit broke it."""
    try:
        return parse_principle(row.content)
    except ContentError as error:
        raise Misconfigured(f"the content of principle {row.slug} is not usable: {error}") from error


def get_principle_texts(slugs: Sequence[str]) -> tuple[PrincipleText, ...]:
    """The principles in the order of `slugs`; raises `Misconfigured` for one that is not loaded."""
    rows = {row.slug: row for row in Principle.objects.filter(slug__in=slugs)}
    if missing := [slug for slug in slugs if slug not in rows]:
        raise Misconfigured(f"principles not loaded: {', '.join(missing)} (run manage.py load_content)")
    return tuple(compose_principle_text(parse_principle_row(rows[slug])) for slug in slugs)


def get_dish_text(dish: Dish) -> DishText:
    """The dish with its vocabulary; raises `Misconfigured` where content is missing or broken."""
    return compose_dish_text(dish, get_principle_texts(dish.principles))


def compose_dish_text(dish: Dish, principles: tuple[PrincipleText, ...]) -> DishText:
    """The same of a row that need not be stored; `principles` are those of the dish, in its order."""
    return DishText(
        slug=dish.slug,
        name=dish.name_ja,
        description=dish.description_ja,
        key_points=tuple(_compose_key_points(dish)),
        principles=principles,
    )


def _compose_key_points(dish: Dish) -> Iterable[KeyPoint]:
    for point in dish.key_points:
        try:
            yield KeyPoint(
                principle_slug=point["principle"],
                mistake_slug=point["mistake"],
                moment=point["moment_ja"],
                watch_for=point["watch_for_ja"],
                typical_mistake=point["typical_mistake_ja"],
                success_sign=point["success_sign_ja"],
            )
        except (KeyError, TypeError) as error:
            raise Misconfigured(f"a key point of dish {dish.slug} is not usable: {error!r}") from error


def compose_principle_text(entry: entries.Principle) -> PrincipleText:
    """A principle of the knowledge files as the stages need it."""
    return PrincipleText(
        slug=entry.slug,
        name=entry.name_ja,
        summary=entry.summary_ja,
        why=entry.why_ja,
        examples=entry.examples_ja,
        decisive_rule=entry.decisive_rule_ja,
        cues=SensoryCues(sound=entry.cues_ja.sound, look=entry.cues_ja.look, feel_or_smell=entry.cues_ja.feel_or_smell),
        mistakes=tuple(MistakeText(slug=mistake.slug, text=mistake.ja) for mistake in entry.mistakes),
        next_action=entry.next_action_ja,
        success_sign=entry.success_sign_ja,
    )
