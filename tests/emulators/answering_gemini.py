"""Answers for Gemini out of the offline coach: what it makes of the video and the words that really arrived.

The call is read as a model would read it, from prompt and schema alone. What is missing there, or stands in another
place than the prompt's files say, is a complaint: a wrong request cannot look right.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from coaching.errors import MomentCloneError
from coaching.providers.google.gemini_forms import NONE
from coaching.providers.local.signal_coach import SignalCoach
from coaching.providers.ports import (
    Analysis,
    AnalysisRequest,
    DishText,
    LearnerContext,
    MediaLocation,
    MemoRequest,
    PrincipleText,
    ScriptRequest,
    Usage,
)
from media_tools.errors import MediaError
from tests.coaching.providers.local.kitchen import dishes
from tests.emulators.gemini import Answerer, Reply
from tests.emulators.gemini_requests import GenerateCall, Video, complain

FetchVideo = Callable[[Video], Path]

_FENCE = re.compile(r'<data name="(?P<name>\w+)" id="(?P<id>[0-9a-f]+)">\n(?P<body>(?:｜.*\n)*)</data id="(?P=id)">')
_USAGE = asdict(Usage(provider="emulator", model="none"))


def make_answerer(coach: SignalCoach, *, fetch_video: FetchVideo) -> Answerer:
    def answer(call: GenerateCall) -> Reply:
        properties = call.schema.get("properties", {})
        tasks: Mapping[str, Callable[[], dict[str, Any]]] = {
            "identified_issues": lambda: _read_memo(coach, call),
            "events": lambda: _watch(coach, call, fetch_video),
            "coaching_text": lambda: _write(coach, call),
            "topic": lambda: _answer(call),
        }
        for key, task in tasks.items():
            if key in properties:
                return Reply(text=json.dumps(task(), ensure_ascii=False))
        raise complain(f"no task of this product asks for {sorted(properties)}")

    return answer


def _read_memo(coach: SignalCoach, call: GenerateCall) -> dict[str, Any]:
    dish = _find_dish(r"self-assessment transcript of (?P<dish>[^:\n]+):", call)
    transcript = _read_fences(call)["transcript"]
    read = coach.understand_memo(MemoRequest(transcript=transcript, dish=dish))
    return _drop_usage(asdict(read))


def _watch(coach: SignalCoach, call: GenerateCall, fetch_video: FetchVideo) -> dict[str, Any]:
    dish = _find_dish(r"cooking video of (?P<dish>[^.\n]+)\.", call)
    facts = _find(r"It is cook number (\d) .*?lasts\s+([\d.]+) seconds; it has (no )?sound", call, re.DOTALL)
    if len(call.videos) != 1:
        raise complain("one video is what is watched")
    request = AnalysisRequest(
        video=MediaLocation(object_path="video", source=fetch_video(call.videos[0])),
        duration_seconds=float(facts[2]),
        has_audio=not facts[3],
        dish=dish,
        session_number=int(facts[1]),
    )
    try:
        analysis = coach.analyse(request)
    except MediaError as error:
        raise complain(f"the video cannot be processed: {error}") from error
    answered = _drop_usage(asdict(analysis))
    return {**answered, **{key: answered[key] or NONE for key in ("principle_slug", "mistake_slug")}}


def _write(coach: SignalCoach, call: GenerateCall) -> dict[str, Any]:
    found = _find(r"Write the coaching for cook number (\d) of ([^.\n]+)\.", call)
    dish = _take_dish(found[2])
    fences = _read_fences(call)
    memo = json.loads(fences["memo"])
    try:
        script = coach.write_script(
            ScriptRequest(
                dish=dish,
                session_number=int(found[1]),
                analysis=TypeAdapter(Analysis).validate_python({**json.loads(fences["analysis"]), "usage": _USAGE}),
                principles=_list_principles(call)[:3],
                learner=TypeAdapter(LearnerContext).validate_json(fences["learner"]),
                memo_transcript=memo["transcript"],
                identified_issues=tuple(memo["identified_issues"]),
                questions=tuple(memo["questions"]),
                emotional_state=memo["emotional_state"],
                self_ratings=memo["self_ratings"],
                findings=tuple(
                    re.findall(r"^- (part1|part2|pivot|mondaiten|skill|next_action.*)$", call.text, re.MULTILINE)
                ),
            )
        )
    except MomentCloneError as error:
        raise complain(f"no script can be written from this: {error}") from error
    return _drop_usage(asdict(script))


def _answer(call: GenerateCall) -> dict[str, Any]:
    """From the first principle of the prompt; a memo of the footage where a moment is known."""
    fences = _read_fences(call)
    if not fences["question"].strip():
        raise complain("nothing was asked")
    principles = _list_principles(call)
    address = _find(r"The learner is called (.+?)\.", call)[1]
    called = f"{address}、" if address.endswith("さん") else ""
    analysis = json.loads(fences["analysis"]) if "analysis" in fences else {}
    if not principles:
        text = f"{called}まずは一皿、撮ってみましょう。いっしょに音や香りを確かめていけますよ。"
        return {"topic": "cooking", "principle_slugs": [], "moment_seconds": None, "text": text}
    first = principles[0]
    text = f"{called}ここで大切なのは「{first.name}」ですね。{first.why}{first.decisive_rule}"
    return {
        "topic": "cooking",
        "principle_slugs": [first.slug],
        "moment_seconds": analysis.get("key_moment_seconds"),
        "text": text,
    }


def _read_fences(call: GenerateCall) -> dict[str, str]:
    """What stands between fences, without the marks of its lines."""
    return {
        match["name"]: "\n".join(line.removeprefix("｜") for line in match["body"].splitlines())
        for match in _FENCE.finditer(call.text)
    }


def _list_principles(call: GenerateCall) -> tuple[PrincipleText, ...]:
    known = {principle.slug: principle for dish in dishes().values() for principle in dish.principles}
    return tuple(known[slug] for slug in re.findall(r"^## (\w+) \(", call.text, re.MULTILINE) if slug in known)


def _list_findings(call: GenerateCall) -> tuple[str, ...]:
    _, _, after = call.text.partition("An earlier draft broke these rules.")
    return tuple(re.findall(r"^- (.+)$", after, re.MULTILINE))


def _find_dish(pattern: str, call: GenerateCall) -> DishText:
    return _take_dish(_find(pattern, call)["dish"])


def _take_dish(name: str) -> DishText:
    for dish in dishes().values():
        if dish.name == name:
            return dish
    raise complain(f"no dish is called {name}")


def _find(pattern: str, call: GenerateCall, flags: int = 0) -> re.Match[str]:
    found = re.search(pattern, call.text, flags)
    if found is None:
        raise complain(f"the prompt does not say {pattern!r}")
    return found


def _drop_usage(answered: dict[str, Any]) -> dict[str, Any]:
    del answered["usage"]
    return answered
