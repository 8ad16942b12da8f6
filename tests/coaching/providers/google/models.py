"""Adapters before their servers, requests to them and answers as the models give them."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from coaching.providers.google.gemini import GeminiCoach
from coaching.providers.ports import (
    AnalysisRequest,
    CoachingText,
    CookReview,
    DishText,
    LearnerContext,
    MediaLocation,
    NarrationScript,
    QuestionRequest,
    TranscriptionRequest,
)
from coaching.providers.pricing import Price
from tests.coaching.providers.local.kitchen import ask
from tests.emulators.gemini import API_KEY, GeminiEmulator, Reply
from tests.emulators.iam import PROJECT
from tests.emulators.speech import Heard

MODEL = "gemini-3-flash-preview"
ANSWER = "花子さん、「鍋の予熱」が鍵ですね。\n鍋が温まってから入れると、卵がふわっと膨らみます。音を待ってみましょう。"
GEMINI_PRICE = Price(input_per_million_tokens=0.5, audio_input_per_million_tokens=1.0, output_per_million_tokens=3.0)


def make_coach(server: GeminiEmulator, *, tries: int = 3, **options: Any) -> GeminiCoach:
    settings = {"model": MODEL, "project": PROJECT, "endpoint": server.url, "price": GEMINI_PRICE, **options}
    return GeminiCoach(tries=tries, **settings)


def make_developer_coach(server: GeminiEmulator, *, tries: int = 3, **options: Any) -> GeminiCoach:
    settings = {"model": MODEL, "api_key": API_KEY, "endpoint": server.url, "price": GEMINI_PRICE, **options}
    return GeminiCoach(tries=tries, file_poll_seconds=0.01, **settings)


def ask_for_analysis(
    dish: DishText, *, source: Path | str = "https://store.example/v.mp4", deadline_seconds: float = 60, **more: Any
) -> AnalysisRequest:
    video = MediaLocation(object_path="sessions/7/raw.mp4", source=source, cloud_uri="gs://moment/sessions/7/raw.mp4")
    return AnalysisRequest(
        **{
            "video": video,
            "duration_seconds": 61.0,
            "has_audio": True,
            "dish": dish,
            "session_number": 2,
            "deadline_seconds": deadline_seconds,
            **more,
        }
    )


def ask_question(
    dish: DishText | None, *, question: str = "なぜ卵を先に入れてはいけないのですか？", **more: Any
) -> QuestionRequest:
    cook = None
    if dish is not None:
        cook = CookReview(
            session_number=2,
            duration_seconds=61.0,
            analysis=ask(dish.slug).analysis,
            coaching_text=CoachingText(mondaiten="あ", skill="い", next_action="う", success_sign="え"),
            narration=NarrationScript(part1="お", pivot="か", part2="き"),
        )
    return QuestionRequest(
        **{
            "question": question,
            "learner": LearnerContext(first_name="花子"),
            "dish": dish,
            "cook": cook,
            "deadline_seconds": 30,
            **more,
        }
    )


def answer_memo(**fields: Any) -> Reply:
    return write_reply(
        {
            "identified_issues": ["cold_pan_start"],
            "questions": ["卵はいつ入れますか"],
            "emotional_state": "calm",
            **fields,
        }
    )


def answer_analysis(**fields: Any) -> Reply:
    event = {
        "seconds": 12.5,
        "event": "egg_added",
        "description": "卵が入る",
        "state": "音が立たない",
        "confidence": 0.8,
    }
    return write_reply(
        {
            "events": [event],
            "outcome": "mistake",
            "key_moment_seconds": 12.0,
            "principle_slug": "preheat_pan",
            "mistake_slug": "cold_pan_start",
            "diagnosis": "鍋が温まる前に卵を入れました。",
            "done_well": ["mise_en_place"],
            "confidence": 0.8,
            "reasons": ["音が立たなかった"],
            **fields,
        }
    )


def answer_script(**fields: Any) -> Reply:
    texts = ("mondaiten", "skill", "next_action", "success_sign", "part1", "pivot", "part2")
    return write_reply(
        {
            "coaching_text": {name: f"{name}です。" for name in texts[:4]},
            "narration": {name: f"{name}です。" for name in texts[4:]},
            "basis": {name: ["preheat_pan"] for name in texts if name != "pivot"},
            **fields,
        }
    )


def answer_question(**fields: Any) -> Reply:
    return write_reply(
        {
            "topic": "cooking",
            "principle_slugs": ["preheat_pan"],
            "moment_seconds": 12.5,
            "text": ANSWER,
            **fields,
        }
    )


def write_reply(content: dict[str, Any]) -> Reply:
    return Reply(text=json.dumps(content, ensure_ascii=False))


def hear_nothing(content: bytes, phrases: Sequence[str]) -> Heard:
    """Any bytes pass for sound in which nobody speaks."""
    return Heard(parts=(), duration_seconds=5.0)


def ask_to_hear(
    source: Path | str, *, duration_seconds: float = 5.0, deadline_seconds: float = 60, cloud_uri: str = ""
) -> TranscriptionRequest:
    return TranscriptionRequest(
        audio=MediaLocation(object_path="sessions/7/memo.m4a", source=source, cloud_uri=cloud_uri),
        duration_seconds=duration_seconds,
        hints=("チャーハン",),
        deadline_seconds=deadline_seconds,
    )
