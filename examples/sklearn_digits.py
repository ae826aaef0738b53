"""A trial with scikit-learn: a classifier of handwritten digits, fitted in passes, each pass reported.

    pip install -r examples/requirements.txt
    resweep run configs/command-sklearn.yaml
"""

import argparse
import sys
import time
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits
from sklearn.linear_model import SGDClassifier
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "python"))
import resweep  # noqa: E402

PASSES = 8


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--alpha", type=float, required=True)
    parser.add_argument("--penalty", choices=["l2", "l1", "elasticnet"], required=True)
    parser.add_argument("--l1_ratio", type=float, default=0.15)
    parser.add_argument("--eta0", type=float, required=True)
    arguments = parser.parse_args()

    start = time.perf_counter()
    features, labels = load_digits(return_X_y=True)
    # One split for all trials, so that their values can be compared; the trial's seed is for training alone.
    x_train, x_test, y_train, y_test = train_test_split(features, labels, test_size=0.3, random_state=0, stratify=labels)
    scaler = StandardScaler().fit(x_train)
    x_train, x_test = scaler.transform(x_train), scaler.transform(x_test)

    model = SGDClassifier(
        loss="log_loss",
        alpha=arguments.alpha,
        penalty=arguments.penalty,
        l1_ratio=arguments.l1_ratio,
        learning_rate="adaptive",
        eta0=arguments.eta0,
        random_state=resweep.seed,
    )
    order = np.random.default_rng(resweep.seed)
    accuracy = 0.0
    for step in range(1, PASSES + 1):
        shuffled = order.permutation(len(x_train))
        model.partial_fit(x_train[shuffled], y_train[shuffled], classes=np.arange(10))
        accuracy = model.score(x_test, y_test)
        resweep.report(step, accuracy)
    nonzero = int(np.count_nonzero(model.coef_))
    resweep.result(accuracy=accuracy, nonzero_weights=nonzero, seconds=time.perf_counter() - start)


if __name__ == "__main__":
    main()
