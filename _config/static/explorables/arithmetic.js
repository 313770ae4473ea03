// What the explorables compute, and nothing else: tests/browser/test_explorables.py holds every
// function here against gdla and torch. A 2x2 matrix is the list of its rows, [a, b, c, d]; the
// unknowns of a descent are one list.
"use strict";

globalThis.gdla = {};

(() => {
  const I = [1, 0, 0, 1];
  const EPS = 2 ** -52;

  const minus = (x, y) => x.map((value, k) => value - y[k]);
  const scaled = (factor, x) => x.map((value) => factor * value);
  const norm = (x) => Math.sqrt(x.reduce((sum, value) => sum + value * value, 0));
  const transposed = ([a, b, c, d]) => [a, c, b, d];
  const diagonal = ([a, b]) => [a, 0, 0, b];
  const times = ([a, b, c, d], [e, f, g, h]) => [
    a * e + b * g, a * f + b * h, c * e + d * g, c * f + d * h,
  ];

  // The larger singular value is half the sum of two lengths, the smaller half their difference,
  // which cancels: better from the determinant.
  function singularValues(A) {
    const [a, b, c, d] = A;
    const largest = (Math.hypot(a + d, c - b) + Math.hypot(a - d, b + c)) / 2;
    return [largest, largest && Math.abs(a * d - b * c) / largest];
  }

  // gdla.rates
  const rates = {
    maxLr: (L, momentum = 0) => (2 * (1 + momentum)) / L,
    optimalLr: (L, mu) => 2 / (L + mu),
    optimalMomentum(L, mu) {
      const [a, b] = [Math.sqrt(L), Math.sqrt(mu)];
      return [4 / (a + b) ** 2, ((a - b) / (a + b)) ** 2];
    },
    contraction(lr, momentum, L, mu) {
      const modulus = (c) => {
        const trace = 1 + momentum - lr * c;
        const square = trace * trace - 4 * momentum;
        return square < 0 ? Math.sqrt(momentum) : (Math.abs(trace) + Math.sqrt(square)) / 2;
      };
      return Math.max(modulus(L), modulus(mu));
    },
    // With a double root, as at the best momentum, the error falls like k factor^k.
    predictedSteps(factor, reduction, doubleRoot = false) {
      if (factor >= 1) return Infinity;
      const steps = (share) => (factor > 0 ? Math.log(share) / Math.log(factor) : 1);
      let found = steps(reduction);
      for (let again = 0; doubleRoot && again < 20; again++) found = steps(reduction / Math.max(found, 1));
      return found;
    },
  };

  // gdla.observed_contraction; NaN where it raises
  function observedContraction(errors, doubleRoot = false) {
    let usable = errors.findIndex((error) => !(error > 1e-9 * errors[0]));
    if (usable < 0) usable = errors.length;
    const steps = [];
    for (let k = Math.max(1, Math.floor(usable / 2)); k < usable; k++) steps.push(k);
    if (steps.length < 3) return NaN;
    const logs = steps.map((k) => Math.log(doubleRoot ? errors[k] / k : errors[k]));
    const mean = (x) => x.reduce((sum, value) => sum + value, 0) / x.length;
    const [middle, level] = [mean(steps), mean(logs)];
    const rise = mean(steps.map((k, j) => (k - middle) * (logs[j] - level)));
    return Math.exp(rise / mean(steps.map((k) => (k - middle) ** 2)));
  }

  // The one loop: torch.optim.SGD with momentum. It notes every point, and ends early where `done`
  // says so of one.
  function descend(gradient, start, { lr, momentum = 0, steps, done = () => false }) {
    const path = [start];
    let velocity = start.map(() => 0);
    for (let k = 0; k < steps && !done(path[k]); k++) {
      const slope = gradient(path[k]);
      velocity = velocity.map((v, j) => momentum * v + slope[j]);
      path.push(path[k].map((x, j) => x - lr * velocity[j]));
    }
    return path;
  }

  // f(x, y) = x^2 / (2 kappa) + y^2 / 2: the curvatures are 1/kappa and 1.
  const valley = (kappa) => ([x, y]) => [x / kappa, y];

  // f(X) = 1/2 ||X A - I||^2
  const inverse = (A) => (X) => times(minus(times(X, A), I), transposed(A));

  // In the metric in which a step of X is as long as what it does to X^-1 (gdla.metrics
  // .NewtonSchulz): with learning rate 1 the error is squared.
  const natural = (A) => (X) => minus(times(times(X, A), X), X);

  // gdla.losses.factorisation: unknowns are U, s or d, V, one after the other. Written as squares,
  // the values are d^2.
  const parts = (x) => [x.slice(0, 4), x.slice(4, 6), x.slice(6, 10)];

  function factorisation(A, squares = false) {
    const offUnit = (Q) => minus(times(transposed(Q), Q), I);
    const values = (d) => (squares ? d.map((x) => x * x) : d);
    const fit = (U, s, V) => minus(times(times(U, diagonal(s)), transposed(V)), A);
    return {
      loss(x) {
        const [U, d, V] = parts(x);
        const square = (M) => norm(M) ** 2;
        const penalties = (square(offUnit(U)) + square(offUnit(V))) / 4;
        return square(fit(U, values(d), V)) / 2 + penalties;
      },
      gradient(x) {
        const [U, d, V] = parts(x);
        const s = values(d);
        const E = fit(U, s, V);
        const paid = (M, Q) => {
          const penalty = times(Q, offUnit(Q));
          return M.map((m, k) => m + penalty[k]);
        };
        const inS = times(times(transposed(U), E), V);
        const inD = [inS[0], inS[3]].map((slope, k) => (squares ? 2 * d[k] * slope : slope));
        return [
          ...paid(times(times(E, V), diagonal(s)), U),
          ...inD,
          ...paid(times(times(transposed(E), U), diagonal(s)), V),
        ];
      },
    };
  }

  // gdla.metrics.Rotations for one 2x2 matrix: what its step takes U and V to; null at the end.
  function rotated(A, U, V) {
    const size = norm(A) || 1;
    const S = times(transposed(U), times(A, V));
    const D = minus(times(transposed(U), U), I);
    const E = minus(times(transposed(V), V), I);
    const defect = Math.max(norm(D), norm(E));
    const error = Math.max(norm([S[1], S[2]]) / size, defect);
    if (error < 2 * EPS) return null;
    // S as it would be without the defects
    const row = [S[0], S[3], S[0], S[3]];
    const column = [S[0], S[0], S[3], S[3]];
    const [a, b, c, d] = [0, S[1], S[2], 0].map((s, k) => s - D[k] * row[k] / 2 - E[k] * column[k] / 2);
    const [first, second] = [S[0] + a, S[3] + d];
    const noise = (EPS + 1.5 * defect * defect) * size;
    const odd = half(b - c, first + second, noise);
    const even = half(b + c, first - second + EPS * EPS, noise);
    const evenBelow = half(b + c, second - first - EPS * EPS, noise);
    const step = (Q, P, F) => minus(Q, turn(Q, P, F, error));
    return [
      step(U, [0, odd - even, -odd - evenBelow, 0], D),
      step(V, [0, -odd - even, odd - evenBelow, 0], E),
    ];
  }

  function half(a, x, noise) {
    if (!(Math.abs(a) > noise)) return 0;
    const [size, side] = [Math.abs(a), Math.abs(x)];
    const slope = side + (Math.PI / 6) * size;
    return ((x < 0 ? -slope : slope) / ((2 / 3) * size * size + 2 * side * slope + EPS ** 4)) * a;
  }

  function turn(U, P, D, error) {
    const M = times(P, P);
    if (norm(M) < Math.min(2 * error, 0.04)) {
      return times(U, D.map((value, k) => (value - M[k]) / 2 - P[k]));
    }
    const N = times(M, M);
    const c = 1.5 / Math.max(Math.sqrt(Math.sqrt(norm(N))), 1.5);
    const sine = (1 - Math.sqrt(0.5)) / 2;
    const cube = times(P, M);
    return times(U, P.map((p, k) =>
      -c * p - (c ** 2 * M[k]) / 2 - c ** 3 * sine * cube[k] - c ** 4 * sine ** 2 * N[k] + D[k] / 2));
  }

  // The whole descent from U = V = I, as unknowns of `factorisation`.
  function rotations(A, steps = 60) {
    let [U, V] = [I, I];
    const path = [];
    for (let k = 0; k <= steps; k++) {
      const S = times(transposed(U), times(A, V));
      path.push([...U, S[0], S[3], ...V]);
      const next = rotated(A, U, V);
      if (!next) break;
      [U, V] = next;
    }
    return path;
  }

  Object.assign(globalThis.gdla, {
    I, minus, scaled, norm, times, transposed, diagonal, parts, singularValues, rates,
    observedContraction, descend, valley, inverse, natural, factorisation, rotations,
  });
})();
