"""A learner has failed work taken up again with the same video, under the rules that hold for a new session."""

from django.db import transaction

from coaching import queries
from coaching.errors import Conflict
from coaching.models import PipelineRun, User
from coaching.services import runs
from coaching.services.sessions import lock_session, require_session_welcome


def try_again(*, user: User, session_id: int) -> PipelineRun:
    """A new run from the failed stage on; the caller publishes it after commit.

    User and session are locked, so two tabs cannot both pass. Raises `NotFound`, `Conflict` where another try would
    change nothing, and what `sessions.create_session` raises: a failed session counted for nothing, so another one
    may have taken its place.
    """
    with transaction.atomic():
        learner = User.objects.select_for_update(no_key=True).get(pk=user.pk)
        session = lock_session(user_id=user.pk, session_id=session_id)
        if not queries.may_try_again(session):
            raise Conflict(f"session {session.pk} is {session.status}, or another try of its video is hopeless")
        require_session_welcome(user=learner, dish=session.dish, reopened=session)
        return runs.retry_session(session_id=session_id, requested_by=learner)
