"""Running the graph of components: Rasa builds a dask graph and hands it to dask's scheduler for every prediction."""

from typing import Any

from rasa.engine.exceptions import GraphRunError
from rasa.engine.graph import GraphSchema
from rasa.engine.runner.dask import DaskGraphRunner

from bot.speed.patch import Patch

_run = DaskGraphRunner.run


def run(
    self: DaskGraphRunner, inputs: dict[str, Any] | None = None, targets: list[str] | None = None
) -> dict[str, Any]:
    """Run the nodes that the targets need, each after those it needs; the order is worked out once."""
    wanted = tuple(targets or self._graph_schema.target_names)
    orders = self.__dict__.setdefault("_orders", {})
    if wanted not in orders:
        orders[wanted] = _order(self._graph_schema, wanted)
    results: dict[str, Any] = dict(inputs or {})
    if results.keys() & self._graph_schema.nodes.keys():
        return dict(_run(self, inputs, targets))
    try:
        for name in orders[wanted]:
            needs = self._graph_schema.nodes[name].needs.values()
            received = [(need, results[need]) if need in results else need for need in needs]
            _, results[name] = self._instantiated_nodes[name](*received)
    except RuntimeError as error:
        raise GraphRunError("Error running runner.") from error
    return {name: results[name] for name in wanted}


def _order(schema: GraphSchema, targets: tuple[str, ...]) -> list[str]:
    """The nodes for `targets`, those first that others need; placeholders for inputs are no nodes."""
    ordered: dict[str, None] = {}

    def visit(name: str) -> None:
        if name in ordered or name not in schema.nodes:
            return
        for need in schema.nodes[name].needs.values():
            visit(need)
        ordered[name] = None

    for target in targets:
        visit(target)
    return list(ordered)


def _apply() -> None:
    DaskGraphRunner.run = run


PATCH = Patch(
    "Running components",
    {"rasa.engine.runner.dask": "fc92eebf60a3", "rasa.engine.graph.GraphNode.__call__": "66127a2bfb6f"},
    _apply,
)
