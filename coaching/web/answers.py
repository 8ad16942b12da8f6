"""Errors of the views that are no API views, in the API's one form."""

import logging
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse

from coaching import problems
from coaching.errors import MomentCloneError

logger = logging.getLogger(__name__)

View = Callable[..., HttpResponseBase]


def answer_problem(problem: dict[str, Any], headers: dict[str, str] | None = None) -> HttpResponse:
    return JsonResponse(problem, status=problem["status"], headers=headers, content_type=problems.CONTENT_TYPE)


def answer_problems(view: View) -> View:
    """Turn the product's errors that the view raises into problems."""

    @wraps(view)
    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            return view(request, *args, **kwargs)
        except MomentCloneError as error:
            problem = problems.describe_error(error)
            if problem["status"] >= 500:
                logger.error("%s %s: %s", request.method, request.path, error)
            return answer_problem(problem, problems.describe_headers(error))

    return answer
