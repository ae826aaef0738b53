"""Records what Optuna 5.0.0's TPE computes, for test/samplers/tpe-golden.test.ts.

    python test/golden/make-tpe-facts.py > test/golden/tpe-facts.json      (needs optuna==5.0.0)
"""
import json
import random
import sys
import warnings

import numpy as np
import optuna
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.distributions import distribution_to_json
from optuna.samplers import _tpe
import optuna.samplers._tpe.parzen_estimator
from optuna.samplers._tpe.sampler import _split_trials, default_gamma, default_gamma_multiobjective
from optuna.samplers._tpe.sampler import default_weights, hyperopt_default_gamma
from optuna.search_space.group_decomposed import _GroupDecomposedSearchSpace
from optuna.trial import TrialState, create_trial

warnings.filterwarnings("ignore")
optuna.logging.set_verbosity(optuna.logging.ERROR)

# numpy's default sort orders equal values differently from one processor to the next, and the bandwidths of equal observations
# with them. Only with a stable sort is there one answer to compare with.
_tpe.parzen_estimator.np = type("StableNumpy", (), {"__getattr__": lambda self, name: getattr(np, name)})()
_tpe.parzen_estimator.np.argsort = lambda values: np.argsort(values, kind="stable")

SPACES = {
    "float": {"x": FloatDistribution(-5, 5)},
    "float-log": {"x": FloatDistribution(1e-5, 1e-1, log=True)},
    "float-step": {"x": FloatDistribution(0, 1, step=0.25)},
    "int": {"n": IntDistribution(1, 10)},
    "int-step": {"n": IntDistribution(0, 100, step=5)},
    "int-log": {"n": IntDistribution(1, 1024, log=True)},
    "categorical": {"c": CategoricalDistribution(["a", 1, 2.5, None])},
    "mixed": {
        "c": CategoricalDistribution(["adam", "sgd", "rmsprop"]),
        "l": FloatDistribution(1e-4, 1e-1, log=True),
        "n": IntDistribution(1, 64, log=True),
        "s": FloatDistribution(0, 2, step=0.1),
        "x": FloatDistribution(-1, 1),
    },
}


def draw(rng, distribution):
    if isinstance(distribution, CategoricalDistribution):
        return rng.choice(distribution.choices)
    if isinstance(distribution, IntDistribution):
        if distribution.log:
            return int(round(np.exp(rng.uniform(np.log(distribution.low), np.log(distribution.high)))))
        return rng.randrange(distribution.low, distribution.high + 1, distribution.step)
    if distribution.step is not None:
        steps = round((distribution.high - distribution.low) / distribution.step)
        return distribution.low + rng.randint(0, steps) * distribution.step
    if distribution.log:
        return float(np.exp(rng.uniform(np.log(distribution.low), np.log(distribution.high))))
    return rng.uniform(distribution.low, distribution.high)


def make_study(space, n, rng, kind, directions):
    study = optuna.create_study(directions=directions)
    for i in range(n):
        params = {name: draw(rng, distribution) for name, distribution in space.items()}
        roll = rng.random()
        attrs = {}
        if kind == "constraints":
            attrs["constraints"] = [rng.uniform(-1, 1), rng.uniform(-1, 0.5)]
        if kind == "pruned" and roll < 0.4:
            steps = rng.randint(0, 4)
            values = {s: (float("nan") if rng.random() < 0.1 else rng.gauss(0, 1)) for s in range(steps)}
            study.add_trial(create_trial(state=TrialState.PRUNED, params=params, distributions=space, intermediate_values=values))
        elif kind == "running" and roll < 0.2:
            study.add_trial(create_trial(state=TrialState.RUNNING, params=params, distributions=space))
        elif kind == "pruned" and roll < 0.5:
            study.add_trial(create_trial(state=TrialState.FAIL, params=params, distributions=space))
        else:
            values = [round(rng.gauss(0, 1), 1) for _ in directions]
            study.add_trial(
                create_trial(params=params, distributions=space, values=values, system_attrs=attrs)
            )
    return study


def uniform_weights(n):
    return np.ones(n)


