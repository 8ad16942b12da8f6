"""A coach that does as it is told, loaded by the workers of `celery -A tests.faults.celery_app`.

It says one sentence, and another when `$FAULT_FOLDER/answer` is there; every answer that it begins leaves a line in
`$FAULT_FOLDER/answers`.
"""

import os
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings

from coaching.errors import StageCancelled
from coaching.providers.ports import AnswerPiece, QuestionRequest
from tests.coaching.scripted_coach import conclude

FOLDER = Path(os.environ["FAULT_FOLDER"])
FIRST, SECOND = "卵は余熱でも固まっていきます。", "ふちが白くなったら、ご飯を合わせましょう。"


class ObedientCoach:
    is_offline = True

    def answer(self, request: QuestionRequest) -> Iterator[AnswerPiece]:
        with (FOLDER / "answers").open("a") as log:
            log.write(f"{request.question}\n")
        yield AnswerPiece(text=FIRST)
        while not (FOLDER / "answer").exists():
            if request.cancel is not None and request.cancel.wait(0.02):
                raise StageCancelled
        yield AnswerPiece(text=SECOND, outcome=conclude())


settings.PROVIDERS = settings.PROVIDERS | {
    "coach": {"class": "tests.faults.chat_orders.ObedientCoach", "options": {}},
    "principle_index": {"class": "tests.coaching.scripted_coach.OnePrincipleIndex", "options": {}},
}
