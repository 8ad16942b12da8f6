"""How lists are cut."""

from rest_framework.pagination import CursorPagination


class NewestFirstPagination(CursorPagination):
    """Stable under new arrivals: a page never repeats or skips a row. Ties in time are broken by id."""

    ordering = ("-created_at", "-id")
    page_size = 50
    max_page_size = 100
    page_size_query_param = "page_size"
