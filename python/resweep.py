"""Helper for Python programs that resweep runs as trials (`objective: {type: command, ...}`).

    import resweep

    rate = resweep.params["learning_rate"]
    for epoch in range(10):
        accuracy = train_one_epoch(rate)
        resweep.report(epoch + 1, accuracy)      # an intermediate value: the pruner may end the trial
    resweep.result(accuracy)                     # or resweep.result(val_accuracy=accuracy, seconds=12.5)

One file without dependencies, for Python 3.8 or newer: copy it beside the program, or put its folder on PYTHONPATH. Outside of a
sweep everything works too: `params` is empty, reports go to stdout, checkpoints to `./checkpoint`.
"""

import json
import os
import signal
import sys
from typing import Any, Callable, Dict, Optional

__all__ = [
    "checkpoint_dir",
    "load_checkpoint",
    "on_stop",
    "param",
    "params",
    "report",
    "result",
    "save_checkpoint",
    "seed",
    "trial_dir",
    "trial_number",
]

#: Parameters of the trial by name.
params: Dict[str, Any] = json.loads(os.environ.get("RESWEEP_PARAMS", "{}"))

#: Number of the trial.
trial_number: int = int(os.environ.get("RESWEEP_TRIAL_NUMBER", "0"))

#: Seed of the trial, the same when it is repeated; 32 bits.
seed: int = int(os.environ.get("RESWEEP_SEED", "0"))

#: Folder of the trial: what is written there is kept with it.
trial_dir: str = os.environ.get("RESWEEP_TRIAL_DIR", ".")

#: Folder for checkpoints: backed up, and here again when an interrupted trial goes on.
checkpoint_dir: str = os.environ.get("RESWEEP_CHECKPOINT_DIR", os.path.join(trial_dir, "checkpoint"))


def param(name: str, default: Any = None) -> Any:
    """Value of a parameter, or the default where it takes no part in this trial."""
    return params.get(name, default)


def _open_channel():
    descriptor = os.environ.get("RESWEEP_REPORT_FD")
    if descriptor is not None:
        try:
            # A copy: the descriptor itself stays for others, and is not inherited by what this program starts.
            return os.fdopen(os.dup(int(descriptor)), "w", encoding="utf-8")
        except (OSError, ValueError):
            pass
    return sys.stdout


_channel = _open_channel()


def _send(document: Dict[str, Any]) -> None:
    _channel.write(json.dumps(document) + "\n")
    _channel.flush()


def _number(value: Any) -> float:
    # Also arrays and tensors of one element.
    return float(value.item() if hasattr(value, "item") else value)


def report(step: int, value: Any) -> None:
    """Reports an intermediate value; steps are whole numbers from 0 on. A pruned trial is ended by SIGTERM."""
    _send({"step": int(step), "value": _number(value)})


def result(value: Optional[Any] = None, **metrics: Any) -> None:
    """The trial's result: one value, or metrics by name; further ones are kept beside it."""
    document: Dict[str, Any] = {} if value is None else {"value": _number(value)}
    for name, metric in metrics.items():
        document[name] = metric if isinstance(metric, (str, bool)) or metric is None else _number(metric)
    if not document:
        raise ValueError("result() needs a value, or metrics by name")
    _send(document)


def save_checkpoint(name: str, write: Callable[[str], Any], step: int = 0) -> str:
    """Writes a checkpoint whole or not at all: `write` gets a path, which then takes the place of the file `name`."""
    os.makedirs(checkpoint_dir, exist_ok=True)
    path = os.path.join(checkpoint_dir, name)
    part = f"{path}.part"
    write(part)
    with open(part, "rb+") as file:
        os.fsync(file.fileno())
    os.replace(part, path)
    _send({"checkpoint": path, "step": int(step)})
    return path


def load_checkpoint(name: str) -> Optional[str]:
    """Path of a checkpoint that an earlier, interrupted run of this trial wrote; None where there is none."""
    path = os.path.join(checkpoint_dir, name)
    return path if os.path.exists(path) else None


def on_stop(save: Callable[[], Any]) -> None:
    """Calls `save` when the trial is stopped or pruned (SIGTERM), then ends the program. Its time is `objective.grace`."""

    def handler(_number: int, _frame: Any) -> None:
        save()
        sys.exit(143)

    signal.signal(signal.SIGTERM, handler)
