"""What real Optuna does on a server, for optuna-schema.test.ts: python optuna_server_side.py make|go-on URL. Prints JSON."""
import json
import sys
import warnings

import optuna

warnings.filterwarnings("ignore")
optuna.logging.set_verbosity(optuna.logging.ERROR)
action, url = sys.argv[1:]


def objective(trial):
    x = trial.suggest_float("x", -5, 5)
    n = trial.suggest_int("n", 1, 8, log=True)
    kind = trial.suggest_categorical("kind", ["a", None, 1.5])
    trial.report(x, 0)
    trial.report(float("inf") if n > 4 else x * x, 1)
    trial.set_user_attr("note", {"x": x, "text": "ü \\ \""})
    if trial.number % 5 == 4:
        raise optuna.TrialPruned()
    return x * x + (0 if kind is None else 1)


study = optuna.create_study(
    storage=url, study_name="shared", direction="minimize", sampler=optuna.samplers.TPESampler(seed=1), load_if_exists=True
)
if action == "make":
    study.set_user_attr("by", "optuna")
    study.enqueue_trial({"x": 1.0, "n": 2, "kind": "a"})
    for kind in ("a", None, 1.5):
        study.enqueue_trial({"kind": kind})
    # Number 4: pruned at infinity, which becomes its value.
    study.enqueue_trial({"n": 8})
study.optimize(objective, n_trials=12)
print(
    json.dumps(
        [
            {
                "number": t.number,
                "state": t.state.name,
                "value": None if t.value is None else str(t.value),  # JSON knows no infinity
                "params": t.params,
                "userAttrs": t.user_attrs,
                "reports": {str(step): str(value) for step, value in t.intermediate_values.items()},
            }
            for t in study.trials
        ]
    )
)
