"""Paths outside the API that are served by the web process itself."""

from django.urls import include, path

from coaching.web import health, media, metrics, uploads

urlpatterns = [
    path("healthz", health.answer_alive),
    path("readyz", health.answer_ready),
    path("metrics", metrics.expose_metrics),
    path("uploads/<str:token>", uploads.receive_upload),
    path("media/<path:object_path>", media.serve_media),
    path("", include("coaching.web.learner_urls")),
]
