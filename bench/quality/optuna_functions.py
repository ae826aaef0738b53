"""Runs Optuna's samplers on the functions of problems.mjs and writes optuna-functions.json: medians over seeds.

python bench/quality/optuna_functions.py [--seeds 10] [--gp-seeds 3] [--gp-trials 50]      needs: optuna, scipy, torch
"""

import argparse
import json
import math
import pathlib
import warnings

import optuna

warnings.filterwarnings("ignore")
optuna.logging.set_verbosity(optuna.logging.ERROR)
FILE = pathlib.Path(__file__).parent / "optuna-functions.json"
CHECKPOINTS = [25, 50, 100]
A = [[10, 3, 17, 3.5, 1.7, 8], [0.05, 10, 17, 0.1, 8, 14], [3, 3.5, 1.7, 10, 17, 8], [17, 8, 0.05, 10, 0.1, 14]]
P = [
    [1312, 1696, 5569, 124, 8283, 5886],
    [2329, 4135, 8307, 3736, 1004, 9991],
    [2348, 1451, 3522, 2883, 3047, 6650],
    [4047, 8828, 8732, 5743, 1091, 381],
]
ALPHA = [1, 1.2, 3, 3.2]


def floats(t, d, low, high):
    return [t.suggest_float(f"x{i}", low, high) for i in range(d)]


def branin(t):
    x, y = t.suggest_float("x", -5, 10), t.suggest_float("y", 0, 15)
    bowl = y - 5.1 / (4 * math.pi**2) * x * x + 5 / math.pi * x - 6
    return bowl**2 + 10 * (1 - 1 / (8 * math.pi)) * math.cos(x) + 10


def hartmann6(t):
    x = floats(t, 6, 0, 1)
    return -sum(
        a * math.exp(-sum(A[i][j] * (v - P[i][j] * 1e-4) ** 2 for j, v in enumerate(x))) for i, a in enumerate(ALPHA)
    )


def rosenbrock5(t):
    x = floats(t, 5, -2, 2)
    return sum(100 * (b - a * a) ** 2 + (1 - a) ** 2 for a, b in zip(x, x[1:]))


def rastrigin4(t):
    return sum(10 + (v - 1.1) ** 2 - 10 * math.cos(2 * math.pi * (v - 1.1)) for v in floats(t, 4, -5.12, 5.12))


def sphere50(t):
    return sum((v - 1.3) ** 2 for v in floats(t, 50, -5, 5))


def mixed50(t):
    loss = sum((10 if i < 5 else 1) * (t.suggest_float(f"x{i}", 0, 1) - 0.1 - 0.04 * i) ** 2 for i in range(20))
    loss += sum((0.5 if i < 4 else 0.1) * abs(t.suggest_int(f"n{i}", 0, 8) - i % 9) for i in range(15))
    for i in range(15):
        if t.suggest_categorical(f"c{i}", ["a", "b", "c"]) != "abc"[i % 3]:
            loss += 1 if i < 4 else 0.2
    return loss


def integers8(t):
    return sum((t.suggest_int(f"n{i}", 0, 20) - 3 * i % 17) ** 2 for i in range(8))


def training(t):
    optimizer = t.suggest_categorical("optimizer", ["adam", "sgd", "rmsprop"])
    rate = math.log10(t.suggest_float("rate", 1e-5, 1, log=True))
    decay = math.log10(t.suggest_float("decay", 1e-6, 1e-1, log=True))
    layers = t.suggest_int("layers", 1, 4)
    units = sum(t.suggest_int(f"units_{i}", 16, 256, step=16) for i in range(layers))
    loss = {"adam": 0, "sgd": 0.05, "rmsprop": 0.1}[optimizer]
    loss += 0.15 * (rate - {"adam": -3, "sgd": -1, "rmsprop": -3.4}[optimizer]) ** 2 + 0.03 * (decay + 3.5) ** 2
    if optimizer == "sgd":
        loss += (t.suggest_float("momentum", 0, 0.99) - 0.9) ** 2
    return loss + 0.1 * (math.log2(units / layers) - 7) ** 2 + 0.05 * (layers - 2) ** 2


def zdt1(t):
    first, *rest = floats(t, 8, 0, 1)
    g = 1 + 9 * sum(rest) / len(rest)
    return first, g * (1 - math.sqrt(first / g))


def dtlz2(t):
    a, b, *rest = floats(t, 6, 0, 1)
    r = 1 + sum((x - 0.4) ** 2 for x in rest)
    p, q = a * math.pi / 2, b * math.pi / 2
    return r * math.cos(p) * math.cos(q), r * math.cos(p) * math.sin(q), r * math.sin(p)


def dtlz4objectives(t):
    x = floats(t, 7, 0, 1)
    product = 1 + sum((v - 0.4) ** 2 for v in x[3:])
    losses = []
    for share in x[:3]:
        losses.append(product * math.sin(share * math.pi / 2))
        product *= math.cos(share * math.pi / 2)
    return *losses, product


def budget(t):
    loss = training(t)
    return loss, math.log10(sum(value for name, value in t.params.items() if name.startswith("units_")))


