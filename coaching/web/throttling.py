"""How often one address may try. Counted together with the API's attempts: scope and rates are the same."""

from django.http import HttpRequest
from rest_framework.throttling import SimpleRateThrottle
from rest_framework.views import APIView

TOO_OFTEN = "短い時間に何度も操作されています。少し待ってから、もう一度お試しください。"


class _AddressThrottle(SimpleRateThrottle):
    def get_cache_key(self, request: HttpRequest, view: APIView) -> str:
        return self.cache_format % {"scope": self.scope, "ident": self.get_ident(request)}  # type: ignore[arg-type]  # likewise


class LoginThrottle(_AddressThrottle):
    scope = "login"


class RegisterThrottle(_AddressThrottle):
    scope = "register"


class MailThrottle(_AddressThrottle):
    scope = "mail"


def may_try(throttle: type[_AddressThrottle], request: HttpRequest) -> bool:
    """Whether the address behind this request may try once more; counts the attempt."""
    return bool(throttle().allow_request(request, None))  # type: ignore[arg-type]  # no view is asked
