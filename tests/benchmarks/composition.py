"""What a film costs: `python -m tests.benchmarks.composition [--folder FOLDER] [--rounds N]`; needs 4 GB of disk.

The limit is what no composition can do without: decoding the footage that is shown, and encoding what is shown. The
first is measured by decoding the planned shots and the key clip to nothing; the second as the difference between
decoding a nearly lossless film of the same pictures to nothing and encoding it with the film's own settings.
All in CPU seconds of all processes, children included. The film has its titles, so the target is the one with titles.
Everything is measured in turns, and the least of each counts: a busy neighbour on the same core only ever adds.
"""

import argparse
import resource
import tempfile
from collections.abc import Callable
from pathlib import Path

import ffmpeg

from media_tools.compose import Film, FilmRequest, compose_film
from media_tools.encoding import EncoderSettings
from media_tools.facts import VideoFacts, VideoLimits
from media_tools.ffmpeg import compile_arguments, open_input, run
from media_tools.film_clock import to_seconds
from media_tools.key_moment import plan_key_clip
from media_tools.probe import probe_video
from media_tools.timelapse import plan_timelapse
from media_tools.titles import TitleTexts
from tests.benchmarks.rows import Row, record_rows
from tests.media.clips import make_speech_like

PART1_SECONDS, PART2_SECONDS = 33.0, 17.0
KEY_SHARE = 0.6
NEARLY_LOSSLESS = EncoderSettings(preset="ultrafast", crf=8)
PART1_TEXT = "卵が半熟のうちにご飯を入れて、強火のまま手早くほぐしていきましたね。" * 4
PART2_TEXT = "ここで音が変わったのが聞こえますか。水気が飛んだ合図です。" * 3


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, help="where the footage is made; by default the system's temporary one")
    parser.add_argument("--rounds", type=int, default=3, help="how often everything is measured")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-", dir=options.folder) as name:
        costs = measure_rounds(Path(name), options.rounds)
    print(
        "CPU seconds, least of each:", ", ".join(f"{step} {seconds:.1f}" for step, seconds in costs.items()), flush=True
    )
    limit = costs["needed decoding"] + costs["decoding and encoding"] - costs["decoding"]
    over_limit, hour_over_minute = costs["film of 1 min"] / limit, costs["film of 60 min"] / costs["film of 1 min"]
    record_rows(
        [
            Row("composition: CPU over the limit, with titles", over_limit, "ratio", 1.25),
            Row("composition: CPU of 60 min over 1 min", hour_over_minute, "ratio", 1.1),
        ]
    )


def measure_rounds(folder: Path, rounds: int) -> dict[str, float]:
    """The least CPU seconds of each step."""
    minute = make_minute(folder)
    hour = repeat(minute, folder / "hour.mp4", times=60)
    facts, hour_facts = measure_facts(minute), measure_facts(hour)
    mezzanine = open_input(compose(folder, minute, facts, "mezzanine", NEARLY_LOSSLESS).path).video
    encoded = ffmpeg.output(mezzanine, str(folder / "encoded.mp4"), **EncoderSettings().list_options())
    steps: dict[str, Callable[[], object]] = {
        "film of 1 min": lambda: compose(folder, minute, facts, "film"),
        "needed decoding": lambda: decode_needed(minute, facts),
        "decoding": lambda: run(compile_arguments(mezzanine.output("-", format="null"))),
        "decoding and encoding": lambda: run(compile_arguments(encoded)),
        "film of 60 min": lambda: compose(folder, hour, hour_facts, "film-of-the-hour"),
    }
    measured = [{step: measure_cpu(work) for step, work in steps.items()} for _ in range(rounds)]
    return {step: min(costs[step] for costs in measured) for step in steps}


def make_minute(folder: Path) -> Path:
    """A minute of 1080p as a phone films: 8 Mbit/s, a key frame a second, noise, sound; 15 seconds four times."""
    quarter = folder / "quarter.mp4"
    picture = "testsrc2=size=1920x1080:rate=30:duration=15,noise=alls=10:allf=t,setparams=colorspace=bt709"
    run(
        [
            *["-f", "lavfi", "-i", picture, "-f", "lavfi", "-i", "anoisesrc=color=pink:amplitude=0.1:duration=15"],
            *["-c:v", "libx264", "-preset", "veryfast", "-b:v", "8M", "-maxrate", "10M", "-bufsize", "16M", "-g", "30"],
            *["-pix_fmt", "yuv420p", "-c:a", "aac", str(quarter)],
        ]
    )
    return repeat(quarter, folder / "minute.mp4", times=4)


def repeat(source: Path, path: Path, *, times: int) -> Path:
    run(["-stream_loop", str(times - 1), "-i", str(source), "-c", "copy", str(path)])
    return path


def measure_facts(path: Path) -> VideoFacts:
    return probe_video(path, VideoLimits(max_duration_seconds=4000, max_bytes=8 << 30))


def compose(folder: Path, source: Path, facts: VideoFacts, name: str, encoder: EncoderSettings | None = None) -> Film:
    return compose_film(
        FilmRequest(
            source=source,
            facts=facts,
            key_moment_seconds=KEY_SHARE * facts.duration_seconds,
            part1_audio=make_speech_like(folder / "part1.wav", seconds=PART1_SECONDS),
            part2_audio=make_speech_like(folder / "part2.wav", seconds=PART2_SECONDS),
            part1_text=PART1_TEXT,
            part2_text=PART2_TEXT,
            titles=TitleTexts(
                dish="卵チャーハン",
                session_number=2,
                next_action="卵が半熟のうちにご飯を入れる",
                success_sign="パチパチという高い音が聞こえる",
            ),
            output=folder / f"{name}.mp4",
            work_folder=folder,
            encoder=encoder or EncoderSettings(),
        )
    )


def decode_needed(source: Path, facts: VideoFacts) -> None:
    """Decode every piece of the footage that the film shows, in one process, to nothing."""
    shots = plan_timelapse(facts.duration_seconds, PART1_SECONDS)
    clip = plan_key_clip(facts.duration_seconds, KEY_SHARE * facts.duration_seconds, PART2_SECONDS)
    pieces = [(shot.start_seconds, shot.source_seconds) for shot in shots]
    pieces.append((clip.start_seconds, to_seconds(clip.pass_frames)))
    outputs = [
        open_input(source, seek_seconds=start_seconds, length_seconds=length_seconds, threads=1)[
            str(facts.stream_index)
        ].output("-", format="null")
        for start_seconds, length_seconds in pieces
    ]
    run(compile_arguments(*outputs))


def measure_cpu(work: Callable[[], object]) -> float:
    """User and system seconds that this process and its ended children spent on the work."""
    before = count_cpu_seconds()
    work()
    return count_cpu_seconds() - before


def count_cpu_seconds() -> float:
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


if __name__ == "__main__":
    main()
