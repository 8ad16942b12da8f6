"""Accounts and onboarding."""

from typing import Any

from rest_framework import serializers

from coaching import queries
from coaching.models import User
from coaching.services.accounts import EMAIL_MAX_LENGTH, PASSWORD_MAX_LENGTH
from coaching.services.learner_text import NAME_MAX_LENGTH


class RegisterSerializer(serializers.Serializer[Any]):
    email = serializers.EmailField(max_length=EMAIL_MAX_LENGTH)
    password = serializers.CharField(max_length=PASSWORD_MAX_LENGTH, trim_whitespace=False, write_only=True)
    first_name = serializers.CharField(max_length=NAME_MAX_LENGTH)


class LoginSerializer(serializers.Serializer[Any]):
    email = serializers.CharField(max_length=EMAIL_MAX_LENGTH)
    password = serializers.CharField(max_length=PASSWORD_MAX_LENGTH, trim_whitespace=False, write_only=True)


class ConsentSerializer(serializers.Serializer[Any]):
    key = serializers.CharField()
    version = serializers.CharField()
    required = serializers.BooleanField()  # type: ignore[assignment]  # the quiz's word; the base's is an option
    granted = serializers.BooleanField(help_text="the newest answer is yes, and to this version")


class MeSerializer(serializers.ModelSerializer[User]):
    consents = serializers.SerializerMethodField()

    class Meta:
        model = User
        fields = [
            "id",
            "email",
            "first_name",
            "onboarding_done",
            "subscription_status",
            "learner_profile",
            "consents",
            "created_at",
        ]
        read_only_fields = fields

    def get_consents(self, user: User) -> list[dict[str, Any]]:
        return describe_consents(user)


def describe_consents(user: User) -> list[dict[str, Any]]:
    granted = queries.list_granted_consents(user)
    texts = queries.list_consent_texts()
    return [{"key": t.key, "version": t.version, "required": t.required, "granted": t.key in granted} for t in texts]


class OnboardingSerializer(serializers.Serializer[Any]):
    """`answers` by profile key ("kitchen.heat_source"); null takes an answer back. `consents` by key."""

    answers = serializers.DictField(child=serializers.JSONField(allow_null=True), required=False)
    consents = serializers.DictField(child=serializers.BooleanField(), required=False)
    finish = serializers.BooleanField(default=False, help_text="refuse with what is missing, unless all is there")


class OnboardingStatusSerializer(serializers.Serializer[Any]):
    onboarding_done = serializers.BooleanField()
    missing_answers = serializers.ListField(child=serializers.CharField())
    missing_consents = serializers.ListField(child=serializers.CharField())
    answered = serializers.IntegerField()
    total = serializers.IntegerField()
    learner_profile = serializers.DictField()
    consents = ConsentSerializer(many=True)
