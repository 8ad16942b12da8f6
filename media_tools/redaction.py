"""Takes what opens doors out of texts that are kept or logged: FFmpeg and others quote the URLs they were given."""

import re

REDACTED = "[redacted]"
_REST = r"[^&\s\"'<>\\,;)\]}]+"  # of a value: to the end of the parameter, the URL or the string it stands in

_SECRETS = (
    # Signed links: Cloud Storage's (V2 and V4) and our own; resumable uploads; links of mails.
    re.compile(
        r"(?i)([?&;](?:signature|sig|x-goog-signature|x-goog-credential|x-goog-security-token|googleaccessid|upload_id"
        rf"|token|access_token|key|api_key|code|state)=){_REST}"
    ),
    re.compile(r"(/uploads/)[\w-]{16,}"),
    # Tokens of mails' links: password reset, and values signed with a time.
    re.compile(r"(/)[0-9a-z]{6,7}-[0-9a-f]{32}\b"),
    re.compile(r"()\b[\w.=-]+:[0-9A-Za-z]{6}:[\w-]{27,64}"),
    re.compile(r"([a-z][a-z0-9+.-]*://[^\s/:@\"']*:)[^\s@/\"']+(?=@)"),
    re.compile(r"(?i)(authorization[\"']?\s*[:=]\s*[\"']?(?:bearer |basic )?|\bbearer )[\w+/=.~-]{8,}"),
    re.compile(r"()\b(?:AIza[\w-]{35}|[sr]k_(?:live|test)_\w{10,}|whsec_\w{10,}|ya29\.[\w-]{20,})"),
)


def redact(text: str) -> str:
    """`text` without signatures, tokens, passwords in URLs and keys; what they opened can still be told."""
    for pattern in _SECRETS:
        text = pattern.sub(rf"\g<1>{REDACTED}", text)
    return text
