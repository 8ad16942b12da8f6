"""The coach's rules, checked on whatever was written: no measurements, one name, one thing, warm Japanese, to length.

`check_script` looks at a whole script, `check_text` at one text. Both are pure: no engines, no settings, no database.
"""

from coaching.rules.address import address_learner, spoken_name
from coaching.rules.finding import Finding
from coaching.rules.length import (
    KEY_MOMENT_SECONDS,
    MORAE_PER_SECOND,
    PART1_SECONDS,
    PAUSE_SECONDS,
    MoraCounter,
    estimate_morae,
    estimate_speech_seconds,
)
from coaching.rules.script import PIVOT, ScriptTexts, check_script, check_text
from coaching.rules.similarity import measure_likeness

__all__ = [
    "KEY_MOMENT_SECONDS",
    "MORAE_PER_SECOND",
    "PART1_SECONDS",
    "PAUSE_SECONDS",
    "PIVOT",
    "Finding",
    "MoraCounter",
    "ScriptTexts",
    "address_learner",
    "check_script",
    "check_text",
    "estimate_morae",
    "estimate_speech_seconds",
    "measure_likeness",
    "spoken_name",
]
