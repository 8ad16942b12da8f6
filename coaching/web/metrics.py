"""`/metrics`: what `manage.py queues` prints, and the broker's state, for Prometheus.

The figures are read from PostgreSQL when they are asked for: there are no counters in a web process that a restart
would reset or that several processes would have to add up. So they are gauges, and "recent" means the last hour.
"""

import hmac
import logging
from collections.abc import Callable, Iterator

import redis
from django.conf import settings
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from coaching.queries.operations import ChatFigures, Operations, Quantiles, StageFigures, read_operations
from coaching.services.content import IndexState, describe_index
from coaching.web.broker import BrokerFigures, ask_broker
from coaching.web.deadlines import Inquiry

logger = logging.getLogger(__name__)

PREFIX = "moment_clone_"
PATIENCE_SECONDS = 8.0  # below Prometheus's usual 10

_operations = Inquiry(read_operations, timeout_seconds=PATIENCE_SECONDS)
_index = Inquiry(describe_index, timeout_seconds=PATIENCE_SECONDS)
_broker = Inquiry(ask_broker, timeout_seconds=PATIENCE_SECONDS)


@require_safe
@never_cache
def expose_metrics(request: HttpRequest) -> HttpResponse:
    """404 where no token is set, 401 without the right one."""
    if not settings.METRICS_TOKEN:
        return HttpResponse(status=404)
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    is_known = hmac.compare_digest(token.strip().encode(), settings.METRICS_TOKEN.encode())
    if scheme.lower() != "bearer" or not is_known:
        return HttpResponse(status=401, headers={"WWW-Authenticate": "Bearer"})
    registry = CollectorRegistry(auto_describe=False)
    registry.register(ProductCollector())
    encode, content_type = choose_encoder(request.headers.get("Accept", ""))
    return HttpResponse(encode(registry), content_type=content_type)


class ProductCollector(Collector):
    """Asks PostgreSQL and the broker at once. A server that does not answer is told of, and its figures are absent."""

    def collect(self) -> Iterator[Metric]:
        asked_operations, asked_index, asked_broker = _operations.begin(), _index.begin(), _broker.begin()
        try:
            operations, index = _operations.wait(asked_operations), _index.wait(asked_index)
        except (DatabaseError, TimeoutError) as error:
            logger.warning("no figures from the database: %s", error)
            yield _gauge("database_up", "Whether PostgreSQL answers.", 0)
        else:
            yield _gauge("database_up", "Whether PostgreSQL answers.", 1)
            yield from describe_operations(operations)
            yield from describe_search_index(index)
        try:
            broker = _broker.wait(asked_broker)
        except (redis.RedisError, TimeoutError) as error:
            logger.warning("no figures from the broker: %s", error)
            yield _gauge("broker_up", "Whether the broker answers.", 0)
        else:
            yield _gauge("broker_up", "Whether the broker answers.", 1)
            yield from describe_broker(broker)


def describe_operations(operations: Operations) -> Iterator[Metric]:
    yield _gauge("window_seconds", "How far back the recent figures reach.", operations.window_seconds)
    yield from _describe_stages(operations.stages)
    yield from _describe_runs(operations)
    yield from _describe_chat(operations.chat)
    beats = _family("beat_age_seconds", "Since what beat has done was last begun; watchdog: the runs.", "beat")
    for name, age_seconds in operations.beat_ages_seconds.items():
        beats.add_metric([name], age_seconds)
    yield beats
    mail = operations.mail
    yield _gauge("mail_waiting", "Mails that are not sent yet.", mail.waiting)
    yield _gauge("mail_oldest_waiting_seconds", "Age of the oldest such mail.", mail.oldest_waiting_seconds)


def _describe_chat(chat: ChatFigures) -> Iterator[Metric]:
    yield _gauge("chat_pending", "Questions that wait for their answer.", chat.pending)
    yield _gauge("chat_oldest_pending_seconds", "Age of the oldest such question.", chat.oldest_pending_seconds)
    ended = _family("chat_recent_replies", "Replies by how they ended.", "state")
    for state, count in {"answered": chat.answered, "failed": chat.failed}.items():
        ended.add_metric([state], count)
    yield ended
    for name, quantiles in {"first_words": chat.first_words_seconds, "whole_answer": chat.whole_answer_seconds}.items():
        seconds = _family(f"chat_recent_{name}_seconds", "From the question on.", "quantile")
        _add_quantiles(seconds, [], quantiles)
        yield seconds


