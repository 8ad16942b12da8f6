import pytest

from media_tools.redaction import REDACTED, redact

SIGNED = (
    "https://storage.googleapis.com/b/sessions/1/raw.mp4?X-Goog-Algorithm=GOOG4-RSA-SHA256"
    "&X-Goog-Credential=coach%40p.iam.gserviceaccount.com%2F20261122&X-Goog-Expires=3600&X-Goog-Signature=5f2aab"
)


@pytest.mark.parametrize(
    ("text", "secrets", "kept"),
    [
        (f"[https @ 0x55] {SIGNED}: Server returned 403", ["5f2aab", "gserviceaccount"], ["raw.mp4", "X-Goog-Expires"]),
        (
            "GET /media/sessions/1/film.mp4?expires=17&signature=Zm9vYmFy 200",
            ["Zm9vYmFy"],
            ["film.mp4?expires=17", "200"],
        ),
        ("PUT /uploads/9hX2_kQ-77aBcDeFgHiJkLmN 308", ["9hX2_kQ"], ["PUT /uploads/", "308"]),
        ("POST https://x/upload?uploadType=resumable&upload_id=ABPtcPo 200", ["ABPtcPo"], ["uploadType=resumable"]),
        ("postgres://moment:s3cr%2Ft@db:5432/moment is down", ["s3cr"], ["postgres://moment:", "@db:5432"]),
        ("Error 111 connecting to rediss://:hunter22@cache:6379/0", ["hunter22"], ["cache:6379"]),
        ("{'Authorization': 'Bearer ya29.a0AfB_byC-xyz123456789'}", ["ya29", "a0AfB"], ["Authorization"]),
        ("authorization: Basic b3BlcmF0b3I6c2VjcmV0", ["b3BlcmF0"], ["authorization"]),
        ("/reset/MQ/c5q1t3-0123456789abcdef0123456789abcdef/ 200", ["0123456789abcdef"], ["/reset/MQ/", "200"]),
        ("/verify/MQ:1vKx9A:fS0K4l6yq8w1c2e3r4t5y6u7i8o9p0a1s2d3f4g5h6j/", ["fS0K4l6yq8"], ["/verify/"]),
        ("key AIzaSyA1234567890abcdefghijklmnopqrstuv is refused", ["AIzaSyA"], ["is refused"]),
        ("stripe: sk_live_51HxYzAbCdEfGh", ["51HxYz"], ["stripe"]),
        ('{"message": "GET /x?signature=abc", "stage": "inspect"}', ["abc"], ['", "stage": "inspect"}']),
    ],
)
def test_what_opens_a_door_is_cut_and_the_rest_can_be_read(text: str, secrets: list[str], kept: list[str]) -> None:
    redacted = redact(text)
    assert REDACTED in redacted
    assert not [secret for secret in secrets if secret in redacted]
    assert not [part for part in kept if part not in redacted]


@pytest.mark.parametrize(
    "text",
    [
        "compose of run 0b9c2f7e-3c1d-4a53-9b53-0a4c1f6f1f6e: attempt 1, fence 2",
        "2026-11-22 16:25:13,123 INFO coaching.services.runs at 16:25:13",
        'File "/srv/coaching/web/uploads.py", line 12, in receive_upload',
        "https://moment.example/sessions/12/?page=2&stage=compose",
        "Basic setup of the bearer of news",
        "redis://127.0.0.1:6379/0 answers",
        "/sessions/12345678901234567890/",
        "チャーハンの卵は先に入れます。",
    ],
)
def test_ordinary_lines_stay_as_they_are(text: str) -> None:
    assert redact(text) == text
