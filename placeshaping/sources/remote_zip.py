"""A ZIP archive on a server, read in parts: its list of contents, then the members wanted."""

from __future__ import annotations

import io
import lzma
import struct
import zipfile
import zlib
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from placeshaping._core.errors import FetchError
from placeshaping.sources.downloads import Served, get_range
from placeshaping.sources.network import Connection

_BLOCK = 1 << 18
_MOST_AT_ONCE = 32
_MOST_KEPT = 256

BROKEN = (
    zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error, EOFError, NotImplementedError,
    RuntimeError, ValueError, OverflowError, IndexError, OSError,
)  # fmt: skip
"""What `zipfile` raises of an archive that is damaged; RuntimeError where it seems encrypted."""


class DamagedError(FetchError):
    """A member of an archive is not what the archive's own checksum says."""


class RangeFile(io.RawIOBase):
    """
    A file on a server that can be read anywhere, in blocks that are kept.

    Parameters
    ----------
    connection
        The way to the server.
    url
        Address of the file.

    Raises
    ------
    WholeOnlyError
        If the server hands out only whole files.
    """

    def __init__(self, connection: Connection, url: str) -> None:
        super().__init__()
        self._connection, self._url = connection, url
        self._position = 0
        self._ahead = 0
        self._kept: OrderedDict[int, bytes] = OrderedDict()
        _, self.served = get_range(connection, url, 0, 1)
        self.size = self.served.total or 0

    def readable(self) -> bool:
        """
        Tell that the file can be read.

        Returns
        -------
        readable
            True.
        """
        return True

    def seekable(self) -> bool:
        """
        Tell that the file can be read anywhere.

        Returns
        -------
        seekable
            True.
        """
        return True

    def tell(self) -> int:
        """
        Return the position.

        Returns
        -------
        position
            In bytes from the start.
        """
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """
        Move to a position.

        Parameters
        ----------
        offset
            In bytes.
        whence
            From the start, the position or the end.

        Returns
        -------
        position
            In bytes from the start.
        """
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self.size}[whence]
        if base + offset < 0:
            msg = "before the start of the file"
            raise OSError(msg)
        self._position = base + offset
        return self._position

    def expect(self, stop: int) -> None:
        """
        Say how far reading will go, so that it is asked for in few requests.

        Parameters
        ----------
        stop
            The byte after the last one that will be read.
        """
        self._ahead = stop

    def forget(self) -> None:
        """Drop the blocks that are kept."""
        self._kept.clear()

    def readinto(self, buffer: Any) -> int:
        """
        Read into a buffer.

        Parameters
        ----------
        buffer
            What to fill.

        Returns
        -------
        count
            Bytes read; fewer than asked only at the end of the file.
        """
        view = memoryview(buffer).cast("B")
        stop = min(self._position + len(view), self.size)
        done = 0
        while self._position < stop:
            number, within = divmod(self._position, _BLOCK)
            block = self._block(number, stop)
            piece = block[within : within + stop - self._position]
            view[done : done + len(piece)] = piece
            done += len(piece)
            self._position += len(piece)
        return done

    def _block(self, number: int, stop: int) -> bytes:
        if number not in self._kept:
            self._ask(number, max(stop, min(self._ahead, self.size)))
        self._kept.move_to_end(number)
        return self._kept[number]

    def _ask(self, number: int, stop: int) -> None:
        """Ask for the missing blocks up to `stop` in one request."""
        last = number
        while (
            (last + 1) * _BLOCK < stop
            and last + 1 not in self._kept
            and last + 1 - number < _MOST_AT_ONCE
        ):
            last += 1
        start, end = number * _BLOCK, min((last + 1) * _BLOCK, self.size)
        content, _ = get_range(self._connection, self._url, start, end, state=self.served)
        for place in range(number, last + 1):
            begin = (place - number) * _BLOCK
            self._kept[place] = content[begin : begin + _BLOCK]
        while len(self._kept) > _MOST_KEPT:
            self._kept.popitem(last=False)


class RemoteZip:
    """
    The members of a ZIP archive, on a server or on disk.

    Parameters
    ----------
    archive
        The open archive.
    place
        What messages call it.
    remote
        The file on the server; ``None`` for one on disk.
    """

    def __init__(
        self, archive: zipfile.ZipFile, place: str, remote: RangeFile | None = None
    ) -> None:
        self._archive, self.place, self._remote = archive, place, remote
        self._starts = sorted(info.header_offset for info in archive.infolist())
        self.members = {info.filename: info for info in archive.infolist()}

    @property
    def served(self) -> Served | None:
        """
        What the server says of the archive.

        Returns
        -------
        served
            ``None`` for one on disk.
        """
        return None if self._remote is None else self._remote.served

    def chunks(self, name: str) -> Iterator[bytes]:
        """
        Yield the content of a member, its checksum verified at the end.

        Parameters
        ----------
        name
            Path inside the archive.

        Yields
        ------
        chunk
            Bytes.

        Raises
        ------
        DamagedError
            If it is damaged.
        """
        info = self.members[name]
        if self._remote is not None:
            later = [start for start in self._starts if start > info.header_offset]
            self._remote.expect(later[0] if later else info.header_offset + info.compress_size)
        try:
            with self._archive.open(info) as stream:
                while chunk := stream.read(1 << 20):
                    yield chunk
        except BROKEN as error:
            msg = f"{name} in {self.place} is damaged ({error}). Run it again."
            raise DamagedError(msg) from error

    def read(self, name: str) -> bytes:
        """
        Return the content of a member; one that arrives damaged is asked for once more.

        Parameters
        ----------
        name
            Path inside the archive.

        Returns
        -------
        content
            The bytes, their checksum verified.

        Raises
        ------
        DamagedError
            If it is damaged.
        """
        try:
            return b"".join(self.chunks(name))
        except DamagedError:
            if self._remote is None:
                raise
            self._remote.forget()
            return b"".join(self.chunks(name))


@contextmanager
def open_remote_zip(connection: Connection, url: str) -> Iterator[RemoteZip]:
    """
    Open a ZIP archive on a server without downloading it.

    Parameters
    ----------
    connection
        The way to the server.
    url
        Address of the archive.

    Yields
    ------
    archive
        Its members.

    Raises
    ------
    WholeOnlyError
        If the server hands out only whole files.
    FetchError
        If it is no ZIP archive, or the server cannot be reached.
    """
    remote = RangeFile(connection, url)
    place = urlsplit(url).path.rpartition("/")[2]
    try:
        archive = zipfile.ZipFile(remote)
    except BROKEN as error:
        msg = f"What {urlsplit(url).netloc} hands out as {place} is no whole ZIP archive ({error})."
        raise FetchError(msg) from error
    with archive:
        yield RemoteZip(archive, place, remote)
