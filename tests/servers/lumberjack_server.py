"""A receiver of Lumberjack 2 for tests, written from the protocol's description and not from ours."""
import json
import socket
import ssl
import struct
import threading
import zlib


class Receiver:
    """Listens on a free port. `behave(number, events)` says of each window how many of its events are acknowledged;
    less than all of them ends the connection."""

    def __init__(self, context=None, behave=lambda number, events: len(events)):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.context = context
        self.behave = behave
        self.lock = threading.Lock()
        self.received = []  # every event that came, also again
        self.acknowledged = []
        self.windows = 0
        self.refusals = []  # of TLS
        threading.Thread(target=self.accept, daemon=True).start()

    def close(self):
        # A thread that waits in accept() is not woken by close().
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()

    def accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        try:
            connection.settimeout(60)
            if self.context is not None:
                connection = self.context.wrap_socket(connection, server_side=True)
            stream = connection.makefile("rb")
            while self.window(connection, stream):
                pass
        except ssl.SSLError as error:
            with self.lock:
                self.refusals.append(str(error))
        except (OSError, EOFError):
            pass
        finally:
            connection.close()

    @staticmethod
    def take(stream, count):
        data = stream.read(count)
        if len(data) < count:
            raise EOFError
        return data

    def window(self, connection, stream):
        """True when the connection goes on."""
        if self.take(stream, 2) != b"2W":
            raise AssertionError("a window is due")
        (count,) = struct.unpack(">I", self.take(stream, 4))
        events, last = [], 0
        while len(events) < count:
            for sequence, event in self.frames(stream):
                events.append(event)
                last = sequence
        with self.lock:
            self.windows += 1
            number = self.windows
            self.received += events
        keep = self.behave(number, events)
        with self.lock:
            self.acknowledged += events[:keep]
        if keep > 0:
            connection.sendall(b"2A" + struct.pack(">I", last - (count - keep)))
        return keep == count

    def frames(self, stream):
        kind = self.take(stream, 2)
        if kind == b"2C":
            (length,) = struct.unpack(">I", self.take(stream, 4))
            plain = zlib.decompress(self.take(stream, length))
            while plain:
                if plain[:2] != b"2J":
                    raise AssertionError(f"{plain[:2]} inside a compressed frame")
                sequence, length = struct.unpack(">II", plain[2:10])
                yield sequence, json.loads(plain[10:10 + length])
                plain = plain[10 + length:]
        elif kind == b"2J":
            sequence, length = struct.unpack(">II", self.take(stream, 8))
            yield sequence, json.loads(self.take(stream, length))
        else:
            raise AssertionError(f"a frame {kind}")

    def messages(self, what):
        with self.lock:
            return [event["message"] for event in what]


def server_context(certificate, key, client_ca=None):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    if client_ca is not None:
        context.load_verify_locations(client_ca)
        context.verify_mode = ssl.CERT_REQUIRED
    return context
