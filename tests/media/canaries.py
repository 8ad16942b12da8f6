"""Canaries that tell whether anybody touched what nobody should have touched."""

import ctypes
import os
import socket
import struct
from pathlib import Path

IN_OPEN = 0x20  # linux/inotify.h
EVENT_HEAD = struct.Struct("iIII")


class OpenedFiles:
    """Which files of a folder are opened while it watches, as the kernel reports it, by any process."""

    def __init__(self, folder: Path) -> None:
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._descriptor = self._libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        self._folder = folder
        self._names: set[str] = set()

    def __enter__(self) -> "OpenedFiles":
        watch = self._libc.inotify_add_watch(self._descriptor, os.fsencode(self._folder), IN_OPEN)
        if watch < 0:
            raise OSError(ctypes.get_errno(), f"cannot watch {self._folder}")
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._descriptor)

    def list_names(self) -> set[str]:
        """Names of the files that were opened so far."""
        while True:
            try:
                events = os.read(self._descriptor, 65536)
            except BlockingIOError:
                return self._names
            while events:
                _, _, _, length = EVENT_HEAD.unpack_from(events)
                name = events[EVENT_HEAD.size : EVENT_HEAD.size + length].rstrip(b"\0")
                if name:
                    self._names.add(os.fsdecode(name))
                events = events[EVENT_HEAD.size + length :]


class SilentServer:
    """A port of this machine that nobody should call."""

    def __enter__(self) -> "SilentServer":
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._socket.setblocking(False)
        self.port: int = self._socket.getsockname()[1]
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def was_called(self) -> bool:
        try:
            connection, _ = self._socket.accept()
        except BlockingIOError:
            return False
        connection.close()
        return True
