"""The part of W&B's Python interface that a program in a sweep uses, reporting to resweep.

resweep puts this module before others for `objective: {type: command, protocol: wandb}`, which it writes for a W&B sweep file.
`wandb.config` holds the trial's parameters; a logged metric is an intermediate value, which may prune the trial, and its summary
is the result. Nothing is sent to W&B: what only W&B's servers could do (tables, media, artifacts, alerts) is taken and dropped.
"""

import atexit
import json
import math
import os
import sys
from typing import Any, Dict, Iterator, List, Optional

__version__ = "0.0.0+resweep"

_metrics: List[Dict[str, str]] = json.loads(os.environ.get("RESWEEP_METRICS", "[]"))


def _open_channel():
    descriptor = os.environ.get("RESWEEP_REPORT_FD")
    if descriptor is not None:
        try:
            return os.fdopen(os.dup(int(descriptor)), "w", encoding="utf-8")
        except (OSError, ValueError):
            pass
    return sys.stdout


_channel = _open_channel()


def _send(document: Dict[str, Any]) -> None:
    _channel.write(json.dumps(document) + "\n")
    _channel.flush()


def _number(value: Any) -> Optional[float]:
    """A number, also of an array or tensor with one element; None for anything else."""
    if isinstance(value, (bool, int, float)):
        return float(value)
    if hasattr(value, "item"):
        try:
            return float(value.item())
        except (TypeError, ValueError, RuntimeError):
            return None
    return None


def _plain(value: Any) -> Dict[str, Any]:
    if value is None:
        return {}
    if hasattr(value, "items"):
        return dict(value.items())
    return dict(vars(value))


class Config:
    """Parameters by attribute and by key. What the sweep gives wins over a program's own defaults."""

    def __init__(self, values: Dict[str, Any]) -> None:
        object.__setattr__(self, "_values", dict(values))
        object.__setattr__(self, "_fixed", frozenset(values))

    def __getattr__(self, name: str) -> Any:
        try:
            return self._values[name]
        except KeyError:
            raise AttributeError(f"wandb.config has no {name!r}; it has {', '.join(sorted(self._values))}") from None

    def __setattr__(self, name: str, value: Any) -> None:
        self[name] = value

    def __getitem__(self, name: str) -> Any:
        return self._values[name]

    def __setitem__(self, name: str, value: Any) -> None:
        if name not in self._fixed:
            self._values[name] = value

    def __contains__(self, name: object) -> bool:
        return name in self._values

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return repr(self._values)

    def keys(self):
        return self._values.keys()

    def values(self):
        return self._values.values()

    def items(self):
        return self._values.items()

    def get(self, name: str, default: Any = None) -> Any:
        return self._values.get(name, default)

    def as_dict(self) -> Dict[str, Any]:
        return dict(self._values)

    def update(self, values: Any, allow_val_change: Optional[bool] = None) -> None:
        for name, value in _plain(values).items():
            self[name] = value

    def setdefaults(self, values: Any) -> None:
        for name, value in _plain(values).items():
            self._values.setdefault(name, value)


class Summary(Dict[str, Any]):
    """Last (or by `define_metric` best, smallest, largest, mean) value of what was logged; what is set here stays."""

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None

    def __setattr__(self, name: str, value: Any) -> None:
        self[name] = value


