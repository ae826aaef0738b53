"""Real Optuna's side of the interoperability tests: one command per call, one JSON document as the last line of output.

optuna_side.py COMMAND STORAGE STUDY [arguments]
"""
import datetime
import json
import sys
import warnings

import optuna

warnings.filterwarnings("ignore")
optuna.logging.set_verbosity(optuna.logging.ERROR)
SAMPLERS = {"tpe": optuna.samplers.TPESampler, "random": optuna.samplers.RandomSampler}


def objective(trial):
    """The same as in the tests' own `objective`."""
    x = trial.suggest_float("x", -5, 5)
    lr = trial.suggest_float("lr", 1e-5, 1e-1, log=True)
    drop = trial.suggest_float("drop", 0, 0.9, step=0.1)
    n = trial.suggest_int("n", 1, 9, step=2)
    width = trial.suggest_int("width", 1, 1024, log=True)
    kind = trial.suggest_categorical("kind", ["a", 1, 2.5, True, None])
    for step in range(3):
        trial.report(x * x + 1 / (step + 1), step)
    trial.set_user_attr("by", "optuna")
    if n == 9:
        raise optuna.TrialPruned()
    return x * x + lr + drop + n + (width > 500) + (0 if kind == "a" else 1)


def load(storage, study, sampler="random"):
    return optuna.load_study(study_name=study, storage=storage, sampler=SAMPLERS[sampler]())


def stored_time(time):
    """As the database holds it: Optuna 5 stores UTC and tells local time, earlier ones do neither."""
    if time is None:
        return None
    if int(optuna.__version__.split(".")[0]) >= 5:
        time = time.astimezone(datetime.timezone.utc)
    return time.replace(tzinfo=None).isoformat(sep=" ", timespec="microseconds")


def dump(storage, name):
    study = load(storage, name)
    trials = [
        {
            "number": t.number,
            "trialId": t._trial_id,
            "state": t.state.name,
            "values": t.values,
            "params": t.params,
            "distributions": {k: optuna.distributions.distribution_to_json(d) for k, d in t.distributions.items()},
            "intermediateValues": t.intermediate_values,
            "userAttrs": t.user_attrs,
            "systemAttrs": t.system_attrs,
            "start": stored_time(t.datetime_start),
            "complete": stored_time(t.datetime_complete),
        }
        for t in study.trials
    ]
    best = None
    if len(study.directions) == 1 and any(t["state"] == "COMPLETE" for t in trials):
        best = study.best_trial.number
    return {
        "name": study.study_name,
        "directions": [d.name.lower() for d in study.directions],
        "userAttrs": study.user_attrs,
        "systemAttrs": study._storage.get_study_system_attrs(study._study_id),
        "metricNames": study.metric_names,
        "best": best,
        "front": [t.number for t in study.best_trials] if len(study.directions) > 1 else None,
        "rows": len(study.trials_dataframe()),
        "trials": trials,
    }


def make(storage, name):
    """A study with a bit of everything, left with a waiting and a running trial."""
    study = optuna.create_study(study_name=name, storage=storage, sampler=optuna.samplers.RandomSampler(seed=1))
    study.set_user_attr("ünï", {"nan": float("nan"), "big": 2**70, "list": [1, 1.0, None, True]})
    study.set_metric_names(["loss"])
    results = [0.5, float("inf"), float("-inf"), 0.25]

    def everything(trial):
        trial.suggest_categorical("odd", [float("nan"), float("inf"), "é", 1, 1.5])
        objective_value = trial.suggest_float("x", -5, 5) + trial.suggest_int("huge", 0, 2**53)
        for step, value in enumerate([objective_value, float("nan"), float("inf"), float("-inf")]):
            trial.report(value, step * 1000)
        trial.set_user_attr("text", "ü \u0000 \"")
        if hasattr(trial, "set_constraint"):  # since 5.0
            trial.set_constraint("memory", trial.number - 1.0)
        if trial.number == 4:
            raise ValueError("on purpose")
        if trial.number == 5:
            raise optuna.TrialPruned()
        return results[trial.number % 4]

    study.optimize(everything, n_trials=6, catch=(ValueError,))
    study.ask().suggest_float("x", -5, 5)
    study.enqueue_trial({"x": 1.25}, user_attrs={"memo": float("nan")})
    study.add_trial(
        optuna.create_trial(
            params={"x": 0.5}, distributions={"x": optuna.distributions.FloatDistribution(-5, 5)}, value=-1.0
        )
    )
    study.enqueue_trial({"x": 2.5})
    return {}


def run(storage, name, n, sampler="random"):
    study = load(storage, name, sampler)
    study.optimize(objective, n_trials=int(n))
    return {"trials": len(study.trials)}


