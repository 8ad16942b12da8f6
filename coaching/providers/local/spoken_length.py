"""How long a text takes to say, from its reading: OpenJTalk reads the kanji, the rules know the rate."""

import re
from functools import lru_cache

import pyopenjtalk

from coaching.providers.local.readings import write_as_read

_SMALL_KANA = re.compile(r"[ァィゥェォャュョヮ]")
_NO_KANA = re.compile(r"[^ァ-ヴー]")


@lru_cache(maxsize=16384)
def count_spoken_morae(text: str) -> int:
    """Morae of `text` as the voices read it; punctuation counts nothing."""
    if not text.strip():
        return 0
    # Without the readings by context, which take ten times as long and hardly ever change the number of morae.
    reading = str(pyopenjtalk.g2p(write_as_read(text), kana=True, use_vanilla=True))
    return len(_NO_KANA.sub("", _SMALL_KANA.sub("", reading)))
