"""Pages for everybody: what the product is, and what the law wants said."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from coaching.knowledge.loader import read_catalogue
from coaching.queries import list_consent_texts

SHOWN_PRINCIPLE = "egg_timing"  # the one that the sample film teaches


@require_safe
def show_landing(request: HttpRequest) -> HttpResponse:
    catalogue = read_catalogue()
    principle = next(each for each in catalogue.principles if each.slug == SHOWN_PRINCIPLE)
    example = {
        "mistake": principle.mistakes[0].ja,
        "rule": principle.decisive_rule_ja,
        "next_action": principle.next_action_ja,
        "success_sign": principle.success_sign_ja,
    }
    return render(request, "public/landing.html", {"example": example, "dish_count": len(catalogue.dishes)})


@require_safe
def show_document(request: HttpRequest, name: str) -> HttpResponse:
    versions = {text.key: text.version for text in list_consent_texts()}
    return render(request, f"legal/{name}.html", {"versions": versions})
