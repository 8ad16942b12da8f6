"""Does a diagnosis in new words find its principle? Judged on labelled diagnoses that nothing was tuned on."""

import json
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import ConfigDict, Field, StringConstraints, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass as checked_dataclass

from coaching.errors import Misconfigured
from coaching.knowledge import loader
from coaching.knowledge.loader import read_catalogue
from coaching.providers.ports import IndexDocument, PrincipleIndex, SearchRequest
from coaching.services.content import compose_index_text
from coaching.services.evaluation.rows import Row

DEFAULT_CASES = loader.FOLDER / "diagnosis_cases.json"
TOPS = (1, 3, 5)
TARGET_TOP_3 = 0.8

_Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]


@checked_dataclass(frozen=True, kw_only=True, config=ConfigDict(extra="ignore"))
class LabelledDiagnosis:
    """`gold` are the principles of which any is right."""

    id: _Text
    diagnosis_ja: _Text
    gold: Annotated[tuple[_Text, ...], Field(min_length=1)]


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchedCase:
    """What the index answered to one case, best first."""

    id: str
    hits: tuple[str, ...]
    seconds: float
    cost_usd: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RetrievalReport:
    """Shares of cases with a right principle among the first 1, 3 and 5; per principle, and what came instead.

    A case counts for each of its principles. `confused` are pairs (a right one, what came first instead) of the cases
    without a right one among the first three, the most frequent first.
    """

    cases: int
    shares: dict[int, float]
    per_principle: dict[str, tuple[int, dict[int, int]]]
    confused: tuple[tuple[str, str, int], ...]
    missed: tuple[str, ...]
    rows: tuple[Row, ...]


def read_cases(path: Path) -> tuple[LabelledDiagnosis, ...]:
    """The labelled diagnoses of a file: `[{"id", "diagnosis_ja", "gold": [slug, ...]}]`.

    Raises `Misconfigured` naming what is wrong: a field, a repeated id, a slug that is no principle.
    """
    try:
        cases = TypeAdapter(tuple[LabelledDiagnosis, ...]).validate_python(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError) as error:
        reason = error.errors()[0]["msg"] if isinstance(error, ValidationError) else error
        where = ".".join(map(str, error.errors()[0]["loc"])) if isinstance(error, ValidationError) else ""
        raise Misconfigured(f"{path} holds no labelled diagnoses: {where} {reason}") from error
    if not cases:
        raise Misconfigured(f"{path} holds no labelled diagnoses: the list is empty")
    repeated = [case_id for case_id, count in Counter(case.id for case in cases).items() if count > 1]
    unknown = {slug for case in cases for slug in case.gold} - {p.slug for p in read_catalogue().principles}
    if repeated or unknown:
        raise Misconfigured(f"{path}: repeated ids {repeated}, unknown principles {sorted(unknown)}")
    return cases


def list_index_documents() -> list[IndexDocument]:
    """What the knowledge files give to an index, without a database."""
    catalogue = read_catalogue()
    documents = [
        IndexDocument(key=f"principle:{p.slug}", principle_slug=p.slug, kind="principle", text=compose_index_text(p))
        for p in catalogue.principles
    ]
    documents += [
        IndexDocument(key=f"diagnosis:{slug}:{number:02d}", principle_slug=slug, kind="diagnosis", text=text)
        for slug, texts in catalogue.diagnoses.items()
        for number, text in enumerate(texts, start=1)
    ]
    return documents


def search_cases(index: PrincipleIndex, cases: Sequence[LabelledDiagnosis]) -> list[SearchedCase]:
    """Ask for each diagnosis as it stands, alone."""
    searched = []
    for case in cases:
        began = time.perf_counter()
        answer = index.search(SearchRequest(query=case.diagnosis_ja, limit=max(TOPS)))
        searched.append(
            SearchedCase(
                id=case.id,
                hits=tuple(hit.principle_slug for hit in answer.hits),
                seconds=time.perf_counter() - began,
                cost_usd=answer.usage.cost_usd,
            )
        )
    return searched


def judge_retrieval(cases: Sequence[LabelledDiagnosis], searched: Sequence[SearchedCase]) -> RetrievalReport:
    """Raises `Misconfigured` where a case has no answer: recorded answers may be of other cases."""
    answers = {answer.id: answer for answer in searched}
    if missing := [case.id for case in cases if case.id not in answers]:
        raise Misconfigured(f"no answers for the cases {missing[:5]} (of {len(missing)})")
    found: Counter[int] = Counter()
    sought: Counter[str] = Counter()
    found_by_slug: dict[str, Counter[int]] = {}
    confused: Counter[tuple[str, str]] = Counter()
    missed: list[str] = []
    for case in cases:
        hits = answers[case.id].hits
        right_in = {top: bool(set(hits[:top]) & set(case.gold)) for top in TOPS}
        found.update(top for top in TOPS if right_in[top])
        for slug in case.gold:
            sought[slug] += 1
            found_by_slug.setdefault(slug, Counter()).update(top for top in TOPS if right_in[top])
        if not right_in[3]:
            missed.append(case.id)
            confused[case.gold[0], hits[0] if hits else "nothing"] += 1
    shares = {top: found[top] / len(cases) for top in TOPS}
    seconds = sorted(answers[case.id].seconds for case in cases)
    return RetrievalReport(
        cases=len(cases),
        shares=shares,
        per_principle={
            slug: (sought[slug], {top: found_by_slug[slug][top] for top in TOPS}) for slug in sorted(sought)
        },
        confused=tuple((right, wrong, count) for (right, wrong), count in confused.most_common()),
        missed=tuple(missed),
        rows=(
            Row(row="retrieval: right principle first", value=shares[1], unit="share"),
            Row(row="retrieval: right principle in the top 3", value=shares[3], unit="share", target=TARGET_TOP_3),
            Row(row="retrieval: right principle in the top 5", value=shares[5], unit="share"),
            Row(row="retrieval: one search, median", value=seconds[len(seconds) // 2], unit="seconds"),
        ),
    )
