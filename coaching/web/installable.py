"""What makes the pages an app: its manifest, and the worker with the page that it shows without a network."""

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.templatetags.static import static
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

# What the offline page needs; kept by the worker when it is installed.
KEPT = ("vendor/pico/pico.min.css", "coaching/css/app.css", "coaching/icons/icon.svg")


@require_safe
@cache_control(public=True, max_age=3600)
def describe_app(request: HttpRequest) -> JsonResponse:
    icons = [
        {"src": static("coaching/icons/icon.svg"), "sizes": "any", "type": "image/svg+xml"},
        *(
            {"src": static(f"coaching/icons/icon-{px}.png"), "sizes": f"{px}x{px}", "type": "image/png"}
            for px in (192, 512)
        ),
        {
            "src": static("coaching/icons/icon-maskable-512.png"),
            "sizes": "512x512",
            "type": "image/png",
            "purpose": "maskable",
        },
    ]
    manifest = {
        "id": "/",
        "name": "Moment Clone",
        "short_name": "Moment",
        "description": "自分の料理を撮って送ると、次に直すひとつのことを教えてくれるコーチング。",
        "lang": "ja",
        "start_url": "/dashboard/",
        "scope": "/",
        "display": "standalone",
        "background_color": "#fff9f0",
        "theme_color": "#c8401e",
        "icons": icons,
    }
    return JsonResponse(manifest, content_type="application/manifest+json", json_dumps_params={"ensure_ascii": False})


@require_safe
@cache_control(no_cache=True)
def serve_worker(request: HttpRequest) -> HttpResponse:
    """At the root, because a worker rules the paths below its own only."""
    context = {"kept": [static(path) for path in KEPT]}
    return render(request, "public/service-worker.js", context, content_type="text/javascript")


@require_safe
def show_offline(request: HttpRequest) -> HttpResponse:
    """Names nobody: the worker keeps it for whoever uses this browser."""
    return render(request, "public/offline.html")
