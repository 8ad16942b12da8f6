"""What `make up` and `make demo` start."""

import dataclasses
import socket

import pytest
from django.conf import settings

from project.env import Env, load_env
from project.processes import ProcessFailed, ProcessSpec
from project.up import choose_port, list_processes, plan_installation


@pytest.fixture
def processes() -> dict[str, ProcessSpec]:
    return {spec.name: spec for spec in list_processes(plan_installation(load_env()))}


def test_every_queue_that_tasks_are_routed_to_has_one_worker(processes: dict[str, ProcessSpec]) -> None:
    words = [word for spec in processes.values() for word in spec.argv if word.startswith("--queues=")]
    served = [queue for word in words for queue in word.removeprefix("--queues=").split(",")]
    routed = {route["queue"] for route in settings.CELERY_TASK_ROUTES.values()}
    assert sorted(served) == sorted(routed | {"chat", settings.CELERY_TASK_DEFAULT_QUEUE})


def test_only_the_encoding_worker_forks(processes: dict[str, ProcessSpec]) -> None:
    """A time limit and a memory limit per task need processes; engines that are shared in memory need threads."""
    pools = {name: [w for w in spec.argv if w.startswith("--pool")] for name, spec in processes.items()}
    assert {name: pool[0] for name, pool in pools.items() if pool} == {
        "worker-media": "--pool=prefork",
        "worker-llm": "--pool=threads",
        "worker-default": "--pool=threads",
        "worker-chat": "--pool=threads",
    }
    assert "--concurrency=1" in processes["worker-llm"].argv


def test_passwords_are_in_the_environment_not_on_the_command_line() -> None:
    installation = dataclasses.replace(plan_installation(load_env()), flower_password="pot-of-rice")
    for spec in list_processes(installation):
        assert not any("pot-of-rice" in word for word in spec.argv)
        assert ("pot-of-rice" in spec.env.values()) == (spec.name == "flower")


def test_everything_serves_on_loopback_only(processes: dict[str, ProcessSpec]) -> None:
    web, flower = processes["web"].argv, processes["flower"].argv
    assert any(word.startswith("--bind=127.0.0.1:") for word in web)
    assert "--address=127.0.0.1" in flower


def test_a_taken_port_is_passed_over() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = other.getsockname()[1]
        assert choose_port(taken) not in (0, taken)
    assert choose_port(taken) == taken


def test_a_port_that_another_installation_has_chosen_but_not_bound_yet_is_passed_over() -> None:
    chosen = choose_port(0)
    with socket.create_server(("127.0.0.1", chosen)):
        pass  # it is free
    assert choose_port(chosen) != chosen


def test_a_port_that_was_asked_for_is_had_or_refused_by_name() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(ProcessFailed, match=f"WEB_PORT={port}: something else"):
            plan_installation(Env.model_validate({"web_port": port}))
    assert plan_installation(Env.model_validate({"web_port": port})).web_port == port


def test_each_installation_draws_a_password_of_its_own_unless_one_is_given() -> None:
    drawn = {plan_installation(Env.model_validate({"flower_password": ""})).flower_password for _ in range(2)}
    assert len(drawn) == 2
    assert plan_installation(Env.model_validate({"flower_password": "given"})).flower_password == "given"


def test_two_installations_share_no_file_and_no_worker_name() -> None:
    ours, theirs = ({spec.name: spec for spec in list_processes(plan_installation(load_env()))} for _ in range(2))
    for name in ours:
        own_words = [word for word in ours[name].argv if word.startswith(("--hostname", "--schedule", "--bind"))]
        assert not set(own_words) & set(theirs[name].argv)
        assert ours[name].env.get("WORKER_READY_FILE", "") != theirs[name].env.get("WORKER_READY_FILE")
