"""Records what Optuna 5.0.0, scipy and cmaes compute, for the tests of test/algorithms and test/samplers.

    python test/golden/make-sampler-facts.py > test/golden/sampler-facts.json      (needs optuna==5.0.0, scipy, cmaes==0.13.0)
"""
import json
import sys
import warnings

import numpy as np
import optuna
import scipy
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


json.dump(
    {
        "optuna": optuna.__version__,
        "scipy": scipy.__version__,
        "numpy": np.__version__,
        "grids": grids(),
        "sequences": sequences(),
    },
    sys.stdout,
)
