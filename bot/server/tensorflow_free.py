"""Serves without TensorFlow: two names of it are all that Rasa needs to be imported, when the model needs none.

Rasa 3.6.21 imports TensorFlow wherever a policy or an extractor is imported (a progress bar for training and a batch
generator inherit from its classes). Importing it costs most of the start and 300 MB a process. Our pipeline has no
component that computes with it, so the serving process gets a stand-in with these two names. Everything else that is
asked of the stand-in raises MissingTensorFlowError with a sentence that says what to do. Training never uses it.
"""

import importlib.abc
import importlib.machinery
import importlib.metadata
import json
import logging
import os
import sys
import tarfile
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

logger = logging.getLogger(__name__)

RASA = "3.6.21"
# The names that Rasa's modules inherit from while they are imported.
_NAMES = {"tensorflow.keras.callbacks": "Callback", "tensorflow.keras.utils": "Sequence"}
_MODULES = {"tensorflow", "tensorflow.keras", *_NAMES}
_OURS = ("bot.",)
# Rasa's own components that our kind of model may hold; all others might compute with TensorFlow.
_KNOWN = ("rasa.core.policies.rule_policy", "rasa.core.policies.ensemble", "rasa.core.policies.memoization",
          "rasa.graph_components.", "rasa.nlu.classifiers.regex_message_handler")


class MissingTensorFlowError(ImportError):
    """Something in the serving process wants to compute with TensorFlow."""

    def __init__(self, name: str) -> None:
        """`name` is what was asked for."""
        super().__init__(
            f"{name} is not there: this process serves without TensorFlow. "
            "Start it with BOT_TENSORFLOW=on when the model needs it."
        )


class _StandIn(ModuleType):
    """A module of TensorFlow that has the needed names and no others."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        raise MissingTensorFlowError(f"{self.__name__}.{name}")


class _Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Answers every import of TensorFlow with the stand-in."""

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if name.partition(".")[0] != "tensorflow":
            return None
        if name not in _MODULES:
            raise MissingTensorFlowError(name)
        return importlib.machinery.ModuleSpec(name, self, is_package=True)

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType:
        return _StandIn(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        if inherited := _NAMES.get(module.__name__):
            setattr(module, inherited, type(inherited, (), {"__init__": _refuse}))
        for name in _MODULES:
            parent, _, child = name.rpartition(".")
            if parent == module.__name__:
                setattr(module, child, importlib.import_module(name))


def _refuse(self: object, *args: Any, **kwargs: Any) -> None:
    raise MissingTensorFlowError(type(self).__name__)


def leave_out(model: Path) -> bool:
    """Put the stand-in in TensorFlow's place unless `model` may need the real one; call before Rasa is imported.

    Returns whether it was done. The reason stands in the log when not.
    """
    if os.environ.get("BOT_TENSORFLOW", "off").lower() in ("1", "on", "true", "yes"):
        logger.info("TensorFlow is loaded, because BOT_TENSORFLOW is on.")
        return False
    if (installed := importlib.metadata.version("rasa")) != RASA:
        logger.warning("TensorFlow is loaded: how Rasa %s does without it is not known, only Rasa %s.", installed, RASA)
        return False
    if needing := components_that_may_need_it(model):
        logger.warning("TensorFlow is loaded, because the model holds %s.", ", ".join(needing))
        return False
    if "tensorflow" not in sys.modules:
        sys.meta_path.insert(0, _Finder())
    return True


def components_that_may_need_it(model: Path) -> list[str]:
    """The model's components that are neither ours nor known to do without TensorFlow; none for an unreadable file."""
    try:
        with tarfile.open(model, "r:gz") as archive:
            file = next(member for member in archive if Path(member.name).name == "metadata.json")
            metadata = json.load(archive.extractfile(file) or b"{}")
        used = {str(node["uses"]) for node in metadata["predict_schema"]["nodes"].values()}
    except (OSError, EOFError, tarfile.TarError, StopIteration, ValueError, KeyError, TypeError, AttributeError):
        return []  # loading it will say what is wrong with it
    return sorted(name for name in used if not name.startswith(_OURS + _KNOWN))
