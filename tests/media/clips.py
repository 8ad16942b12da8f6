"""Recipes for footage that a learner may well send. Each writes one file into a folder and returns its path."""

from pathlib import Path

import numpy as np
from scipy.io import wavfile

from media_tools.ffmpeg import run

FAST_H264 = ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p"]


def make_clip(
    path: Path,
    *,
    seconds: float = 4,
    width_px: int = 320,
    height_px: int = 180,
    fps: int = 30,
    keyframe_every: int = 30,
    channels: int = 1,
    encoder: list[str] | None = None,
    muxer: list[str] | None = None,
) -> Path:
    """A moving test pattern with a 440 Hz tone (no sound with `channels=0`); container by the path's suffix.

    Frame n shows its number, so no two frames are alike.
    """
    sound = ["-f", "lavfi", "-i", f"sine=frequency=440:sample_rate=48000:duration={seconds}", "-ac", str(channels)]
    run(
        [
            *["-f", "lavfi", "-i", f"testsrc2=size={width_px}x{height_px}:rate={fps}:duration={seconds}"],
            *(sound if channels else []),
            *(encoder or FAST_H264),
            *["-g", str(keyframe_every), "-keyint_min", str(keyframe_every), "-sc_threshold", "0", "-t", str(seconds)],
            *(muxer or []),
            str(path),
        ]
    )
    return path


def make_plain_clip(folder: Path) -> Path:
    return make_clip(folder / "plain.mp4")


def make_minute(folder: Path) -> Path:
    """One minute of 720p, encoded as fast as can be."""
    return make_clip(folder / "minute.mp4", seconds=60, width_px=1280, height_px=720)


def make_phone_clip(
    path: Path, *, source: Path | None = None, seconds: float = 6, has_place: bool = True, is_hlg: bool = True
) -> Path:
    """What a phone held upright would have made of `source` (of a test pattern, without one).

    HEVC, 10 bits, HLG, noisy, with a variable rate, stored on its side with a -90 degree matrix, its clock not
    starting at 0, and the place where it was filmed in its metadata. Upright it shows `source` in its own size.
    """
    if source is None:
        source = make_clip(path.with_name("source.mp4"), seconds=seconds)
    stored = path.with_name("stored.mov")
    noisy = "noise=alls=8:allf=t,transpose=cclock,select='not(eq(mod(n,7),3))*gt(random(1),0.1)'"
    hlg = "zscale=tin=709:min=709:pin=709:t=arib-std-b67:m=2020_ncl:p=2020:r=limited,format=yuv420p10le"
    colours = "colorprim=bt2020:transfer=arib-std-b67:colormatrix=bt2020nc:"
    tags = ["-color_primaries", "bt2020", "-color_trc", "arib-std-b67", "-colorspace", "bt2020nc"]
    run(
        [
            *["-t", str(seconds), "-i", str(source)],
            *["-vf", f"{noisy},{hlg}" if is_hlg else f"{noisy},format=yuv420p"],
            *["-fps_mode", "vfr", "-video_track_timescale", "600", "-c:v", "libx265", "-preset", "ultrafast"],
            *["-x265-params", f"log-level=error:keyint=30:{colours if is_hlg else ''}bframes=2"],
            *[*(tags if is_hlg else []), "-crf", "26", "-tag:v", "hvc1", "-c:a", "aac", str(stored)],
        ]
    )
    place = ["location=+35.6595+139.7005/", "com.apple.quicktime.location.ISO6709=+35.6595+139.7005+042.0/"]
    notes = ["com.apple.quicktime.make=Apple", *(place if has_place else [])]
    run(
        [
            *["-display_rotation:v:0", "-90", "-i", str(stored), "-c", "copy", "-tag:v", "hvc1"],
            *["-output_ts_offset", "0.5", "-movflags", "use_metadata_tags"],
            *[part for note in notes for part in ("-metadata", note)],
            str(path),
        ]
    )
    stored.unlink()
    return path


