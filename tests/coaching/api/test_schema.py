"""The schema describes the API, and nothing that it lets through, or does not, breaks the server."""

from collections.abc import Iterator
from itertools import cycle
from operator import itemgetter
from typing import Any

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections
from django.middleware.csrf import _get_new_csrf_string  # no public way to make one
from django.test import Client
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.validation import validate_schema
from hypothesis import HealthCheck, settings
from rest_framework.test import APIClient
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import response_schema_conformance

from coaching import throttles
from coaching.models import Session, User

EXAMPLES = 10
turns = cycle([itemgetter(0), itemgetter(1), itemgetter(2)])


def generate_schema() -> dict[str, Any]:
    schema: dict[str, Any] = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]  # untyped library
    return schema


fuzzed = schemathesis.openapi.from_dict(generate_schema())
fuzzed.app = get_wsgi_application()


def test_the_schema_is_valid_and_complete() -> None:
    schema = generate_schema()
    validate_schema(schema)  # type: ignore[no-untyped-call]  # untyped library
    operations = [(path, method) for path, methods in schema["paths"].items() for method in methods]
    assert len(operations) == 23
    for path, methods in schema["paths"].items():
        for method, operation in methods.items():
            problem = operation["responses"]["default"]["content"]
            assert list(problem) == ["application/problem+json"], (method, path)


@pytest.mark.django_db
def test_staff_read_the_schema_as_json(sam_client: APIClient) -> None:
    response = sam_client.get("/api/schema/")
    assert response.status_code == 200
    assert response.headers["Content-Type"].startswith("application/vnd.oai.openapi+json")


def make_cookies(user: User) -> dict[str, str]:
    client = Client()
    client.force_login(user)
    return {"sessionid": client.cookies["sessionid"].value, "csrftoken": _get_new_csrf_string()}


@pytest.fixture
def _one_connection() -> Iterator[None]:
    """The application runs in the test's own transaction: a finished request must not close its connection."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.mark.django_db
@pytest.mark.usefixtures("loaded_content", "_one_connection")
@fuzzed.parametrize()
@settings(
    max_examples=EXAMPLES,
    deadline=None,  # machines are shared
    derandomize=True,  # the same cases in every run: a new one belongs into a test of its own
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.filter_too_much],
)
def test_nothing_that_is_sent_breaks_the_server(
    case: schemathesis.Case[Any], alice: User, cooks: list[Session]
) -> None:
    throttles.connect_to_attempts().reset()  # the throttles would answer in place of the views
    if "session_id" in (case.path_parameters or {}):
        case.path_parameters["session_id"] = next(turns)(cooks).pk
    cookies = make_cookies(alice)
    case.call_and_validate(
        cookies=cookies,
        headers={"X-CSRFToken": cookies["csrftoken"]},
        checks=[not_a_server_error, response_schema_conformance],
    )
