// What all explorables share: sliders, points to drag, buttons, what is spoken, and the state in
// the address. An explorable is HTML that the page already holds (_config/extensions/explorables)
// and a script that says how to draw its state.
"use strict";

(() => {
  const SVG = "http://www.w3.org/2000/svg";
  const clamp = (value, low, high) => Math.min(high, Math.max(low, value));
  const still = matchMedia("(prefers-reduced-motion: reduce)");

  // Three digits, in powers of ten where it is long; a dash where there is no number.
  function figure(value, digits = 3) {
    if (!Number.isFinite(value)) return value > 0 ? "∞" : "–";
    if (value && (Math.abs(value) >= 1e5 || Math.abs(value) < 1e-3)) {
      const [head, power] = value.toExponential(1).split("e");
      return `${head.replace("-", "−")} · 10${superscript(power)}`;
    }
    return value.toPrecision(digits).replace(/e.*/, "").replace("-", "−");
  }
  const count = (value) => (Number.isFinite(value) ? Math.ceil(value).toLocaleString("en") : "∞");
  const superscript = (power) =>
    String(Number(power)).replace(/[-\d]/g, (c) => (c === "-" ? "⁻" : "⁰¹²³⁴⁵⁶⁷⁸⁹"[c]));

  function draw(name, attributes, parent) {
    const element = document.createElementNS(SVG, name);
    for (const key in attributes) element.setAttribute(key, attributes[key]);
    parent.append(element);
    return element;
  }

  // An <svg data-x="low,high" data-y="low,high">: from its units to the drawing's, and back.
  function plane(svg) {
    const box = svg.viewBox.baseVal;
    const [x, y] = [svg.dataset.x, svg.dataset.y].map((range) => range.split(",").map(Number));
    const across = box.width / (x[1] - x[0]);
    const up = box.height / (y[1] - y[0]);
    const far = (value) => clamp(value, -1e4, 1e4).toFixed(2);
    const at = ([a, b]) => [(a - x[0]) * across, (y[1] - b) * up].map(far);
    return {
      x, y, at, across, up,
      line: (points) => points.map((point) => at(point).join()).join(" "),
      from(event) {
        const frame = svg.getBoundingClientRect();
        const share = [(event.clientX - frame.left) / frame.width, (event.clientY - frame.top) / frame.height];
        return [x[0] + share[0] * (x[1] - x[0]), y[1] - share[1] * (y[1] - y[0])];
      },
    };
  }

  // A chart on a log axis against the step, of the lines named in <svg data-lines="..."> and of
  // powers of ten between the two of data-y.
  function chart(svg) {
    const [low, high] = svg.dataset.y.split(",").map(Number);
    const [left, top, right, bottom] = [52, 8, 392, 208];
    const across = (share) => left + share * (right - left);
    const down = (power) => top + ((high - clamp(power, low - 40, high + 40)) / (high - low)) * (bottom - top);
    const scale = draw("g", { class: "scale" }, svg);
    for (let power = Math.ceil(low / 4) * 4; power <= high; power += 4) {
      draw("path", { d: `M${left} ${down(power)}H${right}` }, scale);
      draw("text", { x: left - 6, y: down(power) + 5, "text-anchor": "end" }, scale).textContent = power ? `10${superscript(power)}` : "1";
    }
    const texts = [[0, "start", "0"], [0.5, "middle", "step"], [1, "end", ""]].map(([share, anchor, text]) => {
      const element = draw("text", { x: across(share), y: bottom + 22, "text-anchor": anchor }, scale);
      element.textContent = text;
      return element;
    });
    draw("text", { x: right - 4, y: top + 16, "text-anchor": "end" }, scale).textContent = svg.dataset.title;
    const inside = draw("svg", { x: left, y: top, width: right - left, height: bottom - top, viewBox: [left, top, right - left, bottom - top] }, svg);
    const lines = new Map(svg.dataset.lines.split(" ").map((name) => [name, draw("polyline", { class: name }, inside)]));
    const now = draw("path", { class: "now" }, inside);
    return (values, step, last) => {
      for (const [name, line] of lines) {
        const points = values[name].map(([k, value]) =>
          `${across(k / last).toFixed(1)},${down(value > 0 ? Math.log10(value) : -Infinity).toFixed(1)}`);
        line.setAttribute("points", points.join(" "));
      }
      now.setAttribute("d", `M${across(step / last)} ${top}V${bottom}`);
      texts[2].textContent = last.toLocaleString("en");
    };
  }

  function explorable(name, build) {
    const root = document.querySelector(`[data-explorable="${name}"]`);
    if (!root) return;

    const inputs = [...root.querySelectorAll("input")];
    const points = [...root.querySelectorAll("[data-point]")];
    const spoken = root.querySelector(".spoken");
    const state = {};
    const view = build(root, state);
    let speaking, frame, sharing, playing;

    // From the HTML to the state, and back.
    const number = (input) => (input.dataset.scale === "log" ? 10 ** input.valueAsNumber : input.valueAsNumber);
    function read(input) {
      if (input.type === "range") state[input.name] = number(input);
      else if (input.type === "checkbox") state[input.name] = input.checked;
      else if (input.checked) state[input.name] = input.value;
    }
    function write() {
      for (const input of inputs) {
        const value = state[input.name];
        if (input.type === "range") input.value = input.dataset.scale === "log" ? Math.log10(value) : value;
        else input.checked = input.type === "checkbox" ? value : input.value === value;
      }
    }

    // One redraw for all that changed since the last.
    function redraw() {
      frame = 0;
      const { text, labels = {} } = view.draw();
      for (const input of inputs.filter((input) => input.type === "range")) {
        const said = labels[input.name] ?? (input.name === "step" ? count : figure)(state[input.name]);
        input.setAttribute("aria-valuetext", said);
        input.closest(".slider").querySelector("output").textContent = said;
      }
      for (const point of points) {
        const [a, b] = state[point.dataset.point];
        point.setAttribute("transform", `translate(${plane(point.ownerSVGElement).at([a, b])})`);
        point.setAttribute("aria-valuenow", a);
        point.setAttribute("aria-valuetext", `${figure(a)} across, ${figure(b)} up`);
      }
      root.querySelector(".summary").textContent = text;
      clearTimeout(speaking); // what changes many times a second is spoken once it rests
      speaking = setTimeout(() => (spoken.textContent = text), 600);
    }
    function change() {
      frame ||= requestAnimationFrame(redraw);
      clearTimeout(sharing);
      sharing = setTimeout(() => history.replaceState(null, "", `#${name}?${shared()}`), 300);
    }

    // The state in the address, so that it can be shared.
    function shared() {
      const short = (value) => (typeof value === "number" ? +value.toPrecision(5) : value);
      return new URLSearchParams(Object.entries(state).map(([key, value]) =>
        [key, Array.isArray(value) ? value.map(short).join() : short(value)])).toString().replaceAll("%2C", ",");
    }
    function take(address) {
      if (!address.startsWith(`#${name}?`)) return;
      const given = new URLSearchParams(address.slice(name.length + 2));
      for (const input of inputs) {
        const text = given.get(input.name);
        if (text === null) continue;
        if (input.type === "range") {
          const value = input.dataset.scale === "log" ? Math.log10(+text) : +text;
          if (Number.isFinite(value)) state[input.name] = input.dataset.scale === "log"
            ? 10 ** clamp(value, +input.min, +input.max) : clamp(value, +input.min, +input.max);
        } else if (input.type === "checkbox") state[input.name] = text === "true";
        else if (input.value === text) state[input.name] = text;
      }
      for (const point of points) {
        const place = (given.get(point.dataset.point) ?? "").split(",").map(Number);
        if (place.length === 2 && place.every(Number.isFinite)) move(point, place);
      }
      root.scrollIntoView({ block: "center" });
    }

    // Points to drag, by pointer, touch and the keys of a slider.
    function move(point, [a, b]) {
      const { x, y } = plane(point.ownerSVGElement);
      const grid = +point.dataset.grid;
      const edge = 2 * grid; // stay where the point can be seen
      state[point.dataset.point] = [
        clamp(Math.round(a / grid) * grid, x[0] + edge, x[1] - edge),
        clamp(Math.round(b / grid) * grid, y[0] + edge, y[1] - edge),
      ].map((value) => +value.toFixed(4));
    }
    for (const point of points) {
      state[point.dataset.point] = point.dataset.at.split(",").map(Number);
      const svg = point.ownerSVGElement;
      const follow = (event) => {
        move(point, plane(svg).from(event));
        change();
      };
      // Chromium overlooks `touch-action` inside an SVG, and would scroll the page.
      point.addEventListener("touchstart", (event) => event.preventDefault(), { passive: false });
      point.addEventListener("pointerdown", (event) => {
        point.setPointerCapture(event.pointerId);
        point.focus({ preventScroll: true });
        event.preventDefault();
        stop();
        point.addEventListener("pointermove", follow);
      });
      for (const end of ["pointerup", "pointercancel"]) {
        point.addEventListener(end, () => point.removeEventListener("pointermove", follow));
      }
      const ways = {
        ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1],
        PageUp: [0, 10], PageDown: [0, -10], Home: [-Infinity, 0], End: [Infinity, 0],
      };
      point.addEventListener("keydown", (event) => {
        const way = ways[event.key];
        if (!way || event.ctrlKey || event.altKey || event.metaKey) return;
        event.preventDefault();
        const by = +point.dataset.grid * (event.shiftKey ? 10 : 1);
        move(point, state[point.dataset.point].map((value, k) => value + by * way[k]));
        stop();
        change();
      });
    }

    // Sliders and buttons.
    root.addEventListener("input", (event) => {
      stop();
      read(event.target);
      change();
    });
    const initial = {};
    const actions = {
      ...view.actions,
      reset: () => Object.assign(state, structuredClone(initial)),
      step: () => (state.step = Math.min(state.step + 1, view.last())),
      // Motion takes a second or two, however many steps there are; whoever wants none sees the end.
      play() {
        if (playing) return stop();
        const last = view.last();
        if (still.matches) return void (state.step = last);
        const from = state.step < last ? state.step : 0;
        const began = performance.now();
        const long = clamp((last - from) * 60, 400, 4000);
        const go = (now) => {
          const share = clamp((now - began) / long, 0, 1);
          state.step = Math.round(from + share * (last - from));
          write();
          redraw();
          playing = share < 1 ? requestAnimationFrame(go) : stop();
        };
        playing = requestAnimationFrame(go);
        button.textContent = "Stop";
      },
    };
    const button = root.querySelector('[data-action="play"]');
    const invitation = button.textContent;
    function stop() {
      cancelAnimationFrame(playing);
      playing = 0;
      button.textContent = invitation;
      return 0;
    }
    for (const pressed of root.querySelectorAll("button")) {
      pressed.addEventListener("click", () => {
        if (pressed.dataset.action !== "play") stop();
        actions[pressed.dataset.action]();
        write();
        change();
      });
    }

    inputs.forEach(read);
    Object.assign(initial, structuredClone(state));
    take(location.hash);
    addEventListener("hashchange", () => {
      take(location.hash);
      write();
      redraw();
    });
    write();
    redraw();
    root.dataset.ready = "";
    root.redraw = redraw;
  }

  Object.assign(globalThis.gdla, { explorable, plane, chart, draw, figure, count });
})();
