"""The data of real Optuna's plots: plots_side.py STORAGE STUDY prints one JSON document as its last line."""
import json
import sys
import warnings

import numpy as np
import optuna
from optuna.terminator import BestValueStagnationEvaluator
from optuna.visualization import _contour, _edf, _hypervolume_history, _intermediate_values, _optimization_history
from optuna.visualization import _parallel_coordinate, _param_importances, _pareto_front, _rank, _slice
from optuna.visualization import _terminator_improvement, _timeline

warnings.filterwarnings("ignore")
optuna.logging.set_verbosity(optuna.logging.ERROR)


def plain(value):
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, np.ndarray)):
        return [plain(item) for item in value]
    if isinstance(value, np.generic):
        return plain(value.item())
    return value


def milliseconds(time):
    return round(time.timestamp() * 1000)


def axis(info):
    return {"name": info.name, "range": info.range, "isLog": info.is_log, "isCategorical": info.is_cat}


def dimension(info):
    return {
        "label": info.label,
        "values": info.values,
        "range": info.range,
        "isLog": info.is_log,
        "isCategorical": info.is_cat,
        "hasMissing": info.has_missing,
        "ticks": len(info.tickvals),
    }


def contour(info):
    return [
        [
            {
                "x": axis(sub.xaxis),
                "y": axis(sub.yaxis),
                "indices": [sub.xaxis.indices, sub.yaxis.indices],
                "cells": [[*place, z] for place, z in sub.z_values.items()],
            }
            for sub in row
        ]
        for row in info.sub_plot_infos
    ]


def rank(info):
    positions = _rank._get_order_with_same_order_averaging(info.zs) / max(1, len(info.zs) - 1)
    return [
        [
            {
                "x": axis(sub.xaxis),
                "y": axis(sub.yaxis),
                "xs": [str(x) if sub.xaxis.is_cat else x for x in sub.xs],
                "ys": [str(y) if sub.yaxis.is_cat else y for y in sub.ys],
                "zs": sub.zs,
                "numbers": [t.number for t in sub.trials],
            }
            for sub in row
        ]
        for row in info.sub_plot_infos
    ], positions


def single(study, target=None):
    name = "loss"
    history = _optimization_history._get_optimization_history_info_list(study, target, name, False)
    ranks, positions = rank(_rank._get_rank_info(study, None, target, name))
    parallel = _parallel_coordinate._get_parallel_coordinate_info(study, None, target, name)
    edf = _edf._get_edf_info(study, target, name)
    return {
        "history": [
            {
                "numbers": one.trial_numbers,
                "values": one.values_info.values,
                "states": [state.name.lower() for state in one.values_info.states],
                "best": None if one.best_values_info is None else one.best_values_info.values,
            }
            for one in history
        ],
        "slice": [
            {
                "param": sub.param_name,
                "x": [x if sub.is_numerical else str(x) for x in sub.x],
                "y": sub.y,
                "numbers": sub.trial_numbers,
                "isLog": sub.is_log,
                "isFeasible": sub.constraints,
            }
            for sub in _slice._get_slice_plot_info(study, None, target, name).subplots
        ],
        "contour": contour(_contour._get_contour_info(study, None, target, name)),
        "pair": contour(_contour._get_contour_info(study, ["lr", "x"], target, name)),
        "rank": ranks,
        "positions": positions,
        "parallel": {
            "objectives": [dimension(one) for one in parallel.dims_objectives],
            "params": [dimension(one) for one in parallel.dims_params],
            "color": parallel.color_values,
            "feasibility": parallel.feasibility,
            "reverse": parallel.reverse_scale,
        },
        "edf": {"x": edf.x_values, "lines": [line.y_values for line in edf.lines]},
    }


def importances(study):
    return [
        {"params": one.param_names, "values": one.importance_values}
        for one in _param_importances._get_importances_infos(study, None, None, None, "Objective Value")
    ]


def everything(study):
    found = {
        "intermediate": [
            {"number": one.trial_number, "points": one.sorted_intermediate_values, "isFeasible": one.feasible}
            for one in _intermediate_values._get_intermediate_plot_info(study).trial_infos
        ],
        "timeline": [
            {
                "number": bar.number,
                "start": milliseconds(bar.start),
                "end": milliseconds(bar.complete),
                "state": bar.state.name,
                "infeasible": bar.infeasible,
            }
            for bar in _timeline._get_timeline_info(study).bars
        ],
        "importances": importances(study),
    }
    count = len(study.directions)
    if count == 1:
        found.update(single(study))
        info = _terminator_improvement._get_improvement_info(
            study, True, BestValueStagnationEvaluator(max_stagnation_trials=10)
        )
        found["terminator"] = {
            "numbers": info.trial_numbers,
            "improvements": info.improvements,
            "errors": info.errors,
        }
        bars = _optimization_history._get_optimization_history_info_list([study, study], None, "loss", True)
        found["bars"] = [
            {"numbers": one.trial_numbers, "values": one.values_info.values, "best": one.best_values_info.values}
            for one in bars
        ]
        return found
    found.update(single(study, lambda trial: trial.values[1]))
    whole = _parallel_coordinate._get_parallel_coordinate_info(study)
    found["ranks"] = {
        "color": whole.color_values,
        "objectives": [dimension(one) for one in whole.dims_objectives],
    }
    front = _pareto_front._get_pareto_front_info(study)
    found["pareto"] = {
        "names": front.target_names,
        "best": [[t.number, values] for t, values in front.best_trials_with_values],
        "dominated": [[t.number, values] for t, values in front.non_best_trials_with_values],
        "infeasible": [[t.number, values] for t, values in front.infeasible_trials_with_values],
        "hasConstraints": front.has_constraints,
    }
    reference = [2.0 if d.name == "MINIMIZE" else -2.0 for d in study.directions]
    volume = _hypervolume_history._get_hypervolume_history_info(study, np.array(reference))
    found["hypervolume"] = {"reference": reference, "numbers": volume.trial_numbers, "values": volume.values}
    return found


storage, name = sys.argv[1:]
print(json.dumps(plain(everything(optuna.load_study(study_name=name, storage=storage)))))
