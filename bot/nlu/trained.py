"""The base of Rasa components that learn one model and keep it."""

from __future__ import annotations

from abc import abstractmethod
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage


class Kept(Protocol):
    """A model that writes itself into a folder."""

    def save(self, folder: Path) -> None:
        """Write everything that `read_model` needs."""


Model = TypeVar("Model", bound=Kept)


class Trained(GraphComponent, Generic[Model]):
    """A component around `model`; untrained without one. The defaults fill what `config` leaves out."""

    def __init__(
        self, config: dict[str, Any], model_storage: ModelStorage, resource: Resource, model: Model | None = None
    ) -> None:
        """`config`: the component's part of config.yml; `resource`: where in `model_storage` the model is kept."""
        self._config = self.filled(config)
        self._storage = model_storage
        self._resource = resource
        self._model = model

    @classmethod
    def filled(cls, config: dict[str, Any]) -> dict[str, Any]:
        """The settings with the defaults for what is not set."""
        return {**cls.get_default_config(), **config}

    @classmethod
    @abstractmethod
    def read_model(cls, folder: Path, config: dict[str, Any]) -> Model:
        """The model that was kept in a folder."""

    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> Trained[Model]:
        """A new untrained component."""
        return cls(config, model_storage, resource)

    @classmethod
    def load(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
        **kwargs: Any,
    ) -> Trained[Model]:
        """The trained component."""
        with model_storage.read_from(resource) as folder:
            return cls(config, model_storage, resource, cls.read_model(folder, config))

    def keep(self, model: Model) -> Resource:
        """Take a newly learnt model and write it to the resource."""
        self._model = model
        with self._storage.write_to(self._resource) as folder:
            model.save(folder)
        return self._resource
