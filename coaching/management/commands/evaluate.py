"""manage.py evaluate: retrieval on labelled diagnoses, and the coach on a golden set of cooks (synthetic).

Both use the knowledge files as they are, no rows: what is compared between two runs is code, prompts and models.
"""

import json
import tempfile
from argparse import ArgumentParser
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from pydantic import TypeAdapter, ValidationError

from coaching.errors import MomentCloneError
from coaching.providers import registry
from coaching.services import evaluation
from coaching.services.evaluation import GoldenAnswer, Row, SearchedCase

ROWS_FILE = "evaluate.json"
GOLDEN_COOKS = 20
_SEARCHED = TypeAdapter(tuple[SearchedCase, ...])
_ANSWERED = TypeAdapter(tuple[GoldenAnswer, ...])


class Command(BaseCommand):
    help = "Measure retrieval and coach; rows go to var/evaluate.json, all answers to --json."
    requires_system_checks: list[str] = []
    requires_migrations_checks = False

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--provider", choices=("google", "local"), help="by default the one that is configured")
        parser.add_argument("--cases", type=Path, default=evaluation.DEFAULT_CASES, help="labelled diagnoses (JSON)")
        parser.add_argument("--only", choices=("retrieval", "golden"), help="one half of it")
        parser.add_argument("--cooks", type=int, default=GOLDEN_COOKS, help="how many of the 20 golden cooks")
        parser.add_argument("--json", type=Path, dest="json_path", help="where scores and all answers are written")
        parser.add_argument("--recorded", type=Path, help="judge the answers of an earlier --json, asking nobody")

    def handle(self, *args: Any, **options: Any) -> None:
        if not 1 <= options["cooks"] <= GOLDEN_COOKS:
            raise CommandError(f"--cooks is 1 to {GOLDEN_COOKS}")
        try:
            cases = evaluation.read_cases(options["cases"])
            recorded = _read_recorded(options["recorded"]) if options["recorded"] else None
            with ExitStack() as stack:
                provider = "recorded" if recorded else stack.enter_context(_serve(options["provider"]))
                report: dict[str, Any] = {"provider": provider, "made_at": datetime.now(UTC).isoformat()}
                if options["only"] != "golden":
                    report["retrieval"] = self._evaluate_retrieval(cases, recorded)
                if options["only"] != "retrieval":
                    report["golden"] = self._evaluate_golden(options["cooks"], recorded)
        except MomentCloneError as error:
            raise CommandError(str(error)) from error
        if options["json_path"]:
            text = json.dumps(report, ensure_ascii=False, indent=2) + "\n"
            options["json_path"].write_text(text, encoding="utf-8")

    def _evaluate_retrieval(
        self, cases: Sequence[evaluation.LabelledDiagnosis], recorded: Mapping[str, Any] | None
    ) -> dict[str, Any]:
        if recorded is None:
            searched: Sequence[SearchedCase] = evaluation.search_cases(registry.get_principle_index(), cases)
        else:
            searched = _SEARCHED.validate_python(_take_half(recorded, "retrieval"))
        report = evaluation.judge_retrieval(cases, searched)
        self.stdout.write(f"retrieval over {report.cases} labelled diagnoses")
        self.stdout.write(f"{'principle':28}{'cases':>6}{'top 1':>7}{'top 3':>7}{'top 5':>7}")
        for slug, (count, found) in report.per_principle.items():
            self.stdout.write(f"{slug:28}{count:6}{found[1]:7}{found[3]:7}{found[5]:7}")
        if report.confused:
            self.stdout.write("not in the top 3, and what came first instead:")
        for right, wrong, count in report.confused:
            self.stdout.write(f"  {right:28}{wrong:28}{count:4}")
        self._show(report.rows)
        scores = {"cases": report.cases, "missed": report.missed, **_list_values(report.rows)}
        return {"scores": scores, "answers": [asdict(answer) for answer in searched]}

    def _evaluate_golden(self, count: int, recorded: Mapping[str, Any] | None) -> dict[str, Any]:
        if recorded is not None:
            answers = list(_ANSWERED.validate_python(_take_half(recorded, "golden")))
        else:
            with tempfile.TemporaryDirectory(prefix="golden-") as folder:
                answers = list(self._rehearse(Path(folder), count))
        report = evaluation.judge_golden(answers)
        self.stdout.write(f"golden set: {len(answers)} cooks, SYNTHETIC: drawn by recipe, not filmed in a kitchen")
        for verdict, answer in zip(report.verdicts, answers, strict=True):
            off = "-" if verdict.off_seconds is None else f"{verdict.off_seconds:.1f} s"
            rules = "kept" if verdict.is_clean_at_once else "repaired" if verdict.is_clean else "BROKEN"
            named = answer.fault or answer.mistake_slug or answer.outcome
            self.stdout.write(f"  {verdict.name:34}{verdict.claim:16}{off:>8}  rules {rules:9} {named}")
        self._show(report.rows)
        versions = sorted({version for answer in answers for version in answer.prompt_versions})
        return {
            "synthetic": True,
            "prompt_versions": versions,
            "scores": _list_values(report.rows),
            "verdicts": [asdict(verdict) for verdict in report.verdicts],
            "answers": [asdict(answer) for answer in answers],
        }

    def _rehearse(self, folder: Path, count: int) -> Iterator[GoldenAnswer]:
        cooks = evaluation.draw_golden_cooks(folder, count=count)
        for number, answer in enumerate(evaluation.rehearse_cooks(cooks), start=1):
            self.stderr.write(f"cook {number} of {count}: {answer.name}")
            yield answer

    def _show(self, rows: Sequence[Row]) -> None:
        for row in rows:
            self.stdout.write(row.describe())
        self.stdout.flush()  # the other half takes minutes
        evaluation.record_rows(rows, settings.VAR_DIR / ROWS_FILE)


