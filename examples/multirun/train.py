"""A program with Hydra-style arguments: train.py learning_rate=0.1 model.layers=3 optimizer=adam."""

import json
import sys

config = dict(argument.split("=", 1) for argument in sys.argv[1:])
rate, layers = float(config["learning_rate"]), int(config["model.layers"])
loss = abs(rate - 0.02) + 0.05 * abs(layers - 3) + (0.0 if config["optimizer"] == "adam" else 0.1)
print(json.dumps({"loss": loss}))
