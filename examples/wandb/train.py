"""A program written for W&B sweeps: no line of it knows of resweep."""

import wandb

with wandb.init(config={"epochs": 9, "batch_size": 32}) as run:
    rate, momentum = run.config.learning_rate, run.config.optimizer["momentum"]
    for epoch in range(run.config.epochs):
        # A bowl with its lowest point at 0.03 and 0.9, reached the faster the nearer.
        distance = abs(rate - 0.03) / 0.03 + abs(momentum - 0.9)
        wandb.log({"val_loss": distance + 1 / (epoch + 1), "epoch": epoch})
