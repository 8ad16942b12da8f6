import threading
from collections.abc import Callable

import pytest

from coaching.errors import Misconfigured, ProviderUnavailable
from coaching.providers.deadline import Deadline
from coaching.providers.local.engine import SharedEngine


def make_engine(load: Callable[[], object] = object) -> SharedEngine[object]:
    return SharedEngine(load, name="Tester")


def test_an_engine_is_loaded_once_and_only_when_it_is_needed() -> None:
    loaded: list[object] = []

    def load() -> object:
        loaded.append(object())
        return loaded[-1]

    engine = make_engine(load)
    assert loaded == []
    for _ in range(3):
        with engine.borrow(Deadline(60, doing="testing")) as borrowed:
            assert borrowed is loaded[0]
    assert len(loaded) == 1


def test_one_caller_at_a_time_and_waiting_counts_against_the_deadline() -> None:
    engine = make_engine()
    refusals: list[ProviderUnavailable] = []

    def borrow_in_vain() -> None:
        try:
            with engine.borrow(Deadline(0.05, doing="waiting")):
                pass
        except ProviderUnavailable as refusal:
            refusals.append(refusal)

    with engine.borrow(Deadline(60, doing="working")):
        other = threading.Thread(target=borrow_in_vain)
        other.start()
        other.join(timeout=60)
    assert [str(refusal) for refusal in refusals] == ["waiting took longer than its 0.05 s"]
    with engine.borrow(Deadline(60, doing="working again")):
        pass


def test_an_engine_that_failed_to_load_is_tried_again() -> None:
    answers = iter([ProviderUnavailable("out of memory"), object()])

    def load() -> object:
        answer = next(answers)
        if isinstance(answer, ProviderUnavailable):
            raise answer
        return answer

    engine = make_engine(load)
    with pytest.raises(ProviderUnavailable), engine.borrow(Deadline(60, doing="testing")):
        pass
    with engine.borrow(Deadline(60, doing="testing")) as borrowed:
        assert borrowed is not None


def test_a_missing_package_says_what_to_install() -> None:
    def load() -> object:
        import a_package_that_is_not_there  # type: ignore[import-not-found]

        return a_package_that_is_not_there

    with (
        pytest.raises(Misconfigured, match=r"Tester is not installed.*embedded"),
        make_engine(load).borrow(Deadline(60, doing="testing")),
    ):
        pass
