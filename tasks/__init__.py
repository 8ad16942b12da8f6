"""Celery tasks: they load by id, call one service and answer with ids. Orchestration only."""