def work(storage, name, n, log):
    """Runs trials beside others and notes each that it has taken."""
    study = load(storage, name)

    def noted(trial):
        with open(log, "a") as file:
            file.write(f"start {trial.number}\n")
        return objective(trial)

    print("ready", flush=True)
    for _ in range(int(n)):
        study.optimize(noted, n_trials=1)
    return {}


def enqueue(storage, name, n):
    study = load(storage, name)
    for i in range(int(n)):
        study.enqueue_trial({"x": i / 100, "kind": None}, user_attrs={"queued": i})
    return {}


def stale(storage, name):
    """Leaves a trial running whose heartbeat stops."""
    rdb = optuna.storages.RDBStorage(storage, heartbeat_interval=1)
    study = optuna.load_study(study_name=name, storage=rdb, sampler=optuna.samplers.RandomSampler(seed=3))
    trial = study.ask()
    x = trial.suggest_float("x", -5, 5)
    rdb.record_heartbeat(trial._trial_id)
    return {"number": trial.number, "x": x}


def sweep(storage, name):
    """Fails and retries trials whose heartbeat has stopped, as Optuna's own workers do."""
    callback = optuna.storages.RetryFailedTrialCallback(max_retry=3)
    rdb = optuna.storages.RDBStorage(storage, heartbeat_interval=1, grace_period=2, failed_trial_callback=callback)
    optuna.storages.fail_stale_trials(optuna.load_study(study_name=name, storage=rdb))
    return {}


def version(_storage, _name):
    return {"version": optuna.__version__}


def sampler_of(kind, seed):
    """The sampler that a study of `turn` is searched with; constraints in the form that this version writes."""
    samplers = optuna.samplers
    if kind == "cma":
        return samplers.CmaEsSampler(seed=seed)
    if kind == "nsga2":
        return samplers.NSGAIISampler(seed=seed, population_size=4, constraints_func=old_constraints)
    if kind == "gp":
        return samplers.GPSampler(seed=seed, n_startup_trials=4)
    if kind == "old-constraints":
        return samplers.TPESampler(seed=seed, n_startup_trials=4, constraints_func=old_constraints)
    return samplers.TPESampler(seed=seed, n_startup_trials=4)


def old_constraints(trial):
    return (trial.params["x"] - 2, -1.0)


def turn(storage, _name, kinds, n, seed):
    """Goes on with one study per kind, each with its own sampler, pruner and objective; enqueues one more trial each time."""
    for kind in kinds.split(","):
        pruner = optuna.pruners.HyperbandPruner(max_resource=9) if kind == "hyperband" else optuna.pruners.NopPruner()
        study = optuna.load_study(study_name=kind, storage=storage, sampler=sampler_of(kind, int(seed)), pruner=pruner)
        study.enqueue_trial({"x": 0.5, "y": -0.5}, user_attrs={"enqueued": True})

        def objective(trial, kind=kind):
            x = trial.suggest_float("x", -5, 5)
            y = trial.suggest_float("y", -5, 5)
            trial.set_user_attr("by", "optuna")
            if kind == "hyperband":
                for step in range(1, 10):
                    trial.report(x * x + y * y + 1 / step, step)
                    if trial.should_prune():
                        raise optuna.TrialPruned()
            if kind == "new-constraints":
                trial.set_constraint("limit", x - 2)
                trial.set_constraint("other", -1.0)
            return (x * x, (y - 1) ** 2) if kind == "nsga2" else x * x + y * y

        study.optimize(objective, n_trials=int(n))
    return {}


def dumps(storage, _name, kinds):
    return {kind: dump(storage, kind) for kind in kinds.split(",")}


def verdicts(_storage, _name, folder):
    """What comes of each database of a folder: its trials and two more of TPE, or the error."""
    import os

    found = {}
    for name in sorted(os.listdir(folder)):
        if not name.endswith(".db"):
            continue
        storage = "sqlite:///" + os.path.join(folder, name)
        try:
            study = optuna.load_study(study_name="s", storage=storage, sampler=optuna.samplers.TPESampler(seed=1))
            numbers = [t.number for t in study.trials]
        except Exception as error:
            found[name[:-3]] = {"load": type(error).__name__}
            continue
        try:
            study.optimize(lambda t: t.suggest_float("x", 0, 1), n_trials=2)
            again = optuna.load_study(study_name="s", storage=storage)
            found[name[:-3]] = {"load": numbers, "continue": [t.number for t in again.trials]}
        except Exception as error:
            found[name[:-3]] = {"load": numbers, "continue": type(error).__name__}
    return found


command, storage, study, *arguments = sys.argv[1:]
print(json.dumps(globals()[command](storage, study, *arguments)))
