// The ball: descent with momentum on x^2 / (2 kappa) + y^2 / 2, where L = 1 and mu = 1 / kappa.
"use strict";

gdla.explorable("ball", (root, state) => {
  const { rates, figure, count } = gdla;
  const [map, graph] = root.querySelectorAll("svg");
  const place = gdla.plane(map);
  const plot = gdla.chart(graph);
  const part = (name) => root.querySelector(`[data-part="${name}"]`);
  const last = 80;
  const reduction = 1e-6;

  const rings = [];
  for (let level = 0.35; level < 6; level += 0.35) {
    rings.push([level, gdla.draw("ellipse", { cx: place.at([0, 0])[0], cy: place.at([0, 0])[1] }, part("contours"))]);
  }
  const dots = Array.from({ length: last + 1 }, () => gdla.draw("circle", { r: 2 }, part("dots")));

  function draw() {
    const { lr, momentum, condition, start } = state;
    const mu = 1 / condition;
    const cliff = rates.maxLr(1, momentum);
    const beyond = lr >= cliff;
    const factor = rates.contraction(lr, momentum, 1, mu);
    const [best, ball] = [rates.optimalLr(1, mu), rates.optimalMomentum(1, mu)];
    const tuned = momentum > 0 && Math.abs(lr - ball[0]) < 1e-3 && Math.abs(momentum - ball[1]) < 1e-3;

    // Far steps count, near ones are seen.
    const away = gdla.norm(start);
    const path = gdla.descend(gdla.valley(condition), start, {
      lr, momentum, steps: 20_000, done: (x) => !(gdla.norm(x) < 1e9 * away && gdla.norm(x) > 1e-14 * away),
    });
    const distances = path.map(gdla.norm);
    const measured = gdla.observedContraction(distances, tuned);
    const needed = distances.findIndex((distance) => distance <= reduction * away);
    const loss = path.slice(0, last + 1).map(([x, y], k) => [k, (x * x) / condition / 2 + (y * y) / 2]);
    state.step = Math.min(state.step, last);

    for (const [level, ring] of rings) {
      ring.setAttribute("rx", level * Math.sqrt(condition) * place.across);
      ring.setAttribute("ry", level * place.up);
    }
    const seen = path.slice(0, state.step + 1);
    part("path").setAttribute("points", place.line(seen));
    dots.forEach((dot, k) => {
      dot.toggleAttribute("hidden", k >= seen.length);
      if (k < seen.length) dot.setAttribute("transform", `translate(${place.at(seen[k])})`);
    });
    part("ball").setAttribute("transform", `translate(${place.at(seen.at(-1))})`);
    const predicted = loss.map(([k]) => [k, loss[0][1] * (factor ** k * (tuned ? Math.max(k, 1) : 1)) ** 2]);
    plot({ loss, predicted }, state.step, last);

    // The cliff, and what is left of the slider beyond it.
    const slider = root.querySelector('[name="lr"]');
    part("beyond").setAttribute("x", `${(100 * (cliff - slider.min)) / (slider.max - slider.min)}%`);
    root.classList.toggle("beyond", beyond);
    root.dataset.method = momentum > 0 ? "momentum" : "plain";

    part("cliff").textContent = figure(cliff);
    part("factor").textContent = figure(factor);
    part("measured").textContent = figure(measured);
    part("promised").textContent = count(rates.predictedSteps(factor, reduction, tuned));
    part("needed").textContent = needed < 0 ? (beyond ? "never" : "more than 20,000") : count(needed);
    return { text: sentence(), labels: { lr: lr.toFixed(2), momentum: momentum.toFixed(2) } };

    function sentence() {
      if (beyond) {
        return `Beyond the cliff at ${figure(cliff)}: a step multiplies the distance by ${figure(measured)}, and the ${momentum ? "ball" : "walker"} is thrown out of the valley.`;
      }
      const speed = Number.isFinite(measured) ? `A step leaves ${figure(100 * measured)} % of the distance` : "The bottom is reached at once";
      const advice = tuned ? "no constant setting does better here"
        : !momentum && Math.abs(lr - best) < 1e-3 ? "no walker does better here; a ball does" : `the cliff is at ${figure(cliff)}`;
      return `${speed}; theory says ${figure(100 * factor)} %. ${advice[0].toUpperCase()}${advice.slice(1)}.`;
    }
  }

  return {
    draw,
    last: () => last,
    actions: {
      walker: () => Object.assign(state, { momentum: 0, lr: rates.optimalLr(1, 1 / state.condition) }),
      roller() {
        [state.lr, state.momentum] = rates.optimalMomentum(1, 1 / state.condition);
      },
    },
  };
});
