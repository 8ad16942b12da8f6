"""DRF exceptions that DRF lacks. Apart from `errors`, since the authentication must load before DRF's views."""

from rest_framework import exceptions, status


class PayloadTooLarge(exceptions.APIException):
    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE
    default_detail = "the body is larger than this endpoint takes"
    default_code = "payload_too_large"


class CsrfFailed(exceptions.PermissionDenied):
    default_code = "csrf_failed"