def gramacy(t):
    x, y = floats(t, 2, 0, 1)
    t.set_constraint("wave", 1.5 - x - 2 * y - 0.5 * math.sin(2 * math.pi * (x * x - 2 * y)))
    t.set_constraint("disc", x * x + y * y - 1.5)
    return x + y


def vessel(t):
    shell, head = 0.0625 * t.suggest_int("shell", 1, 99), 0.0625 * t.suggest_int("head", 1, 99)
    radius, length = t.suggest_float("radius", 10, 200), t.suggest_float("length", 10, 200)
    t.set_constraint("shell", 0.0193 * radius - shell)
    t.set_constraint("head", 0.00954 * radius - head)
    t.set_constraint("volume", 1 - math.pi * radius**2 * (length + 4 / 3 * radius) / 1_296_000)
    return (
        0.6224 * shell * radius * length
        + 1.7781 * head * radius**2
        + 3.1661 * shell**2 * length
        + 19.84 * shell**2 * radius
    )


def binh(t):
    x, y = t.suggest_float("x", 0, 5), t.suggest_float("y", 0, 3)
    t.set_constraint("inner", (x - 5) ** 2 + y**2 - 25)
    t.set_constraint("outer", 7.7 - (x - 8) ** 2 - (y + 3) ** 2)
    return 4 * x * x + 4 * y * y, (x - 5) ** 2 + (y - 5) ** 2


def noise(seed, number):
    def imul(a, b):
        return (a * b) & 0xFFFFFFFF

    z = (seed * 7919 + number * 104729) & 0xFFFFFFFF
    z = imul(z ^ (z >> 16), 0x85EBCA6B)
    z = imul(z ^ (z >> 13), 0xC2B2AE35)
    return (z ^ (z >> 16)) / 2**31 - 1


# Function, optimum, reference point, noise: as in problems.mjs.
PROBLEMS = {
    "branin": (branin, 0.39788735772973816, None, 0),
    "hartmann6": (hartmann6, -3.322368011391339, None, 0),
    "rosenbrock5": (rosenbrock5, 0, None, 0),
    "rastrigin4": (rastrigin4, 0, None, 0),
    "sphere50": (sphere50, 0, None, 0),
    "mixed50": (mixed50, 0, None, 0),
    "integers8": (integers8, 0, None, 0),
    "training": (training, 0, None, 0),
    "noisy6": (hartmann6, -3.322368011391339, None, 0.3),
    "zdt1": (zdt1, 1.1 * 7 - 1 / 3, [1.1, 7], 0),
    "dtlz2": (dtlz2, 8 - math.pi / 6, [2, 2, 2], 0),
    "dtlz4objectives": (dtlz4objectives, 16 - math.pi**2 / 32, [2, 2, 2, 2], 0),
    "budget": (budget, 6, [2, 3], 0),
    "gramacy": (gramacy, 0.5997880520968, None, 0),
    "vessel": (vessel, 6059.714335, None, 0),
    "binh": (binh, 5286, [140, 50], 0),
}


def hypervolume(study, reference):
    import numpy
    from optuna._hypervolume import compute_hypervolume

    front = numpy.array([trial.values for trial in study.best_trials]).reshape(-1, len(reference))
    front = front[(front < reference).all(axis=1)]
    return compute_hypervolume(front, numpy.array(reference)) if len(front) else 0.0


def sweep(name, sampler, seed, trials):
    function, optimum, reference, level = PROBLEMS[name]
    study = optuna.create_study(directions=["minimize"] * len(reference or [0]), sampler=sampler)
    found, best = {}, math.inf
    for k in range(1, trials + 1):
        trial = study.ask()
        value = function(trial)
        if reference is None and all(own <= 0 for own in trial.constraints.values()):
            best = min(best, value)
        study.tell(trial, value if reference else value + level * noise(seed, k))
        if k in CHECKPOINTS:
            found[k] = best - optimum if reference is None else optimum - hypervolume(study, reference)
    return found


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--gp-seeds", type=int, default=3)
    parser.add_argument("--gp-trials", type=int, default=50)
    parser.add_argument("--only", nargs="*", default=list(PROBLEMS))
    parser.add_argument("--samplers", nargs="*", default=["RandomSampler", "TPESampler", "GPSampler"])
    args = parser.parse_args()
    results = json.loads(FILE.read_text())["results"] if FILE.exists() else {}
    for name in args.only:
        for sampler in args.samplers:
            is_gp = sampler == "GPSampler"
            seeds, trials = (args.gp_seeds, args.gp_trials) if is_gp else (args.seeds, 100)
            runs = [sweep(name, getattr(optuna.samplers, sampler)(seed=seed), seed, trials) for seed in range(seeds)]
            scores = {k: sorted(run[k] for run in runs)[len(runs) // 2] for k in CHECKPOINTS if k <= trials}
            scores = {k: score if math.isfinite(score) else None for k, score in scores.items()}
            results.setdefault(name, {})[sampler] = {"seeds": seeds, "scores": scores}
            print(name, sampler, scores, flush=True)
            FILE.write_text(json.dumps({"optuna": optuna.__version__, "results": results}, indent=2) + "\n")


main()
