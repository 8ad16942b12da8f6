"""Flower's configuration (`celery -A project flower --conf=project/flower_conf.py`): it executes this file and takes
the names that are options of its own.

Flower asks for its login on every page but two, /metrics and /healthcheck, which tell strangers the names of workers
and tasks and how many ran. They are put behind the same login here.
"""

from flower.views.monitor import Healthcheck, Metrics
from tornado.web import authenticated

from project.env import load_env

_env = load_env()
if not _env.flower_password:
    raise SystemExit("FLOWER_PASSWORD is missing: Flower shows every task and is never served without a login.")

for _page in (Metrics, Healthcheck):
    _page.get = authenticated(_page.get)

basic_auth = [f"{_env.flower_user}:{_env.flower_password}"]
read_only = True  # runs are cancelled and re-run from the admin, which keeps their rows right and writes an audit log
max_tasks = 10_000  # in memory
max_workers = 200
purge_offline_workers = 600  # seconds; pods come and go
persistent = True
db = str(_env.var_folder / "run" / "flower")
state_save_interval = 60_000  # milliseconds
tasks_columns = "name,uuid,state,args,received,started,runtime,worker"
