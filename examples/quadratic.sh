#!/bin/sh
# A trial in plain shell: the minimum of (x - 2)^2, plus 1 for the wrong kind. Ten steps, each reported.
#
#   sh examples/quadratic.sh 0.5 a

x=${1:?usage: quadratic.sh X KIND}
kind=${2:?usage: quadratic.sh X KIND}

# Intermediate values: one JSON line each, on stdout. The pruner may end the trial after any of them.
awk -v x="$x" -v kind="$kind" 'BEGIN {
  target = (x - 2) ^ 2 + (kind == "a" ? 0 : 1)
  for (step = 1; step <= 10; step++) {
    loss = target + 1 / step - 0.1
    printf "{\"step\": %d, \"value\": %.6f}\n", step, loss
    fflush()
  }
  # The last line is the result: a number, or {"value": ...}, or metrics by name.
  printf "%.6f\n", loss
}'
