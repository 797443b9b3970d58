"""Loading a model: Rasa also imports every component that only training runs, with TensorFlow behind them."""

from typing import Any

from rasa.engine.storage.storage import ModelMetadata

from bot.speed.patch import Patch

_from_dict = ModelMetadata.from_dict.__func__


def from_dict(cls: type[ModelMetadata], serialized: dict[str, Any]) -> ModelMetadata:
    """The metadata of a model that only serves: its training graph stays empty."""
    return _from_dict(cls, {**serialized, "train_schema": {"nodes": {}}})


def _apply() -> None:
    ModelMetadata.from_dict = classmethod(from_dict)


PATCH = Patch("Loading the model", {"rasa.engine.storage.storage.ModelMetadata.from_dict": "ee3da9f00c7d"}, _apply)
