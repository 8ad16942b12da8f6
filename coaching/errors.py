"""What can go wrong in the product. Two branches: is the same call worth repeating, or not?

MomentCloneError
├── RetryableError                 the same call may succeed later
│   ├── ProviderUnavailable        an engine or a service did not answer, or answered with a passing fault
│   ├── ProviderRateLimited        it asked us to wait; `retry_after_seconds` says how long
│   ├── MalformedAnswer            a model's answer does not fit its schema or our rules
│   │   ├── EmptyAnswer            it said nothing
│   │   └── TruncatedAnswer        it ran out of tokens before it was done
│   ├── StoreUnavailable           the object store did not answer
│   ├── StageTimedOut              a stage ran past its own time limit
│   └── MediaWorkFailed            FFmpeg broke on input that had passed the probe
├── PermanentError                 the same call will fail again
│   ├── StageNotBuilt              this stage does not exist yet
│   ├── Misconfigured              the operator must mend a setting, a binary or a weight file
│   ├── ProviderRefused            a service refused this content or this request for good
│   │   └── ContentBlocked         its safety filter stopped the question or the answer
│   ├── UnusableMedia              the learner's file is at fault; another one may do
│   ├── BudgetUsedUp               the day's money is spent, and the operator wants runs to fail then
│   ├── AttemptsExhausted          a retryable fault that did not go away
│   └── Refused                    a request that the product declines, with the way out for the learner
│       ├── NotFound
│       ├── InvalidInput           what was entered cannot be kept; `faults` says which field and why
│       │   └── OnboardingIncomplete
│       ├── ConsentMissing
│       ├── DishLocked, QuotaUsedUp, SubscriptionInactive, SessionLimitReached
│       ├── UploadRefused, UploadOffsetMismatch, UploadIncomplete, UploadClosed
│       ├── LinkRefused            a signed link that has expired or was altered
│       ├── InputClosed            memo or ratings after the listening began
│       ├── TooManyQuestions       more than a learner may ask within an hour
│       └── Conflict               the thing is not in a state that allows this
├── LeaseLost                      this worker no longer owns the stage it runs: stop, change nothing
└── StageCancelled                 an operator cancelled the run: stop, change nothing

`str(error)` is for the operator and says what happened; `learner_message` is Japanese and says what to do.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any


class MomentCloneError(Exception):
    """Base of everything that the product raises on purpose. `usage`: what was paid for in vain (`ports.Usage`)."""

    code = "error"
    usage: tuple[Any, ...] = ()
    learner_message = "うまくいきませんでした。少し時間をおいて、もう一度お試しください。"

    def __init__(self, message: str = "", *, learner_message: str | None = None) -> None:
        super().__init__(message or self.code)
        if learner_message is not None:
            self.learner_message = learner_message


@contextmanager
def charge(*usage: Any) -> Iterator[None]:
    """Errors that are raised within carry this `usage`: an answer that is no good was paid for all the same."""
    try:
        yield
    except MomentCloneError as error:
        error.usage = (*error.usage, *usage)
        raise


class RetryableError(MomentCloneError):
    """The same call may succeed later. `retry_after_seconds` is what the other side asked for, if it did."""

    code = "try_again"

    def __init__(
        self,
        message: str = "",
        *,
        learner_message: str | None = None,
        retry_after_seconds: float | None = None,
        stderr_tail: str = "",
    ) -> None:
        super().__init__(message, learner_message=learner_message)
        self.retry_after_seconds = retry_after_seconds
        self.stderr_tail = stderr_tail


class ProviderUnavailable(RetryableError):
    code = "provider_unavailable"


class ProviderRateLimited(RetryableError):
    code = "provider_rate_limited"


class MalformedAnswer(RetryableError):
    code = "malformed_answer"


class EmptyAnswer(MalformedAnswer):
    code = "empty_answer"


class TruncatedAnswer(MalformedAnswer):
    code = "truncated_answer"


class StoreUnavailable(RetryableError):
    code = "store_unavailable"


class StageTimedOut(RetryableError):
    code = "stage_timed_out"


class MediaWorkFailed(RetryableError):
    code = "media_work_failed"


class PermanentError(MomentCloneError):
    """The same call will fail again."""

    code = "failed"
    stderr_tail = ""


class StageNotBuilt(PermanentError):
    code = "stage_not_built"
    learner_message = "この機能はまだ準備中です。"


class Misconfigured(PermanentError):
    """The message names the setting, the form it wants and where to get it."""

    code = "misconfigured"
    learner_message = "こちらの準備に不備がありました。担当者が確認しますので、しばらくお待ちください。"


class ProviderRefused(PermanentError):
    code = "provider_refused"
    learner_message = "この動画からはコーチングを作れませんでした。別の動画でお試しください。"


class ContentBlocked(ProviderRefused):
    code = "content_blocked"


class UnusableMedia(PermanentError):
    """The learner's own file is at fault. `fault` is a `media_tools.errors.MediaFault` value."""

    code = "unusable_media"
    learner_message = "この動画は読み取れませんでした。別の動画をアップロードしてください。"

    def __init__(self, message: str, *, fault: str, learner_message: str | None = None) -> None:
        super().__init__(message, learner_message=learner_message)
        self.fault = fault


