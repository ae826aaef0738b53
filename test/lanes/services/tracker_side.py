"""Reads what resweep wrote for experiment trackers with their own code, and prints it as JSON.

    tracker_side.py events FOLDER     scalars and HParams of every run, by TensorBoard's EventAccumulator
    tracker_side.py mlflow URL NAME   runs of an experiment, by MLflow's client
"""

import json
import os
import sys


def events(folder):
    from tensorboard.backend.event_processing import event_accumulator
    from tensorboard.plugins.hparams import plugin_data_pb2

    runs = {}
    for path, _, files in sorted(os.walk(folder)):
        names = [name for name in files if ".tfevents." in name]
        if not names:
            continue
        accumulator = event_accumulator.EventAccumulator(path)
        accumulator.Reload()
        tags = accumulator.Tags()
        run = {"files": len(names), "scalars": {}, "hparams": {}}
        # Scalars of today are tensors with the metadata of the plugin "scalars".
        from tensorboard.util import tensor_util

        for tag in tags["scalars"]:
            run["scalars"][tag] = [[e.step, e.value] for e in accumulator.Scalars(tag)]
        for tag in tags["tensors"]:
            metadata = accumulator.SummaryMetadata(tag)
            if metadata.plugin_data.plugin_name == "hparams":
                data = plugin_data_pb2.HParamsPluginData.FromString(metadata.plugin_data.content)
                run["hparams"][data.WhichOneof("data")] = str(data)
            else:
                run["scalars"][tag] = [
                    [e.step, float(tensor_util.make_ndarray(e.tensor_proto).item())] for e in accumulator.Tensors(tag)
                ]
        runs[os.path.relpath(path, folder)] = run
    return runs


def mlflow_runs(url, name):
    from mlflow.tracking import MlflowClient

    client = MlflowClient(url)
    experiment = client.get_experiment_by_name(name)
    runs = client.search_runs([experiment.experiment_id], max_results=1000)
    return [
        {
            "name": run.info.run_name,
            "status": run.info.status,
            "parent": run.data.tags.get("mlflow.parentRunId"),
            "id": run.info.run_id,
            "params": run.data.params,
            "tags": {key: value for key, value in run.data.tags.items() if key.startswith("resweep.")},
            "metrics": run.data.metrics,
            "history": {
                key: [[m.step, m.value] for m in client.get_metric_history(run.info.run_id, key)]
                for key in run.data.metrics
            },
            "seconds": (run.info.end_time or 0) / 1000 - run.info.start_time / 1000,
        }
        for run in runs
    ]


if __name__ == "__main__":
    command, *rest = sys.argv[1:]
    print(json.dumps(events(*rest) if command == "events" else mlflow_runs(*rest)))
