"""The shop's log names errors without their words."""

import logging
import sys

from examples.shop.logs import Quiet

WORDS = ("13812345678", "朝阳路88号")


def test_an_error_is_shown_without_what_it_quotes() -> None:
    try:
        try:
            int(" ".join(WORDS))
        except ValueError as error:
            raise RuntimeError(WORDS[0]) from error
    except RuntimeError:
        record = logging.LogRecord("shop", logging.ERROR, __file__, 1, "failed", (), sys.exc_info())
    shown = Quiet("%(message)s").format(record)
    assert "RuntimeError, after ValueError" in shown and __file__ in shown
    assert not any(word in shown for word in WORDS)
