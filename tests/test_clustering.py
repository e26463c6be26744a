"""Clusters against scikit-learn's, and medoids against all pairs."""

import numpy as np
import pytest
from sklearn.cluster import AgglomerativeClustering
from sklearn.metrics import adjusted_rand_score

from pullquote.clustering import clusters, medoid


@pytest.mark.parametrize("count", [0, 1, 2, 200])
@pytest.mark.parametrize("distance", [0.2, 0.6, 0.95])
def test_clusters_are_scikit_learns(count: int, distance: float) -> None:
    rng = np.random.default_rng(count)
    centres = rng.normal(size=(12, 32))
    vectors = (centres[rng.integers(12, size=count)] + rng.normal(size=(count, 32)) * 0.7).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    found = clusters(vectors, distance)
    assert sorted(np.concatenate([*found, np.zeros(0, int)]).tolist()) == list(range(count))
    assert [rows[0] for rows in found] == sorted(rows[0] for rows in found)
    if count < 2:
        return
    model = AgglomerativeClustering(None, metric="cosine", linkage="average", distance_threshold=distance)
    labels = np.zeros(count, int)
    for number, rows in enumerate(found):
        labels[rows] = number
    assert adjusted_rand_score(model.fit_predict(vectors), labels) == 1.0


def test_a_medoid_is_the_member_closest_to_all_as_often_as_they_were_asked() -> None:
    rng = np.random.default_rng(3)
    vectors = rng.normal(size=(30, 8)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    weights = rng.integers(1, 9, size=30).tolist()
    sums = [sum(w * float(one @ two) for w, two in zip(weights, vectors, strict=True)) for one in vectors]
    assert medoid(vectors, weights) == int(np.argmax(sums))
