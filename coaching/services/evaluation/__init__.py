"""How good is it? Retrieval on labelled diagnoses, the coach on a golden set of cooks; for `manage.py evaluate`."""

from coaching.services.evaluation.golden import GoldenAnswer, GoldenReport, draw_golden_cooks, judge_golden
from coaching.services.evaluation.rehearsal import compose_golden_dish, rehearse_cooks
from coaching.services.evaluation.retrieval import (
    DEFAULT_CASES,
    LabelledDiagnosis,
    RetrievalReport,
    SearchedCase,
    judge_retrieval,
    list_index_documents,
    read_cases,
    search_cases,
)
from coaching.services.evaluation.rows import Row, record_rows

__all__ = [
    "DEFAULT_CASES",
    "GoldenAnswer",
    "GoldenReport",
    "LabelledDiagnosis",
    "RetrievalReport",
    "Row",
    "SearchedCase",
    "compose_golden_dish",
    "draw_golden_cooks",
    "judge_golden",
    "judge_retrieval",
    "list_index_documents",
    "read_cases",
    "record_rows",
    "rehearse_cooks",
    "search_cases",
]
