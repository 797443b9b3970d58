"""One loaded model, several workers: each answers on the same port, all share the memory of what was loaded."""

import gc
import logging
import socket
import sqlite3
import time
from functools import partial
from pathlib import Path
from typing import Any

import rasa.core.run
from rasa.core.processor import MessageProcessor
from rasa.core.utils import AvailableEndpoints
from rasa.shared.exceptions import RasaException
from rasa.utils.common import configure_logging_and_warnings
from rasa.utils.log_utils import configure_structlog

from bot import speed
from bot.reading import Reader
from bot.server.command import LOOPBACK
from bot.server.workers import Workers
from bot.trackers import default_path, prepare
from bot.wire import IncomingMessage

logger = logging.getLogger(__name__)

CREDENTIALS, ENDPOINTS = "credentials.yml", "endpoints.yml"
LOCKED_SECONDS = 30.0
BACKLOG = 512
# Whatever is slow the first time is done before the workers part.
_WARMING = ("你好,我的手环2步数一直是0,想转人工", "Hello, where is my order?", "LM2611030042 手机尾号 8866")


class CannotServeError(Exception):
    """Something has to be put right before the bot can serve; the message says what."""


def serve(model: Path, port: int, count: int) -> None:
    """Load the model and keep `count` workers answering on `port` until told to stop; raises CannotServeError."""
    configure_logging_and_warnings(None)
    configure_structlog(None)
    speed.apply()
    _check_port(port)
    _check_trackers()
    try:
        channels = rasa.core.run.create_http_input_channels(None, CREDENTIALS)
    except RasaException as error:
        raise CannotServeError(str(error)) from error
    _load(model)
    gc.collect()
    gc.freeze()  # the collector would touch, and so copy, every page that the workers share
    logger.info("The model is loaded; starting %s workers on port %s.", count, port)
    failed = Workers(count, partial(_work, channels, model, port)).run()
    if failed:
        raise CannotServeError("no worker could start; the lines above say why.")


def _check_port(port: int) -> None:
    """The workers share the port knowingly; another program on it must not be shared with unknowingly."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError as error:
            raise CannotServeError(f"port {port} of {LOOPBACK} cannot be used: {error.strerror}.") from error


def _check_trackers() -> None:
    """The file of the trackers is there and can be written; whoever has locked it gets a while to let go."""
    until = time.monotonic() + LOCKED_SECONDS
    while True:
        try:
            return prepare(default_path())
        except (sqlite3.Error, OSError) as error:
            if not (isinstance(error, sqlite3.OperationalError) and "locked" in str(error)):
                raise CannotServeError(f"the trackers in {default_path()} cannot be used: {error}.") from error
            if time.monotonic() > until:
                raise CannotServeError(f"{default_path()} is locked by another program.") from error
            logger.warning("%s is locked by another program; waiting for it.", default_path())


def _load(model: Path) -> None:
    """Load the model here, once; every processor that is made from now on takes it over."""
    try:
        loaded = MessageProcessor._load_model(model)
        reader = Reader(loaded[2], loaded[1])
        for text in _WARMING:
            reader.read(IncomingMessage(seq=1, text=text))
    except Exception as error:
        logger.error("Could not load model due to %s.", error, exc_info=True)
        raise CannotServeError(f"the model {model} cannot be loaded; train one (make train).") from error
    MessageProcessor._load_model = staticmethod(lambda path: loaded)


def _work(channels: list[Any], model: Path, port: int) -> None:
    """The life of one worker."""
    app = rasa.core.run.configure_app(channels, enable_api=False, port=port)
    endpoints = AvailableEndpoints.read_endpoints(ENDPOINTS)
    load = partial(rasa.core.run.load_agent_on_start, str(model), endpoints, None)
    app.register_listener(load, "before_server_start")
    app.register_listener(rasa.core.run.close_resources, "after_server_stop")
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        listener.bind((LOOPBACK, port))
        app.run(sock=listener, backlog=BACKLOG, access_log=False, motd=False)
