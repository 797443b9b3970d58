"""The shop's log: what failed and where, never whose order or with which words."""

import logging
import traceback


class Quiet(logging.Formatter):
    """Shows an error by its kind and the lines of code that it came through: its words may quote a customer."""

    def formatException(self, ei) -> str:  # type: ignore[no-untyped-def]
        """Return the kind of the error and of its cause, with the code's lines."""
        error = ei[1]
        lines = "".join(traceback.format_list(traceback.extract_tb(ei[2])))
        cause = error.__cause__ or error.__context__
        return f"{lines}{type(error).__name__}" + (f", after {type(cause).__name__}" if cause else "")


def configure() -> None:
    """Let every library of this process speak through `Quiet`."""
    handler = logging.StreamHandler()
    handler.setFormatter(Quiet("%(levelname)s %(name)s %(message)s"))
    logging.basicConfig(level=logging.INFO, handlers=[handler])
