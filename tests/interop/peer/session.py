"""One connection to a node: a DEALER with CURVE, in a thread of its own (wire.md, "Transport" and "A message")."""

from __future__ import annotations

import collections
import threading
import time
from collections.abc import Callable, Sequence
from typing import TypeVar

import zmq
from zmq.utils.monitor import recv_monitor_message

from .codec import VERSION, Hello, Message, Nack, Ping, Pong, decode, encode
from .errors import Malformed
from .identity import Identity, curve_key_of
from .lanes import BULK, NORMAL, URGENT
from .statements import Signed

LOOK_MS = 10
ENDED = (
    zmq.EVENT_DISCONNECTED
    | zmq.EVENT_CLOSED
    | zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL
    | zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL
    | zmq.EVENT_HANDSHAKE_FAILED_AUTH
)
M = TypeVar("M")


class Session:
    """Keeps what it hears, and answers Ping. `hear`, if given, sees every message in the session's thread.

    `problems` lists what the node said against the format; an honest node leaves it empty.
    """

    def __init__(
        self,
        identity: Identity,
        server: bytes,
        endpoint: str,
        network: bytes,
        *,
        version: int = VERSION,
        membership: Signed = Signed(),
        hear: Callable[[Session, Message], None] | None = None,
    ) -> None:
        self.identity = identity
        self.server = server
        self.network = network
        self.version = version
        self.spoken = VERSION  # until the answer to our Hello says more
        self.membership = membership
        self.heard: list[Message] = []
        self.problems: list[str] = []
        self._hear = hear
        self._changed = threading.Condition()
        self._outgoing: collections.deque[Sequence[bytes]] = collections.deque()
        self._next = {lane: 1 for lane in (URGENT, NORMAL, BULK)}
        self._last = {lane: 0 for lane in (URGENT, NORMAL, BULK)}
        self._over = False
        self._closed = False
        self._thread = threading.Thread(target=self._run, args=(endpoint,), daemon=True)
        self._thread.start()

    # ---- Saying

    def hello(self, network: bytes | None = None) -> Hello:
        """Returns the first message on a connection."""
        return Hello(
            network or self.network,
            self.identity.node_id,
            membership=self.membership,
            newest=self.version,
        )

    def send(self, message: Message, sequence: int | None = None) -> None:
        """Sends a message, with the next sequence number of its lane if none is given."""
        with self._changed:
            if sequence is None:
                sequence = self._next[message.LANE]
                self._next[message.LANE] += 1
            self._outgoing.append(encode(message, sequence))

    def send_frames(self, frames: Sequence[bytes]) -> None:
        """Sends any frames."""
        with self._changed:
            self._outgoing.append(frames)

    # ---- Hearing

    @property
    def closed(self) -> bool:
        """Whether the connection is over."""
        return self._closed

    def wait(self, condition: Callable[[], M], limit: float = 30.0) -> M:
        """Returns what `condition` gives, as soon as it is true or the limit is over."""
        end = time.monotonic() + limit
        with self._changed:
            while not (value := condition()) and (left := end - time.monotonic()) > 0:
                self._changed.wait(min(left, 0.1))
            return value

    def all_of(self, kind: type[M]) -> list[M]:
        """Returns what was heard of one kind."""
        return [message for message in list(self.heard) if isinstance(message, kind)]

    def first_of(self, kind: type[M], limit: float = 30.0) -> M | None:
        """Waits for a message of one kind, and takes it out of `heard`."""
        found = self.wait(lambda: next((m for m in self.heard if isinstance(m, kind)), None), limit)
        if found is not None:
            with self._changed:
                self.heard.remove(found)
        return found

    def answers(self, token: int, limit: float = 30.0) -> bool:
        """Whether the node answers a Ping."""
        self.send(Ping(token))
        return bool(self.wait(lambda: Pong(token) in self.heard or self._closed, limit)) and not self._closed

    def is_closed_within(self, limit: float = 30.0) -> bool:
        """Waits until the node ends the connection."""
        return bool(self.wait(lambda: self._closed, limit))

    def close(self) -> None:
        """Ends the connection."""
        self._over = True
        self._thread.join()

    # ---- The thread

    def _run(self, endpoint: str) -> None:
        context = zmq.Context.instance()
        socket = context.socket(zmq.DEALER)
        socket.curve_serverkey = curve_key_of(self.server)
        socket.curve_publickey = curve_key_of(self.identity.node_id)
        socket.curve_secretkey = self.identity.curve_secret_key
        socket.linger = 0
        socket.reconnect_ivl = -1  # who is cut off stays so
        socket.sndhwm = socket.rcvhwm = 0
        monitor = socket.get_monitor_socket(ENDED)
        socket.connect(endpoint)
        try:
            while not self._over and not self._closed:
                self._flush(socket)
                if socket.poll(LOOK_MS):
                    self._drain(socket)
                while monitor.poll(0):
                    recv_monitor_message(monitor)
                    self._end()
        finally:
            socket.disable_monitor()
            socket.close()
            self._end()

    def _end(self) -> None:
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _flush(self, socket: zmq.Socket[bytes]) -> None:
        while self._outgoing:
            socket.send_multipart(self._outgoing.popleft())

    def _drain(self, socket: zmq.Socket[bytes]) -> None:
        while socket.poll(0):
            try:
                sequence, message = decode(socket.recv_multipart(), self.spoken)
                self._count(sequence, message)
            except Malformed as error:
                self.problems.append(str(error))
                continue
            if isinstance(message, Hello):
                self.spoken = min(self.version, message.newest)
            if isinstance(message, Ping):
                self.send(Pong(message.token))
            if self._hear:
                self._hear(self, message)
            with self._changed:
                self.heard.append(message)
                self._changed.notify_all()

    def _count(self, sequence: int, message: Message) -> None:
        """Checks that each lane counts upwards. A Nack with sequence 0 is not counted."""
        if isinstance(message, Nack) and sequence == 0:
            return
        if sequence <= self._last[message.LANE]:
            raise Malformed(f"sequence {sequence} after {self._last[message.LANE]}")
        self._last[message.LANE] = sequence
