"""The admin's cast: Sam may do everything; Olga sees and steers; Vera only sees; Stan is staff without any right."""

import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from coaching.models import User
from tests.coaching.conftest import make_learner

SEEN_BY_OPERATORS = ("view_session", "view_pipelinerun", "view_auditentry")


def make_staff(name: str, *permissions: str) -> User:
    user = make_learner(name, is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    return User.objects.get(pk=user.pk)


@pytest.fixture
def olga(db: None) -> User:
    return make_staff("Olga", *SEEN_BY_OPERATORS, "steer_session")


@pytest.fixture
def vera(db: None) -> User:
    return make_staff("Vera", *SEEN_BY_OPERATORS)


@pytest.fixture
def stan(db: None) -> User:
    return make_staff("Stan")


def enter(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def sam_admin(sam: User) -> Client:
    return enter(sam)


@pytest.fixture
def olga_admin(olga: User) -> Client:
    return enter(olga)