def _list_values(rows: Sequence[Row]) -> dict[str, float]:
    return {row.row: round(row.value, 4) for row in rows}


def _read_recorded(path: Path) -> Mapping[str, Any]:
    try:
        recorded = json.loads(path.read_text(encoding="utf-8"))
        for half, form in (("retrieval", _SEARCHED), ("golden", _ANSWERED)):
            if half in recorded:
                form.validate_python(recorded[half]["answers"])
    except (OSError, ValueError, KeyError, TypeError, ValidationError) as error:
        raise CommandError(f"{path} holds no recorded answers: {error}") from error
    return dict(recorded)


def _take_half(recorded: Mapping[str, Any], half: str) -> Any:
    if half not in recorded:
        raise CommandError(f"the record holds no answers for {half}: choose the other half with --only")
    return recorded[half]["answers"]


@contextmanager
def _serve(provider: str | None) -> Iterator[str]:
    """Put the provider's adapters behind the ports; the local index and store are new ones, of this run alone."""
    chosen = provider or ("google" if settings.GOOGLE_PROVIDERS else "local")
    if chosen == "google":
        if not settings.GOOGLE_PROVIDERS:
            raise CommandError("Google is not configured: set GOOGLE_CLOUD_PROJECT (or GEMINI_API_KEY for the coach)")
        with registry.provided_by(settings.LOCAL_PROVIDERS | settings.GOOGLE_PROVIDERS):
            yield chosen
        return
    with tempfile.TemporaryDirectory(prefix="evaluate-") as folder:
        providers = {port: dict(description) for port, description in settings.LOCAL_PROVIDERS.items()}
        for port, option in (("principle_index", "index_folder"), ("object_store", "root")):
            providers[port]["options"] = providers[port]["options"] | {option: Path(folder) / port}
        with registry.provided_by(providers):
            registry.get_principle_index().index(evaluation.list_index_documents())
            yield chosen
