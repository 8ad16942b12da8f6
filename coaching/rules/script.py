"""Does a script keep the coach's rules? (DESIGN.md, decision 8)"""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields

from coaching.rules import address, language
from coaching.rules.finding import Finding
from coaching.rules.length import (
    KEY_MOMENT_SECONDS,
    MORAE_PER_SECOND,
    PART1_SECONDS,
    MoraCounter,
    estimate_morae,
    estimate_speech_seconds,
)
from coaching.rules.measurements import find_measurements
from coaching.rules.similarity import measure_likeness

PIVOT = "動画を使ってそのポイントを見てみましょう"
ALIKE_ENOUGH_FOR_THE_RULE = 0.6
MOST_REQUESTS_IN_NEXT_ACTION = 2

_NARRATION = ("part1", "pivot", "part2")
_MORAE_PER_CHARACTER = 1.15

_SEVERAL_THINGS = re.compile(
    r"[2-9２-９二三四五六七八九ふみよ]っ?つ[目め]"
    r"|(?:もう一つ|もうひとつ|ほかにも|他にも|それ以外にも)[^。]{0,12}(?:改善|課題|問題|直|注意|気をつけ)"
    r"|(?:改善点|課題|問題点|ポイント|直したいところ|お伝えしたいこと)[がはも](?:[2-9２-９二三四五六七八九]|ふたつ|みっつ|いくつも|複数)"
)
_REQUEST = re.compile(r"(?:ましょう|ください)(?:ね|よ|か)?$")


@dataclass(frozen=True, slots=True, kw_only=True)
class ScriptTexts:
    """The seven texts of a script, as the ports name them."""

    mondaiten: str
    skill: str
    next_action: str
    success_sign: str
    part1: str
    pivot: str
    part2: str

    def items(self) -> Iterator[tuple[str, str]]:
        yield from ((field.name, getattr(self, field.name)) for field in fields(self))


def check_script(
    texts: ScriptTexts,
    *,
    first_name: str,
    decisive_rules: Sequence[str],
    count_morae: MoraCounter = estimate_morae,
) -> tuple[Finding, ...]:
    """Everything that breaks a rule, field by field; empty for a script that may be spoken.

    `decisive_rules` are those of the principles that the script may rest on: part 2 ends with one of them.
    """
    findings: list[Finding] = []
    for field, text in texts.items():
        if not text.strip():
            findings.append(Finding(code="empty", field=field, excerpt="", instruction=f"{field}: write this text."))
        elif field != "pivot":
            findings += check_text(text, field=field, first_name=first_name)
    findings += _check_pivot(texts.pivot)
    findings += _check_called_by_name(texts.part1, first_name)
    findings += _check_lengths(texts, count_morae)
    findings += _check_decisive_rule(texts.part2, decisive_rules)
    findings += _check_one_next_action(texts.next_action)
    if texts.part1.strip() and not language.has_warm_ending(texts.part1):
        instruction = "part1: end at least one sentence warmly, with ましょう, ですね or ください."
        findings.append(Finding(code="warmth", field="part1", excerpt=texts.part1[-12:], instruction=instruction))
    return tuple(findings)


def check_text(text: str, *, field: str, first_name: str) -> tuple[Finding, ...]:
    """The rules that hold for every sentence the coach writes, the chat's replies included."""
    masked = address.mask_address(text, first_name)
    checks: tuple[tuple[str, Iterable[str], str], ...] = (
        (
            "measurement",
            find_measurements(masked),
            "is a measurement: say what is heard, seen, smelt or felt instead, without numbers.",
        ),
        (
            "address",
            address.find_address_faults(text, first_name),
            f"is not how the learner is called: write {address.address_learner(first_name) or 'no name at all'}.",
        ),
        ("link", language.find_links(masked), "is a link: leave it out."),
        ("markdown", language.find_markdown(masked), "is markup: write plain sentences."),
        ("english", language.find_latin_words(_without_links(masked)), "is not Japanese: write it in Japanese."),
        ("politeness", language.find_plain_endings(masked), "does not end in です or ます: make the sentence polite."),
        ("harsh", language.find_harsh_words(masked), "hurts: be honest and kind."),
        ("off_topic", language.find_off_topic_words(masked), "is not about this cook: leave it out."),
        (
            "safety",
            language.find_unsafe_advice(masked),
            "is advice on safety: leave it to the official notes, which are shown beside your words.",
        ),
        ("one_thing", _find_several_things(masked), "names more than one thing: keep the most important one."),
    )
    findings = [_found(code, field, excerpt, problem) for code, excerpts, problem in checks for excerpt in excerpts]
    for code, character in language.find_foreign_characters(masked):
        problem = "does not belong into plain Japanese: leave it out."
        findings.append(_found(code, field, character, problem))
    if language.has_no_kana(masked):
        findings.append(_found("script", field, text[:12], "is not Japanese: write it in Japanese."))
    return tuple(findings)


