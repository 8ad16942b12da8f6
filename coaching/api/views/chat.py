"""The learner's two rooms, and the questions asked in one of them."""

import uuid

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from coaching import queries
from coaching.api.pagination import NewestFirstPagination
from coaching.api.schema import PAGE_PARAMETERS, describe_page
from coaching.api.serializers.chat import (
    MessageSerializer,
    QuestionSerializer,
    ReplyNewsSerializer,
    ReplySerializer,
    RoomSerializer,
)
from coaching.api.views.base import LearnerView
from coaching.errors import NotFound
from coaching.models.chat import RoomType
from tasks import chat


class RoomListView(LearnerView):
    @extend_schema(responses={200: RoomSerializer(many=True)})
    def get(self, request: Request) -> Response:
        return Response(RoomSerializer(queries.list_rooms(self.learner), many=True).data)


class MessageListView(LearnerView):
    """A page of a room, newest first; `next` leads to older messages."""

    @extend_schema(
        responses={200: describe_page("MessagePage", MessageSerializer)},
        parameters=PAGE_PARAMETERS,
        operation_id="chat_messages_list",
    )
    def get(self, request: Request, room_type: str) -> Response:
        paginator = NewestFirstPagination()
        page = paginator.paginate_queryset(queries.list_messages(self.learner, room_type), request, view=self)
        return paginator.get_paginated_response(MessageSerializer(page, many=True, context={"request": request}).data)

    @extend_schema(
        request=QuestionSerializer,
        responses={201: ReplySerializer},
        parameters=[OpenApiParameter("Idempotency-Key", str, OpenApiParameter.HEADER, required=False)],
        operation_id="chat_messages_create",
    )
    def post(self, request: Request, room_type: str) -> Response:
        """Ask the coach; only the room of the coach takes questions. The same Idempotency-Key asks once."""
        if room_type != RoomType.COACHING:
            raise NotFound(f"no questions in room {room_type!r}")
        form = QuestionSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        reply, is_new = chat.ask(
            user_id=self.learner.pk,
            text=form.validated_data["text"],
            idempotency_key=request.headers.get("Idempotency-Key") or uuid.uuid4().hex,
            session_id=form.validated_data.get("session_id"),
        )
        answer = ReplySerializer(reply, context={"request": request}).data
        return Response(answer, status=status.HTTP_201_CREATED if is_new else status.HTTP_200_OK)


class ReplyView(LearnerView):
    @extend_schema(
        responses={200: ReplyNewsSerializer, 204: None},
        parameters=[OpenApiParameter("after", str, description="the cursor of the last answer")],
    )
    def get(self, request: Request, reply_id: int) -> Response:
        """What is new of an answer; 204 where nothing is."""
        news = queries.follow_reply(self.learner, reply_id, after=request.query_params.get("after", ""))
        if not news.is_news:
            return Response(status=status.HTTP_204_NO_CONTENT)
        return Response(ReplyNewsSerializer(news).data)


class AskAgainView(LearnerView):
    @extend_schema(request=None, responses={202: ReplySerializer})
    def post(self, request: Request, reply_id: int) -> Response:
        """Another try for an answer that failed."""
        reply = chat.ask_again(user=self.learner, reply_id=reply_id)
        return Response(ReplySerializer(reply, context={"request": request}).data, status=status.HTTP_202_ACCEPTED)
