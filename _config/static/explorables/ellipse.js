// Circle to ellipse: three descents to the singular value decomposition of a 2x2 matrix, all from
// U = V = I and s = (1, 1).
"use strict";

gdla.explorable("ellipse", (root, state) => {
  const { figure, times, transposed, diagonal, parts } = gdla;
  const [map, graph] = root.querySelectorAll("svg");
  const place = gdla.plane(map);
  const plot = gdla.chart(graph);
  const part = (name) => root.querySelector(`[data-part="${name}"]`);
  const last = 120;
  const start = [1, 0, 0, 1, 1, 1, 1, 0, 0, 1];
  const circle = Array.from({ length: 72 }, (_, k) => [Math.cos((k * Math.PI) / 36), Math.sin((k * Math.PI) / 36)]);
  const image = ([a, b, c, d]) => place.line(circle.map(([x, y]) => [a * x + b * y, c * x + d * y]));
  const values = (x, squares) => parts(x)[1].map((d) => (squares ? d * d : d));

  let found;
  function descents({ a, b, squares }) {
    const key = `${a} ${b} ${squares}`;
    if (found?.key === key) return found; // only the step has changed
    const A = [a[0], b[0], a[1], b[1]];
    const { loss, gradient } = gdla.factorisation(A, squares);
    const walk = (momentum) => gdla.descend(gradient, start, { lr: 0.08, momentum, steps: last });
    const paths = { plain: walk(0), momentum: walk(0.8), preconditioned: gdla.rotations(A, last) };
    const straight = gdla.factorisation(A).loss; // turning has no use for squares
    const losses = Object.fromEntries(Object.entries(paths).map(([name, path]) =>
      [name, path.map(name === "preconditioned" ? straight : loss)]));
    return (found = { key, A, paths, losses });
  }

  function arrow(U, s, k) {
    const tip = [U[k] * s[k], U[k + 2] * s[k]];
    const [x, y] = place.at(tip);
    const [cx, cy] = place.at([0, 0]);
    const length = Math.hypot(x - cx, y - cy);
    if (length < 1) return "";
    const [ux, uy] = [(x - cx) / length, (y - cy) / length];
    const side = (turn) => `${x - 9 * ux - turn * 5 * uy} ${y - 9 * uy + turn * 5 * ux}`;
    return `M${cx} ${cy}L${x} ${y}M${side(1)}L${x} ${y}L${side(-1)}`;
  }

  function draw() {
    const { A, paths, losses } = descents(state);
    const squares = state.squares && state.method !== "preconditioned";
    const at = (name) => Math.min(state.step, paths[name].length - 1);
    const x = paths[state.method][at(state.method)];
    const [U, , V] = parts(x);
    const s = values(x, squares);
    root.dataset.method = state.method;

    part("target").setAttribute("points", image(A));
    part("guess").setAttribute("points", image(times(times(U, diagonal(s)), transposed(V))));
    part("first").setAttribute("d", arrow(U, s, 0));
    part("second").setAttribute("d", arrow(U, s, 1));
    const lines = Object.fromEntries(Object.entries(losses).map(([name, seen]) => [name, seen.map((loss, k) => [k, Math.max(loss, 1e-32)])]));
    plot(lines, state.step, last);

    const truth = gdla.singularValues(A);
    part("values").textContent = s.map((value) => value.toFixed(2)).join(",  ");
    part("truth").textContent = truth.map((value) => value.toFixed(2)).join(",  ");
    for (const name in losses) part(name).textContent = figure(losses[name][at(name)], 2);
    return { text: sentence() };

    function sentence() {
      const turned = paths.preconditioned.length - 1;
      const caught = ["plain", "momentum"].filter((name) => losses[name].at(-1) > 1e-3 && Math.min(...values(paths[name].at(-1), true)) < 1e-2);
      if (state.squares && caught.length) {
        const who = { plain: "plain descent", momentum: "descent with momentum" };
        return `The trap: a value should become negative, and a square cannot. It comes to zero and stays there, for ${caught.map((name) => who[name]).join(" and ")}. Turning needs ${turned} steps.`;
      }
      return `Turning needs ${turned} steps to rounding. After ${last}, plain descent has a loss of ${figure(losses.plain.at(-1), 2)}, with momentum ${figure(losses.momentum.at(-1), 2)}.`;
    }
  }

  return {
    draw,
    last: () => (state.method === "preconditioned" ? descents(state).paths.preconditioned.length - 1 : last),
    actions: {
      // Its second column turned round: the same ellipse, run through the other way
      mirror: () => (state.b = state.b.map((value) => -value)),
    },
  };
});
