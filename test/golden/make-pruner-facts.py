"""Records what Optuna 5.0.0's pruners decide on recorded learning curves, for test/pruners/pruner-golden.test.ts,
and p-values of scipy's signed-rank test, for test/algorithms/wilcoxon-signed-rank.test.ts,
and Python's logarithms, for test/algorithms/rounded-logarithm.test.ts.

    python test/golden/make-pruner-facts.py > test/golden/pruner-facts.json      (needs optuna==5.0.0, scipy)

Three trials run at a time, each reporting once in turn; one that ends makes room for the next. `decisions` has for each trial
one digit per report made: 1 where it was to be pruned, which ends it.
"""
import json
import math
import random
import sys
import warnings

import optuna
import scipy
from optuna import pruners as p
from optuna.trial import TrialState
from scipy.stats import wilcoxon

warnings.filterwarnings("ignore")
optuna.logging.set_verbosity(optuna.logging.ERROR)

WORKERS = 3


def curve(rng, steps, kind):
    """A falling curve of errors with noise; `steps` may be any increasing or shuffled numbers."""
    start, floor, rate = rng.uniform(0.6, 1.2), rng.uniform(0.0, 0.6), rng.uniform(0.05, 0.8)
    reports = []
    for i, step in enumerate(steps):
        value = round(floor + (start - floor) * math.exp(-rate * i) + rng.gauss(0, 0.04), 3)
        if kind == "nan" and rng.random() < 0.25 or kind == "all-nan":
            value = math.nan
        if kind == "infinite" and rng.random() < 0.1:
            value = math.inf * rng.choice([-1, 1])
        reports.append([step, value])
        if kind == "twice" and rng.random() < 0.3:
            reports.append([step, round(value - 0.3, 3)])
    return reports


def curves(seed, shapes, n):
    rng = random.Random(seed)
    kinds = ["plain"] * 8 + ["nan", "nan", "twice", "infinite", "all-nan", "silent"]
    result = []
    for i in range(n):
        kind = "plain" if i < 3 else rng.choice(kinds)
        reports = [] if kind == "silent" else curve(rng, shapes(rng), kind)
        numbers = [v for _, v in reports if math.isfinite(v)]
        end = "FAIL" if rng.random() < 0.1 or not numbers else "COMPLETE"
        result.append(
            {
                "reports": reports,
                "end": end,
                "value": sum(numbers) / len(numbers) if numbers else 0.0,
                "constraint": 1.0 if rng.random() < 0.1 else 0.0,
            }
        )
    return result


def shuffled(rng, n):
    steps = list(range(n))
    rng.shuffle(steps)
    return steps


CURVES = {
    "every-step": curves(1, lambda rng: range(12), 36),
    "from-one": curves(2, lambda rng: range(1, 28), 30),
    "sparse": curves(3, lambda rng: sorted(rng.sample(range(0, 300), rng.randint(2, 12))), 36),
    "instances": curves(4, lambda rng: shuffled(rng, rng.choice([8, 20, 20])), 36),
}


PRUNERS = {
    "median": [("median", {}, lambda: p.MedianPruner())],
    "percentile": [
        (
            "percentile",
            {"percentile": 30.0, "nStartupTrials": 2, "nWarmupSteps": 3, "intervalSteps": 4, "nMinTrials": 2},
            lambda: p.PercentilePruner(30.0, 2, 3, 4, n_min_trials=2),
        )
    ],
    "successive halving": [
        ("successive-halving", {}, lambda: p.SuccessiveHalvingPruner()),
        (
            "successive-halving",
            {"minResource": 2, "reductionFactor": 2, "minEarlyStoppingRate": 1, "bootstrapCount": 2},
            lambda: p.SuccessiveHalvingPruner(2, 2, 1, 2),
        ),
    ],
    "hyperband": [
        ("hyperband", {}, lambda: p.HyperbandPruner()),
        ("hyperband", {"minResource": 1, "maxResource": 27}, lambda: p.HyperbandPruner(1, 27)),
        (
            "hyperband",
            {"minResource": 2, "maxResource": 32, "reductionFactor": 2, "bootstrapCount": 2},
            lambda: p.HyperbandPruner(2, 32, 2, 2),
        ),
    ],
    "threshold": [
        ("threshold", {"lower": 0.1, "upper": 0.8}, lambda: p.ThresholdPruner(0.1, 0.8)),
        (
            "threshold",
            {"upper": 0.5, "nWarmupSteps": 4, "intervalSteps": 3},
            lambda: p.ThresholdPruner(upper=0.5, n_warmup_steps=4, interval_steps=3),
        ),
    ],
    "patient": [
        ("patient", {"patience": 2}, lambda: p.PatientPruner(None, 2)),
        ("patient", {"patience": 0, "minDelta": 0.05}, lambda: p.PatientPruner(None, 0, 0.05)),
        (
            "patient",
            {"patience": 1, "wrappedPruner": "median"},
            lambda: p.PatientPruner(p.MedianPruner(), 1),
        ),
        (
            "patient",
            {"patience": 1, "wrappedPruner": {"type": "successive-halving", "min_resource": 1, "reduction_factor": 2}},
            lambda: p.PatientPruner(p.SuccessiveHalvingPruner(1, 2), 1),
        ),
    ],
    "wilcoxon": [
        ("wilcoxon", {}, lambda: p.WilcoxonPruner()),
        ("wilcoxon", {"pThreshold": 0.3, "nStartupSteps": 0}, lambda: p.WilcoxonPruner(p_threshold=0.3, n_startup_steps=0)),
    ],
    "none": [("nop", {}, lambda: p.NopPruner())],
}


