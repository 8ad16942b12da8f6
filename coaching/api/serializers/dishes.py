"""Dishes, as one learner sees them."""

from typing import Any

from rest_framework import serializers


class KeyPointSerializer(serializers.Serializer[Any]):
    principle = serializers.CharField()
    moment_ja = serializers.CharField()
    watch_for_ja = serializers.CharField()
    typical_mistake_ja = serializers.CharField()
    success_sign_ja = serializers.CharField()


class DishProgressSerializer(serializers.Serializer[Any]):
    status = serializers.CharField()
    started_at = serializers.DateTimeField(allow_null=True)
    completed_at = serializers.DateTimeField(allow_null=True)


class DishSerializer(serializers.Serializer[Any]):
    """A `queries.DishView`."""

    slug = serializers.CharField(source="dish.slug")
    name_ja = serializers.CharField(source="dish.name_ja")
    name_en = serializers.CharField(source="dish.name_en")
    description_ja = serializers.CharField(source="dish.description_ja")
    month_unlocked = serializers.IntegerField(source="dish.month_unlocked")
    is_open = serializers.BooleanField()
    session_count = serializers.IntegerField()
    progress = DishProgressSerializer()


class DishDetailSerializer(DishSerializer):
    principles = serializers.ListField(child=serializers.CharField(), source="dish.principles")
    transferable_to = serializers.ListField(child=serializers.CharField(), source="dish.transferable_to")
    key_points = KeyPointSerializer(many=True, source="dish.key_points")
