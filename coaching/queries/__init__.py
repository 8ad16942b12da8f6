"""Reads that span rows: what the stages, the API and the pages ask. Nothing here writes."""

from coaching.queries.chat import RoomView, list_messages, list_rooms
from coaching.queries.consents import (
    get_latest_consents,
    list_consent_texts,
    list_granted_consents,
    list_missing_consents,
)
from coaching.queries.content import get_dish_text, get_principle_texts, parse_principle_row
from coaching.queries.cook_review import review_cook
from coaching.queries.cooking import (
    Estimate,
    estimate_remaining,
    find_other_draft,
    find_previous_cook,
    find_unfinished_session,
    find_whole_upload,
    list_median_seconds,
    may_try_again,
)
from coaching.queries.dishes import (
    DishView,
    get_dish,
    get_open_month,
    is_dish_open,
    list_all_dishes,
    list_open_dishes,
)
from coaching.queries.learners import get_learner_state
from coaching.queries.links import (
    sign_captions,
    sign_film,
    sign_film_download,
    sign_memo,
    sign_poster,
    sign_raw_video,
)
from coaching.queries.replies import AnswerGrounds, ReplyNews, describe_grounds, follow_reply
from coaching.queries.rooms import RoomPage, read_room_page
from coaching.queries.sessions import (
    RunProgress,
    StageProgress,
    get_open_upload,
    get_run_progress,
    get_session,
    is_input_open,
    is_listening_claimed,
    list_sessions,
    lock_listen_row,
)

__all__ = [
    "AnswerGrounds",
    "DishView",
    "Estimate",
    "ReplyNews",
    "RoomPage",
    "RoomView",
    "RunProgress",
    "StageProgress",
    "describe_grounds",
    "estimate_remaining",
    "find_other_draft",
    "find_previous_cook",
    "find_unfinished_session",
    "find_whole_upload",
    "follow_reply",
    "get_dish",
    "get_dish_text",
    "get_latest_consents",
    "get_learner_state",
    "get_open_month",
    "get_open_upload",
    "get_principle_texts",
    "get_run_progress",
    "get_session",
    "is_dish_open",
    "is_input_open",
    "is_listening_claimed",
    "list_all_dishes",
    "list_consent_texts",
    "list_granted_consents",
    "list_median_seconds",
    "list_messages",
    "list_missing_consents",
    "list_open_dishes",
    "list_rooms",
    "list_sessions",
    "lock_listen_row",
    "may_try_again",
    "parse_principle_row",
    "read_room_page",
    "review_cook",
    "sign_captions",
    "sign_film",
    "sign_film_download",
    "sign_memo",
    "sign_poster",
    "sign_raw_video",
]
