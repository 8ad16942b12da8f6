"""The demo's way through the product: log in, upload, say how it felt, submit, watch, fetch the film, report."""

import os
import signal
import time
from pathlib import Path
from typing import Any

from rich.console import Console

from project.demo.footage import Footage
from project.demo.learner import DemoLearner, DemoRefused, create_accounts
from project.demo.options import DemoOptions
from project.demo.report import make_report, write_report
from project.demo.show import StageDisplay, draw_gantt, show_result
from project.processes import Supervisor
from project.up import Installation

POLL_SECONDS = 0.5
CHAOS_WORKER = "worker-media"
CHAOS_AT_PERCENT = 20
OVER = {"completed", "failed", "cancelled"}


class Journey:
    def __init__(
        self, options: DemoOptions, installation: Installation, supervisor: Supervisor, console: Console
    ) -> None:
        self._options = options
        self._installation = installation
        self._supervisor = supervisor
        self._console = console
        self._learner_login, self._admin_login = create_accounts()
        self._chaos_left = options.chaos

    def travel(self, footage: Footage) -> bool:
        """From the login to the film; False where there is none, having said why."""
        with DemoLearner(self._installation.web_url) as learner:
            try:
                session_id = self._send_cook(learner, footage)
                session = self._watch(learner, session_id)
            except DemoRefused as error:
                self._console.print(str(error), style="red", markup=False)
                return False
            film = self._fetch_film(learner, session)
        report = make_report(session_id=session_id, film=film, peak_bytes=self._supervisor.peak_bytes)
        report_path = self._options.report or self._folder / "report.json"
        write_report(report, report_path)
        self._console.print(draw_gantt(report["stages"]))
        if film is None:
            self._tell_failure(report)
            return False
        show_result(self._console, report)
        self._console.print(f"[bold]The report:[/bold] {report_path}", soft_wrap=True)
        return True

    @property
    def _folder(self) -> Path:
        return self._installation.var_folder / "demo"

    def _send_cook(self, learner: DemoLearner, footage: Footage) -> int:
        learner.log_in(self._learner_login)
        learner.answer_quiz()
        session = learner.begin_session(self._options.dish, footage.video)
        session_id = int(session["id"])
        size_bytes = footage.video.stat().st_size
        for sent_bytes in learner.upload_video(session["upload"], footage.video):
            self._console.print(f"uploaded {sent_bytes / 1e6:.1f} of {size_bytes / 1e6:.1f} MB")
        if footage.memo is not None:
            learner.send_memo(session_id, footage.memo)
        learner.rate(session_id, footage.ratings)
        learner.submit(session_id)
        self._console.print(f"session {session_id} submitted: the coach is at work")
        return session_id

    def _watch(self, learner: DemoLearner, session_id: int) -> dict[str, Any]:
        with StageDisplay(self._console) as display:
            while True:
                session = learner.look(session_id)
                stages = session["pipeline"]["stages"]
                display.update(stages)
                if session["pipeline"]["state"] in OVER:
                    return session
                if self._chaos_left and self._is_time_for_chaos(stages):
                    self._kill_worker(display)
                time.sleep(POLL_SECONDS)

    @staticmethod
    def _is_time_for_chaos(stages: list[dict[str, Any]]) -> bool:
        compose = next(stage for stage in stages if stage["stage"] == "compose")
        return bool(compose["state"] == "running" and compose["percent"] >= CHAOS_AT_PERCENT)

    def _kill_worker(self, display: StageDisplay) -> None:
        self._chaos_left = False
        pid = self._supervisor.pid(CHAOS_WORKER)
        if pid is not None:
            os.kill(pid, signal.SIGKILL)
            display.tell(
                f"chaos: {CHAOS_WORKER} (pid {pid}) killed in mid-compose; its lease runs out, then another goes on"
            )

    def _fetch_film(self, learner: DemoLearner, session: dict[str, Any]) -> Path | None:
        if session["status"] != "completed":
            return None
        film = self._options.out or self._folder / "film.mp4"
        learner.download(session["download_url"], film)
        learner.download(session["captions_url"], film.with_suffix(".vtt"))
        return film

    def _tell_failure(self, report: dict[str, Any]) -> None:
        self._console.print(f"no film: {report['error']}", style="red", markup=False)
        for stage in report["stages"]:
            if stage["error"]:
                self._console.print(f"  {stage['stage']}: {stage['error']}", style="red", markup=False, soft_wrap=True)

    def show_addresses(self) -> None:
        installation, learner, admin = self._installation, self._learner_login, self._admin_login
        lines = [
            "",
            f"API:    {installation.web_url}/api/  {learner.email} / {learner.password}",
            f"Admin:  {installation.web_url}/admin/  {admin.email} / {admin.password}",
            f"Flower: {installation.flower_url}  {installation.flower_user} / {installation.flower_password}",
            f"logs:   {installation.var_folder / 'log'}",
            "Ctrl-C stops everything.",
        ]
        self._console.print("\n".join(lines), markup=False, soft_wrap=True)
