"""Opens a stranger's file with PyAV and prints what it found; run as a script by `media_tools.probe`.

    python -I probe_child.py REQUEST      REQUEST and the answer on standard output are JSON

libav parses what strangers wrote, in our address space: here a crash, a bomb or a loop takes only this process with
it, which has the runner's limits. It imports nothing of ours, so it starts in a tenth of a second. The answer is
either {"fault", "detail"} or the numbers that the parent turns into facts.
"""

import itertools
import json
import sys
from collections.abc import Iterator
from fractions import Fraction
from typing import Any, TypeAlias

import av
import av.error
from av.container import InputContainer
from av.packet import Packet
from av.stream import Disposition

PLACES = 5  # where one frame is decoded
PACKETS_PER_PLACE = 60
PACKETS_FOR_RATE = 150
MAX_READ_ERRORS = 1000
TRANSFERS = {16: "pq", 18: "hlg"}  # ITU-T H.273, table 3
MATRICES = {1: "bt709", 4: "bt601", 5: "bt601", 6: "bt601", 7: "bt709", 9: "bt2020", 10: "bt2020"}  # table 4
LARGEST_SIDE_OF_BT601_PX = 576  # what was filmed for television before HD
FULL_RANGE = 2  # libavutil's AVCOL_RANGE_JPEG


SoundOrPicture: TypeAlias = av.VideoStream | av.AudioStream
AnyPacket: TypeAlias = "Packet[Any]"  # generic in the stubs only


class Refused(Exception):
    def __init__(self, fault: str, detail: str) -> None:
        super().__init__(detail)
        self.fault = fault
        self.detail = detail


def open_container(request: dict[str, Any]) -> InputContainer:
    """Open under whitelists of demuxers, protocols and decoders: nothing else even gets to look at the bytes."""
    wanted = {*request["video_codecs"], *request["audio_codecs"]}
    options = {
        "format_whitelist": ",".join(request["formats"]),
        "protocol_whitelist": "file",
        "codec_whitelist": ",".join(list_decoders(wanted)),
        "max_pixels": str(request["max_pixels"]),
    }
    try:
        container: InputContainer = av.open(request["path"], options=options, metadata_errors="replace")
    except av.error.ArgumentError as error:  # a demuxer knew it, and is not on the list
        raise Refused("format_not_accepted", f"not one of {', '.join(request['formats'])}") from error
    except (av.error.FFmpegError, MemoryError) as error:
        raise Refused("unreadable", getattr(error, "strerror", None) or repr(error)) from error
    return container


def list_decoders(codecs: set[str]) -> Iterator[str]:
    """Decoders have names of their own: av1 is decoded by libdav1d, mp3 by mp3float."""
    for name in av.codecs_available:
        try:
            codec = av.Codec(name, "r")
        except ValueError:
            continue  # an encoder only
        if codec.canonical_name in codecs:
            yield name


def examine_video(container: InputContainer, request: dict[str, Any]) -> dict[str, Any]:
    stream = pick_video(container, request)
    stream.thread_count = 1  # threads multiply memory, and a handful of frames needs none
    origin = Fraction(container.start_time or 0, av.time_base)
    times = [time for _, time, _ in itertools.islice(read_times(container, stream), PACKETS_FOR_RATE)]
    if not times:
        raise Refused("unreadable", "no packet of the video could be read")
    end = find_end(container, stream)
    frame, decoded_places = decode_places(container, stream, origin, end)
    if frame is None or decoded_places <= PLACES // 2:
        raise Refused("unreadable", f"a picture could be decoded at {decoded_places} of {PLACES} places")
    fps, is_variable = measure_rate(times, stream.average_rate)
    audio = pick_audio(container, request)
    aspect = stream.sample_aspect_ratio or Fraction(1)
    transfer = frame.color_trc if int(frame.color_trc) in TRANSFERS else stream.codec_context.color_trc
    return {
        "start_seconds": float(origin),
        "duration_seconds": float(end - origin),
        "stream_index": stream.index,
        "codec": name_codec(stream),
        "coded_width_px": frame.width,
        "coded_height_px": frame.height,
        "sample_aspect": float(aspect) if aspect > 0 else 1.0,
        "rotation": frame.rotation,
        "fps": fps,
        "is_variable_rate": is_variable,
        "pixel_format": frame.format.name,
        "bit_depth": max(component.bits for component in frame.format.components),
        "transfer": TRANSFERS.get(int(transfer or 0), "sdr"),
        "matrix": name_matrix(frame),
        "is_full_range": int(frame.color_range) == FULL_RANGE or frame.format.name.startswith("yuvj"),
        "audio": audio and describe_audio(audio),
    }


def name_matrix(frame: av.VideoFrame) -> str:
    """How the colours are coded; untagged films are taken by their size, as players do."""
    usual = "bt601" if min(frame.width, frame.height) <= LARGEST_SIDE_OF_BT601_PX else "bt709"
    return MATRICES.get(int(frame.colorspace), usual)


def pick_video(container: InputContainer, request: dict[str, Any]) -> av.VideoStream:
    moving = [stream for stream in container.streams.video if not stream.disposition & Disposition.attached_pic]
    if not moving:
        raise Refused("no_video", "it holds no moving picture")
    accepted = [stream for stream in moving if name_codec(stream) in request["video_codecs"]]
    if not accepted:
        raise Refused("codec_not_accepted", f"its picture is {name_codec(moving[0])}")
    stream = max(accepted, key=lambda each: (bool(each.disposition & Disposition.default), each.width * each.height))
    pixels = stream.codec_context.width * stream.codec_context.height
    if not 0 < pixels <= request["max_pixels"]:
        raise Refused(
            "dimensions_not_accepted", f"it is {stream.codec_context.width} x {stream.codec_context.height} pixels"
        )
    return stream


