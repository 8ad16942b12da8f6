import threading

import pytest
from django.db import connection

from coaching.errors import InvalidInput
from coaching.models import ChatRoom, User
from coaching.services.accounts import find_user_by_password, register_user
from tests.coaching.conftest import PASSWORD


def faults_of(**fields: str) -> set[tuple[str, str]]:
    with pytest.raises(InvalidInput) as caught:
        register_user(**{"email": "hana@example.com", "password": PASSWORD, "first_name": "花", **fields})
    assert all(fault.message for fault in caught.value.faults)
    return {(fault.field, fault.code) for fault in caught.value.faults}


@pytest.mark.django_db
def test_a_new_learner_has_both_rooms_and_the_free_plan() -> None:
    user = register_user(email=" Hana@Example.COM ", password=PASSWORD, first_name=" 花　子 ")
    assert (user.email, user.first_name, user.subscription_status) == ("Hana@example.com", "花 子", "free")
    assert set(ChatRoom.objects.filter(user=user).values_list("room_type", flat=True)) == {"cooking_videos", "coaching"}
    assert not user.onboarding_done


@pytest.mark.django_db
def test_an_address_is_taken_however_it_is_capitalised() -> None:
    register_user(email="hana@example.com", password=PASSWORD, first_name="花")
    assert faults_of(email="HANA@example.com") == {("email", "taken")}


@pytest.mark.django_db
def test_every_fault_is_told_at_once() -> None:
    assert faults_of(email="hana", password="1234", first_name="🍳") == {
        ("email", "invalid"),
        ("first_name", "name_characters"),
        ("password", "password_too_short"),
        ("password", "password_too_common"),
        ("password", "password_entirely_numeric"),
    }
    assert not User.objects.exists()


@pytest.mark.django_db
def test_a_password_like_the_address_is_refused() -> None:
    assert faults_of(password="hana@example.com") == {("password", "password_too_similar")}


@pytest.mark.django_db
def test_a_password_too_long_to_hash_cheaply_is_refused() -> None:
    assert faults_of(password="ながい" * 100) == {("password", "max_length")}


@pytest.mark.django_db
def test_a_login_ignores_the_case_of_the_address_but_not_of_the_password() -> None:
    user = register_user(email="hana@example.com", password=PASSWORD, first_name="花")
    assert find_user_by_password(email="HANA@EXAMPLE.com", password=PASSWORD) == user
    assert find_user_by_password(email="hana@example.com", password=PASSWORD.upper()) is None
    assert find_user_by_password(email="nobody@example.com", password=PASSWORD) is None
    User.objects.update(is_active=False)
    assert find_user_by_password(email="hana@example.com", password=PASSWORD) is None


@pytest.mark.django_db(transaction=True)
def test_of_two_registrations_at_once_one_wins() -> None:
    barrier = threading.Barrier(4)
    outcomes: list[str] = []

    def register() -> None:
        barrier.wait(timeout=30)
        try:
            register_user(email="hana@example.com", password=PASSWORD, first_name="花")
            outcomes.append("made")
        except InvalidInput as error:
            outcomes.append(error.faults[0].code)
        finally:
            connection.close()

    threads = [threading.Thread(target=register) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert sorted(outcomes) == ["made", "taken", "taken", "taken"]
    assert User.objects.count() == 1
    assert ChatRoom.objects.count() == 2
