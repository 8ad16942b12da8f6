"""A cook from its beginning to its film."""

from typing import Any

from django.conf import settings
from django.utils.decorators import method_decorator
from django.views.decorators.http import conditional_page
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from coaching import queries
from coaching.api.pagination import NewestFirstPagination
from coaching.api.schema import PAGE_PARAMETERS, describe_page
from coaching.api.serializers.sessions import (
    MemoUploadSerializer,
    NewSessionSerializer,
    RatingsSerializer,
    SessionSerializer,
    SessionSummarySerializer,
    UploadSerializer,
    VideoClaimSerializer,
    VideoUploadSerializer,
)
from coaching.api.views.base import LearnerView
from coaching.models import User
from coaching.services import intake, sessions
from coaching.services.received_files import locate_upload
from coaching.services.sessions import VideoClaim
from tasks import pipeline

FORM_OVERHEAD_BYTES = 64 * 1024  # boundaries, headers and small fields around a file


class SessionView(LearnerView):
    """What the views of one session share."""

    def describe(self, session_id: int) -> dict[str, Any]:
        """The session as it is now."""
        session = queries.get_session(self.learner, session_id)
        context = {"request": self.request, "progress": queries.get_run_progress(session)}
        return dict(SessionSerializer(session, context=context).data)

    def read_claim(self, fields: dict[str, Any]) -> VideoClaim:
        origin = self.request.headers.get("Origin") or f"{self.request.scheme}://{self.request.get_host()}"
        return VideoClaim(size_bytes=fields["size_bytes"], content_type=fields["content_type"], origin=origin)


class SessionListView(SessionView):
    @extend_schema(
        responses={200: describe_page("SessionPage", SessionSummarySerializer)},
        parameters=PAGE_PARAMETERS,
        operation_id="sessions_list",
    )
    def get(self, request: Request) -> Response:
        """A page of the learner's sessions, newest first."""
        paginator = NewestFirstPagination()
        page = paginator.paginate_queryset(queries.list_sessions(self.learner), request, view=self)
        return paginator.get_paginated_response(
            SessionSummarySerializer(page, many=True, context={"request": request}).data
        )

    @extend_schema(request=NewSessionSerializer, responses={201: SessionSerializer})
    def post(self, request: Request) -> Response:
        """Begin the learner's next session of a dish; with `video`, the answer holds where to upload it."""
        form = NewSessionSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        video = form.validated_data.get("video")
        session = sessions.create_session(
            user=self.learner,
            dish_slug=form.validated_data["dish"],
            video=None if video is None else self.read_claim(video),
        )
        headers = {"Location": request.build_absolute_uri(f"/api/sessions/{session.pk}/")}
        return Response(self.describe(session.pk), status=status.HTTP_201_CREATED, headers=headers)


@method_decorator(conditional_page, name="dispatch")
class SessionDetailView(SessionView):
    """Everything about one session; polled while its pipeline runs, with an ETag that changes when something does."""

    @extend_schema(responses={200: SessionSerializer})
    def get(self, request: Request, session_id: int) -> Response:
        return Response(self.describe(session_id))

    @extend_schema(responses={204: None})
    def delete(self, request: Request, session_id: int) -> Response:
        """Give up a session that was never submitted."""
        sessions.discard_draft(user=self.learner, session_id=session_id)
        return Response(status=status.HTTP_204_NO_CONTENT)


class UploadListView(SessionView):
    @extend_schema(request=VideoClaimSerializer, responses={201: UploadSerializer})
    def post(self, request: Request, session_id: int) -> Response:
        """A new resumable upload for a session without a usable video; a failed one becomes a draft again."""
        form = VideoClaimSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        upload = sessions.reopen_upload(
            user=self.learner, session_id=session_id, video=self.read_claim(form.validated_data)
        )
        return Response(UploadSerializer(upload, context={"request": request}).data, status=status.HTTP_201_CREATED)


class VideoUploadView(SessionView):
    """The whole video in one request; for a phone on a train there is the resumable way."""

    parser_classes = [MultiPartParser]

    @property
    def max_body_bytes(self) -> int:
        return settings.VIDEO_MAX_BYTES + FORM_OVERHEAD_BYTES

    def perform_authentication(self, request: Request) -> None:
        """Before DRF's, whose CSRF check reads the body: gigabytes that nobody wants are not taken."""
        user = request._request.user
        if isinstance(user, User):
            intake.require_upload_welcome(user=user, session_id=self.kwargs["session_id"])
        super().perform_authentication(request)

    @extend_schema(request={"multipart/form-data": VideoUploadSerializer}, responses={202: SessionSerializer})
    def post(self, request: Request, session_id: int) -> Response:
        """Keep the video and start the work."""
        form = VideoUploadSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        with locate_upload(form.validated_data["video"]) as file:
            intake.receive_video(
                user=self.learner, session_id=session_id, file=file.path, claimed_type=file.claimed_type
            )
        pipeline.submit(session_id=session_id, user_id=self.learner.pk)
        return Response(self.describe(session_id), status=status.HTTP_202_ACCEPTED)


class VoiceMemoView(SessionView):
    parser_classes = [MultiPartParser]

    @property
    def max_body_bytes(self) -> int:
        return settings.MEMO_MAX_BYTES + FORM_OVERHEAD_BYTES

    @extend_schema(request={"multipart/form-data": MemoUploadSerializer}, responses={200: SessionSerializer})
    def post(self, request: Request, session_id: int) -> Response:
        """Keep the voice memo; another one replaces it until the coach listens."""
        form = MemoUploadSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        with locate_upload(form.validated_data["memo"]) as file:
            intake.attach_memo(user=self.learner, session_id=session_id, file=file.path, claimed_type=file.claimed_type)
        return Response(self.describe(session_id))


class RatingsView(SessionView):
    @extend_schema(request=RatingsSerializer, responses={200: SessionSerializer})
    def patch(self, request: Request, session_id: int) -> Response:
        """Keep how the plate turned out, by the learner's own taste."""
        form = RatingsSerializer(data=request.data, partial=True)
        form.is_valid(raise_exception=True)
        intake.save_ratings(user=self.learner, session_id=session_id, ratings=form.validated_data)
        return Response(self.describe(session_id))


class SubmitView(SessionView):
    @extend_schema(request=None, responses={202: SessionSerializer})
    def post(self, request: Request, session_id: int) -> Response:
        """The resumable upload is complete: start the work."""
        pipeline.submit(session_id=session_id, user_id=self.learner.pk)
        return Response(self.describe(session_id), status=status.HTTP_202_ACCEPTED)
