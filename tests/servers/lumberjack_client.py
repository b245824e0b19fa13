"""A Lumberjack sender, version 2, that says exactly what it is told to: also what no sender should say."""
import socket
import ssl
import struct
import zlib


def number(value):
    return struct.pack(">I", value)


def window(count, version=b"2"):
    return version + b"W" + number(count)


def event(sequence, text):
    return b"2J" + number(sequence) + number(len(text)) + text


def pairs(sequence, **texts):
    frame = b"1D" + number(sequence) + number(len(texts))
    for key, value in texts.items():
        for text in (key.encode(), value.encode()):
            frame += number(len(text)) + text
    return frame


def packed(frames):
    stream = zlib.compress(frames)
    return b"2C" + number(len(stream)) + stream


class Client:
    def __init__(self, port, context=None, timeout=60):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=timeout)
        if context is not None:
            self.socket = context.wrap_socket(self.socket, server_hostname="localhost")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, frames):
        self.socket.sendall(frames)

    def frame(self):
        """(version, sequence) of the next acknowledgement, or None when the server has closed the connection."""
        got = b""
        while len(got) < 6:
            try:
                piece = self.socket.recv(6 - len(got))
            except (ConnectionError, ssl.SSLError):
                piece = b""
            if not piece:
                return None
            got += piece
        assert got[1:2] == b"A", got
        return got[:1], struct.unpack(">I", got[2:])[0]

    def ack(self):
        """The next sequence that is acknowledged; signs of life are passed over."""
        while True:
            found = self.frame()
            if found is None or found[1] != 0:
                return found and found[1]


def tls(ca, certificate=None, key=None):
    context = ssl.create_default_context(cafile=ca)
    if certificate:
        context.load_cert_chain(certificate, key)
    return context
