"""What every view of a learner shares."""

from typing import Any

from rest_framework.exceptions import NotFound
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from coaching.api.authentication import DEFAULT_MAX_BODY_BYTES
from coaching.models import User


class LearnerView(APIView):
    """For whoever is logged in, and only about themselves. Answers belong to them alone and are asked for anew."""

    @property
    def max_body_bytes(self) -> int:
        """What `SessionAuthentication` lets through; views that take files allow more."""
        return DEFAULT_MAX_BODY_BYTES

    @property
    def learner(self) -> User:
        user = self.request.user
        if not isinstance(user, User):
            raise TypeError("permissions let an anonymous user through")
        return user

    def finalize_response(self, request: Request, response: Response, *args: Any, **kwargs: Any) -> Response:
        answer = super().finalize_response(request, response, *args, **kwargs)
        answer.headers.setdefault("Cache-Control", "private, no-cache")
        return answer


class UnknownPathView(LearnerView):
    """Whatever else is asked for under /api/."""

    permission_classes = [AllowAny]
    authentication_classes = []
    schema = None

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        raise NotFound
