"""Template tags of the pages, built into the template engine: no `{% load %}` is needed."""

from functools import cache, lru_cache
from typing import Any

import budoux
from django import template
from django.templatetags.static import static
from django.utils.html import conditional_escape, format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

register = template.Library()


@cache
def _load_parser() -> budoux.Parser:
    return budoux.load_default_japanese_parser()


@lru_cache(maxsize=2048)
def split_phrases(text: str) -> tuple[str, ...]:
    return tuple(_load_parser().parse(text)) if text else ()


@register.filter
def phrases(text: object) -> SafeString:
    """Japanese that breaks between phrases only: for headings and other short lines."""
    if text is None or text == "":
        return mark_safe("")
    parts = format_html_join(mark_safe("<wbr>"), "{}", ((part,) for part in split_phrases(str(text))))
    return format_html('<span class="phrases">{}</span>', parts)


@register.simple_tag(takes_context=True)
def script_module(context: template.Context, path: str) -> SafeString:
    """A script tag for a module of our own, with the nonce that the page's policy asks for."""
    return format_html('<script type="module" src="{}" nonce="{}"></script>', static(path), context.get("csp_nonce"))


@register.simple_tag
def icon(name: str) -> SafeString:
    """A drawing of `icons/sprite.svg` in the text's colour. Decoration: say in words beside it what it means."""
    return format_html(
        '<svg class="icon" aria-hidden="true" focusable="false"><use href="{}#{}"></use></svg>',
        static("coaching/icons/sprite.svg"),
        conditional_escape(name),
    )


@register.filter
def get(mapping: dict[str, Any], key: str) -> Any:
    """`mapping[key]` for a key that holds dots or stands in a variable; nothing where there is none."""
    return mapping.get(key)