def describe_search_index(index: IndexState) -> Iterator[Metric]:
    yield _gauge("index_current", "Whether the search index holds the texts as they are now.", index.is_current)
    built = index.built
    yield _gauge("index_failed", "Whether its last build failed.", bool(index.fault or (built and built.error)))
    yield _gauge("index_documents", "Texts in it.", built.document_count if built else 0)


def describe_broker(broker: BrokerFigures) -> Iterator[Metric]:
    waiting = _family("broker_messages", "Messages that wait in the broker, by queue.", "queue")
    for queue, count in broker.waiting.items():
        waiting.add_metric([queue], count)
    yield waiting
    yield _gauge("broker_unacknowledged", "Messages that workers hold.", broker.unacknowledged)


_STAGE_GAUGES: dict[str, tuple[str, Callable[[StageFigures], float | None]]] = {
    "waiting": ("Stages that wait for a worker.", lambda stage: stage.waiting),
    "delayed": ("Stages that wait for the time of their next attempt.", lambda stage: stage.delayed),
    "running": ("Stages that a worker holds.", lambda stage: stage.running),
    "oldest_waiting_seconds": ("Age of the oldest waiting stage.", lambda stage: stage.oldest_waiting_seconds),
    "longest_running_seconds": ("Age of the longest running one.", lambda stage: stage.longest_running_seconds),
    "recent_republications": ("Messages that were sent again.", lambda stage: stage.republished),
    "failure_ratio": ("Recent attempts that ended in an error, of those that ended.", lambda stage: stage.failure_rate),
}


def _describe_stages(stages: tuple[StageFigures, ...]) -> Iterator[Metric]:
    for name, (text, read) in _STAGE_GAUGES.items():
        gauge = _family(f"stage_{name}", text, "stage", "queue")
        for stage in stages:
            if (value := read(stage)) is not None:
                gauge.add_metric([stage.stage.value, stage.queue], value)
        yield gauge
    attempts = _family("stage_recent_attempts", "Attempts by how they ended.", "stage", "queue", "outcome")
    for stage in stages:
        for outcome, count in stage.attempts.items():
            attempts.add_metric([stage.stage.value, stage.queue, outcome], count)
    yield attempts
    durations = _family("stage_recent_duration_seconds", "Attempts that made it.", "stage", "queue", "quantile")
    waits = _family("stage_recent_wait_seconds", "From queued to claimed.", "stage", "queue", "quantile")
    for stage in stages:
        labels = [stage.stage.value, stage.queue]
        _add_quantiles(durations, labels, stage.duration_seconds)
        _add_quantiles(waits, labels, stage.wait_seconds)
    yield durations
    yield waits


def _describe_runs(operations: Operations) -> Iterator[Metric]:
    runs, films = operations.runs, operations.films
    yield _gauge("runs_running", "Runs in progress.", runs.running)
    yield _gauge("runs_stuck", "Runs in progress in which nothing happens any more.", runs.stuck)
    yield _gauge("runs_oldest_running_seconds", "Age of the oldest run in progress.", runs.oldest_running_seconds)
    ended = _family("runs_recent", "Runs by how they ended.", "state")
    for state, count in {"completed": runs.completed, "failed": runs.failed, "cancelled": runs.cancelled}.items():
        ended.add_metric([state], count)
    yield ended
    cost = _family("film_recent_cost_usd", "Estimated cost of the films that were completed.", "quantile")
    _add_quantiles(cost, [], films.cost_usd)
    yield cost
    yield _gauge("recent_spent_usd", "Estimated cost of all stages that ended.", films.spent_usd)


def _family(name: str, text: str, *labels: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(PREFIX + name, text, labels=labels)


def _gauge(name: str, text: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(PREFIX + name, text, value=value)


def _add_quantiles(gauge: GaugeMetricFamily, labels: list[str], quantiles: Quantiles) -> None:
    for quantile, value in (("0.5", quantiles.p50), ("0.95", quantiles.p95)):
        if value is not None:
            gauge.add_metric([*labels, quantile], value)
