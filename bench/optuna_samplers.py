"""Milliseconds per suggestion of one of Optuna's samplers, for bench/samplers.mjs. Prints one number.

python bench/optuna_samplers.py SAMPLER TRIALS PARAMS SUGGESTIONS      (needs optuna; torch and scipy for GPSampler)
"""
import math
import sys
import time
import warnings

import optuna
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

warnings.filterwarnings("ignore")
optuna.logging.set_verbosity(optuna.logging.ERROR)
name, trials, params, suggestions = sys.argv[1], *map(int, sys.argv[2:])


def space_of(params):
    """As in bench/samplers.mjs: two floats in three, then integers; the last a category."""
    space = {
        f"p{i}": IntDistribution(0, 20) if i % 3 == 2 else FloatDistribution(0, 1) for i in range(params - 1)
    }
    return {**space, "c": CategoricalDistribution(["a", "b", "c"])}


def value_of(values):
    return sum(
        0.3 * (v != "b") if k == "c" else (v / 20 - 0.3) ** 2 if isinstance(v, int) else (v - 0.3) ** 2
        for k, v in values.items()
    ) + 0.1 * math.sin(20 * values["p0"])


def next_random(state=[1]):
    state[0] = (state[0] * 1664525 + 1013904223) % 2**32
    return state[0] / 2**32


def draw(d):
    if isinstance(d, CategoricalDistribution):
        return d.choices[int(next_random() * len(d.choices))]
    return int(next_random() * 21) if isinstance(d, IntDistribution) else next_random()


space = space_of(params)
study = optuna.create_study(sampler=getattr(optuna.samplers, name)(seed=1))
for _ in range(trials):
    values = {k: draw(d) for k, d in space.items()}
    study.add_trial(optuna.create_trial(params=values, distributions=space, value=value_of(values)))
total = 0.0
for i in range(suggestions + 1):
    start = time.perf_counter()
    trial = study.ask(space)
    # The first pays for imports.
    total += (time.perf_counter() - start) * (i > 0)
    study.tell(trial, value_of(trial.params))
print(1000 * total / suggestions)
