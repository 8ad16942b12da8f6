"""Dishes and the learner state."""

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from coaching import queries
from coaching.api.serializers.dishes import DishDetailSerializer, DishSerializer
from coaching.api.serializers.learners import LearnerStateSerializer
from coaching.api.views.base import LearnerView


class DishListView(LearnerView):
    """The dishes that are open to the learner now."""

    @extend_schema(responses={200: DishSerializer(many=True)})
    def get(self, request: Request) -> Response:
        return Response(DishSerializer(queries.list_open_dishes(self.learner), many=True).data)


class DishView(LearnerView):
    """One dish, open or not yet, and how far the learner has come with it."""

    @extend_schema(responses={200: DishDetailSerializer})
    def get(self, request: Request, slug: str) -> Response:
        return Response(DishDetailSerializer(queries.get_dish(self.learner, slug)).data)


class LearnerStateView(LearnerView):
    @extend_schema(responses={200: LearnerStateSerializer})
    def get(self, request: Request) -> Response:
        return Response(LearnerStateSerializer(queries.get_learner_state(self.learner)).data)