def _found(code: str, field: str, excerpt: str, problem: str) -> Finding:
    excerpt = excerpt.replace(address.MASK, "").strip()
    shown = "".join(c if c.isprintable() else f"U+{ord(c):04X}" for c in excerpt)
    return Finding(code=code, field=field, excerpt=shown, instruction=f"{field}: 「{shown}」 {problem}")


def _without_links(text: str) -> str:
    plain = unicodedata.normalize("NFKC", text)
    for link in language.find_links(text):
        plain = plain.replace(link, "")
    return plain


def _find_several_things(text: str) -> Iterator[str]:
    yield from (match[0] for match in _SEVERAL_THINGS.finditer(text))


def _check_pivot(pivot: str) -> Iterator[Finding]:
    if pivot.strip() and pivot != PIVOT:
        instruction = f"pivot: write exactly 「{PIVOT}」."
        yield Finding(code="pivot", field="pivot", excerpt=pivot[:40], instruction=instruction)


def _check_called_by_name(part1: str, first_name: str) -> Iterator[Finding]:
    called = address.address_learner(first_name)
    if called and part1.strip() and called not in part1:
        instruction = f"part1: call the learner {called} once."
        yield Finding(code="address", field="part1", excerpt="", instruction=instruction)


def _check_lengths(texts: ScriptTexts, count_morae: MoraCounter) -> Iterator[Finding]:
    spoken = {"part1": (texts.part1, PART1_SECONDS), "part2": (f"{texts.pivot}。{texts.part2}", KEY_MOMENT_SECONDS)}
    for field, (text, (shortest, longest)) in spoken.items():
        if not getattr(texts, field).strip():
            continue
        seconds = estimate_speech_seconds(text, count_morae=count_morae)
        if shortest <= seconds <= longest:
            continue
        code, verb = ("length_short", "lengthen") if seconds < shortest else ("length_long", "shorten")
        beyond = shortest - seconds if seconds < shortest else seconds - longest
        characters = max(5, round(beyond * MORAE_PER_SECOND / _MORAE_PER_CHARACTER))
        what = "part1" if field == "part1" else "part2, with the pivot before it,"
        instruction = (
            f"{what} takes about {seconds:.0f} s and must take {shortest:.0f} to {longest:.0f} s: "
            f"{verb} {field} by at least {characters} characters."
        )
        yield Finding(code=code, field=field, excerpt=f"{seconds:.1f} s", instruction=instruction)


def _check_decisive_rule(part2: str, decisive_rules: Sequence[str]) -> Iterator[Finding]:
    if not part2.strip() or not decisive_rules:
        return
    if not any(_ends_with(part2, rule) for rule in decisive_rules):
        instruction = f"part2: end with the decisive rule, 「{decisive_rules[0]}」 or one of the others given."
        yield Finding(code="decisive_rule", field="part2", excerpt=part2[-24:], instruction=instruction)


def _ends_with(part2: str, rule: str) -> bool:
    wanted = language.split_sentences(rule)
    end = language.split_sentences(part2)[-len(wanted) :]
    return measure_likeness("。".join(end), "。".join(wanted)) >= ALIKE_ENOUGH_FOR_THE_RULE


def _check_one_next_action(next_action: str) -> Iterator[Finding]:
    requests = [s for s in language.split_sentences(next_action) if _REQUEST.search(s)]
    if len(requests) > MOST_REQUESTS_IN_NEXT_ACTION:
        instruction = "next_action: ask for one thing only, in one or two sentences."
        yield Finding(code="one_thing", field="next_action", excerpt=requests[-1][-24:], instruction=instruction)
