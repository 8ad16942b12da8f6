"""The learner's two rooms: films and words as they came, newest at the end."""

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from coaching import queries
from coaching.models.chat import RoomType
from coaching.services.rooms import mark_room_read
from coaching.web.pages import get_learner, render_page, wants_fragment
from coaching.web.questions import make_box


@never_cache
@login_required
@require_safe
def show_room(request: HttpRequest, room_type: str) -> HttpResponse:
    """A page of the room, up to `?before=<message>`; htmx gets the messages alone, to put them above the others."""
    learner = get_learner(request)
    page = queries.read_room_page(learner, RoomType(room_type), before=_read_cursor(request))
    context: dict[str, Any] = {
        "page": page,
        "other_rooms": [room for room in queries.list_rooms(learner) if room.room_type != page.room_type],
    }
    if page.room_type == RoomType.COACHING and page.is_newest:
        context["box"] = make_box()
    response = render_page(request, "chat", context)
    if page.is_newest and not wants_fragment(request):
        mark_room_read(user=learner, room_type=page.room_type, up_to=page.newest_id)
    return response


def _read_cursor(request: HttpRequest) -> int | None:
    """A message's id; whatever else stands there counts as none, and shows the newest page."""
    before = request.GET.get("before", "")
    return int(before) if before.isascii() and before.isdigit() and len(before) < 19 else None
