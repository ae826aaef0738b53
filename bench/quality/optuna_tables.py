"""Runs Optuna's samplers on the tables as tables.mjs runs ours, and writes optuna-tables.json.

python bench/quality/optuna_tables.py [--seeds 20] [--gp-seeds 3] [--first 1000] [--samplers …] [--tables folder] [--no-file]
needs: optuna, scipy, torch (for its GP sampler)
"""

import argparse
import gzip
import json
import math
import pathlib
import time

import numpy
import optuna

optuna.logging.set_verbosity(optuna.logging.ERROR)
HERE = pathlib.Path(__file__).parent
CHECKPOINTS = [25, 40, 50, 100]
SAMPLERS = {
    "RandomSampler": lambda seed: optuna.samplers.RandomSampler(seed=seed),
    "TPESampler": lambda seed: optuna.samplers.TPESampler(seed=seed),
    "GPSampler": lambda seed: optuna.samplers.GPSampler(seed=seed),
}


def load(path):
    with gzip.open(path) as file:
        table = json.load(file)
    sign = -1 if table["direction"] == "maximize" else 1
    losses = numpy.array([math.inf if value is None else sign * value for value in table["values"]])
    return table["params"], losses, numpy.sort(losses)


def sweep(params, losses, ordered, sampler):
    study = optuna.create_study(sampler=sampler)
    best, seconds, shares = math.inf, 0.0, {}
    for k in range(1, CHECKPOINTS[-1] + 1):
        start = time.perf_counter()
        trial = study.ask()
        index = 0
        for param in params:
            choices = param["choices"]
            if param["kind"] == "ordinal":
                at = trial.suggest_int(param["name"], 0, len(choices) - 1)
            else:
                at = choices.index(trial.suggest_categorical(param["name"], choices))
            index = index * len(choices) + at
        seconds += time.perf_counter() - start
        best = min(best, losses[index])
        study.tell(trial, losses[index])
        if k in CHECKPOINTS:
            shares[k] = numpy.searchsorted(ordered, best) / len(losses) + 1 / len(losses)
    return shares, seconds / CHECKPOINTS[-1]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--gp-seeds", type=int, default=3)
    parser.add_argument("--first", type=int, default=1000)
    parser.add_argument("--samplers", nargs="*", default=list(SAMPLERS))
    parser.add_argument("--tables", type=pathlib.Path, default=HERE / "tables")
    parser.add_argument("--no-file", action="store_true")
    args = parser.parse_args()
    tables = {path.name.removesuffix(".json.gz"): load(path) for path in sorted(args.tables.glob("*.json.gz"))}
    file = HERE / "optuna-tables.json"
    results = json.loads(file.read_text())["results"] if file.exists() else {}
    for name in args.samplers:
        create = SAMPLERS[name]
        seeds = args.gp_seeds if name == "GPSampler" else args.seeds
        if seeds == 0:
            continue
        runs = [
            sweep(*table, create(args.first + seed)) for table in tables.values() for seed in range(seeds)
        ]
        results[name] = {
            "seeds": seeds,
            "first": args.first,
            "scores": {k: math.exp(numpy.mean([math.log(shares[k]) for shares, _ in runs])) for k in CHECKPOINTS},
            "millisecondsPerSuggestion": 1000 * float(numpy.mean([seconds for _, seconds in runs])),
        }
        print(f"Optuna {name}:", results[name], flush=True)
        if args.no_file:
            continue
        output = {"optuna": optuna.__version__, "tables": list(tables), "results": results}
        file.write_text(json.dumps(output, indent=2) + "\n")


main()