def make_default_phone_clip(folder: Path) -> Path:
    return make_phone_clip(folder / "IMG_0001.MOV")


def make_pq_clip(folder: Path) -> Path:
    """HDR10: 10 bits with the PQ transfer."""
    to_pq = "zscale=tin=709:min=709:pin=709:t=smpte2084:m=2020_ncl:p=2020:r=limited:npl=100,format=yuv420p10le"
    x265 = "log-level=error:colorprim=bt2020:transfer=smpte2084:colormatrix=bt2020nc"
    return make_clip(
        folder / "pq.mp4",
        encoder=["-vf", to_pq, "-c:v", "libx265", "-preset", "ultrafast", "-x265-params", x265, "-tag:v", "hvc1"],
    )


def make_portrait_clip(folder: Path) -> Path:
    return make_clip(folder / "portrait.mp4", width_px=180, height_px=320)


def make_anamorphic_clip(folder: Path) -> Path:
    """Stored as 240 x 180 with pixels of 4:3, so it shows as 320 x 180."""
    return make_clip(folder / "anamorphic.mp4", width_px=240, encoder=["-vf", "setsar=4/3", *FAST_H264])


def make_silent_film(folder: Path) -> Path:
    return make_clip(folder / "no-audio.mp4", channels=0)


def make_three_seconds(folder: Path) -> Path:
    return make_clip(folder / "three-seconds.mp4", seconds=3)


def make_sparse_keyframes(folder: Path) -> Path:
    return make_clip(folder / "sparse.mp4", seconds=22, keyframe_every=300)


def make_surround(folder: Path) -> Path:
    return make_clip(folder / "surround.mp4", channels=6)


def make_odd_dimensions(folder: Path) -> Path:
    """321 x 181 pixels, which H.264 from x264 cannot be; in WebM."""
    picture = ["-vf", "scale=321:181,setsar=1", "-pix_fmt", "yuv420p"]
    vp9 = ["-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8"]
    return make_clip(folder / "odd.webm", encoder=[*picture, *vp9])


def make_live_webm(folder: Path) -> Path:
    """As a browser's recorder writes it: no duration, no index, a segment of unknown size."""
    vp8 = ["-c:v", "libvpx", "-deadline", "realtime", "-cpu-used", "8"]
    return make_clip(folder / "live.webm", encoder=vp8, muxer=["-f", "webm", "-live", "1"])


def make_fragmented(folder: Path) -> Path:
    return make_clip(folder / "fragmented.mp4", muxer=["-movflags", "frag_keyframe+empty_moov+default_base_moof"])


def make_dash_name(folder: Path) -> Path:
    """A name that a program may take for an option."""
    return make_clip(folder / "plain.mp4").rename(folder / "-x.mp4")


def make_speech_like(path: Path, *, seconds: float, level: float = 0.2, sample_rate_hz: int = 24_000) -> Path:
    """A WAV narration stand-in: a tone in syllables, four a second; digital silence with `level=0`."""
    times = np.arange(int(seconds * sample_rate_hz)) / sample_rate_hz
    syllables = np.clip(np.sin(2 * np.pi * 4 * times) + 0.5, 0, 1)
    samples = level * syllables * np.sin(2 * np.pi * 220 * times)
    wavfile.write(path, sample_rate_hz, (samples * 32767).astype(np.int16))
    return path


def make_memo(folder: Path, *, name: str = "memo.m4a", seconds: float = 5, level: float = 0.2) -> Path:
    """A voice memo; codec and container by the name's suffix."""
    spoken = make_speech_like(folder / "spoken.wav", seconds=seconds, level=level)
    live = ["-c:a", "libopus", "-compression_level", "0", "-live", "1"] if name.endswith(".webm") else []
    run(["-i", str(spoken), *live, str(folder / name)])
    return folder / name
