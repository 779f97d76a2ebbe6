"""Nearest neighbors: exact search, graphs, and whatever index you bring."""

from coverset._rows import Rows, quantize
from coverset.neighbors.flat_index import FlatIndex, knn
from coverset.neighbors.graph import knn_graph
from coverset.neighbors.protocol import Index, UsearchIndex, checked_search
from coverset.neighbors.shards import Neighbors, NeighborsWithin

__all__ = [
    "FlatIndex",
    "Index",
    "Neighbors",
    "NeighborsWithin",
    "Rows",
    "UsearchIndex",
    "checked_search",
    "knn",
    "knn_graph",
    "quantize",
]
