"""The same measurements as bench/engine.mjs, in real Optuna. Prints one JSON document."""
import json
import os
import sys
import tempfile
import time
import warnings

import optuna

warnings.filterwarnings("ignore")
optuna.logging.set_verbosity(optuna.logging.ERROR)


def objective(trial):
    return trial.suggest_float("x", -5, 5) ** 2 + trial.suggest_float("y", 1e-5, 1e-1, log=True)


def trials_per_second(storage, sampler, n):
    study = optuna.create_study(storage=storage, sampler=sampler, pruner=optuna.pruners.NopPruner())
    start = time.perf_counter()
    study.optimize(objective, n_trials=n)
    return n / (time.perf_counter() - start)


def sqlite_random(n):
    with tempfile.TemporaryDirectory() as folder:
        return trials_per_second(f"sqlite:///{folder}/study.db", optuna.samplers.RandomSampler(seed=1), n)


def memory_tpe(n):
    return trials_per_second(None, optuna.samplers.TPESampler(seed=1), n)


def tpe_suggestion_ms(n, params, repeats):
    import random

    rng = random.Random(1)
    study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=1))
    space = {f"p{i}": optuna.distributions.FloatDistribution(0, 1) for i in range(params)}
    study.add_trials(
        [
            optuna.create_trial(params={name: rng.random() for name in space}, distributions=space, value=rng.random())
            for _ in range(n)
        ]
    )
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        trial = study.ask(space)
        times.append((time.perf_counter() - start) * 1000)
        study.tell(trial, rng.random())
    return sorted(times)[len(times) // 2]


def reopen_seconds(path):
    start = time.perf_counter()
    study = optuna.load_study(study_name=None, storage=f"sqlite:///{os.path.abspath(path)}")
    study.ask({"x": optuna.distributions.FloatDistribution(-5, 5)})
    return time.perf_counter() - start


case, *arguments = sys.argv[1:]
result = {
    "sqlite_random": lambda: sqlite_random(int(arguments[0])),
    "memory_tpe": lambda: memory_tpe(int(arguments[0])),
    "tpe_suggestion": lambda: tpe_suggestion_ms(*map(int, arguments)),
    "reopen": lambda: reopen_seconds(arguments[0]),
}[case]()
print(json.dumps({"version": optuna.__version__, "result": result}))
