"""Records what Optuna 5.0.0, scipy and cmaes compute, for the tests of test/algorithms and test/samplers.

    python test/golden/make-sampler-facts.py > test/golden/sampler-facts.json      (needs optuna==5.0.0, scipy, cmaes==0.13.0)
"""
import json
import math
import sys
import warnings

import numpy as np
import optuna
import scipy
from optuna._hypervolume import compute_hypervolume
from optuna._hypervolume.hssp import _solve_hssp
from optuna.samplers import nsgaii
from optuna.samplers._nsgaiii import _elite_population_selection_strategy as nsgaiii
from optuna.samplers.nsgaii import _elite_population_selection_strategy as elite
from optuna.study._multi_objective import _fast_non_domination_rank
from optuna.trial import create_trial
from scipy.stats import qmc

warnings.filterwarnings("ignore")
optuna.logging.set_verbosity(optuna.logging.ERROR)


def grids():
    """The order in which GridSampler tries its points."""
    spaces = [
        ({"x": [1, 2, 3], "c": ["a", None, True, 2.5]}, 0),
        ({"x": [0.1, 0.2], "b": [1], "a": list(range(40))}, 7),
        ({f"p{i}": [0, 1, 2] for i in range(7)}, 123456),
    ]
    return [
        {"space": space, "seed": seed, "points": optuna.samplers.GridSampler(space, seed=seed)._all_grids}
        for space, seed in spaces
    ]


def sequences():
    return [
        {
            "kind": kind,
            "dimensions": d,
            "points": (qmc.Sobol if kind == "sobol" else qmc.Halton)(d, scramble=False).random(n).tolist(),
        }
        for kind, d, n in [("sobol", 1, 64), ("sobol", 7, 64), ("sobol", 40, 32), ("halton", 1, 40), ("halton", 12, 40)]
    ]


class RecordedRandom:
    """A RandomState that writes down what it gave."""

    def __init__(self, seed):
        self._rng = np.random.RandomState(seed)
        self.uniforms, self.normals = [], []

    def rand(self, *size):
        drawn = self._rng.rand(*size)
        self.uniforms += np.ravel(drawn).tolist()
        return drawn

    def normal(self, loc, scale, size=None):
        drawn = self._rng.randn() if size is None else self._rng.randn(size)
        self.normals += np.ravel(drawn).tolist()
        return loc + scale * drawn


CROSSOVERS = [
    ("UniformCrossover", {}, {}),
    ("UniformCrossover", {"swapping_prob": 0.2}, {"swappingProb": 0.2}),
    ("BLXAlphaCrossover", {}, {}),
    ("BLXAlphaCrossover", {"alpha": 1.5}, {"alpha": 1.5}),
    ("SBXCrossover", {}, {}),
    ("SBXCrossover", {"eta": 7.0, "uniform_crossover_prob": 0.3, "use_child_gene_prob": 0.9},
     {"eta": 7, "uniformCrossoverProb": 0.3, "useChildGeneProb": 0.9}),
    ("SPXCrossover", {}, {}),
    ("SPXCrossover", {"epsilon": 1.5}, {"epsilon": 1.5}),
    ("UNDXCrossover", {}, {}),
    ("UNDXCrossover", {"sigma_xi": 1.0, "sigma_eta": 0.8}, {"sigmaXi": 1, "sigmaEta": 0.8}),
    ("VSBXCrossover", {}, {}),
    ("VSBXCrossover", {"eta": 5.0, "uniform_crossover_prob": 0.7, "use_child_gene_prob": 0.4},
     {"eta": 5, "uniformCrossoverProb": 0.7, "useChildGeneProb": 0.4}),
]


def crossovers():
    rng = np.random.RandomState(11)
    facts = []
    for name, options, ours in CROSSOVERS:
        crossover = getattr(nsgaii, name)(**options)
        for directions in (["minimize"], ["minimize", "maximize"]):
            study = optuna.create_study(directions=directions)
            for n in (1, 2, 3, 6):
                for kind in ("apart", "equal"):
                    bounds = np.sort(rng.uniform(-5, 5, (n, 2)), axis=1)
                    parents = rng.uniform(bounds[:, 0], bounds[:, 1], (crossover.n_parents, n))
                    if kind == "equal":
                        parents[1] = parents[0]
                    recorded = RecordedRandom(rng.randint(10**6))
                    child = crossover.crossover(parents, recorded, study, bounds)
                    facts.append(
                        {
                            "name": name,
                            "options": ours,
                            "objectives": len(directions),
                            "bounds": bounds.tolist(),
                            "parents": parents.tolist(),
                            "uniforms": recorded.uniforms,
                            "normals": recorded.normals,
                            "child": child.tolist(),
                        }
                    )
    return facts


