import os
import time
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone
from pytest_django import Settings

from coaching.models import Session, Upload, User
from coaching.providers.ports import SelfServedStore
from coaching.services.sweeping import SweepReport, sweep_unfinished
from tests.coaching.services.test_sessions import begin

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("loaded_content")]


@pytest.fixture
def received(tmp_path: Path, settings: Settings) -> Path:
    settings.FILE_UPLOAD_TEMP_DIR = tmp_path / "received"
    settings.FILE_UPLOAD_TEMP_DIR.mkdir()
    return tmp_path / "received"


def test_what_is_in_use_stays(alice: User, object_store: SelfServedStore, received: Path) -> None:
    session = begin(alice)
    (received / "a.upload").write_bytes(b"half a video")
    assert sweep_unfinished() == SweepReport(drafts=0, uploads=0, files=0, footage=0)
    assert object_store.count_uploaded_bytes(session.uploads.get().url) == 0
    assert (received / "a.upload").exists()


def test_what_was_never_finished_goes(
    alice: User, object_store: SelfServedStore, received: Path, settings: Settings
) -> None:
    lifetime = settings.UPLOAD_LIFETIME
    settings.UPLOAD_LIFETIME = timedelta(seconds=-1)  # it has expired when it begins
    session = begin(alice)
    settings.UPLOAD_LIFETIME = lifetime
    Session.objects.update(updated_at=timezone.now() - lifetime * 2)
    Upload.objects.update(expires_at=timezone.now() - lifetime)
    (received / "a.upload").write_bytes(b"half a video")
    long_ago = time.time() - lifetime.total_seconds() - 60
    os.utime(received / "a.upload", (long_ago, long_ago))
    assert sweep_unfinished() == SweepReport(drafts=1, uploads=1, files=1, footage=0)
    assert sweep_unfinished() == SweepReport(drafts=0, uploads=0, files=0, footage=0)
    session.refresh_from_db()
    assert session.status == "cancelled"
    assert list(received.iterdir()) == []
