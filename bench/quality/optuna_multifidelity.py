"""Optuna's TPESampler with pruners on the training of multifidelity.mjs. Prints, by pruner and seed, the best after each third.

python bench/quality/optuna_multifidelity.py FIRST_SEED SEEDS EPOCHS
"""

import json
import math
import sys
import warnings

import optuna

warnings.filterwarnings("ignore")
optuna.logging.set_verbosity(optuna.logging.ERROR)
LONGEST = 27
first, seeds, budget = map(int, sys.argv[1:4])
CHECKPOINTS = [budget / 3, 2 * budget / 3, budget]
PRUNERS = {
    "hyperband": lambda: optuna.pruners.HyperbandPruner(min_resource=1, max_resource=LONGEST, reduction_factor=3),
    "successive-halving": lambda: optuna.pruners.SuccessiveHalvingPruner(min_resource=1, reduction_factor=3),
    "none": lambda: optuna.pruners.NopPruner(),
}


def training(t):
    rate = math.log10(t.suggest_float("rate", 1e-5, 1, log=True))
    decay = math.log10(t.suggest_float("decay", 1e-6, 1e-1, log=True))
    layers = t.suggest_int("layers", 1, 4)
    units = t.suggest_int("units", 16, 256, step=16)
    dropout = t.suggest_float("dropout", 0, 0.8)
    end = 0.15 * (rate + 3) ** 2 + 0.03 * (decay + 3.5) ** 2 + 0.05 * (layers - 2) ** 2
    end += 0.1 * (math.log2(units) - 7) ** 2 + (dropout - 0.3) ** 2
    speed = 0.05 + 0.1 * (rate + 5)
    return lambda epoch: end + math.exp(-epoch * speed)


def sweep(pruner, seed):
    study = optuna.create_study(
        sampler=optuna.samplers.TPESampler(seed=seed), pruner=PRUNERS[pruner](), study_name=f"s{seed}"
    )
    found, best, spent = {}, None, 0
    while spent < budget:
        trial = study.ask()
        loss = training(trial)
        pruned, epoch = False, 0
        while epoch < LONGEST and not pruned:
            epoch += 1
            trial.report(loss(epoch), epoch)
            pruned = epoch < LONGEST and trial.should_prune()
        for k in CHECKPOINTS:
            if spent < k <= spent + epoch:
                found[k] = best
        spent += epoch
        if not pruned and spent <= budget:
            best = loss(LONGEST) if best is None else min(best, loss(LONGEST))
        if pruned:
            study.tell(trial, state=optuna.trial.TrialState.PRUNED)
        else:
            study.tell(trial, loss(LONGEST))
    found[budget] = best
    return [found[k] for k in CHECKPOINTS]


print(json.dumps({name: [sweep(name, first + seed) for seed in range(seeds)] for name in PRUNERS}))
