"""One worker process of bench/storage.mjs in real Optuna: the same dialogue as bench/storage-worker.mjs."""
import json
import sys
import time
import warnings

import optuna

warnings.filterwarnings("ignore")
optuna.logging.set_verbosity(optuna.logging.ERROR)
options = json.loads(sys.argv[1])
study = optuna.create_study(
    storage=options["storage"],
    study_name=options["studyName"],
    sampler=optuna.samplers.RandomSampler(),
    pruner=optuna.pruners.NopPruner(),
    load_if_exists=True,
)
print("ready", flush=True)
sys.stdin.readline()
start = time.perf_counter()
study.optimize(
    lambda trial: trial.suggest_float("x", -5, 5) ** 2 + trial.suggest_float("y", 1e-5, 1e-1, log=True),
    n_trials=options["trials"],
)
print(f"seconds {time.perf_counter() - start}", flush=True)
