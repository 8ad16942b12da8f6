"""Filters that bring any footage into one picture: upright, square pixels, standard range, BT.709."""

from media_tools.facts import VideoFacts
from media_tools.ffmpeg import Stream

_BT709_TAGS = {"colorspace": "bt709", "color_primaries": "bt709", "color_trc": "bt709", "range": "tv"}
_ZSCALE_TRANSFER = {"hlg": "arib-std-b67", "pq": "smpte2084"}


def fit_picture(stream: Stream, facts: VideoFacts, width_px: int, height_px: int) -> Stream:
    """Scale the whole picture into `width_px` x `height_px` (both even) with black borders, as yuv420p in BT.709.

    HDR is tone-mapped. Rotation has been applied by FFmpeg before the first filter of a graph.
    """
    inner_width_px, inner_height_px = fit_size(facts, width_px, height_px)
    picture = _normalise_colours(stream, facts, inner_width_px, inner_height_px)
    if (inner_width_px, inner_height_px) != (width_px, height_px):
        left_px, top_px = (width_px - inner_width_px) // 2, (height_px - inner_height_px) // 2
        picture = picture.filter("pad", width_px, height_px, left_px, top_px)
    return picture.filter("setsar", 1)


def shrink_picture(stream: Stream, facts: VideoFacts, max_width_px: int) -> Stream:
    """Scale the picture to `shrink_size`, without borders; colours as in `fit_picture`."""
    width_px, height_px = shrink_size(facts, max_width_px)
    return _normalise_colours(stream, facts, width_px, height_px).filter("setsar", 1)


def fit_size(facts: VideoFacts, width_px: int, height_px: int) -> tuple[int, int]:
    """The largest even size within `width_px` x `height_px` that has the picture's proportions (to the pixel)."""
    scale = min(width_px / facts.width_px, height_px / facts.height_px)
    inner_width_px = min(width_px, _make_even(round(facts.width_px * scale)))
    return inner_width_px, min(height_px, _make_even(round(facts.height_px * scale)))


def shrink_size(facts: VideoFacts, max_width_px: int) -> tuple[int, int]:
    """The even size of at most `max_width_px` with the picture's proportions; never larger than the picture."""
    width_px = min(max_width_px, facts.width_px)
    return _make_even(width_px), _make_even(round(facts.height_px * width_px / facts.width_px))


def _normalise_colours(stream: Stream, facts: VideoFacts, width_px: int, height_px: int) -> Stream:
    """The size is given in full: `force_original_aspect_ratio` forgets that pixels may not be square."""
    scaled = stream.filter("scale", width_px, height_px, flags="bilinear", **_list_conversions(facts))
    if facts.transfer != "sdr":
        scaled = _map_tones(scaled, facts)
    # The tags keep FFmpeg from converting what it takes for untagged once more on its way to the encoder.
    return scaled.filter("format", "yuv420p").filter("setparams", **_BT709_TAGS)


def _list_conversions(facts: VideoFacts) -> dict[str, str]:
    """What `scale` has to do beside scaling: nothing where possible, since changing the matrix triples its cost."""
    if facts.transfer != "sdr" or (facts.matrix == "bt709" and not facts.is_full_range):
        return {}
    return {
        "in_color_matrix": facts.matrix,
        "out_color_matrix": "bt709",
        "in_range": "pc" if facts.is_full_range else "tv",
        "out_range": "tv",
    }


def _map_tones(scaled: Stream, facts: VideoFacts) -> Stream:
    """HDR to standard range, after scaling, since it costs by the pixel.

    Mobius keeps the brightness of what standard range can show and bends the highlights only; without any of this HLG
    looks washed out and a third darker.
    """
    source = {
        "tin": _ZSCALE_TRANSFER[facts.transfer],
        "min": "2020_ncl",
        "pin": "2020",
        "rin": "full" if facts.is_full_range else "limited",
    }
    return (
        scaled.filter("zscale", t="linear", npl=100, **source)
        .filter("format", "gbrpf32le")
        .filter("zscale", p="bt709")
        .filter("tonemap", "mobius", desat=0)
        .filter("zscale", t="bt709", m="bt709", r="tv")
    )


def _make_even(size_px: int) -> int:
    return max(2, size_px // 2 * 2)
