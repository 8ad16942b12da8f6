"""A cook as a film with its truth, before it is rendered."""

from media_tools.sample_cook.conditions import Conditions
from media_tools.sample_cook.film import Film, FilmShape
from media_tools.sample_cook.recipe import CookRecipe, write_recipe
from media_tools.sample_cook.scene import CookScene
from media_tools.sample_cook.sound import synthesise_cook
from media_tools.sample_cook.truth import MISTAKES, OTHER_NAMES, CookTruth, Variant, Verdict


def film_cook(variant: Variant, seed: int, shape: FilmShape, conditions: Conditions) -> tuple[Film, CookTruth]:
    """The cook of this variant and seed."""
    recipe = write_recipe(variant, seed)
    film = Film(
        scene=CookScene(recipe, shape.scale),
        samples=synthesise_cook(recipe, conditions),
        duration_seconds=recipe.schedule.duration_seconds,
        conditions=conditions,
        seed=seed,
    )
    return film, tell_truth(recipe, conditions)


def tell_truth(recipe: CookRecipe, conditions: Conditions) -> CookTruth:
    """What is true of a recipe's film."""
    mistake = MISTAKES.get(recipe.variant)
    return CookTruth(
        variant=recipe.variant.value,
        seed=recipe.seed,
        verdict=Verdict.MISTAKE if mistake else Verdict.GOOD,
        duration_seconds=float(recipe.schedule.duration_seconds),
        events=recipe.events,
        principle_slug=mistake.principle_slug if mistake else None,
        mistake_slug=mistake.mistake_slug if mistake else None,
        also_right=OTHER_NAMES.get(recipe.variant, ()),
        key_moment_seconds=recipe.key_moment_seconds,
        hidden_variant=None,
        conditions=conditions.describe(),
    )
