"""Paths outside the API that are served by the web process itself."""

from django.urls import include, path

from coaching.web import chat, cooking, health, media, metrics, questions, uploads

urlpatterns = [
    path("healthz", health.answer_alive),
    path("readyz", health.answer_ready),
    path("metrics", metrics.expose_metrics),
    path("uploads/<str:token>", uploads.receive_upload),
    path("media/<path:object_path>", media.serve_media),
    path("sessions/new/<slug:slug>/", cooking.begin_cook, name="new_session"),
    path("sessions/<int:session_id>/", cooking.show_session, name="session"),
    path("sessions/<int:session_id>/try-again/", cooking.try_session_again, name="try_session_again"),
    path("sessions/<int:session_id>/discard/", cooking.discard_session, name="discard_session"),
    path("sessions/<int:session_id>/captions.vtt", cooking.serve_track, {"kind": "captions"}, name="captions"),
    path("sessions/<int:session_id>/chapters.vtt", cooking.serve_track, {"kind": "chapters"}, name="chapters"),
    path("chat/cooking-videos/", chat.show_room, {"room_type": "cooking_videos"}, name="cooking_videos"),
    path("chat/coaching/", chat.show_room, {"room_type": "coaching"}, name="coaching"),
    path("chat/coaching/ask/", questions.ask_question, name="ask_question"),
    path("chat/replies/<int:reply_id>/", questions.follow_reply, name="reply"),
    path("chat/replies/<int:reply_id>/again/", questions.ask_again, name="ask_again"),
    path("", include("coaching.web.learner_urls")),
]
