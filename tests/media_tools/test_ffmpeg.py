"""The runner: what it hands back, where it stops, and that nothing is left running."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from media_tools import ffmpeg
from media_tools.errors import MediaCancelled, MediaLimitExceeded, MediaToolFailed, MissingTool
from media_tools.ffmpeg import Limits, Stream, compile_arguments, open_input
from media_tools.ffmpeg.binary import find_ffmpeg
from tests.media import clips, nasty
from tests.media.canaries import OpenedFiles
from tests.media.fixtures import Shelf
from tests.media.servers import FilmHost

ENDLESS = ["-f", "lavfi", "-i", "testsrc2=size=320x180:rate=30"]
REAL_TIME = ["-re", *ENDLESS]
ROOT = Path(__file__).parents[2]


def wait_until(condition: Callable[[], bool], *, within_seconds: float = 10) -> None:
    deadline = time.monotonic() + within_seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.01)


def list_descendants(marker: str, of: int | None = None) -> list[psutil.Process]:
    """Processes below `of` (this one) whose command line holds `marker`."""
    found = []
    for process in psutil.Process(of).children(recursive=True):
        try:
            if any(marker in part for part in process.cmdline()):
                found.append(process)
        except psutil.NoSuchProcess:
            continue
    return found


def test_progress_rises_to_a_hundred(tmp_path: Path) -> None:
    percents: list[int] = []
    arguments = ["-readrate", "4", *ENDLESS, "-frames:v", "120", *clips.FAST_H264, str(tmp_path / "film.mp4")]
    report = ffmpeg.run(arguments, total_frames=120, on_progress=percents.append)
    assert percents == sorted(set(percents))
    assert percents[-1] == 100
    assert len(percents) > 2
    assert report.cpu_seconds > 0
    assert report.wall_seconds >= 0.9
    assert 10 << 20 < report.peak_memory_bytes < 1 << 30


def test_progress_never_passes_99_while_it_runs(tmp_path: Path) -> None:
    percents: list[int] = []
    arguments = ["-readrate", "2", *ENDLESS, "-frames:v", "90", *clips.FAST_H264, str(tmp_path / "film.mp4")]
    ffmpeg.run(arguments, total_frames=9, on_progress=percents.append)
    assert percents == [99, 100]


def test_cancelling_ends_ffmpeg_within_a_second(tmp_path: Path) -> None:
    """The best of three, since the machine may be busy with something else."""
    took_seconds = []
    for attempt in range(3):
        took_seconds.append(measure_cancelling(tmp_path / f"film-{attempt}.mp4"))
        if took_seconds[-1] < 1:
            break
    assert min(took_seconds) < 1


def measure_cancelling(output: Path) -> float:
    cancel, cancelled_at = threading.Event(), 0.0

    def cancel_when_it_writes() -> None:
        nonlocal cancelled_at
        wait_until(lambda: bool(list_descendants(str(output))) and output.exists())
        cancelled_at = time.monotonic()
        cancel.set()

    watcher = threading.Thread(target=cancel_when_it_writes)
    watcher.start()
    with pytest.raises(MediaCancelled):
        ffmpeg.run([*REAL_TIME, *clips.FAST_H264, str(output)], cancel=cancel)
    took_seconds = time.monotonic() - cancelled_at
    watcher.join()
    assert list_descendants(str(output)) == []
    return took_seconds


def test_a_stubborn_process_is_killed_when_cancelled(tmp_path: Path) -> None:
    """FFmpeg that cannot even read its signal: it is stopped."""
    cancel, output = threading.Event(), tmp_path / "film.mp4"

    def stop_and_cancel() -> None:
        wait_until(output.exists)
        for process in list_descendants(str(output)):
            process.suspend()
        cancel.set()

    watcher = threading.Thread(target=stop_and_cancel)
    watcher.start()
    with pytest.raises(MediaCancelled):
        ffmpeg.run([*REAL_TIME, *clips.FAST_H264, str(output)], cancel=cancel)
    watcher.join()
    assert list_descendants(str(output)) == []


def test_nothing_starts_once_cancelled(tmp_path: Path) -> None:
    cancel = threading.Event()
    cancel.set()
    with pytest.raises(MediaCancelled):
        ffmpeg.run([*ENDLESS, str(tmp_path / "film.mp4")], cancel=cancel)
    assert not (tmp_path / "film.mp4").exists()


@pytest.mark.parametrize(
    ("limits", "limit"),
    [
        (Limits(wall_seconds=1), "wall"),
        (Limits(cpu_seconds=1), "cpu"),
        (Limits(memory_bytes=400 << 20), "memory"),
        (Limits(output_bytes=100_000), "output"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_each_limit_ends_in_its_own_error(tmp_path: Path, limits: Limits, limit: str) -> None:
    """The input is 4K, so that it wants much of everything."""
    output = tmp_path / "film.mkv"
    arguments = ["-f", "lavfi", "-i", "testsrc2=size=3840x2160:rate=30", *clips.FAST_H264, "-threads", "8", str(output)]
    with pytest.raises(MediaLimitExceeded) as raised:
        ffmpeg.run(arguments, limits=limits)
    assert raised.value.limit == limit
    assert list_descendants(str(output)) == []


def test_output_that_is_read_has_its_limit_too() -> None:
    pieces = ffmpeg.read_output([*ENDLESS, "-f", "rawvideo", "pipe:1"], limits=Limits(output_bytes=1_000_000))
    received: list[bytes] = []
    with pytest.raises(MediaLimitExceeded) as raised:
        received.extend(pieces)
    assert raised.value.limit == "output"
    assert 0 < sum(map(len, received)) <= 1_000_000


def test_a_failure_carries_the_end_of_what_ffmpeg_said(tmp_path: Path) -> None:
    with pytest.raises(MediaToolFailed) as raised:
        ffmpeg.run([*ENDLESS, "-vf", "no_such_filter", str(tmp_path / "film.mp4")])
    assert "no_such_filter" in raised.value.stderr_tail
    assert raised.value.exit_code not in (0, None)
    assert not isinstance(raised.value, MediaLimitExceeded)


def test_only_the_end_of_a_long_complaint_is_kept(tmp_path: Path) -> None:
    report = ffmpeg.run(["-loglevel", "trace", *ENDLESS, "-frames:v", "300", "-f", "null", "-"], work_folder=tmp_path)
    assert 1000 < len(report.stderr_tail.encode()) <= 8192


def test_frames_are_read_as_they_come() -> None:
    arguments = [*ENDLESS, "-frames:v", "30", "-pix_fmt", "gray", "-f", "rawvideo", "pipe:1"]
    reports: list[ffmpeg.RunReport] = []

    def read() -> Iterator[bytes]:
        reports.append((yield from ffmpeg.read_output(arguments)))

    assert sum(map(len, read())) == 30 * 320 * 180
    assert reports[0].cpu_seconds > 0


def test_a_failure_while_reading_is_raised_at_the_end() -> None:
    with pytest.raises(MediaToolFailed):
        list(ffmpeg.read_output(["-i", "./no-such-file", "-f", "rawvideo", "pipe:1"]))


def test_an_abandoned_reader_leaves_no_process() -> None:
    pieces = ffmpeg.read_output([*ENDLESS, "-metadata", "comment=abandoned", "-f", "nut", "pipe:1"])
    next(pieces)
    assert list_descendants("comment=abandoned")
    pieces.close()
    assert list_descendants("comment=abandoned") == []


def test_a_reader_outlives_the_thread_that_began_it() -> None:
    """The parent-death signal comes when the thread that forked ends, not the process."""
    pieces = ffmpeg.read_output([*ENDLESS, "-frames:v", "300", "-pix_fmt", "gray", "-f", "rawvideo", "pipe:1"])
    first: list[bytes] = []
    beginner = threading.Thread(target=lambda: first.append(next(pieces)))
    beginner.start()
    beginner.join()
    assert len(first[0]) + sum(map(len, pieces)) == 300 * 320 * 180


def test_fed_frames_arrive(tmp_path: Path) -> None:
    raw = ["-f", "rawvideo", "-pix_fmt", "gray", "-video_size", "320x180", "-framerate", "30", "-i", "pipe:0"]
    frames = (bytes([n]) * (320 * 180) for n in range(200))
    ffmpeg.feed_input([*raw, *clips.FAST_H264, str(tmp_path / "fed.mp4")], frames)
    count = ["-i", str(tmp_path / "fed.mp4"), "-pix_fmt", "gray", "-f", "rawvideo", "pipe:1"]
    assert sum(map(len, ffmpeg.read_output(count))) == 200 * 320 * 180


def test_feeding_a_failing_ffmpeg_names_the_failure() -> None:
    with pytest.raises(MediaToolFailed) as raised:
        ffmpeg.feed_input(["-f", "no_such_format", "-i", "pipe:0", "-f", "null", "-"], iter(lambda: bytes(65536), None))
    assert "no_such_format" in raised.value.stderr_tail


def test_a_failing_source_of_frames_leaves_no_process() -> None:
    def fail_after_one() -> Iterator[bytes]:
        yield bytes(320 * 180)
        raise RuntimeError("the camera fell into the soup")

    raw = ["-f", "rawvideo", "-pix_fmt", "gray", "-video_size", "320x180", "-i", "pipe:0", "-metadata", "comment=soup"]
    with pytest.raises(RuntimeError, match="soup"):
        ffmpeg.feed_input([*raw, "-f", "null", "-"], fail_after_one())
    assert list_descendants("comment=soup") == []


def test_a_failing_callback_leaves_no_process(tmp_path: Path) -> None:
    def fail(percent: int) -> None:
        raise RuntimeError(f"cannot store {percent}")

    output = tmp_path / "film.mp4"
    with pytest.raises(RuntimeError, match="cannot store"):
        ffmpeg.run([*REAL_TIME, *clips.FAST_H264, str(output)], total_frames=30, on_progress=fail)
    assert list_descendants(str(output)) == []


def test_a_killed_parent_leaves_no_ffmpeg_behind(tmp_path: Path) -> None:
    output = tmp_path / "film.mkv"
    script = f"from media_tools import ffmpeg; ffmpeg.run({[*REAL_TIME, *clips.FAST_H264, str(output)]!r})"
    with subprocess.Popen([sys.executable, "-c", script], cwd=ROOT) as parent:
        wait_until(lambda: output.exists() and bool(list_descendants(str(output), of=parent.pid)))
        children = list_descendants(str(output), of=parent.pid)
        os.kill(parent.pid, signal.SIGKILL)
    _, alive = psutil.wait_procs(children, timeout=5)
    assert alive == []


def test_a_forked_child_can_run_too(tmp_path: Path) -> None:
    """Celery's pool forks after the runner may have been used: its starting thread is not there any more."""
    script = (
        "import os, sys\n"
        "from media_tools import ffmpeg\n"
        "arguments = ['-f', 'lavfi', '-i', 'color=duration=0.1', '-f', 'null', '-']\n"
        "ffmpeg.run(arguments)\n"
        "pid = os.fork()\n"
        "if pid == 0:\n"
        "    ffmpeg.run(arguments)\n"
        "    os._exit(42)\n"
        "sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))\n"
    )
    assert subprocess.run([sys.executable, "-c", script], cwd=ROOT, timeout=60, check=False).returncode == 42


