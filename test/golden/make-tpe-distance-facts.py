"""Records what Optuna 4.9.0's TPE makes of distances between choices (an option that Optuna 5 has dropped), for
test/samplers/tpe-golden.test.ts.

    python test/golden/make-tpe-distance-facts.py > test/golden/tpe-distance-facts.json      (needs optuna==4.9.0)
"""
import json
import sys
import warnings

import numpy as np
import optuna
from optuna.distributions import CategoricalDistribution
from optuna.samplers._tpe.parzen_estimator import _ParzenEstimator, _ParzenEstimatorParameters

warnings.filterwarnings("ignore")

rng = np.random.RandomState(1)
cases = []
for size in (2, 3, 6, 9):
    for n in (1, 4, 60):
        for prior_weight in (1.0, 0.3):
            choices = [f"c{i}" for i in range(size)]
            points = rng.rand(size)
            distances = np.abs(points[:, None] - points[None, :])
            place = {c: i for i, c in enumerate(choices)}
            parameters = _ParzenEstimatorParameters(
                prior_weight=prior_weight,
                consider_magic_clip=True,
                consider_endpoints=False,
                weights=lambda m: np.ones(m),
                multivariate=True,
                categorical_distance_func={"c": lambda a, b: distances[place[a], place[b]]},
            )
            observed = rng.randint(size, size=n)
            space = {"c": CategoricalDistribution(choices)}
            estimator = _ParzenEstimator({"c": observed.astype(float)}, space, parameters)
            cases.append(
                {
                    "choices": choices,
                    "distances": distances.tolist(),
                    "priorWeight": prior_weight,
                    "observed": observed.tolist(),
                    "logProbabilities": estimator.log_pdf({"c": np.arange(size).astype(float)}).tolist(),
                }
            )
json.dump({"optuna": optuna.__version__, "cases": cases}, sys.stdout)
