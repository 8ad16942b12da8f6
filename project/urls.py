"""Every URL of the product."""

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path

urlpatterns: list[URLPattern | URLResolver] = [
    path("admin/", admin.site.urls),
    path("api/", include("coaching.api.urls")),
    path("", include("coaching.web.urls")),
]

handler400 = "coaching.web.page_errors.answer_bad_request"
handler403 = "coaching.web.page_errors.answer_forbidden"
handler404 = "coaching.web.page_errors.answer_not_found"
handler500 = "coaching.web.page_errors.answer_server_error"
