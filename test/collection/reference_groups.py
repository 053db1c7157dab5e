"""Groups and maps rows as scikit-learn, hdbscan and umap-learn do, for the tests to compare with.

    python reference_groups.py rows.f32 WIDTH asked.json > answer.json

asked.json holds {"clusters": K, "leastRows": n, "samples": m, "points": [[x, y], ...], "fits": bool}. `fits` asks for a
map of umap-learn's own, which is not the same on all machines. `samples` counts the row itself, as scikit-learn's min_samples does; that of the hdbscan package does not.
"""

import json
import sys
import warnings

import numpy as np

warnings.filterwarnings("ignore")
path, width, asked_path = sys.argv[1], int(sys.argv[2]), sys.argv[3]
with open(asked_path) as file:
    asked = json.load(file)
rows = np.fromfile(path, dtype="<f4").reshape(-1, width)
units = rows / np.linalg.norm(rows, axis=1, keepdims=True)

import hdbscan
from sklearn.cluster import HDBSCAN, KMeans
from sklearn.manifold import trustworthiness
from sklearn.metrics import silhouette_score
from umap import UMAP
from umap.umap_ import find_ab_params, fuzzy_simplicial_set



def near(values):
    return [round(float(value), 6) for value in np.ravel(values)]


def groups(found):
    return {"labels": found.labels_.tolist(), "probabilities": near(found.probabilities_)}


def edges():
    distances = np.clip(1 - units.astype(np.float64) @ units.T.astype(np.float64), 0, None)
    np.fill_diagonal(distances, 0)
    nearest = np.argsort(distances, axis=1, kind="stable")[:, :15]
    known = {"knn_indices": nearest, "knn_dists": np.take_along_axis(distances, nearest, axis=1).astype(np.float32)}
    graph, _, _ = fuzzy_simplicial_set(rows, 15, np.random.RandomState(0), "cosine", **known)
    graph = graph.tocsr()
    graph.sort_indices()
    return {"starts": graph.indptr.tolist(), "ends": graph.indices.tolist(), "weights": near(graph.data)}


def trust(points):
    return round(float(trustworthiness(rows, points, n_neighbors=15, metric="cosine")), 6)


def density(method):
    least = {"min_cluster_size": asked["leastRows"], "min_samples": asked["samples"]}
    found = HDBSCAN(**least, cluster_selection_method=method, algorithm="brute", copy=True)
    return groups(found.fit(units.astype(np.float64)))


def package():
    least = {"min_cluster_size": asked["leastRows"], "min_samples": asked["samples"] - 1}
    return groups(hdbscan.HDBSCAN(**least, approx_min_span_tree=False).fit(units.astype(np.float64)))


means = KMeans(asked["clusters"], n_init=10, random_state=0)
answer = {
    "inertia": round(float(means.fit(rows).inertia_), 4),
    "unitInertia": round(float(means.fit(units).inertia_), 4),
    "unitLabels": means.labels_.tolist(),
    "silhouette": round(float(silhouette_score(units.astype(np.float64), means.labels_)), 6),
    "mass": density("eom"),
    "leaf": density("leaf"),
    "package": package(),
    "curves": [near(find_ab_params(1.0, distance)) for distance in (0.0, 0.1, 0.5)],
    "edges": edges(),
    "ofPoints": trust(np.array(asked["points"])),
}
if asked["fits"]:
    fitted = UMAP(n_neighbors=15, min_dist=0.1, metric="cosine", init="pca", random_state=0).fit(rows)
    answer["trustworthiness"] = trust(fitted.embedding_)
json.dump(answer, sys.stdout)
