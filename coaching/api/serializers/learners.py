"""The learner state."""

from rest_framework import serializers

from coaching.models import LearnerState


class LearnerStateSerializer(serializers.ModelSerializer[LearnerState]):
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
