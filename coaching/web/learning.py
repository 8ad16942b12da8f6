"""Home, a dish, progress: the pages on which a learner sees where they stand."""

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from coaching.queries.learner_pages import (
    RATINGS_JA,
    ProgressPage,
    describe_dish_page,
    describe_home,
    describe_progress,
)
from coaching.queries.links import sign_poster
from coaching.web.charts import draw_chart
from coaching.web.pages import get_learner, render_page


@login_required
@require_safe
def show_home(request: HttpRequest) -> HttpResponse:
    home = describe_home(get_learner(request))
    poster_url = sign_poster(home.latest_film.thumbnail_path) if home.latest_film else None
    return render_page(request, "dashboard", {"home": home, "poster_url": poster_url})


@login_required
@require_safe
def show_dish(request: HttpRequest, slug: str) -> HttpResponse:
    return render_page(request, "dishes", {"page": describe_dish_page(get_learner(request), slug)})


@login_required
@require_safe
def show_progress(request: HttpRequest) -> HttpResponse:
    page = describe_progress(get_learner(request))
    return render_page(request, "progress", {"page": page} | (_draw_charts(page) if page.films else {}))


def _draw_charts(page: ProgressPage) -> dict[str, Any]:
    """Both charts, and their numbers as rows of a table."""
    labels = [f"{film.dish.name_ja[:5]}{film.session_number}" for film in page.films]
    ratings = {RATINGS_JA[name]: values for name, values in page.ratings.items()}
    most = max(5, *page.skill_counts)
    return {
        "ratings_chart": draw_chart(ratings, labels=labels, low=1, high=5),
        "skills_chart": draw_chart({"できていたこと": page.skill_counts}, labels=labels, low=0, high=most),
        "rating_names": list(ratings),
        "rows": [
            {"film": film, "ratings": [values[at] for values in ratings.values()], "skills": page.skill_counts[at]}
            for at, film in enumerate(page.films)
        ],
    }
