"""The learner state."""

from rest_framework import serializers

from coaching.models import LearnerState


class LearnerStateSerializer(serializers.ModelSerializer[LearnerState]):
    """`updated_at` is null before the first completed session."""

    updated_at = serializers.DateTimeField(read_only=True, allow_null=True)

    class Meta:
        model = LearnerState
        fields = [
            "skills_acquired",
            "skills_developing",
            "recurring_mistakes",
            "learning_velocity",
            "session_summaries",
            "next_focus",
            "ready_for_next_dish",
            "updated_at",
        ]
        read_only_fields = fields
