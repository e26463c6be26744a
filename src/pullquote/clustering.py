"""Vectors into groups that mean the same. The only module that clusters; scipy is loaded when it is asked.

It is what scikit-learn's AgglomerativeClustering calls for this linkage, without the rest of it: 40 MB, not 168.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]


def clusters(vectors: Vectors, distance: float) -> list[NDArray[np.intp]]:
    """Rows of unit vectors (texts, dimension) by cluster, each row in one; clusters in the order of their first rows.

    Two clusters are one while the mean cosine distance between their members is at most `distance` (UPGMA, Sokal &
    Michener 1958).
    """
    if len(vectors) < 2:
        return [np.arange(len(vectors))] if len(vectors) else []
    from scipy.cluster.hierarchy import fcluster, linkage

    labels = fcluster(linkage(vectors, method="average", metric="cosine"), distance, criterion="distance")
    return [np.flatnonzero(labels == label) for label in dict.fromkeys(labels)]


def medoid(vectors: Vectors, weights: Sequence[int]) -> int:
    """The row whose cosine to all, each as often as its weight, is the highest in sum; of equals the first."""
    return int(np.argmax((vectors @ vectors.T) @ np.asarray(weights, dtype=np.float32)))
