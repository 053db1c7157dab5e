"""Writes colors.expected.json: what the published recipes of PCA pictures give, by scikit-learn, for the features of Birder's golden cases.

    python test/golden/pictures/make-colors.py

`dinov2`: three components of the patches, each from its least to its largest value. `dinov3`: three whitened components, each through a sigmoid of twice
its value (facebookresearch/dinov3, notebooks/pca.ipynb). Scikit-learn's signs are those of the largest entries of scores or components, by version: here
the entry of largest magnitude of each component is positive.
"""

import json
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file
from sklearn.decomposition import PCA

folder = Path(__file__).parent
found = {}
for name in ("pca-vit-cls", "pca-vit-reg4-nps-ls"):
    features = load_file(folder / f"{name}.expected.safetensors")["plain.features"].astype(np.float64)
    colors = {}
    for method in ("dinov2", "dinov3"):
        pca = PCA(n_components=3, whiten=method == "dinov3", svd_solver="full").fit(features)
        scores = pca.transform(features)
        largest = np.abs(pca.components_).argmax(axis=1)
        scores *= np.sign(pca.components_[np.arange(3), largest])
        if method == "dinov2":
            scores = (scores - scores.min(axis=0)) / (scores.max(axis=0) - scores.min(axis=0))
        else:
            scores = 1 / (1 + np.exp(-2 * scores))
        colors[method] = [round(float(value), 7) for value in scores.ravel()]
    found[name] = colors
(folder / "colors.expected.json").write_text(json.dumps(found) + "\n")
