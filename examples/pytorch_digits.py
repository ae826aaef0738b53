"""A trial with PyTorch: a small network on handwritten digits, with a checkpoint after every epoch.

An interrupted trial goes on from its last epoch, here or on another machine; SIGTERM needs no handling because a checkpoint is never
older than one epoch.

    pip install -r examples/requirements-pytorch.txt
    resweep run configs/command-pytorch.yaml
"""

import gzip
import sys
from pathlib import Path

import torch
from torch import nn

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "python"))
import resweep  # noqa: E402

EPOCHS = 12


def load_digits():
    """1797 pictures of 8 x 8 pixels, 0 to 16, and the digit in the last column."""
    with gzip.open(ROOT / "data" / "digits.csv.gz", "rt") as file:
        rows = [[float(cell) for cell in line.split(",")] for line in file if line[0].isdigit()]
    table = torch.tensor(rows)
    order = torch.randperm(len(table), generator=torch.Generator().manual_seed(0))
    table = table[order]
    features, labels = table[:, :-1] / 16, table[:, -1].long()
    cut = int(0.8 * len(table))
    return features[:cut], labels[:cut], features[cut:], labels[cut:]


def network(layers: int, units: int, dropout: float) -> nn.Module:
    parts, width = [], 64
    for _ in range(layers):
        parts += [nn.Linear(width, units), nn.ReLU(), nn.Dropout(dropout)]
        width = units
    return nn.Sequential(*parts, nn.Linear(width, 10))


def main() -> None:
    params = resweep.params
    device = "cuda" if torch.cuda.is_available() else "cpu"
    torch.manual_seed(resweep.seed)
    x_train, y_train, x_test, y_test = (part.to(device) for part in load_digits())
    model = network(params["layers"], params["units"], params["dropout"]).to(device)
    if params["optimizer"] == "sgd":
        optimizer = torch.optim.SGD(model.parameters(), lr=params["learning_rate"], momentum=resweep.param("momentum", 0))
    else:
        optimizer = torch.optim.Adam(model.parameters(), lr=params["learning_rate"])

    first, accuracy = 1, 0.0
    earlier = resweep.load_checkpoint("state.pt")
    if earlier is not None:
        state = torch.load(earlier, map_location=device, weights_only=True)
        model.load_state_dict(state["model"])
        optimizer.load_state_dict(state["optimizer"])
        torch.set_rng_state(state["random"].cpu())
        first, accuracy = state["epoch"] + 1, state["accuracy"]
        print(f"goes on with epoch {first}")

    for epoch in range(first, EPOCHS + 1):
        model.train()
        # On the processor, so that its order is part of the state that a checkpoint keeps.
        for batch in torch.randperm(len(x_train)).split(params["batch_size"]):
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(x_train[batch]), y_train[batch]).backward()
            optimizer.step()
        model.eval()
        with torch.no_grad():
            accuracy = (model(x_test).argmax(1) == y_test).float().mean().item()
        state = {
            "model": model.state_dict(),
            "optimizer": optimizer.state_dict(),
            "random": torch.get_rng_state(),
            "epoch": epoch,
            "accuracy": accuracy,
        }
        resweep.save_checkpoint("state.pt", lambda path: torch.save(state, path), step=epoch)
        resweep.report(epoch, accuracy)
    resweep.result(val_accuracy=accuracy, device=device)


if __name__ == "__main__":
    main()
