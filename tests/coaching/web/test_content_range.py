import pytest
from hypothesis import given
from hypothesis import strategies as st

from coaching.providers.ports import ByteRange
from coaching.web.content_range import BadRange, Chunk, UnsatisfiableRange, read_content_range, read_range


@pytest.mark.parametrize(
    ("header", "chunk"),
    [
        ("bytes 0-99/200", Chunk(first_byte=0, last_byte=99, total_bytes=200)),
        ("bytes 100-199/*", Chunk(first_byte=100, last_byte=199, total_bytes=None)),
        ("Bytes 5-5/6", Chunk(first_byte=5, last_byte=5, total_bytes=6)),
        ("bytes */200", None),
        ("bytes */*", None),
    ],
)
def test_what_cloud_storage_understands_is_understood(header: str, chunk: Chunk | None) -> None:
    assert read_content_range(header) == chunk


@pytest.mark.parametrize(
    "header",
    [
        *("", "bytes", "bytes 0-99", "bytes 99-0/200", "bytes 0-200/200", "bytes -5/200", "bytes 0-/200"),
        *("items 0-1/2", "bytes 0-99/200, 100-199/200", "bytes ０-９/１０", "bytes 0x0-0x9/10", "bytes 1e3-2e3/4e3"),
        *("bytes 0-99999999999999999999/*", "bytes 0 - 9 / 10", "bytes */", "bytes */-1"),
    ],
)
def test_anything_else_is_refused(header: str) -> None:
    with pytest.raises(BadRange):
        read_content_range(header)


@pytest.mark.parametrize(
    ("header", "first_byte", "last_byte"),
    [
        ("bytes=0-0", 0, 0),
        ("bytes=0-", 0, 99),
        ("bytes=99-", 99, 99),
        ("bytes=10-1000", 10, 99),
        ("bytes=-10", 90, 99),
        ("bytes=-1000", 0, 99),
    ],
)
def test_one_range_of_a_file_is_cut_to_its_size(header: str, first_byte: int, last_byte: int) -> None:
    assert read_range(header, size_bytes=100) == ByteRange(first_byte=first_byte, last_byte=last_byte)


@pytest.mark.parametrize("header", ["", "bytes=-", "bytes=5-2", "bytes=0-1,5-6", "lines=0-1", "bytes=a-b", "garbage"])
def test_what_is_no_single_range_means_the_whole_file(header: str) -> None:
    assert read_range(header, size_bytes=100) is None


@pytest.mark.parametrize(("header", "size_bytes"), [("bytes=100-", 100), ("bytes=-0", 100), ("bytes=0-", 0)])
def test_a_range_outside_of_the_file_cannot_be_answered(header: str, size_bytes: int) -> None:
    with pytest.raises(UnsatisfiableRange):
        read_range(header, size_bytes=size_bytes)


@given(st.text(max_size=40), st.integers(0, 10**9))
def test_no_header_breaks_the_readers(header: str, size_bytes: int) -> None:
    for text in (header, f"bytes={header}", f"bytes {header}"):
        try:
            found = read_range(text, size_bytes=size_bytes)
        except UnsatisfiableRange:
            found = None
        assert found is None or 0 <= found.first_byte <= found.last_byte < size_bytes
        try:
            read_content_range(text)
        except BadRange:
            continue
