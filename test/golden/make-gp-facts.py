"""Records what Optuna 5.0.0's Gaussian processes and acquisition functions compute, for test/algorithms/acquisition.test.ts.

    python test/golden/make-gp-facts.py > test/golden/gp-facts.json      (needs optuna==5.0.0, torch, scipy)
"""
import json
import warnings

import numpy as np
import optuna
from optuna._gp import acqf, gp, prior
from optuna._gp.search_space import SearchSpace
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
import torch

warnings.filterwarnings("ignore")
optuna.logging.set_verbosity(optuna.logging.ERROR)

SPACES = {
    "floats": {"x": FloatDistribution(-5, 5), "y": FloatDistribution(1e-4, 1e-1, log=True)},
    "mixed": {
        "c": CategoricalDistribution(["a", "b", "c"]),
        "k": IntDistribution(0, 100, step=5),
        "n": IntDistribution(1, 64, log=True),
        "s": FloatDistribution(0, 2, step=0.25),
        "x": FloatDistribution(-1, 1),
    },
}
DRAWS = 32
recorded = []
original = acqf.sample_from_normal_sobol


def recording(dim, n_samples, seed):
    samples = original(dim, n_samples, seed)
    recorded.append(samples.tolist())
    return samples


acqf.sample_from_normal_sobol = recording
gp.sample_from_normal_sobol = recording


def standardize(values):
    return (values - values.mean(axis=0)) / values.std(axis=0)


def facts_of(name, space, n, deterministic):
    rng = np.random.RandomState(len(name) + n)
    search_space = SearchSpace(space)
    X = search_space.sample_normalized_params(n, rng)
    categorical = search_space.is_categorical
    plain = np.where(categorical, X / 3, X)
    # Scores, larger is better, as Optuna has them: two objectives and one constraint (kept where >= 0).
    scores = np.stack(
        [-((plain - 0.3) ** 2).sum(axis=1), -((plain - 0.7) ** 2).sum(axis=1), 0.3 - np.abs(plain[:, -1] - 0.4)], axis=1
    )
    if not deterministic:
        scores += rng.normal(size=scores.shape) * 0.02
    feasible = scores[:, 2] >= 0
    targets = standardize(scores)
    limit = -scores[:, 2].mean() / scores[:, 2].std()

    def fit(m):
        return gp.fit_kernel_params(
            X=X, Y=targets[:, m], is_categorical=categorical, log_prior=prior.default_log_prior,
            minimum_noise=prior.DEFAULT_MINIMUM_NOISE_VAR, deterministic_objective=deterministic, gtol=1e-6,
        )

    processes = [fit(m) for m in range(3)]
    points = search_space.sample_normalized_params(6, rng)
    running = search_space.sample_normalized_params(2, rng)

    def evaluate(make):
        recorded.clear()
        function = make()
        values, gradients = zip(*(function.eval_acqf_with_grad(point) for point in points))
        return {
            "values": [float(v) for v in values],
            # NaN where a draw's variance is 0 on a running point's account.
            "gradients": [[None if np.isnan(slope) else slope for slope in g.tolist()] for g in gradients],
            "normals": list(recorded),
        }

    best = targets[feasible, 0].max()
    Y = torch.from_numpy(targets[:, :2])
    constrained = {"constraints_gpr_list": processes[2:], "constraints_threshold_list": [limit]}
    batch = {"n_qmc_samples": DRAWS, "qmc_seed": 1, "normalized_params_of_running_trials": running}
    several = {"gpr_list": processes[:2], "search_space": search_space}
    posterior = [process.posterior(torch.from_numpy(points)) for process in processes]
    return {
        "name": name,
        "isCategorical": categorical.tolist(),
        "isDeterministic": deterministic,
        "points": X.tolist(),
        "targets": targets.T.tolist(),
        "feasible": feasible.tolist(),
        "limit": limit,
        "processes": [
            {
                "inverseSquaredScales": process.inverse_squared_lengthscales.tolist(),
                "signalVariance": process.kernel_scale.item(),
                "noiseVariance": process.noise_var.item(),
                "means": mean.tolist(),
                "variances": variance.tolist(),
            }
            for process, (mean, variance) in zip(processes, posterior)
        ],
        "at": points.tolist(),
        "running": running.tolist(),
        "acquisitions": {
            "logEI": evaluate(lambda: acqf.LogEI(processes[0], search_space, targets[:, 0].max())),
            "logCEI": evaluate(lambda: acqf.LogCEI(processes[0], search_space, best, **constrained)),
            "qLogEI": evaluate(lambda: acqf.qLogEI(processes[0], search_space, targets[:, 0].max(), **batch)),
            "qLogCEI": evaluate(lambda: acqf.qLogCEI(processes[0], search_space, best, **batch, **constrained)),
            "logEHVI": evaluate(lambda: acqf.LogEHVI(**several, Y_train=Y, n_qmc_samples=DRAWS, qmc_seed=1)),
            "logCEHVI": evaluate(
                lambda: acqf.LogCEHVI(**several, Y_feasible=Y[feasible], n_qmc_samples=DRAWS, qmc_seed=1, **constrained)
            ),
            "qLogEHVI": evaluate(lambda: acqf.qLogEHVI(**several, Y_train=Y, **batch)),
            "qLogCEHVI": evaluate(lambda: acqf.qLogCEHVI(**several, Y_feasible=Y[feasible], **batch, **constrained)),
        },
    }


cases = [
    facts_of("floats", SPACES["floats"], 25, False),
    facts_of("floats, deterministic", SPACES["floats"], 20, True),
    facts_of("mixed", SPACES["mixed"], 40, False),
]
print(json.dumps({"optuna": optuna.__version__, "cases": cases}))