class BudgetUsedUp(PermanentError):
    """The message names the setting, the bound and what was spent."""

    code = "budget_used_up"
    learner_message = "本日お作りできるコーチングの上限に達しました。明日、もう一度お試しください。"


class AttemptsExhausted(PermanentError):
    code = "attempts_exhausted"


class Refused(PermanentError):
    """A request that the product declines; nothing was changed."""

    code = "refused"


class NotFound(Refused):
    code = "not_found"
    learner_message = "お探しのものが見つかりませんでした。"


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldFault:
    """What is wrong with one field. `message` is Japanese, for the learner; `code` is for programs."""

    field: str
    code: str
    message: str


class InvalidInput(Refused):
    code = "invalid_input"
    learner_message = "入力内容をご確認ください。"

    def __init__(self, faults: Sequence[FieldFault]) -> None:
        super().__init__("; ".join(f"{fault.field}: {fault.code}" for fault in faults))
        self.faults = tuple(faults)


class ConsentMissing(Refused):
    code = "consent_missing"
    learner_message = "はじめる前に、利用規約と映像の取り扱いへの同意をお願いします。"


class OnboardingIncomplete(InvalidInput):
    code = "onboarding_incomplete"
    learner_message = "必須の質問にお答えいただくと、はじめられます。"


class DishLocked(Refused):
    code = "dish_locked"
    learner_message = "この料理はまだ開いていません。開く月になったら挑戦しましょう。"


class QuotaUsedUp(Refused):
    code = "quota_used_up"
    learner_message = "無料でできるセッションは使いきりました。続けるには、プランへのお申し込みをお願いします。"


class SubscriptionInactive(Refused):
    code = "subscription_inactive"
    learner_message = "いまは新しいセッションをはじめられません。お支払いの状態をご確認ください。"


class SessionLimitReached(Refused):
    code = "session_limit_reached"
    learner_message = "この料理のセッションは三回まで完了しています。次の料理に進みましょう。"


class UploadRefused(Refused):
    """Size, type or content of what is being uploaded is not acceptable."""

    code = "upload_refused"
    learner_message = "このファイルは受け取れませんでした。動画ファイルかどうか、ご確認ください。"


class UploadOffsetMismatch(Refused):
    """The chunk does not begin where the server is. `received_bytes` says where that is."""

    code = "upload_offset_mismatch"
    learner_message = "アップロードの続きの位置が合いませんでした。もう一度つづきから送ります。"

    def __init__(self, message: str, *, received_bytes: int) -> None:
        super().__init__(message)
        self.received_bytes = received_bytes


class UploadIncomplete(Refused):
    code = "upload_incomplete"
    learner_message = "動画のアップロードがまだ終わっていません。終わってから、もう一度お試しください。"


class UploadClosed(Refused):
    """The upload session has expired, was finished or belongs to a submitted cook."""

    code = "upload_closed"
    learner_message = "このアップロードはもう締め切られています。"


class LinkRefused(Refused):
    """A signed link that has expired, or is not as we signed it. Reading the page again brings a new one."""

    code = "link_refused"
    learner_message = "このリンクは期限が切れています。ページを読み込み直してください。"


class InputClosed(Refused):
    code = "input_closed"
    learner_message = "コーチングの作成がはじまったため、ここからは変更できません。"


class TooManyQuestions(Refused):
    code = "too_many_questions"
    learner_message = (
        "たくさんのご質問をありがとうございます。少し休んでから、また聞かせてください。"
        "書いたものは、そのまま残しておけます。"
    )


class Conflict(Refused):
    code = "conflict"
    learner_message = "いまの状態では、その操作はできません。画面を読み込み直してください。"


class LeaseLost(MomentCloneError):
    """The row has another owner, or none. Not a fault of the work: drop everything and leave."""

    code = "lease_lost"


class StageCancelled(MomentCloneError):
    code = "stage_cancelled"


class RetryLater(RetryableError):
    """A wait that is no fault: nothing is counted against the stage. `due_at` is when to come back."""

    code = "retry_later"

    def __init__(self, message: str, *, due_at: datetime) -> None:
        super().__init__(message)
        self.due_at = due_at
