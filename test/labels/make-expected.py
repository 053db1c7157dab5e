"""Computes what scikit-learn, cleanlab, SciPy and statsmodels give of labelled features.

    python test/labels/make-expected.py            writes labels.expected.json beside itself
    python test/labels/make-expected.py --live     reads cases from stdin as JSON, and writes the answers to stdout

A case has `features` [N][D] of length 1 (to float32's rounding), `labels` [N], `classes`, `folds` and `c`; that is all that the answers are made of. The weights of
DINO's evaluation and the expected calibration error are in none of the libraries: they are written out here after the papers' own code.
"""
import json
import sys
from pathlib import Path

import numpy as np
from cleanlab.count import compute_confident_joint, get_confident_thresholds
from cleanlab.filter import find_label_issues
from cleanlab.rank import get_label_quality_scores
from scipy.optimize import minimize_scalar
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import (
    accuracy_score,
    balanced_accuracy_score,
    confusion_matrix,
    f1_score,
    log_loss,
    precision_recall_fscore_support,
    top_k_accuracy_score,
)
from sklearn.model_selection import StratifiedKFold
from sklearn.neighbors import KNeighborsClassifier
from statsmodels.stats.contingency_tables import mcnemar

NEIGHBOURS = 20
TEMPERATURE = 0.07
GRID = [0.1, 1.0, 10.0, 100.0]


def listed(values):
    return [float(f'{value:.12g}') for value in np.asarray(values, dtype=np.float64).ravel()]


def whole(values):
    return [int(value) for value in np.asarray(values).ravel()]


def blobs(seed, counts, width, spread, flipped):
    """Draws rows around a centre for each class, in mixed order, of which some carry another's label."""
    random = np.random.default_rng(seed)
    centres = random.normal(size=(len(counts), width))
    labels = random.permutation(np.repeat(np.arange(len(counts)), counts))
    features = centres[labels] + spread * random.normal(size=(len(labels), width))
    features /= np.linalg.norm(features, axis=1, keepdims=True)
    wrong = random.choice(len(labels), size=flipped, replace=False)
    labels[wrong] = (labels[wrong] + 1) % len(counts)
    narrow = features.astype(np.float32)
    return {
        'features': [[float(f'{value:.9g}') for value in row] for row in narrow.tolist()],
        'labels': whole(labels),
        'classes': len(counts),
    }


def neighbours_of(features, labels, classes, folds):
    """Lets the neighbours vote on each fold; ties are between rows that are equally near."""
    found = {name: np.zeros(len(labels), dtype=int) for name in ('uniform', 'distance', 'softmax')}
    for rest, held in folds:
        count = min(NEIGHBOURS, len(rest))
        for weights in ('uniform', 'distance'):
            model = KNeighborsClassifier(count, weights=weights, metric='cosine', algorithm='brute')
            found[weights][held] = model.fit(features[rest], labels[rest]).predict(features[held])
        unit = features / np.linalg.norm(features, axis=1, keepdims=True)
        alike = unit[held] @ unit[rest].T
        order = np.argsort(-alike, axis=1, kind='stable')[:, :count]
        votes = np.exp(np.take_along_axis(alike, order, axis=1) / TEMPERATURE)
        shares = np.stack([(votes * (labels[rest][order] == k)).sum(axis=1) for k in range(classes)], axis=1)
        found['softmax'][held] = shares.argmax(axis=1)
    return {name: {'predicted': whole(p), 'accuracy': accuracy_score(labels, p)} for name, p in found.items()}


def held_out(features, labels, classes, folds, c):
    scores = np.zeros((len(labels), classes))
    for rest, held in folds:
        model = LogisticRegression(C=c, tol=1e-10, max_iter=100_000).fit(features[rest], labels[rest])
        found = model.decision_function(features[held])
        # Of two classes there is one score, which is the difference of two.
        scores[held] = np.stack([-found / 2, found / 2], axis=1) if found.ndim == 1 else found
    return scores


def softmax(scores):
    parts = np.exp(scores - scores.max(axis=1, keepdims=True))
    return parts / parts.sum(axis=1, keepdims=True)