class Run:
    """The trial."""

    def __init__(self) -> None:
        self.config = config
        self.summary = summary
        self.id = os.environ.get("RESWEEP_TRIAL_NUMBER", "0")
        self.name = f"trial-{self.id}"
        self.dir = os.environ.get("RESWEEP_TRIAL_DIR", ".")
        self.project = self.entity = self.group = self.notes = self.url = self.sweep_id = None
        self.tags = ()
        self.step = 0
        self.offline = True
        self.disabled = False
        self.resumed = False
        self._counts: Dict[str, int] = {}
        self._kept: Dict[str, str] = {}
        self._sums: Dict[str, float] = {}
        self._seen: Dict[str, int] = {}
        self._finished = False

    def __enter__(self) -> "Run":
        return self

    def __exit__(self, kind: Any, _error: Any, _trace: Any) -> None:
        self.finish(exit_code=0 if kind is None else 1)

    def log(self, data: Dict[str, Any], step: Optional[int] = None, commit: Optional[bool] = None, **_: Any) -> None:
        """Takes what was logged: each new value of the (first) metric is an intermediate value, counted from 1."""
        for name, value in _flat(data).items():
            number = _number(value)
            if number is None:
                continue
            self._keep(name, number)
            if _metrics and name == _metrics[0]["name"] and len(_metrics) == 1:
                self._counts[name] = self._counts.get(name, 0) + 1
                _send({"step": self._counts[name], "value": number})
        if commit is not False:
            self.step = self.step + 1 if step is None else int(step)

    def _keep(self, name: str, number: float) -> None:
        how = self._kept.get(name, "last")
        self._seen[name] = self._seen.get(name, 0) + 1
        self._sums[name] = self._sums.get(name, 0.0) + number
        before = summary.get(name)
        if how == "mean":
            number = self._sums[name] / self._seen[name]
        elif how in ("min", "max") and isinstance(before, float) and not math.isnan(before):
            number = min(before, number) if how == "min" else max(before, number)
        summary[name] = number

    def define_metric(self, name: str, summary: Optional[str] = None, goal: Optional[str] = None, **_: Any) -> None:
        how = summary or "last"
        if how == "best":
            how = "max" if goal == "maximize" else "min"
        if how in ("min", "max", "mean", "last"):
            self._kept[name] = how

    def finish(self, exit_code: Optional[int] = None, **_: Any) -> None:
        """Gives the summary as the trial's result."""
        if self._finished:
            return
        self._finished = True
        if exit_code:
            return
        wanted = [metric["name"] for metric in _metrics]
        values = {name: _number(value) for name, value in _flat(summary).items()}
        numbers = {name: value for name, value in values.items() if value is not None}
        missing = [name for name in wanted if name not in numbers]
        if missing:
            logged = ", ".join(sorted(numbers)) or "nothing"
            print(f"The metric {', '.join(missing)} was never logged; logged was {logged}.", file=sys.stderr, flush=True)
            return
        _send(numbers)

    def _ignore(self, *_: Any, **__: Any) -> None:
        """Only W&B's servers could do it."""

    watch = unwatch = save = alert = log_artifact = log_code = mark_preempting = link_artifact = _ignore
    use_artifact = log_model = use_model = upload_file = display = status = _ignore


def _flat(data: Any, prefix: str = "") -> Dict[str, Any]:
    flat: Dict[str, Any] = {}
    for name, value in dict(data).items():
        if isinstance(value, dict):
            flat.update(_flat(value, f"{prefix}{name}."))
        else:
            flat[f"{prefix}{name}"] = value
    return flat


class _Dropped:
    """Media, tables and artifacts: taken, not kept."""

    def __init__(self, *_: Any, **__: Any) -> None:
        pass

    def __getattr__(self, _name: str) -> Any:
        return lambda *_args, **_kwargs: None


Image = Table = Histogram = Audio = Video = Html = Object3D = Plotly = Molecule = Graph = Artifact = Settings = _Dropped
plot = _Dropped()

config = Config(json.loads(os.environ.get("RESWEEP_WANDB_CONFIG", "{}")))
summary = Summary()
run: Optional[Run] = None


def init(*_: Any, **settings: Any) -> Run:
    """The trial; `config=` gives defaults for what the sweep does not set."""
    global run
    if run is None:
        run = Run()
    config.setdefaults(settings.get("config"))
    return run


def _of_run(name: str):
    def call(*args: Any, **kwargs: Any) -> Any:
        return getattr(init() if run is None else run, name)(*args, **kwargs)

    call.__name__ = name
    return call


log = _of_run("log")
finish = _of_run("finish")
define_metric = _of_run("define_metric")
watch, unwatch, save, alert = _of_run("watch"), _of_run("unwatch"), _of_run("save"), _of_run("alert")
log_artifact, use_artifact, mark_preempting = _of_run("log_artifact"), _of_run("use_artifact"), _of_run("mark_preempting")


def login(*_: Any, **__: Any) -> bool:
    return True


def setup(*_: Any, **__: Any) -> None:
    """Nothing is to be set up."""


require = setup
join = finish


def agent(*_: Any, **__: Any) -> None:
    raise RuntimeError("resweep runs the sweep itself: let the program do one trial, without wandb.agent.")


def sweep(*_: Any, **__: Any) -> str:
    raise RuntimeError("resweep runs the sweep itself: let the program do one trial, without wandb.sweep.")


_failed = False
_hook = sys.excepthook


def _note_failure(kind: Any, error: Any, trace: Any) -> None:
    global _failed
    _failed = True
    _hook(kind, error, trace)


sys.excepthook = _note_failure


def _finish_at_exit() -> None:
    if run is not None and not _failed:
        run.finish()


atexit.register(_finish_at_exit)