def mutations():
    rng = np.random.RandomState(12)
    facts = []
    for eta in (0.0, 2.0, 20.0):
        mutation = nsgaii.PolynomialMutation(eta=eta)
        for _ in range(12):
            low, high = np.sort(rng.uniform(-5, 5, 2))
            value = rng.choice([low, high, rng.uniform(low, high)])
            recorded = RecordedRandom(rng.randint(10**6))
            result = mutation.mutation(value, recorded, None, np.array([low, high]))
            facts.append([eta, low, high, value, recorded.uniforms[0], float(result)])
    return facts


def objective_values(rng, n, m, kind):
    values = rng.normal(size=(n, m))
    if kind == "ties":
        values = np.round(values)
    if kind == "infinite":
        values[rng.rand(n, m) < 0.15] = np.inf
        values[rng.rand(n, m) < 0.1] = -np.inf
    if kind == "equal":
        values[:] = 1.0
    return values


def populations():
    rng = np.random.RandomState(13)
    facts = []
    for m in (1, 2, 3, 4):
        for kind in ("plain", "ties", "infinite", "equal"):
            for constrained in (False, True):
                values = objective_values(rng, 24, m, kind)
                penalty = np.maximum(0, np.round(rng.normal(size=24), 1)) if constrained else None
                study = optuna.create_study(directions=["minimize"] * m)
                trials = []
                for i, v in enumerate(values):
                    constraints = {} if penalty is None else {"constraints": [float(penalty[i])]}
                    trial = create_trial(values=v.tolist(), system_attrs=constraints)
                    trial.number = i
                    trials.append(trial)
                chosen = elite.NSGAIIElitePopulationSelectionStrategy(population_size=10)(study, list(trials))
                distances = elite._calc_crowding_distance(list(trials))
                fact = {
                    "name": f"{m} objectives, {kind}{', constrained' if constrained else ''}",
                    "values": values.tolist(),
                    "penalty": None if penalty is None else penalty.tolist(),
                    "ranks": _fast_non_domination_rank(values, penalty=penalty).tolist(),
                    "crowding": [distances[i] for i in range(24)],
                    "elite": [t.number for t in chosen],
                }
                if m > 1 and kind != "equal":
                    references = nsgaiii._generate_default_reference_point(m, 3)
                    finite = nsgaiii._filter_inf(trials)
                    normalized = nsgaiii._normalize_objective_values(finite.copy())
                    closest, distance = nsgaiii._associate_individuals_with_reference_points(normalized, references)
                    fact |= {
                        "filtered": finite.tolist(),
                        "normalized": normalized.tolist(),
                        "closest": closest.tolist(),
                        "distance": distance.tolist(),
                    }
                facts.append(fact)
    return facts


def hypervolumes():
    rng = np.random.RandomState(14)
    facts = []
    for m in (1, 2, 3, 4, 5):
        for kind in ("plain", "ties"):
            values = objective_values(rng, 12, m, kind)
            reference = np.max(values, axis=0) + rng.rand(m)
            chosen = _solve_hssp(values, np.arange(12), 5, reference)
            facts.append(
                {
                    "values": values.tolist(),
                    "reference": reference.tolist(),
                    "volume": float(compute_hypervolume(values, reference)),
                    "subset": sorted(int(i) for i in chosen),
                    "subsetVolume": float(compute_hypervolume(values[chosen], reference)),
                }
            )
    return facts


json.dump(
    {
        "optuna": optuna.__version__,
        "scipy": scipy.__version__,
        "numpy": np.__version__,
        "grids": grids(),
        "sequences": sequences(),
        "crossovers": crossovers(),
        "mutations": mutations(),
        "populations": populations(),
        "referencePoints": [
            {"objectives": m, "divisions": p, "points": nsgaiii._generate_default_reference_point(m, p).tolist()}
            for m, p in [(2, 3), (3, 3), (3, 4), (5, 2)]
        ],
        "hypervolumes": hypervolumes(),
    },
    sys.stdout,
)
