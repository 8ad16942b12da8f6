import re

import pytest

from coaching.prompts.fence import DATA_NOTICE
from coaching.prompts.files import FOLDER, read_prompt

NAMES = sorted(path.stem for path in FOLDER.glob("*.txt"))


@pytest.mark.parametrize("name", NAMES)
def test_every_prompt_has_a_version_a_role_and_a_notice_about_data(name: str) -> None:
    prompt = read_prompt(name)
    assert re.fullmatch(rf"{name}-\d+\.[0-9a-f]{{8}}", prompt.version)
    assert DATA_NOTICE in prompt.system
    assert "$" not in prompt.system
    assert prompt.task.is_valid()


def test_every_task_of_the_coach_has_its_prompt() -> None:
    assert NAMES == ["analyse", "answer", "understand_memo", "write_script"]


def test_what_fills_a_gap_is_not_read_again() -> None:
    prompt = read_prompt("understand_memo")
    filled = prompt.fill(dish_name="${mistakes}", mistakes="いろいろ", transcript="${dish_name} $1 {x}")
    assert "transcript of ${mistakes}:" in filled
    assert filled.endswith("${dish_name} $1 {x}")


def test_a_gap_that_nobody_fills_is_an_error() -> None:
    with pytest.raises(KeyError):
        read_prompt("understand_memo").fill(dish_name="チャーハン")
