"""What is known of a learner."""

from coaching.models import LearnerState, User


def get_learner_state(user: User) -> LearnerState:
    """The learner's state; before the first completed session an empty one that is not kept."""
    return LearnerState.objects.filter(user=user).first() or LearnerState(user=user)
