"""Records what Optuna 5.0.0 computes as parameter importances, for test/analysis/importance.test.ts.

    python test/golden/make-importance-facts.py > test/golden/importance-facts.json      (needs optuna==5.0.0, scikit-learn)
"""
import json
import math
import random
import warnings

import numpy as np
import optuna
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.distributions import distribution_to_json
from optuna.importance import FanovaImportanceEvaluator, MeanDecreaseImpurityImportanceEvaluator
from optuna.importance import PedAnovaImportanceEvaluator, get_param_importances
from optuna.importance._fanova._tree import _FanovaTree
from optuna.trial import TrialState, create_trial
from sklearn.ensemble import RandomForestRegressor
from sklearn.tree import DecisionTreeRegressor

warnings.filterwarnings("ignore")
optuna.logging.set_verbosity(optuna.logging.ERROR)

SPACE = {
    "c": CategoricalDistribution(["adam", "sgd", "rmsprop"]),
    "l": FloatDistribution(1e-4, 1e-1, log=True),
    "n": IntDistribution(1, 64, log=True),
    "s": FloatDistribution(0, 2, step=0.1),
    "k": IntDistribution(0, 100, step=5),
    "w": IntDistribution(1, 4),
    "x": FloatDistribution(-1, 1),
    "only": FloatDistribution(2, 2),
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


def loss(p):
    value = (p.get("x", 0.5) - 0.3) ** 2 * 4 + 0.3 * abs(math.log10(p["l"]) + 2.5) + 0.02 * p.get("k", 0) / 5
    value += {"adam": 0, "sgd": 0.8, "rmsprop": 0.3}[p["c"]] + 0.1 * p["s"] * p["n"] / 64 + 0.05 * p["w"]
    return value


def study_of(seed, n, directions=("minimize",), conditional=False, moving=False, rounded=False):
    rng = random.Random(seed)
    study = optuna.create_study(directions=list(directions))
    for i in range(n):
        space = dict(SPACE)
        params = {name: draw(rng, d) for name, d in space.items()}
        if conditional and params["c"] == "sgd":
            del params["x"]
        if moving and i % 3 == 0:
            space["l"] = FloatDistribution(1e-5, 1e-2, log=True)
            params["l"] = draw(rng, space["l"])
        first = loss(params) + rng.gauss(0, 0.05)
        if rounded:
            first = round(first, 1)
        values = [first, params["n"] / 64 + 0.1 * rng.random()][: len(directions)]
        values = [-v if d == "maximize" else v for v, d in zip(values, directions)]
        kind = rng.random()
        state = TrialState.COMPLETE if kind < 0.9 else TrialState.FAIL if kind < 0.95 else TrialState.PRUNED
        if state == TrialState.COMPLETE and kind < 0.01:
            values[0] = math.inf
        study.add_trial(
            create_trial(
                state=state,
                values=values if state == TrialState.COMPLETE else None,
                params=params,
                distributions={name: space[name] for name in params},
            )
        )
    return study


def recorded(study):
    texts, trials = [], []
    for t in study.trials:
        params = {}
        for name, d in t.distributions.items():
            text = distribution_to_json(d)
            if text not in texts:
                texts.append(text)
            params[name] = [texts.index(text), d.to_internal_repr(t.params[name])]
        trials.append({"state": t.state.name, "values": t.values, "params": params})
    return {"directions": [d.name.lower() for d in study.directions], "distributions": texts, "trials": trials}


STUDIES = {
    "mixed": study_of(1, 120),
    "maximise": study_of(2, 60, ("maximize",)),
    "few": study_of(3, 7),
    "ties": study_of(4, 80, rounded=True),
    "conditional": study_of(5, 100, conditional=True),
    "moving": study_of(6, 90, moving=True),
    "two-objectives": study_of(7, 80, ("minimize", "maximize")),
}
PED = [
    {},
    {"target_quantile": 0.25},
    {"target_quantile": 0.2, "region_quantile": 0.6},
    {"target_quantile": 0.1, "evaluate_on_local": False},
]

cases = []
for name, study in STUDIES.items():
    case = {"name": name, "study": recorded(study), "ped": [], "forests": None}
    for options in PED:
        for target in [None, 0] if len(study.directions) == 1 else [None, 0, 1]:
            found = get_param_importances(
                study,
                evaluator=PedAnovaImportanceEvaluator(**options),
                target=None if target is None else (lambda t: t.values[target]),
                normalize=False,
            )
            case["ped"].append({"options": options, "target": target, "importances": found})
    if len(study.directions) == 1 and name in ("mixed", "maximise", "ties"):
        case["forests"] = {}
        for kind, evaluator in (("fanova", FanovaImportanceEvaluator), ("mdi", MeanDecreaseImpurityImportanceEvaluator)):
            runs = [
                get_param_importances(study, evaluator=evaluator(seed=seed), normalize=kind == "mdi")
                for seed in range(10)
            ]
            case["forests"][kind] = {p: [float(np.mean([r[p] for r in runs])), float(np.std([r[p] for r in runs]))] for p in runs[0]}
    cases.append(case)

# Single trees of scikit-learn: what functional ANOVA and mean decrease of impurity make of them.
trees = []
rng = np.random.default_rng(1)
for n, depth in ((30, 64), (60, 64), (200, 5)):
    one_hot = np.eye(4)[rng.integers(0, 4, n)]
    X = np.column_stack([rng.uniform(-1, 1, n), one_hot, rng.integers(0, 9, n), rng.uniform(2, 5, n)])
    X = X.astype(np.float32).astype(np.float64)
    y = X[:, 0] ** 2 + X[:, 1] - 0.5 * X[:, 3] + 0.05 * X[:, 5] * X[:, 0] + 0.05 * rng.standard_normal(n)
    bounds = np.array([[-1, 1], [0, 1], [0, 1], [0, 1], [0, 1], [0, 8], [2, 5]], dtype=float)
    tree = RandomForestRegressor(n_estimators=1, max_depth=depth, random_state=1).fit(X, y).estimators_[0].tree_
    fanova = _FanovaTree(tree, bounds)
    groups = [[0], [1, 2, 3, 4], [5], [6]]
    trees.append(
        {
            "ranges": bounds.tolist(),
            "feature": [max(-1, int(f)) for f in tree.feature],
            "threshold": [float(t) for t in tree.threshold],
            "left": tree.children_left.tolist(),
            "right": tree.children_right.tolist(),
            "value": tree.value.reshape(-1).tolist(),
            "weight": tree.weighted_n_node_samples.tolist(),
            "impurity": tree.impurity.tolist(),
            "variance": float(fanova.variance),
            "groups": groups,
            "marginals": [float(fanova.get_marginal_variance(np.array(g))) for g in groups],
            "decrease": tree.compute_feature_importances().tolist(),
        }
    )

# One tree on all rows, shallow enough that no two cuts are equally good.
grown = []
for n, depth in ((40, 2), (100, 2)):
    X = rng.uniform(-1, 1, (n, 3)).astype(np.float32).astype(np.float64)
    y = np.sin(3 * X[:, 0]) + X[:, 1] * X[:, 2]
    tree = DecisionTreeRegressor(max_depth=depth, random_state=0).fit(X, y).tree_
    grown.append(
        {
            "rows": X.tolist(),
            "targets": y.tolist(),
            "depth": depth,
            "feature": [max(-1, int(f)) for f in tree.feature],
            "threshold": [float(t) if f >= 0 else 0.0 for t, f in zip(tree.threshold, tree.feature)],
            "value": tree.value.reshape(-1).tolist(),
        }
    )

print(json.dumps({"optuna": optuna.__version__, "cases": cases, "trees": trees, "grown": grown}))
