"""Records what Optuna 5.0.0's terminators compute, for test/analysis/terminator.test.ts.

    python test/golden/make-terminator-facts.py > test/golden/terminator-facts.json      (needs optuna==5.0.0, torch)
"""
import json
import math
import random
import warnings

import numpy as np
import optuna
from optuna._gp import gp, prior
from optuna._gp.search_space import SearchSpace
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.distributions import distribution_to_json
from optuna.search_space import intersection_search_space
from optuna.study import StudyDirection
from optuna.terminator import BestValueStagnationEvaluator, CrossValidationErrorEvaluator, EMMREvaluator
from optuna.terminator import MedianErrorEvaluator, RegretBoundEvaluator
from optuna.trial import TrialState, create_trial
import torch

warnings.filterwarnings("ignore")
optuna.logging.set_verbosity(optuna.logging.ERROR)
optuna.terminator.improvement.evaluator.optuna_warn = lambda *a, **k: None

SPACES = {
    "floats": {"x": FloatDistribution(-5, 5), "y": FloatDistribution(1e-4, 1e-1, log=True)},
    "mixed": {
        "c": CategoricalDistribution(["a", "b", "c"]),
        "k": IntDistribution(0, 100, step=5),
        "n": IntDistribution(1, 64, log=True),
        "s": FloatDistribution(0, 2, step=0.25),
        "x": FloatDistribution(-1, 1),
    },
}


def draw(rng, d):
    if isinstance(d, CategoricalDistribution):
        return rng.choice(d.choices)
    if d.log:
        value = math.exp(rng.uniform(math.log(d.low), math.log(d.high)))
        return int(round(value)) if isinstance(d, IntDistribution) else min(max(value, d.low), d.high)
    if isinstance(d, IntDistribution):
        return rng.randrange(d.low, d.high + 1, d.step)
    if d.step is not None:
        return d.low + rng.randint(0, round((d.high - d.low) / d.step)) * d.step
    return rng.uniform(d.low, d.high)


def value_of(p):
    if "y" in p:
        return (p["x"] - 1) ** 2 / 10 + abs(math.log10(p["y"]) + 2)
    return (p["x"] - 0.2) ** 2 + 0.3 * (p["c"] == "b") + 0.01 * p["k"] / 5 + 0.1 * abs(math.log2(p["n"]) - 3) + 0.2 * p["s"]


def facts_of(name, space, n, direction, noise):
    rng = random.Random(name)
    sign = -1 if direction == "maximize" else 1
    trials = []
    for number in range(n):
        params = {k: draw(rng, d) for k, d in space.items()}
        value = sign * (value_of(params) + rng.gauss(0, noise))
        kind = rng.random()
        state = TrialState.COMPLETE if kind < 0.9 else TrialState.FAIL if kind < 0.95 else TrialState.PRUNED
        scores = [value + rng.gauss(0, 0.1) for _ in range(5)]
        trial = create_trial(
            state=state,
            value=value if state == TrialState.COMPLETE else None,
            params=params,
            distributions=space,
            system_attrs={"terminator:cv_scores": scores},
        )
        trial.number = number
        trials.append(trial)
    d = StudyDirection.MAXIMIZE if direction == "maximize" else StudyDirection.MINIMIZE
    complete = [t for t in trials if t.state == TrialState.COMPLETE]

    search_space = SearchSpace(intersection_search_space(trials))
    X = search_space.get_normalized_params(complete)
    y = -sign * np.array([t.value for t in complete])
    y = (y - y.mean()) / y.std()
    gpr = gp.fit_kernel_params(
        X=X, Y=y, is_categorical=search_space.is_categorical, log_prior=prior.default_log_prior,
        minimum_noise=prior.DEFAULT_MINIMUM_NOISE_VAR, deterministic_objective=False, gtol=1e-6,
    )
    points = search_space.sample_normalized_params(8, np.random.RandomState(0))
    mean, var = gpr.posterior(torch.from_numpy(points))
    _, joint = gpr.posterior(torch.from_numpy(points[:2]), joint=True)

    regret = [RegretBoundEvaluator(seed=seed).evaluate(trials, d) for seed in range(10)]
    emmr = [EMMREvaluator(seed=seed).evaluate(trials, d) for seed in range(5)]
    return {
        "name": name,
        "direction": direction,
        "space": {k: distribution_to_json(v) for k, v in space.items()},
        "trials": [
            {
                "state": t.state.name,
                "value": t.value,
                "scores": t.system_attrs["terminator:cv_scores"],
                "params": {k: space[k].to_internal_repr(v) for k, v in t.params.items()},
            }
            for t in trials
        ],
        "process": {
            "points": X.tolist(),
            "targets": y.tolist(),
            "inverseSquaredScales": gpr.inverse_squared_lengthscales.tolist(),
            "signalVariance": gpr.kernel_scale.item(),
            "noiseVariance": gpr.noise_var.item(),
            "at": points.tolist(),
            "means": mean.tolist(),
            "variances": var.tolist(),
            "covariance": joint[0, 1].item(),
        },
        "regret": [float(np.mean(regret)), float(np.std(regret))],
        "emmr": [float(np.mean(emmr)), float(np.std(emmr))],
        "crossValidation": CrossValidationErrorEvaluator().evaluate(trials, d),
        "stagnation": BestValueStagnationEvaluator(max_stagnation_trials=10).evaluate(trials, d),
        "median": MedianErrorEvaluator(BestValueStagnationEvaluator(), warm_up_trials=3, n_initial_trials=7).evaluate(trials, d),
    }


cases = [
    facts_of("floats", SPACES["floats"], 30, "minimize", 0.02),
    facts_of("floats, maximised", SPACES["floats"], 60, "maximize", 0.1),
    facts_of("mixed", SPACES["mixed"], 50, "minimize", 0.02),
]
print(json.dumps({"optuna": optuna.__version__, "cases": cases}))
