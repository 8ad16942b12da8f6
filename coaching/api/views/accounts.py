"""Registering, logging in and out, who am I, onboarding."""

from dataclasses import asdict
from typing import Any

from django.contrib.auth import login, logout
from django.utils.decorators import method_decorator
from django.views.decorators.csrf import ensure_csrf_cookie
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from coaching.api.serializers.accounts import (
    LoginSerializer,
    MeSerializer,
    OnboardingSerializer,
    OnboardingStatusSerializer,
    RegisterSerializer,
    describe_consents,
)
from coaching.api.views.base import LearnerView
from coaching.models import User
from coaching.services import accounts, onboarding
from coaching.throttles import LoginThrottle, RegisterThrottle

BACKEND = "django.contrib.auth.backends.ModelBackend"


class RegisterView(LearnerView):
    """Make an account and log it in. Needs the CSRF cookie that GET /api/auth/me/ sets."""

    permission_classes = [AllowAny]
    throttle_classes = [RegisterThrottle]
    needs_csrf_before_login = True

    @extend_schema(request=RegisterSerializer, responses={201: MeSerializer})
    def post(self, request: Request) -> Response:
        form = RegisterSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        user = accounts.register_user(**form.validated_data)
        login(request._request, user, backend=BACKEND)
        return Response(MeSerializer(user).data, status=status.HTTP_201_CREATED)


class LoginView(LearnerView):
    """Needs the CSRF cookie that GET /api/auth/me/ sets; the token changes with the login."""

    permission_classes = [AllowAny]
    throttle_classes = [LoginThrottle]
    needs_csrf_before_login = True

    @extend_schema(request=LoginSerializer, responses={200: MeSerializer})
    def post(self, request: Request) -> Response:
        form = LoginSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        user = accounts.find_user_by_password(**form.validated_data)
        if user is None:
            raise AuthenticationFailed
        login(request._request, user, backend=BACKEND)
        return Response(MeSerializer(user).data)


class LogoutView(LearnerView):
    @extend_schema(request=None, responses={204: None})
    def post(self, request: Request) -> Response:
        logout(request._request)
        return Response(status=status.HTTP_204_NO_CONTENT)


@method_decorator(ensure_csrf_cookie, name="dispatch")
class MeView(LearnerView):
    """Who is logged in. Sets the CSRF cookie, also with its 401: the first thing that any client asks."""

    @extend_schema(responses={200: MeSerializer})
    def get(self, request: Request) -> Response:
        return Response(MeSerializer(self.learner).data)


class OnboardingView(LearnerView):
    @extend_schema(responses={200: OnboardingStatusSerializer})
    def get(self, request: Request) -> Response:
        return Response(_describe(self.learner, onboarding.describe_onboarding(self.learner)))

    @extend_schema(request=OnboardingSerializer, responses={200: OnboardingStatusSerializer})
    def post(self, request: Request) -> Response:
        """Save any number of answers and consents; onboarding is done when nothing core or required is missing."""
        form = OnboardingSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        outcome = onboarding.save_onboarding(
            user=self.learner,
            answers=form.validated_data.get("answers", {}),
            consents=form.validated_data.get("consents", {}),
            finish=form.validated_data["finish"],
        )
        return Response(_describe(self.learner, outcome))


def _describe(user: User, outcome: onboarding.OnboardingStatus) -> dict[str, Any]:
    fields = asdict(outcome) | {
        "onboarding_done": user.onboarding_done,
        "learner_profile": user.learner_profile,
        "consents": describe_consents(user),
    }
    return dict(OnboardingStatusSerializer(fields).data)
