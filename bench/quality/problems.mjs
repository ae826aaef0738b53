// Functions to search on: continuous, integer, mixed, conditional, noisy, in many dimensions, with constraints, with several objectives.
const floats = (trial, d, low, high) => Array.from({ length: d }, (_, i) => trial.suggestFloat(`x${i}`, low, high));
const sphere = (x, centre) => x.reduce((sum, value) => sum + (value - centre) ** 2, 0);

const A = [
  [10, 3, 17, 3.5, 1.7, 8],
  [0.05, 10, 17, 0.1, 8, 14],
  [3, 3.5, 1.7, 10, 17, 8],
  [17, 8, 0.05, 10, 0.1, 14],
];
const P = [
  [1312, 1696, 5569, 124, 8283, 5886],
  [2329, 4135, 8307, 3736, 1004, 9991],
  [2348, 1451, 3522, 2883, 3047, 6650],
  [4047, 8828, 8732, 5743, 1091, 381],
];
const ALPHA = [1, 1.2, 3, 3.2];

/**
 * Each gives the value at a trial, or the values of several objectives; constraints are set on the trial. What is judged: the best
 * feasible value less `optimum`, or with several objectives `optimum`, the hypervolume of the whole front up to `reference`, less
 * that of the trials. None has its optimum in the middle, where auto begins. The same in optuna_functions.py.
 */
export const problems = {
  branin: {
    optimum: 0.39788735772973816,
    at: (trial) => {
      const x = trial.suggestFloat('x', -5, 10);
      const y = trial.suggestFloat('y', 0, 15);
      return (
        (y - (5.1 / (4 * Math.PI ** 2)) * x * x + (5 / Math.PI) * x - 6) ** 2 +
        10 * (1 - 1 / (8 * Math.PI)) * Math.cos(x) +
        10
      );
    },
  },
  hartmann6: {
    optimum: -3.322368011391339,
    at: (trial) => {
      const x = floats(trial, 6, 0, 1);
      return -ALPHA.reduce(
        (sum, alpha, i) =>
          sum + alpha * Math.exp(-x.reduce((inner, value, j) => inner + A[i][j] * (value - P[i][j] * 1e-4) ** 2, 0)),
        0,
      );
    },
  },
  rosenbrock5: {
    optimum: 0,
    at: (trial) => {
      const x = floats(trial, 5, -2, 2);
      let sum = 0;
      for (let i = 0; i + 1 < x.length; i++) sum += 100 * (x[i + 1] - x[i] ** 2) ** 2 + (1 - x[i]) ** 2;
      return sum;
    },
  },
  rastrigin4: {
    optimum: 0,
    at: (trial) =>
      floats(trial, 4, -5.12, 5.12).reduce((sum, value) => {
        const x = value - 1.1;
        return sum + 10 + x * x - 10 * Math.cos(2 * Math.PI * x);
      }, 0),
  },
  sphere50: { optimum: 0, at: (trial) => sphere(floats(trial, 50, -5, 5), 1.3) },
  mixed50: {
    // Twenty floats, fifteen integers and fifteen categories, of which five, four and four matter most.
    optimum: 0,
    at: (trial) => {
      let loss = 0;
      for (let i = 0; i < 20; i++) loss += (i < 5 ? 10 : 1) * (trial.suggestFloat(`x${i}`, 0, 1) - 0.1 - 0.04 * i) ** 2;
      for (let i = 0; i < 15; i++) loss += (i < 4 ? 0.5 : 0.1) * Math.abs(trial.suggestInt(`n${i}`, 0, 8) - (i % 9));
      for (let i = 0; i < 15; i++)
        if (trial.suggestCategorical(`c${i}`, ['a', 'b', 'c']) !== 'abc'[i % 3]) loss += i < 4 ? 1 : 0.2;
      return loss;
    },
  },
  integers8: {
    optimum: 0,
    at: (trial) =>
      Array.from({ length: 8 }, (_, i) => trial.suggestInt(`n${i}`, 0, 20)).reduce(
        (sum, n, i) => sum + (n - ((3 * i) % 17)) ** 2,
        0,
      ),
  },
  training: {
    // A made-up training: log-scaled learning rate and decay, units on a step, optimizer with a conditional momentum.
    optimum: 0,
    at: (trial) => {
      const optimizer = trial.suggestCategorical('optimizer', ['adam', 'sgd', 'rmsprop']);
      const rate = Math.log10(trial.suggestFloat('rate', 1e-5, 1, { log: true }));
      const decay = Math.log10(trial.suggestFloat('decay', 1e-6, 1e-1, { log: true }));
      const layers = trial.suggestInt('layers', 1, 4);
      let units = 0;
      for (let i = 0; i < layers; i++) units += trial.suggestInt(`units_${i}`, 16, 256, { step: 16 });
      const best = { adam: -3, sgd: -1, rmsprop: -3.4 }[optimizer];
      let loss =
        { adam: 0, sgd: 0.05, rmsprop: 0.1 }[optimizer] + 0.15 * (rate - best) ** 2 + 0.03 * (decay + 3.5) ** 2;
      if (optimizer === 'sgd') loss += (trial.suggestFloat('momentum', 0, 0.99) - 0.9) ** 2;
      return loss + 0.1 * (Math.log2(units / layers) - 7) ** 2 + 0.05 * (layers - 2) ** 2;
    },
  },
};

