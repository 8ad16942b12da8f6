"""What goes with every page: policy, permissions, caching; errors in words."""

import re

import pytest
from django.test import Client

from coaching.models import User
from coaching.web.template_tags import phrases

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("path", ["/", "/login/", "/terms/", "/nowhere/"])
def test_scripts_run_by_nonce_only(path: str) -> None:
    answer = Client().get(path)
    policy = answer.headers["Content-Security-Policy"]
    page = answer.content.decode()
    nonce = re.search(r"script-src 'nonce-([^']+)' 'strict-dynamic'", policy)
    assert nonce is not None, policy
    scripts = re.findall(r"<script[^>]*>", page)
    assert scripts
    assert all(f'nonce="{nonce[1]}"' in tag and "src=" in tag for tag in scripts)
    assert "unsafe" not in policy
    assert not re.search(r"<[^>]+\s(style|on\w+)=", page), "no inline style, no inline handler"


def test_every_answer_has_a_nonce_of_its_own() -> None:
    policies = {Client().get("/").headers["Content-Security-Policy"] for _ in range(3)}
    assert len(policies) == 3


def test_the_admins_scripts_are_files_of_this_origin() -> None:
    policy = Client().get("/admin/login/").headers["Content-Security-Policy"]
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy


def test_pages_are_asked_for_anew_and_may_not_be_framed() -> None:
    headers = Client().get("/").headers
    assert headers["Cache-Control"] == "private, no-cache"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert "geolocation=()" in headers["Permissions-Policy"]


def test_htmx_gets_an_error_as_a_notice(alice: User) -> None:
    web = Client()
    web.force_login(alice)
    answer = web.get("/dishes/ambrosia/", headers={"HX-Request": "true"})
    assert answer.status_code == 404
    assert "<html" not in answer.content.decode()
    assert "ページが見つかりません" in answer.content.decode()


def test_the_worker_keeps_nothing_of_a_learners() -> None:
    answer = Client().get("/service-worker.js")
    assert answer.headers["Content-Type"].startswith("text/javascript")
    kept = re.search(r"const KEPT = \[(.+?)\]", answer.content.decode())
    assert kept is not None
    assert all(path.startswith(("/offline/", "/static/")) for path in re.findall(r'"([^"]+)"', kept[1]))


def test_the_manifest_can_be_installed() -> None:
    manifest = Client().get("/manifest.webmanifest").json()
    assert {icon["sizes"] for icon in manifest["icons"]} >= {"192x192", "512x512"}
    assert any(icon.get("purpose") == "maskable" for icon in manifest["icons"])
    assert manifest["scope"] == "/"


def test_headings_break_between_phrases_and_stay_text() -> None:
    assert phrases("次の料理に進みましょう") == '<span class="phrases">次の<wbr>料理に<wbr>進みましょう</span>'
    assert "<script>" not in phrases("<script>alert(1)</script>")