def facts(name, space, n, kind, directions, seed, options=None, ours=None):
    rng = random.Random(seed)
    study = make_study(space, n, rng, kind, directions)
    sampler = optuna.samplers.TPESampler(seed=1, **(options or {}))
    states = (TrialState.COMPLETE, TrialState.PRUNED, TrialState.RUNNING)
    trials = study.get_trials(deepcopy=False, states=states)
    finished = sum(t.state != TrialState.RUNNING for t in trials)
    gamma = default_gamma if len(directions) == 1 else default_gamma_multiobjective
    below, above = _split_trials(study, trials, (sampler._gamma or gamma)(finished))
    mpe_below = sampler._build_parzen_estimator(study, space, below, handle_below=True)
    mpe_above = sampler._build_parzen_estimator(study, space, above, handle_below=False)
    candidates = [{k: d.to_internal_repr(draw(rng, d)) for k, d in space.items()} for _ in range(12)]
    samples = {k: np.array([c[k] for c in candidates]) for k in space}
    return {
        "name": f"{name}, {n} trials, {kind}, {len(directions)} objectives" + (f", {ours}" if ours else ""),
        "options": ours,
        "directions": list(directions),
        "space": {k: distribution_to_json(d) for k, d in space.items()},
        "trials": [
            {
                "state": t.state.name,
                "values": t.values,
                "params": {k: t.distributions[k].to_internal_repr(v) for k, v in t.params.items()},
                "reports": {str(s): v for s, v in t.intermediate_values.items()},
                "constraints": t.system_attrs.get("constraints"),
            }
            for t in study.get_trials(deepcopy=False)
        ],
        "below": [t.number for t in below],
        "candidates": [[c[k] for k in space] for c in candidates],
        "logBelow": mpe_below.log_pdf(samples).tolist(),
        "logAbove": mpe_above.log_pdf(samples).tolist(),
    }


cases = []
for name, space in SPACES.items():
    for n in (1, 2, 12, 60):
        cases.append(facts(name, space, n, "complete", ["minimize"], len(cases)))
for kind in ("pruned", "constraints", "running"):
    for name in ("float", "mixed"):
        for n in (15, 80):
            cases.append(facts(name, SPACES[name], n, kind, ["maximize"], len(cases)))
cases.append(facts("mixed", SPACES["mixed"], 320, "complete", ["minimize"], len(cases)))
for directions in (["minimize", "maximize"], ["minimize", "minimize", "maximize"]):
    for n in (12, 50):
        cases.append(facts("float-log", SPACES["float-log"], n, "complete", directions, len(cases)))
OPTIONS = [
    ({"prior_weight": 0.2}, {"priorWeight": 0.2}),
    ({"prior_weight": 5.0}, {"priorWeight": 5}),
    ({"consider_magic_clip": False}, {"considerMagicClip": False}),
    ({"consider_endpoints": True}, {"considerEndpoints": True}),
    ({"gamma": hyperopt_default_gamma}, {"gamma": "hyperopt"}),
    ({"weights": uniform_weights}, {"weights": "uniform"}),
    ({"multivariate": True, "group": True, "constant_liar": False}, {"multivariate": True, "group": True, "constantLiar": False}),
]
for options, ours in OPTIONS:
    for n in (12, 130):
        cases.append(facts("mixed", SPACES["mixed"], n, "complete", ["minimize"], len(cases), options, ours))
        cases.append(facts("float", SPACES["float"], n, "complete", ["minimize"], len(cases), options, ours))


def groups():
    """What group=True divides conditional spaces into."""
    f, c = FloatDistribution(0, 1), CategoricalDistribution(["a", "b"])
    result = []
    for names in (["ab", "abc"], ["ab", "bc", "ca"], ["abcd", "ab", "c", "e"], ["abc", "de", "abcde"]):
        study = optuna.create_study()
        for letters in names:
            space = {letter: c if letter == "a" else f for letter in letters}
            params = {letter: "b" if letter == "a" else 0.5 for letter in letters}
            study.add_trial(create_trial(params=params, distributions=space, value=1.0))
        divided = _GroupDecomposedSearchSpace(True).calculate(study)
        result.append({"trials": names, "groups": sorted("".join(sorted(g)) for g in divided.search_spaces)})
    return result


numbers = [0, 1, 2, 9, 10, 11, 24, 25, 26, 27, 99, 100, 101, 250, 251, 1000, 10000]
gammas = [[n, default_gamma(n), default_gamma_multiobjective(n), hyperopt_default_gamma(n)] for n in numbers]
weights = [[n, default_weights(n).tolist()] for n in numbers if n <= 101]
json.dump({"gammas": gammas, "weights": weights, "groups": groups(), "optuna": optuna.__version__, "cases": cases}, sys.stdout)
