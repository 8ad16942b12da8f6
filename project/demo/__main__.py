"""`python -m project.demo`: servers, processes, a learner, a cook; the film at the end; then it keeps serving."""

import logging
import os
import sys
from concurrent.futures import ThreadPoolExecutor

import django
from rich.console import Console

from project import embedded
from project.demo.google import point_to_google
from project.demo.options import DemoOptions, read_options
from project.env import load_env
from project.processes import ProcessFailed, Supervisor
from project.up import list_processes, plan_installation, prepare, turn_sigterm_into_exit

CHAOS_LEASE_SECONDS = "6"
LOG_WIDTH = 120
NEEDED_FIRST = ("web", "worker-media")  # the others start while the cook is sent and looked over


def main() -> int:
    options = read_options()
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = LOG_WIDTH
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    turn_sigterm_into_exit()
    if options.chaos:
        os.environ["STAGE_LEASE_SECONDS"] = CHAOS_LEASE_SECONDS  # a killed worker is noticed when its lease runs out
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")
    try:
        with point_to_google(options), embedded.ensure() as servers:
            return run_demo(options, console, servers)
    except (ProcessFailed, embedded.EmbeddedError) as error:
        console.print(str(error), style="red", markup=False)
        return 1
    except KeyboardInterrupt:
        console.print("stopped")
        return 0 if not options.once else 130


def run_demo(options: DemoOptions, console: Console, servers: embedded.EmbeddedServers) -> int:
    """One cook through a fresh set of processes; 0 when its film is there."""
    console.print("preparing database and content")
    installation = plan_installation(load_env())
    with ThreadPoolExecutor(max_workers=1) as beside:  # a process of its own prepares while this one loads Django
        prepared = beside.submit(prepare, installation)
        django.setup()
        prepared.result()
    logging.getLogger().setLevel(logging.WARNING)  # the processes log to files; the terminal shows the stages
    from project.demo.footage import find_footage  # models are there only after setup

    log_folder = installation.var_folder / "log"
    with Supervisor(list_processes(installation), log_folder=log_folder, also_measured=servers.pids) as supervisor:
        console.print("making the cook (drawn and spoken once, then kept)")
        footage = find_footage(options, installation.var_folder / "samples")
        console.print("waiting for web and workers")
        supervisor.wait_until_ready(NEEDED_FIRST)
        from project.demo.journey import Journey

        journey = Journey(options, installation, supervisor, console)
        succeeded = journey.travel(footage)
        if options.once:
            return 0 if succeeded else 1
        supervisor.wait_until_ready()
        journey.show_addresses()
        supervisor.wait()
    return 0 if succeeded else 1


if __name__ == "__main__":
    sys.exit(main())