def pick_audio(container: InputContainer, request: dict[str, Any]) -> av.AudioStream | None:
    """The first sound that can be decoded: new phones add a spatial one beside it that few programs know."""
    accepted = [stream for stream in container.streams.audio if name_codec(stream) in request["audio_codecs"]]
    return next(iter(accepted), None)


def describe_audio(stream: av.AudioStream) -> dict[str, Any]:
    return {
        "stream_index": stream.index,
        "codec": name_codec(stream),
        "channels": stream.codec_context.channels,
        "sample_rate_hz": stream.codec_context.sample_rate,
    }


def name_codec(stream: SoundOrPicture) -> str:
    try:
        return stream.codec_context.codec.canonical_name
    except AttributeError:  # PyAV has no context for a codec that libav does not know
        return "unknown"


def read_packets(container: InputContainer, stream: SoundOrPicture) -> Iterator[AnyPacket]:
    """The stream's packets from here to the end of the file, over places that cannot be read."""
    for _ in range(MAX_READ_ERRORS):
        try:
            for packet in container.demux(stream):
                if packet.size:
                    yield packet
        except av.error.FFmpegError:
            continue
        return


def read_times(container: InputContainer, stream: av.VideoStream) -> Iterator[tuple[AnyPacket, Fraction, Fraction]]:
    """Packets with the start and end of their frames, in seconds on the file's clock."""
    usual = 1 / stream.average_rate if stream.average_rate else Fraction(0)
    for packet in read_packets(container, stream):
        stamp = packet.dts if packet.pts is None else packet.pts
        if stamp is None or packet.is_discard:
            continue
        start = stamp * packet.time_base
        yield packet, start, start + (packet.duration * packet.time_base if packet.duration else usual)


def find_end(container: InputContainer, stream: av.VideoStream) -> Fraction:
    """When the last frame ends, by the packets after the last key frame; a header may say anything.

    Where the file has no index, libav seeks as far as it can, and the rest is read through.
    """
    if not seek(container, stream, Fraction(2**31)):
        seek(container, stream, Fraction(0))
    return max((end for _, _, end in read_times(container, stream)), default=Fraction(0))


def seek(container: InputContainer, stream: av.VideoStream, seconds: Fraction) -> bool:
    try:
        container.seek(int(seconds / (stream.time_base or Fraction(1, 1000))), stream=stream)
    except av.error.FFmpegError:
        return False
    return True


def decode_places(
    container: InputContainer, stream: av.VideoStream, origin: Fraction, end: Fraction
) -> tuple[av.VideoFrame | None, int]:
    """A frame, and at how many places spread over the film one could be decoded."""
    found, decoded = None, 0
    for place in range(PLACES):
        seek(container, stream, origin + (end - origin) * place / PLACES)
        frame = decode_one(container, stream)
        if frame is not None:
            found, decoded = found or frame, decoded + 1
    return found, decoded


def decode_one(container: InputContainer, stream: av.VideoStream) -> av.VideoFrame | None:
    stream.codec_context.flush_buffers()
    for packet in itertools.islice(read_packets(container, stream), PACKETS_PER_PLACE):
        try:
            for frame in stream.codec_context.decode(packet):
                return frame
        except av.error.FFmpegError:
            continue
    try:
        return next(iter(stream.codec_context.decode(None)), None)  # it may have held back the last ones
    except av.error.FFmpegError:
        return None


def measure_rate(times: list[Fraction], claimed: Fraction | None) -> tuple[float, bool]:
    """Frames a second, and whether more than a few of the first steps differ by more than their rounding."""
    times = sorted(times)
    steps = [float(after - before) for before, after in itertools.pairwise(times)]
    measured = len(steps) / sum(steps) if sum(steps) > 0 else 0.0
    usual = sorted(steps)[len(steps) // 2] if steps else 0.0
    unusual = sum(abs(step - usual) > max(0.0025, 0.1 * usual) for step in steps)
    is_variable = unusual > 0.03 * len(steps) + 1  # one longer first step is a muxer's habit
    fps = float(claimed) if claimed and 0 < claimed <= 1000 else measured
    return fps, is_variable


def examine_audio(container: InputContainer, request: dict[str, Any]) -> dict[str, Any]:
    """Decode it all: recorders in browsers write no duration, and a memo is short."""
    if not container.streams.audio:
        raise Refused("no_audio", "it holds no sound")
    stream = pick_audio(container, request)
    if stream is None:
        raise Refused("codec_not_accepted", f"its sound is {name_codec(container.streams.audio[0])}")
    seconds = Fraction(0)
    for packet in read_packets(container, stream):
        try:
            seconds += sum(Fraction(frame.samples, frame.sample_rate) for frame in stream.codec_context.decode(packet))
        except av.error.FFmpegError:
            continue
        if seconds > request["max_duration_seconds"] + 1:
            break  # long enough to be refused; how long does not matter
    if seconds == 0:
        raise Refused("unreadable", "no sound could be decoded")
    return {"duration_seconds": float(seconds), **describe_audio(stream)}


def main(request: dict[str, Any]) -> dict[str, Any]:
    examine = {"video": examine_video, "audio": examine_audio}[request["kind"]]
    try:
        with open_container(request) as container:
            return {"format": container.format.name, **examine(container, request)}
    except Refused as refused:
        return {"fault": refused.fault, "detail": refused.detail}


if __name__ == "__main__":
    json.dump(main(json.loads(sys.argv[1])), sys.stdout)