def test_ffmpeg_sees_none_of_our_secrets(tmp_path: Path) -> None:
    output = tmp_path / "film.mkv"
    script = f"from media_tools import ffmpeg; ffmpeg.run({[*REAL_TIME, *clips.FAST_H264, str(output)]!r})"
    secrets = {"DATABASE_URL": "postgresql://u:p@h/d", "SECRET_KEY": "s", "GOOGLE_APPLICATION_CREDENTIALS": "/k.json"}
    with subprocess.Popen([sys.executable, "-c", script], cwd=ROOT, env={**os.environ, **secrets}) as parent:
        wait_until(output.exists)
        (child,) = list_descendants(str(output), of=parent.pid)
        seen = child.environ()
        parent.kill()
    assert "PATH" in seen
    assert secrets.keys().isdisjoint(seen)


def test_ffmpeg_works_in_the_folder_it_was_given(tmp_path: Path) -> None:
    ffmpeg.run(["-f", "lavfi", "-i", "sine=duration=1", "./tone.wav"], work_folder=tmp_path)
    assert (tmp_path / "tone.wav").stat().st_size > 80_000


def test_a_name_that_begins_with_a_dash_is_a_name(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    path = shelf.get(clips.make_dash_name)
    monkeypatch.chdir(path.parent)
    arguments = compile_arguments(open_input(Path(path.name)).output("-", format="null"))
    assert arguments[arguments.index("-i") + 1] == f"./{path.name}"
    ffmpeg.run(arguments)


def test_names_that_look_like_protocols_are_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("concat:a|b.mp4", "https:x.mp4", "pipe:0.mp4"):
        clips.make_clip(tmp_path / "clip.mp4", seconds=0.2).rename(tmp_path / name)
        monkeypatch.chdir(tmp_path)
        ffmpeg.run(compile_arguments(open_input(Path(name)).output("-", format="null")))


@pytest.mark.parametrize("kind", nasty.PLAYLIST_KINDS)
def test_a_playlist_in_a_films_clothes_opens_no_neighbour(tmp_path: Path, kind: str) -> None:
    clips.make_clip(tmp_path / "neighbour.mp4", seconds=1)
    playlist = nasty.write_playlist(tmp_path / "film.mp4", kind, "neighbour.mp4")
    with OpenedFiles(tmp_path) as opened:
        with pytest.raises(MediaToolFailed):
            ffmpeg.run(compile_arguments(open_input(playlist).output("-", format="null")))
        assert opened.list_names() == {"film.mp4"}


def test_without_the_format_whitelist_the_neighbour_would_be_opened(tmp_path: Path) -> None:
    """What the test before this one guards against is real, and the canary sings."""
    clips.make_clip(tmp_path / "neighbour.mp4", seconds=1)
    playlist = nasty.write_playlist(tmp_path / "film.mp4", "ffconcat", "neighbour.mp4")
    with OpenedFiles(tmp_path) as opened:
        ffmpeg.run(["-protocol_whitelist", "file", "-i", str(playlist), "-f", "null", "-"])
        assert opened.list_names() == {"film.mp4", "neighbour.mp4"}


def test_several_outputs_and_global_arguments_compile() -> None:
    source = open_input(Path("/x/film.mp4"), seek_seconds=1.5, length_seconds=2, threads=1)
    first, second = source.output("a.mp4"), source.output("b.mp4").global_args("-shortest")
    arguments = compile_arguments(first, second)
    assert arguments[-1] == "-shortest"
    assert {"a.mp4", "b.mp4"} < set(arguments)
    before_input = arguments[: arguments.index("-i")]
    expected = {"-ss": "1.500000", "-t": "2.000000", "-threads": "1", "-format_whitelist": "mov,matroska"}
    for option, value in expected.items():
        assert before_input[before_input.index(option) + 1] == value
    assert arguments.count("-i") == 1


@pytest.mark.parametrize("url", ["http://example.org/film.mp4", "file:///etc/passwd", "/etc/passwd", "concat:a|b"])
def test_a_text_that_is_no_https_url_is_not_opened(url: str) -> None:
    with pytest.raises(ValueError, match="https"):
        open_input(url)


def test_films_are_read_over_https_from_a_trusted_host_only(shelf: Shelf, tmp_path: Path) -> None:
    film = shelf.get(clips.make_plain_clip)

    def decode(source: Stream) -> None:
        ffmpeg.run(compile_arguments(source.output("-", format="null")))

    with FilmHost(film.parent, tmp_path) as host:
        decode(open_input(f"{host.url}/{film.name}", ca_file=str(host.certificate)))
        with pytest.raises(MediaToolFailed):
            decode(open_input(f"{host.url}/{film.name}"))


def test_the_chosen_binary_must_be_able(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    find_ffmpeg.cache_clear()
    try:
        monkeypatch.setenv("FFMPEG_BINARY", str(tmp_path / "nothing"))
        with pytest.raises(MissingTool, match=r"FFMPEG_BINARY=.*nothing does not run"):
            find_ffmpeg()
        poor = tmp_path / "ffmpeg"
        poor.write_text("#!/bin/sh\necho ffmpeg version 7.1\n")
        poor.chmod(0o755)
        monkeypatch.setenv("FFMPEG_BINARY", str(poor))
        with pytest.raises(MissingTool, match=r"lacks aac, ass, libx264, tonemap, zscale"):
            find_ffmpeg()
    finally:
        find_ffmpeg.cache_clear()


def test_an_old_system_ffmpeg_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FFMPEG_BINARY", raising=False)
    old = tmp_path / "ffmpeg"
    old.write_text("#!/bin/sh\necho ffmpeg version 5.1.9-0+deb12u1\n")
    old.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    find_ffmpeg.cache_clear()
    try:
        assert find_ffmpeg() != str(old)
    finally:
        find_ffmpeg.cache_clear()


def test_encoders_are_listed() -> None:
    assert {"libx264", "aac"} <= ffmpeg.list_encoders()
    assert "=" not in ffmpeg.list_encoders()
