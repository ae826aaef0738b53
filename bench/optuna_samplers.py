"""Milliseconds per suggestion of Optuna's samplers, for bench/samplers.mjs. Prints one JSON document."""
import json
import random
import sys
import time
import warnings

import optuna

warnings.filterwarnings("ignore")
optuna.logging.set_verbosity(optuna.logging.ERROR)

kind, trials, params, repeats = sys.argv[1], *map(int, sys.argv[2:5])
s = optuna.samplers
samplers = {
    "cma-es": lambda: s.CmaEsSampler(seed=1),
    "nsga-ii": lambda: s.NSGAIISampler(seed=1),
    "nsga-iii": lambda: s.NSGAIIISampler(seed=1),
    "qmc": lambda: s.QMCSampler(seed=1),
    "random": lambda: s.RandomSampler(seed=1),
    "tpe": lambda: s.TPESampler(seed=1),
    "gp": lambda: s.GPSampler(seed=1),
}
objectives = 3 if kind == "nsga-iii" else 2 if kind == "nsga-ii" else 1
study = optuna.create_study(directions=["minimize"] * objectives, sampler=samplers[kind]())
space = {f"p{i}": optuna.distributions.FloatDistribution(0, 1) for i in range(params)}
rng = random.Random(1)


def values(params):
    if kind == "gp":
        return [sum((i + 1) * (x - 0.3) ** 2 for i, x in enumerate(params.values())) + 0.1 * rng.random()]
    return [rng.random() for _ in range(objectives)]


if kind in ("cma-es", "nsga-ii", "nsga-iii"):
    # Their state lies in attributes that only their own trials have.
    for _ in range(trials):
        study.tell(study.ask(space), values({}))
else:
    points = [{name: rng.random() for name in space} for _ in range(trials)]
    study.add_trials(
        [optuna.create_trial(params=point, distributions=space, values=values(point)) for point in points]
    )
times = []
for _ in range(repeats):
    start = time.perf_counter()
    trial = study.ask(space)
    times.append((time.perf_counter() - start) * 1000)
    study.tell(trial, values(trial.params))
print(json.dumps({"quartile": sorted(times)[len(times) // 4]}))
