"""Flower's configuration (`celery -A project flower --conf=project/flower_conf.py`): it executes this file and takes
the names that are options of its own.

Flower asks for its login on every page but two: /metrics, which tells strangers the names of workers and tasks and how
many ran, and /healthcheck. Both are put behind the same login here; a probe that has none is answered 401 by a Flower
that lives, which is what a TCP probe tells as well.

It lists the queues of the workers that it sees, so a queue whose only worker died would vanish from its page while its
messages pile up: here it lists all queues of the product, always.
"""

from flower.views import BaseHandler
from flower.views.monitor import Healthcheck, Metrics
from tornado.web import authenticated

from coaching.web.broker import list_queues
from project.env import load_env

_env = load_env()
if not _env.flower_password:
    raise SystemExit("FLOWER_PASSWORD is missing: Flower shows every task and is never served without a login.")

for _page in (Metrics, Healthcheck):
    _page.get = authenticated(_page.get)


def _list_queues(page: BaseHandler) -> list[str]:
    return sorted({*_seen_queues(page), *list_queues()})


_seen_queues = BaseHandler.get_active_queue_names
BaseHandler.get_active_queue_names = _list_queues

basic_auth = [f"{_env.flower_user}:{_env.flower_password}"]
read_only = True  # runs are cancelled and re-run from the admin, which keeps their rows right and writes an audit log
enable_events = True  # turns events on in workers that were started without them
max_tasks = 10_000  # in memory, and on disk
max_workers = 200
purge_offline_workers = 600  # seconds; pods come and go
inspect_timeout = 3_000.0  # milliseconds; workers took seconds to answer under load
persistent = True
db = str(_env.var_folder / "run" / "flower")
state_save_interval = 60_000  # milliseconds
tasks_columns = "name,uuid,state,args,received,started,runtime,worker"