/** Uniform in [-1, 1] from a trial's number, the same for every sampler. */
export const noise = (seed, number) => {
  let z = (seed * 7919 + number * 104729) | 0;
  z = Math.imul(z ^ (z >>> 16), 0x85ebca6b);
  z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35);
  return ((z ^ (z >>> 16)) >>> 0) / 2 ** 31 - 1;
};
problems.noisy6 = { ...problems.hartmann6, noise: 0.3 };

problems.zdt1 = {
  reference: [1.1, 7],
  optimum: 1.1 * 7 - 1 / 3,
  at: (trial) => {
    const [first, ...rest] = floats(trial, 8, 0, 1);
    const g = 1 + (9 * rest.reduce((sum, x) => sum + x, 0)) / rest.length;
    return [first, g * (1 - Math.sqrt(first / g))];
  },
};
problems.dtlz2 = {
  reference: [2, 2, 2],
  optimum: 8 - Math.PI / 6,
  at: (trial) => {
    const [a, b, ...rest] = floats(trial, 6, 0, 1);
    const r = 1 + rest.reduce((sum, x) => sum + (x - 0.4) ** 2, 0);
    const [p, q] = [(a * Math.PI) / 2, (b * Math.PI) / 2];
    return [r * Math.cos(p) * Math.cos(q), r * Math.cos(p) * Math.sin(q), r * Math.sin(p)];
  },
};
// Deb et al. 2002, with four objectives.
problems.dtlz4objectives = {
  reference: [2, 2, 2, 2],
  optimum: 16 - Math.PI ** 2 / 32,
  at: (trial) => {
    const x = floats(trial, 7, 0, 1);
    let product = 1 + sphere(x.slice(3), 0.4);
    const losses = [];
    for (const share of x.slice(0, 3)) {
      losses.push(product * Math.sin((share * Math.PI) / 2));
      product *= Math.cos((share * Math.PI) / 2);
    }
    return [...losses, product];
  },
};
/** The training above and the size of its network: two objectives, conditional parameters. No front is known: 6 is more than there is. */
problems.budget = {
  reference: [2, 3],
  optimum: 6,
  at: (trial) => {
    let units = 0;
    const counted = {
      suggestCategorical: (...args) => trial.suggestCategorical(...args),
      suggestFloat: (...args) => trial.suggestFloat(...args),
      suggestInt: (name, ...range) => {
        const value = trial.suggestInt(name, ...range);
        if (name.startsWith('units')) units += value;
        return value;
      },
    };
    return [problems.training.at(counted), Math.log10(units)];
  },
};
// Gramacy et al., Technometrics 2016.
problems.gramacy = {
  optimum: 0.5997880520968,
  at: (trial) => {
    const [x, y] = floats(trial, 2, 0, 1);
    trial.setConstraint('wave', 1.5 - x - 2 * y - 0.5 * Math.sin(2 * Math.PI * (x * x - 2 * y)));
    trial.setConstraint('disc', x * x + y * y - 1.5);
    return x + y;
  },
};
// Pressure vessel (Kannan & Kramer, J. Mechanical Design 1994): two thicknesses on a step, two lengths, three constraints.
problems.vessel = {
  optimum: 6059.714335,
  at: (trial) => {
    const shell = 0.0625 * trial.suggestInt('shell', 1, 99);
    const head = 0.0625 * trial.suggestInt('head', 1, 99);
    const radius = trial.suggestFloat('radius', 10, 200);
    const length = trial.suggestFloat('length', 10, 200);
    trial.setConstraint('shell', 0.0193 * radius - shell);
    trial.setConstraint('head', 0.00954 * radius - head);
    trial.setConstraint('volume', 1 - (Math.PI * radius ** 2 * (length + (4 / 3) * radius)) / 1_296_000);
    return (
      0.6224 * shell * radius * length +
      1.7781 * head * radius ** 2 +
      3.1661 * shell ** 2 * length +
      19.84 * shell ** 2 * radius
    );
  },
};
// Binh & Korn 1997: two objectives, two constraints.
problems.binh = {
  reference: [140, 50],
  optimum: 5286,
  at: (trial) => {
    const x = trial.suggestFloat('x', 0, 5);
    const y = trial.suggestFloat('y', 0, 3);
    trial.setConstraint('inner', (x - 5) ** 2 + y ** 2 - 25);
    trial.setConstraint('outer', 7.7 - (x - 8) ** 2 - (y + 3) ** 2);
    return [4 * x * x + 4 * y * y, (x - 5) ** 2 + (y - 5) ** 2];
  },
};