def calibration_error(probabilities, labels, bins=15):
    confidence, predicted = probabilities.max(axis=1), probabilities.argmax(axis=1)
    error = 0
    for low, high in zip(np.arange(bins) / bins, (np.arange(bins) + 1) / bins):
        inside = (confidence > low) & (confidence <= high)
        if inside.any():
            error += inside.mean() * abs((predicted == labels)[inside].mean() - confidence[inside].mean())
    return error


def metrics_of(labels, scores, classes):
    predicted = scores.argmax(axis=1)
    names = list(range(classes))
    precision, recall, f1, support = precision_recall_fscore_support(labels, predicted, labels=names, zero_division=0)
    top = scores[:, 1] if classes == 2 else scores
    return {
        'confusion': whole(confusion_matrix(labels, predicted, labels=names)),
        'accuracy': accuracy_score(labels, predicted),
        'balancedAccuracy': balanced_accuracy_score(labels, predicted),
        'macroF1': f1_score(labels, predicted, average='macro', zero_division=0),
        'precision': listed(precision),
        'recall': listed(recall),
        'f1': listed(f1),
        'support': whole(support),
        'top2': 1.0 if classes == 2 else top_k_accuracy_score(labels, top, k=2, labels=names),
    }


def errors_of(labels, probabilities):
    return {
        'thresholds': listed(get_confident_thresholds(labels, probabilities)),
        'joint': whole(compute_confident_joint(labels, probabilities, calibrate=True)),
        'wrong': whole(find_label_issues(labels, probabilities, n_jobs=1)),
        'selfConfidence': listed(get_label_quality_scores(labels, probabilities, method='self_confidence')),
        'normalizedMargin': listed(get_label_quality_scores(labels, probabilities, method='normalized_margin')),
    }


def answers_of(case):
    features = np.asarray(case['features'], dtype=np.float64)
    labels = np.asarray(case['labels'])
    classes, c = case['classes'], case['c']
    folds = list(StratifiedKFold(case['folds']).split(features, labels))
    fold_of = np.zeros(len(labels), dtype=int)
    for number, (_, held) in enumerate(folds):
        fold_of[held] = number
    model = LogisticRegression(C=c, tol=1e-10, max_iter=100_000).fit(features, labels)
    scores = held_out(features, labels, classes, folds, c)
    probabilities = softmax(scores)
    best = minimize_scalar(
        lambda t: log_loss(labels, softmax(scores / np.exp(t)), labels=range(classes)), bounds=(-4, 4), method='bounded',
        options={'xatol': 1e-10},
    )
    knn = neighbours_of(features, labels, classes, folds)
    right = [scores.argmax(axis=1) == labels, np.asarray(knn['uniform']['predicted']) == labels]
    table = [[int((a & b).sum()) for b in (right[1], ~right[1])] for a in (right[0], ~right[0])]
    return {
        'folds': whole(fold_of),
        'knn': knn,
        'weight': listed(model.coef_),
        'bias': listed(model.intercept_),
        'losses': [log_loss(labels, softmax(held_out(features, labels, classes, folds, one)), labels=range(classes)) for one in GRID],
        'scores': listed(scores),
        'metrics': metrics_of(labels, scores, classes),
        'calibrationError': calibration_error(probabilities, labels),
        'temperature': float(np.exp(best.x)),
        'errors': errors_of(labels, probabilities),
        'mcnemar': mcnemar(table, exact=True).pvalue,
    }


CASES = {
    'four uneven classes': {**blobs(4, [50, 40, 30, 11], 6, 0.9, 9), 'folds': 5, 'c': 10.0},
    'two classes': {**blobs(2, [30, 21], 4, 1.2, 3), 'folds': 3, 'c': 1.0},
    'classes far apart': {**blobs(3, [16, 16, 16], 8, 0.15, 2), 'folds': 4, 'c': 100.0},
}

if '--live' in sys.argv:
    json.dump({name: answers_of(case) for name, case in json.load(sys.stdin).items()}, sys.stdout)
else:
    out = {name: {**case, 'expected': answers_of(case)} for name, case in CASES.items()}
    Path(__file__).with_name('labels.expected.json').write_text(json.dumps(out) + '\n')
