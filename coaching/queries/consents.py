"""Which consents a learner has given. The texts and their versions are in knowledge/quiz.json."""

from coaching.knowledge.entries import ConsentText
from coaching.knowledge.loader import read_quiz
from coaching.models import Consent, User


def list_consent_texts() -> tuple[ConsentText, ...]:
    return read_quiz().consents


def get_latest_consents(user: User) -> dict[str, Consent]:
    """The newest answer to each consent, whatever its version."""
    newest = Consent.objects.filter(user=user).order_by("key", "-recorded_at", "-id").distinct("key")
    return {consent.key: consent for consent in newest}


def list_granted_consents(user: User) -> set[str]:
    """Keys of the consents that hold now: the newest answer is yes, and to the version in force."""
    latest = get_latest_consents(user)
    return {
        text.key
        for text in list_consent_texts()
        if text.key in latest and latest[text.key].granted and latest[text.key].version == text.version
    }


def list_missing_consents(user: User) -> list[str]:
    """Keys of the required consents that do not hold: without them no session begins."""
    granted = list_granted_consents(user)
    return [text.key for text in list_consent_texts() if text.required and text.key not in granted]
