"""The learner's two rooms, to read."""

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from coaching import queries
from coaching.api.pagination import NewestFirstPagination
from coaching.api.schema import PAGE_PARAMETERS, describe_page
from coaching.api.serializers.chat import MessageSerializer, RoomSerializer
from coaching.api.views.base import LearnerView


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
