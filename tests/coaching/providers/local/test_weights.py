import hashlib
from pathlib import Path

import pytest

from coaching.errors import Misconfigured
from coaching.providers.local.kokoro import SHA256
from coaching.providers.local.weights import assemble_weights
from coaching.providers.local.whisper import MODEL_SHA256, WhisperRecogniser
from tests.coaching.providers.hearing import ask_for_transcript
from tests.coaching.providers.local.racers import assemble_kokoro, race
from tests.coaching.providers.sounds import make_hiss, write_sound


@pytest.fixture
def parts(tmp_path: Path) -> list[Path]:
    paths = [tmp_path / "part1", tmp_path / "part2"]
    for path, content in zip(paths, (b"first half, ", b"second half"), strict=True):
        path.write_bytes(content)
    return paths


WHOLE = b"first half, second half"
WHOLE_SHA256 = hashlib.sha256(WHOLE).hexdigest()


def test_parts_are_joined_in_order_once(parts: list[Path], tmp_path: Path) -> None:
    destination = tmp_path / "cache" / "model.bin"
    assert assemble_weights(parts=parts, destination=destination, sha256=WHOLE_SHA256) == destination
    assert destination.read_bytes() == WHOLE
    first_inode = destination.stat().st_ino
    parts[0].unlink()  # not needed a second time
    assemble_weights(parts=parts, destination=destination, sha256=WHOLE_SHA256)
    assert destination.stat().st_ino == first_inode


def test_parts_of_another_model_are_refused_with_both_hashes_and_leave_nothing(
    parts: list[Path], tmp_path: Path
) -> None:
    parts[1].write_bytes(b"something else")
    found = hashlib.sha256(b"first half, something else").hexdigest()
    destination = tmp_path / "cache" / "model.bin"
    with pytest.raises(Misconfigured) as refusal:
        assemble_weights(parts=parts, destination=destination, sha256=WHOLE_SHA256)
    assert found in str(refusal.value)
    assert WHOLE_SHA256 in str(refusal.value)
    assert [path.name for path in destination.parent.iterdir()] == ["model.bin.lock"]


def test_what_a_killed_process_left_half_joined_is_no_obstacle(parts: list[Path], tmp_path: Path) -> None:
    destination = tmp_path / "model.bin"
    (tmp_path / "model.bin.draft").write_bytes(b"half of it, and longer than the whole would be")
    assemble_weights(parts=parts, destination=destination, sha256=WHOLE_SHA256)
    assert destination.read_bytes() == WHOLE
    assert not (tmp_path / "model.bin.draft").exists()


def test_whisper_refuses_weights_that_were_changed_in_the_cache_with_both_hashes(tmp_path: Path) -> None:
    folder = tmp_path / f"whisper-base-{MODEL_SHA256[:8]}"
    folder.mkdir()
    (folder / "model.bin").write_bytes(b"not the model")
    source = write_sound(tmp_path / "memo.wav", make_hiss())
    with pytest.raises(Misconfigured) as refusal:
        WhisperRecogniser(cache_folder=tmp_path).transcribe(ask_for_transcript(source, duration_seconds=6))
    assert hashlib.sha256(b"not the model").hexdigest() in str(refusal.value)
    assert MODEL_SHA256 in str(refusal.value)


def test_processes_that_race_for_the_cache_all_get_the_same_whole_file(tmp_path: Path) -> None:
    assert len(set(race(assemble_kokoro, [(tmp_path,)] * 3))) == 1
    weights = tmp_path / "kokoro.onnx"
    assert hashlib.sha256(weights.read_bytes()).hexdigest() == SHA256
    assert sorted(path.name for path in tmp_path.iterdir()) == ["kokoro.onnx", "kokoro.onnx.lock"]
    weights.unlink()  # 92 MB that pytest would keep for three runs
