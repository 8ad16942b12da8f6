"""One mail per outcome: written with the outcome, sent after it, whatever runs twice."""

import logging
from datetime import timedelta

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction
from django.db.models import F, Q, Value
from django.db.models.functions import Now

from coaching.models import OutboxMail, PipelineRun, Session, User
from coaching.models.mail import MailKind
from coaching.services.account_links import fill_link

logger = logging.getLogger(__name__)

MAX_ATTEMPTS = 8
CLAIM = timedelta(minutes=5)


def queue_mail(
    *, user: User, kind: MailKind, outcome_key: str, subject: str, body: str, session: Session | None = None
) -> bool:
    """Write the mail unless this outcome has one. Call it in the outcome's own transaction."""
    _, created = OutboxMail.objects.get_or_create(
        outcome_key=outcome_key,
        defaults={"user": user, "kind": kind, "subject": subject, "body": body, "session": session},
    )
    return created


def queue_film_mail(session: Session) -> bool:
    return queue_mail(
        user=session.user,
        kind=MailKind.FILM_READY,
        outcome_key=f"film_ready:{session.pk}",
        subject=f"{session.dish.name_ja}のコーチング動画ができました",
        body=(
            f"{session.user.first_name}さん\n\n"
            f"{session.dish.name_ja}・第{session.session_number}回のコーチング動画ができました。\n"
            "ご自身の映像を見ながら、次に試すことをひとつ確かめてみましょう。\n\n"
            f"{_link_session(session)}\n\nMoment Clone\n"
        ),
        session=session,
    )


def queue_failure_mail(run: PipelineRun) -> bool:
    """Not for an operator's re-run: the learner keeps the film that is there, and did not ask for another."""
    session = Session.objects.select_related("user", "dish").get(pk=run.session_id)
    if session.coaching_video_gcs_path:
        return False
    return queue_mail(
        user=session.user,
        kind=MailKind.FILM_FAILED,
        outcome_key=f"film_failed:{run.id}",
        subject=f"{session.dish.name_ja}のコーチング動画を作れませんでした",
        body=(
            f"{session.user.first_name}さん\n\n"
            f"{session.dish.name_ja}のコーチング動画を最後まで作れませんでした。\n"
            f"{run.learner_message}\n"
            "送ってくださった音声メモと評価は、そのまま残っています。\n\n"
            f"{_link_session(session)}\n\nMoment Clone\n"
        ),
        session=session,
    )


def _link_session(session: Session) -> str:
    return f"{settings.PUBLIC_URL}/sessions/{session.pk}/"


def send_due_mail(*, limit: int = 50) -> int:
    """Send what waits, one transaction a mail. A claim keeps two senders off one mail; a refusal is tried again."""
    sent = 0
    for _ in range(limit):
        mail = _claim_mail()
        if mail is None:
            break
        try:
            body = fill_link(mail.body, kind=mail.kind, user=mail.user)
            EmailMessage(mail.subject, body, settings.DEFAULT_FROM_EMAIL, [mail.user.email]).send()
        except OSError as error:  # smtplib's errors and the socket's are all OSErrors
            logger.warning("mail %s could not be sent: %s", mail.outcome_key, error)
            OutboxMail.objects.filter(pk=mail.pk).update(error=str(error)[:2000])
            continue
        OutboxMail.objects.filter(pk=mail.pk).update(sent_at=Now(), claimed_until=None, error="")
        sent += 1
    return sent


def _claim_mail() -> OutboxMail | None:
    free = Q(claimed_until__isnull=True) | Q(claimed_until__lt=Now())
    with transaction.atomic():
        mail = (
            OutboxMail.objects.select_for_update(skip_locked=True, of=("self",))
            .select_related("user")
            .filter(free, sent_at__isnull=True, attempts__lt=MAX_ATTEMPTS)
            .first()
        )
        if mail is not None:
            OutboxMail.objects.filter(pk=mail.pk).update(claimed_until=Now() + Value(CLAIM), attempts=F("attempts") + 1)
    return mail
