"""Records what Optuna 5.0.0, scipy and cmaes compute, for the tests of test/algorithms and test/samplers.

    python test/golden/make-sampler-facts.py > test/golden/sampler-facts.json      (needs optuna==5.0.0, scipy, cmaes==0.13.0)

Given a file that it has written, CMA-ES is told the solutions recorded there instead of drawing its own: eigenvectors have the signs
that a processor's rounding gives them, and all that is drawn depends on these.
"""
import json
import math
import sys
import warnings

import cmaes
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
RECORDED = json.load(open(sys.argv[1])) if len(sys.argv) > 1 else None


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


def cma_state(optimizer):
    cma = getattr(optimizer, "_cma", optimizer)
    state = {
        "mean": cma._mean.tolist(),
        "sigma": float(cma._sigma),
        "covariance": np.ravel(cma._C).tolist(),
        "pathSigma": cma._p_sigma.tolist(),
        "pathC": cma._pc.tolist(),
        "shouldStop": bool(optimizer.should_stop()),
    }
    if isinstance(optimizer, cmaes.CMAwM):
        state["scales"] = optimizer._A.tolist()
    if isinstance(optimizer, cmaes.CMA) and optimizer._lr_adapt:
        state["rates"] = [float(optimizer._eta_mean), float(optimizer._eta_Sigma)]
    return state


def cma_losses(kind, x, rng):
    if kind == "flat":
        return 1.0
    sphere = float(np.sum((x - 0.3) ** 2 * np.arange(1, len(x) + 1)))
    return sphere + float(rng.normal(0, 0.5)) if kind == "noise" else sphere


def cma_states():
    facts = []
    for variant in ("plain", "separable", "margin", "learning-rate", "warm-start"):
        for n, popsize, kind in ((1, None, "slope"), (2, None, "slope"), (5, None, "noise"), (5, 13, "slope"), (3, 4, "flat")):
            if variant == "separable" and n == 1:
                continue
            rng = np.random.RandomState(len(facts))
            bounds = np.array([[0.0, 1.0]] * n)
            mean, sigma, cov = np.full(n, 0.5), 1 / 6, None
            common = {"bounds": bounds, "seed": 1, "n_max_resampling": 10 * n, "population_size": popsize}
            fact = {"variant": variant, "populationSize": popsize}
            if variant == "warm-start":
                sources = [(rng.rand(n), float(rng.rand())) for _ in range(37)]
                mean, sigma, cov = cmaes.get_warm_start_mgd(sources)
                fact["sources"] = [[x.tolist(), y] for x, y in sources]
                fact["start"] = {"mean": mean.tolist(), "sigma": float(sigma), "covariance": np.ravel(cov).tolist()}
            if variant == "separable":
                optimizer = cmaes.SepCMA(mean=mean.copy(), sigma=sigma, **common)
            elif variant == "margin":
                steps = np.array([0.0, 0.5, 0.1, 1.0, 0.125][:n]) if n > 1 else np.array([0.2])
                fact["steps"] = steps.tolist()
                optimizer = cmaes.CMAwM(mean=mean.copy(), sigma=sigma, steps=steps, **common)
            else:
                optimizer = cmaes.CMA(mean=mean.copy(), sigma=sigma, cov=cov, lr_adapt=variant == "learning-rate", **common)
            generations = []
            for generation in range(12):
                solutions = []
                for i in range(optimizer.population_size):
                    if RECORDED is not None:
                        drawn = RECORDED["cmaStates"][len(facts)]["generations"][generation]
                        x, y = drawn["told"][i]
                        solutions.append((np.array(x), y, np.array(drawn["encoded"][i] if drawn["encoded"] else x)))
                        continue
                    asked = optimizer.ask()
                    x, told = asked if variant == "margin" else (asked, asked)
                    solutions.append((told.copy(), cma_losses(kind, x, rng), x))
                told = [[x.tolist(), y] for x, y, _ in solutions]
                encoded = [x.tolist() for _, _, x in solutions] if variant == "margin" else None
                optimizer.tell([(x, y) for x, y, _ in solutions])
                generations.append({"told": told, "encoded": encoded, "state": cma_state(optimizer)})
            facts.append({**fact, "name": f"{variant}, {n} dimensions, {kind}", "n": n, "generations": generations})
    return facts


def cma_stops():
    """How many generations of a sphere it takes until each optimizer stops, from given draws."""
    facts = []
    for variant in ("plain", "separable"):
        rng = np.random.RandomState(3)
        kind = cmaes.CMA if variant == "plain" else cmaes.SepCMA
        optimizer = kind(mean=np.full(2, 0.5), sigma=1 / 6, bounds=np.array([[0.0, 1.0]] * 2), seed=5, n_max_resampling=20)
        told = []
        while not optimizer.should_stop():
            if RECORDED is None:
                solutions = [(x := optimizer.ask(), cma_losses("slope", x, rng)) for _ in range(optimizer.population_size)]
            else:
                solutions = [(np.array(x), y) for x, y in RECORDED["cmaStops"][len(facts)]["told"][len(told)]]
            told.append([[x.tolist(), y] for x, y in solutions])
            optimizer.tell(solutions)
        facts.append({"variant": variant, "told": told})
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
        "cmaes": cmaes.__version__,
        "cmaStates": cma_states(),
        "cmaStops": cma_stops(),
    },
    sys.stdout,
)