def replay(trials, direction, pruner, name):
    sign = 1 if direction == "minimize" else -1
    study = optuna.create_study(
        direction=direction, pruner=pruner, study_name=name, sampler=optuna.samplers.RandomSampler(seed=0)
    )
    decisions = [""] * len(trials)
    running, upcoming = [], 0
    while running or upcoming < len(trials):
        while len(running) < WORKERS and upcoming < len(trials):
            running.append((upcoming, study.ask(), iter(trials[upcoming]["reports"])))
            upcoming += 1
        for entry in list(running):
            number, trial, reports = entry
            report = next(reports, None)
            if report is None:
                trial.set_constraint("c", trials[number]["constraint"])
                if trials[number]["end"] == "FAIL":
                    study.tell(trial, state=TrialState.FAIL)
                else:
                    study.tell(trial, sign * trials[number]["value"])
                running.remove(entry)
                continue
            step, value = report
            trial.report(sign * value, step)
            prune = trial.should_prune()
            decisions[number] += "1" if prune else "0"
            if prune:
                study.tell(trial, state=TrialState.PRUNED)
                running.remove(entry)
    rungs = [
        {k: v for k, v in t.system_attrs.items() if k.startswith("completed_rung_")} for t in study.trials
    ]
    return decisions, rungs


def pruner_cases():
    cases = []
    for variants in PRUNERS.values():
        for kind, options, create in variants:
            for curves_name, trials in CURVES.items():
                for direction in ["minimize", "maximize"]:
                    name = f"{curves_name} {direction}"
                    decisions, rungs = replay(trials, direction, create(), name)
                    cases.append(
                        {
                            "pruner": kind,
                            "options": options,
                            "curves": curves_name,
                            "direction": direction,
                            "studyName": name,
                            "decisions": decisions,
                            "rungs": rungs if any(rungs) else None,
                        }
                    )
    return cases


def wilcoxon_cases():
    rng = random.Random(5)
    cases = []
    for n in [2, 3, 5, 8, 12, 13, 14, 20, 35, 49, 50, 51, 80, 300]:
        for kind in ["plain", "ties", "zeros", "shifted", "all-zero"]:
            shift = rng.uniform(-1, 1) if kind == "shifted" else 0.0
            values = [rng.gauss(shift, 1) for _ in range(n)]
            if kind == "ties":
                values = [float(round(v * 2)) or 1.0 for v in values]
            if kind == "zeros":
                values = [float(round(v)) for v in values]
            if kind == "all-zero":
                values = [0.0] * n
            values = [round(v, 4) for v in values]
            cases.append(
                {
                    "differences": values,
                    **{
                        alternative: float(wilcoxon(values, alternative=alternative, zero_method="zsplit").pvalue)
                        for alternative in ["greater", "less"]
                    },
                }
            )
    return cases


def brackets():
    """Bracket of each of the first trials, by crc32 of the study's name and the trial's number."""
    result = []
    for name, low, high, factor in [("digits", 1, 27, 3), ("Ünïcode 研究", 1, 243, 3), ("s", 3, 100, 4), ("t", 1, 1, 2)]:
        pruner = p.HyperbandPruner(low, high, factor)
        study = optuna.create_study(study_name=name, pruner=pruner)
        for _ in range(40):
            trial = study.ask()
            trial.report(0.0, 0)
            trial.should_prune()
        result.append(
            {
                "studyName": name,
                "minResource": low,
                "maxResource": high,
                "reductionFactor": factor,
                "count": pruner._n_brackets,
                "brackets": [pruner._get_bracket_id(study, t) for t in study.trials],
            }
        )
    return result


def logarithms():
    """Quotients of logarithms as Python rounds them, for whole numbers and fractions."""
    rng = random.Random(6)
    pairs = [(base**power, base) for base in range(2, 11) for power in range(1, 8)]
    pairs += [(rng.uniform(1, 1000) / rng.randint(1, 30) + 1, rng.randint(2, 10)) for _ in range(100)]
    return [[x, base, math.log(x), math.log(x, base)] for x, base in pairs]


json.dump(
    {
        "optuna": optuna.__version__,
        "scipy": scipy.__version__,
        "curves": CURVES,
        "pruners": pruner_cases(),
        "brackets": brackets(),
        "logarithms": logarithms(),
        "wilcoxon": wilcoxon_cases(),
    },
    sys.stdout,
)
