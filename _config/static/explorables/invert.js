// Invert a 2x2 matrix: descend on 1/2 ||X A - I||^2. A takes the unit square to a parallelogram; X
// is right when it takes that back to the square.
"use strict";

gdla.explorable("invert", (root, state) => {
  const { I, rates, figure, count, norm, times, minus, transposed } = gdla;
  const [map, graph] = root.querySelectorAll("svg");
  const place = gdla.plane(map);
  const plot = gdla.chart(graph);
  const part = (name) => root.querySelector(`[data-part="${name}"]`);
  const reduction = 1e-6;
  const most = 100_000;

  const corners = ([a, b, c, d]) => place.line([[0, 0], [a, c], [a + b, c + d], [b, d]]);
  const off = (A) => (X) => norm(minus(times(X, A), I));
  part("square").setAttribute("points", corners(I));
  let path = [];
  let memory = "";

  // Every method starts at A^T / ||A||^2, a plain step from zero.
  function descent(A, method) {
    const [largest, smallest] = gdla.singularValues(A);
    const [L, mu] = [largest ** 2, smallest > 1e-9 * largest ? smallest ** 2 : 0];
    const begin = gdla.scaled(1 / (norm(A) ** 2 || 1), transposed(A));
    const error = off(A);
    const first = error(begin);
    const settled = (X) => error(X) < 1e-13 * (largest / smallest);
    const options = { lr: rates.optimalLr(L, mu), steps: most, done: settled };
    if (method === "preconditioned" && mu) {
      // The error is squared in each step: so is what the slowest direction has of it.
      const slowest = 1 - mu / norm(A) ** 2;
      const at = (k) => first * slowest ** (2 ** k - 1);
      const promised = Math.log2(Math.log(reduction) / Math.log(slowest));
      return { path: gdla.descend(gdla.natural(A), begin, { ...options, lr: 1 }), at, promised: Math.max(promised, 0) };
    }
    if (!mu) return { path: gdla.descend(gdla.inverse(A), begin, { lr: 1 / (L || 1), steps: 200 }) };
    const ball = method === "momentum";
    if (ball) [options.lr, options.momentum] = rates.optimalMomentum(L, mu);
    const rho = rates.contraction(options.lr, options.momentum ?? 0, L, mu);
    const at = (k) => first * rho ** k * (ball ? Math.max(k, 1) : 1);
    const promised = rates.predictedSteps(rho, reduction / first, ball);
    return { path: gdla.descend(gdla.inverse(A), begin, options), at, promised };
  }

  let found;
  function draw() {
    const { a, b, method } = state;
    const A = [a[0], b[0], a[1], b[1]];
    const [largest, smallest] = gdla.singularValues(A);
    const singular = smallest < 1e-9 * largest || !largest;
    if (memory !== `${A} ${method}`) {
      memory = `${A} ${method}`;
      found = descent(A, method);
      found.errors = found.path.map(off(A));
      found.needed = found.errors.findIndex((error) => error <= reduction);
    }
    const { errors, needed } = found;
    path = found.path;
    const end = last();
    state.step = Math.min(state.step, path.length - 1);
    root.querySelector('[name="step"]').max = end;
    root.dataset.method = method;

    part("matrix").setAttribute("points", corners(A));
    part("product").setAttribute("points", corners(times(path[state.step], A)));
    const every = Math.ceil(end / 300);
    const shown = errors.slice(0, end + 1).map((error, k) => [k, error]).filter(([k]) => k % every === 0 || k < 20);
    const predicted = singular ? [] : shown.map(([k]) => [k, found.at(k)]);
    plot({ error: shown, predicted }, state.step, Math.max(end, 1));

    const condition = singular ? Infinity : largest / smallest;
    part("condition").textContent = figure(condition);
    part("valley").textContent = figure(condition ** 2);
    part("promised").textContent = count(singular ? Infinity : found.promised);
    part("needed").textContent = singular ? "never" : needed < 0 ? `more than ${count(most)}` : count(needed);
    part("error").textContent = figure(errors[state.step]);
    return { text: sentence() };

    function sentence() {
      if (singular) {
        return largest ? `A is singular: it flattens the plane, and no X can unfold it. What is left is ${figure(errors.at(-1))}, and X tends to the pseudo-inverse.` : "A is zero: everything lands in one point.";
      }
      const steps = needed < 0 ? `More than ${count(most)} steps are needed` : `${count(needed)} steps are needed`;
      return `${steps}, ${count(found.promised)} are predicted: the condition of A is ${figure(condition)}.`;
    }
  }

  const last = () => Math.max(1, found.needed < 0 ? Math.min(found.path.length - 1, most) : Math.min(found.path.length - 1, Math.ceil(1.3 * found.needed) + 2));
  return {
    draw,
    last,
    actions: {
      flatten() {
        const [a, b] = state.a;
        const size = Math.hypot(...state.b) / Math.hypot(a, b) || 1;
        // A multiple of the first column that lies on the grid
        const share = [0.5, 1, -0.5].find((s) => Math.abs(s - size) < 0.3) ?? 0.5;
        state.b = [a, b].map((value) => +(share * value).toFixed(4));
      },
    },
  };
});
