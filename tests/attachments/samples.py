"""The least file of every kind, and files of kinds that nobody takes."""

import base64
import io
import struct
import zipfile
import zlib


def png(width: int = 1, height: int = 1, more: bytes = b"") -> bytes:
    """Return a PNG; one bigger than 1 x 1 has too few pixels in it, which only a decoder would find."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = zlib.compress(bytes(4)) + more
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def zipped(**files: str | bytes) -> bytes:
    """Return a ZIP."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return made.getvalue()


def ogg(codec: bytes) -> bytes:
    """Return the first page of an Ogg file."""
    return b"OggS\0\2" + bytes(20) + b"\1\x1e" + codec + bytes(40)


def webm(*codecs: bytes) -> bytes:
    """Return the head of a WebM file with tracks."""
    header = bytes.fromhex("1a45dfa39f4286810142f7810142f2810442f381084282847765626d42878104428581021853806701")
    return header + b"".join(b"\x86" + bytes([0x80 + len(codec)]) + codec for codec in codecs) + bytes(20)


JPEG = bytes.fromhex("ffd8ffe000104a46494600010100000100010000ffc0000b080010001001011100") + b"\xff\xd9"
MP3 = (b"\xff\xfb\x90\x64" + bytes(413)) * 3
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" width="1" height="1"/>'

FILES: dict[str, tuple[bytes, str]] = {
    "a.png": (png(), "image/png"),
    "a.jpg": (JPEG, "image/jpeg"),
    "a.gif": (b"GIF89a\1\0\1\0\x80\0\0\0\0\0\xff\xff\xff,\0\0\0\0\1\0\1\0\0\2\2D\1\0;", "image/gif"),
    "a.webp": (
        b"RIFF\x24\0\0\0WEBPVP8 \x18\0\0\x000\1\0\x9d\1*\1\0\1\0\2\x004%\xa4\0\3p\0\xfe\xfb\x94\0\0",
        "image/webp",
    ),
    "a.svg": (SVG, "image/svg+xml"),
    "a.bmp": (
        b"BM"
        + struct.pack("<IHHI", 58, 0, 0, 54)
        + struct.pack("<IiiHHIIiiII", 40, 1, 1, 1, 24, *([0] * 6))
        + bytes(4),
        "image/bmp",
    ),
    "a.mp4": (b"\0\0\0\x18ftypisom\0\0\2\0isomiso2\0\0\0\x08mdat", "video/mp4"),
    "a.webm": (webm(b"V_VP9", b"A_OPUS"), "video/webm"),
    "a.ogv": (ogg(b"\x80theora"), "video/ogg"),
    "a.mp3": (MP3, "audio/mpeg"),
    "a.wav": (b"RIFF\x24\0\0\0WAVEfmt \x10\0\0\0\1\0\1\0" + bytes(24), "audio/wav"),
    "a.ogg": (ogg(b"\1vorbis"), "audio/ogg"),
    "a.weba": (webm(b"A_OPUS"), "audio/webm"),
    "a.pdf": (b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\nstartxref\n9\n%%EOF\n", "application/pdf"),
    "a.txt": ("Grüße, 你好\n".encode(), "text/plain"),
    "a.md": (b"# Title\n\n<b>text</b>\n", "text/markdown"),
    "a.html": (b"<!DOCTYPE html><html><body>hi</body></html>", "text/html"),
    "a.json": (b'{"a": [1, 2]}', "application/json"),
    "a.zip": (zipped(a="hi"), "application/zip"),
}
"""Of each kind that is taken: a name, the bytes, the type."""

OTHERS = {
    "gzip": zlib.compress(b"x" * 100, wbits=31),
    "tiff": b"II*\0\x08\0\0\0" + bytes(20),
    "heic": b"\0\0\0\x20ftypheic\0\0\0\0mif1heic\0\0\0\x08mdat",
    "quicktime": b"\0\0\0\x14ftypqt  \0\0\0\0qt  \0\0\0\x08mdat",
    "matroska": bytes.fromhex(
        "1a45dfa3a34286810142f7810142f2810442f381084282886d6174726f736b61428781044285810218538067"
    ),
    "avi": b"RIFF\x24\0\0\0AVI LIST" + bytes(20),
    "flac": b"fLaC\0\0\0\x22" + bytes(40),
    "program": b"\x7fELF\2\1\1\0" + bytes(60),
    "utf-16": "﻿Hello".encode("utf-16-le"),
    "latin-1": "Grüße\n".encode("latin-1"),
    "with NUL": b"text\0text",
    "noise": bytes(range(128, 200)),
}
"""What nobody takes."""


def b64(data: bytes) -> str:
    """Return base64."""
    return base64.b64encode(data).decode()


def data_url(data: bytes, mime: str = "image/png") -> str:
    """Return a data URL."""
    return f"data:{mime};base64,{b64(data)}"
