"use strict";
// The switch of the network, and the explorer: heat maps and surfaces on a canvas. No library: a height field of some
// hundred cells needs neither WebGL nor megabytes, and the page opens where neither is to be had.
(() => {
  const root = document.documentElement;
  const one = (selector) => document.querySelector(selector);
  const all = (selector) => [...document.querySelectorAll(selector)];
  const names = all("input[name=network]").map((input) => input.value);

  // --- the switch ---------------------------------------------------------------------------------------------------

  let network = names.find((name) => name !== "*");
  function choose(name) {
    for (const input of all("input[name=network]")) input.checked = input.value === name;
    for (const part of all("[data-network]")) part.hidden = name !== "*" && part.dataset.network !== name;
    for (const row of all("tr[data-of]")) row.classList.toggle("chosen", row.dataset.of === name);
    if (name !== "*") network = name;
    root.dataset.shown = name;
    draw();
  }
  function follow() { // a link to a part of a network that is not shown
    const target = location.hash.length > 1 && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    const part = target && target.closest("[data-network]");
    if (part && part.hidden) { choose(part.dataset.network); target.scrollIntoView(); }
  }
  for (const input of all("input[name=network]")) input.addEventListener("change", () => choose(input.value));
  addEventListener("hashchange", follow);

  // --- the explorer -------------------------------------------------------------------------------------------------

  const data = JSON.parse(one("#maps").textContent);
  const canvas = one("#explorer canvas"), tip = one("#explorer output"), context = canvas.getContext("2d");
  const pick = (name) => one(`#explorer [name=${name}]`).value;
  const view = { turn: -0.65, tilt: 0.5 };
  let points = []; // of what is drawn: x, y in CSS pixels, radius, and the text to show there

  function written(value) {
    if (value === 0) return "0";
    const size = Math.abs(value);
    return size >= 0.01 && size < 1e4 ? String(Number(value.toPrecision(3))).replace("-", "−")
      : value.toExponential(1).replace("e+", "e").replace("-", "−");
  }

  function draw() {
    const width = canvas.clientWidth, height = canvas.clientHeight, sharp = devicePixelRatio || 1;
    if (!width) return; // not laid out
    canvas.width = width * sharp;
    canvas.height = height * sharp;
    context.setTransform(sharp, 0, 0, sharp, 0, 0);
    context.clearRect(0, 0, width, height);
    context.font = "13px system-ui, sans-serif";
    tip.hidden = true;
    const map = data.networks[network][pick("pair")], means = map[pick("quantity")], log = pick("scale") === "log";
    const known = means.flat().filter((value) => value !== null && (value > 0 || !log));
    const low = log ? Math.min(...known) : 0, high = Math.max(...known);
    const level = (value) => (log ? Math.log(value / low) / (Math.log(high / low) || 1) : value / (high || 1));
    const colour = (share) => data.colours[Math.round(Math.min(Math.max(share, 0), 1) * (data.colours.length - 1))];
    const scene = { map, means, level, colour, log, titles: data.pairs[pick("pair")], width, height };
    points = [];
    one("#explorer figcaption b").textContent = `Network ${network}`;
    (pick("view") === "map" ? drawMap : drawSurface)(scene);
    drawScale(scene, low, high);
  }

  const shown = (value, log) => value !== null && (value > 0 || !log);

  function describe({ titles, map, means }, i, j) {
    const count = map.count[i][j];
    return `${titles[0]} ${written(map.first[i])}, ${titles[1]} ${written(map.second[i][j])}: ` +
      `mean SSE ${written(means[i][j])} of ${count} sample${count === 1 ? "" : "s"}`;
  }

  function drawScale({ colour, width, height, log }, low, high) {
    const x = width - 64, top = 30, size = height - 90;
    for (let k = 0; k < size; k++) {
      context.fillStyle = colour(1 - k / size);
      context.fillRect(x, top + k, 12, 1.5);
    }
    context.fillStyle = "#1d2125";
    context.textAlign = "left";
    for (const share of [0, 0.5, 1]) {
      const value = log ? low * (high / low) ** share : high * share;
      context.fillText(written(value), x + 16, top + (1 - share) * size + 4);
    }
  }

  const between = (values) => {
    if (values.length === 1) return [values[0] - 0.5, values[0] + 0.5];
    const middle = values.slice(1).map((value, i) => (value + values[i]) / 2);
    return [2 * values[0] - middle[0], ...middle, 2 * values.at(-1) - middle.at(-1)];
  };

  function drawMap(scene) {
    const { map, means, level, colour, log, titles, width, height } = scene;
    const left = 64, right = width - 84, top = 16, bottom = height - 48;
    const columns = between(map.first), rows = map.second.map(between);
    const low = Math.min(...rows.flat()), high = Math.max(...rows.flat());
    const x = (value) => left + ((value - columns[0]) / (columns.at(-1) - columns[0])) * (right - left);
    const y = (value) => bottom - ((value - low) / (high - low)) * (bottom - top);
    means.forEach((column, i) => column.forEach((mean, j) => {
      if (!shown(mean, log)) return;
      const x0 = x(columns[i]), x1 = x(columns[i + 1]), y0 = y(rows[i][j]), y1 = y(rows[i][j + 1]);
      context.fillStyle = colour(level(mean));
      context.fillRect(x0, y1, x1 - x0 + 0.5, y0 - y1 + 0.5);
      points.push({ x: (x0 + x1) / 2, y: (y0 + y1) / 2, box: [x0, y1, x1, y0], text: describe(scene, i, j) });
    }));
    context.strokeStyle = context.fillStyle = "#4a4a4a";
    context.strokeRect(left, top, right - left, bottom - top);
    context.textAlign = "center";
    const first = map.first, last = first.length - 1;
    for (const i of new Set([0, Math.round(last / 2), last])) context.fillText(written(first[i]), x(first[i]), bottom + 18);
    context.fillText(titles[0], (left + right) / 2, bottom + 38);
    context.textAlign = "right";
    const inner = map.second.flat(), ends = [Math.min(...inner), Math.max(...inner)];
    for (const value of [ends[0], (ends[0] + ends[1]) / 2, ends[1]]) context.fillText(written(value), left - 6, y(value) + 4);
    context.save();
    context.translate(14, (top + bottom) / 2);
    context.rotate(-Math.PI / 2);
    context.textAlign = "center";
    context.fillText(titles[1], 0, 0);
    context.restore();
  }

  function drawSurface(scene) {
    const { map, means, level, colour, log, titles, width, height } = scene;
    const size = 0.62 * Math.min(width - 70, 1.25 * height), middle = [(width - 60) / 2, 0.47 * height];
    const ends = (values) => [Math.min(...values), Math.max(...values)];
    const [a0, a1] = ends(map.first), [b0, b1] = ends(map.second.flat());
    const unit = (value, from, to) => (to > from ? (value - from) / (to - from) - 0.5 : 0);
    // turned about the vertical axis, then tilted towards the reader; depth grows away from the reader
    function project(u, v, w) {
      const p = u * Math.cos(view.turn) - v * Math.sin(view.turn), q = u * Math.sin(view.turn) + v * Math.cos(view.turn);
      const h = 0.62 * (w - 0.5);
      return { x: middle[0] + size * p, y: middle[1] - size * (h * Math.cos(view.tilt) + q * Math.sin(view.tilt)),
        depth: q * Math.cos(view.tilt) - h * Math.sin(view.tilt) };
    }
    const corner = (i, j) => {
      const mean = means[i][j];
      if (!shown(mean, log)) return null;
      const share = level(mean);
      return { ...project(unit(map.first[i], a0, a1), unit(map.second[i][j], b0, b1), share), share, i, j };
    };
    const grid = means.map((column, i) => column.map((_, j) => corner(i, j)));
    context.strokeStyle = "#c4c4c4";
    const path = (ring) => {
      context.beginPath();
      ring.forEach(({ x, y }, k) => (k ? context.lineTo(x, y) : context.moveTo(x, y)));
      context.closePath();
    };
    path([[-0.5, -0.5], [0.5, -0.5], [0.5, 0.5], [-0.5, 0.5]].map(([u, v]) => project(u, v, 0)));
    context.stroke();
    const cells = [];
    for (let i = 0; i + 1 < grid.length; i++) {
      for (let j = 0; j + 1 < grid[i].length; j++) {
        const ring = [grid[i][j], grid[i + 1][j], grid[i + 1][j + 1], grid[i][j + 1]];
        if (ring.every(Boolean)) cells.push({ ring, depth: ring.reduce((sum, point) => sum + point.depth, 0) });
      }
    }
    cells.sort((one, other) => other.depth - one.depth); // far ones first
    context.lineWidth = 0.5;
    for (const { ring } of cells) {
      path(ring);
      context.fillStyle = colour(ring.reduce((sum, point) => sum + point.share, 0) / 4);
      context.strokeStyle = "rgba(255,255,255,0.35)";
      context.fill();
      context.stroke();
    }
    context.lineWidth = 1;
    for (const point of grid.flat().filter(Boolean)) {
      if (!cells.length) { // a single value of a parameter spans no surface
        context.fillStyle = colour(point.share);
        context.fillRect(point.x - 3, point.y - 3, 6, 6);
      }
      points.push({ ...point, text: describe(scene, point.i, point.j) });
    }
    // each axis is labelled at the floor edge that is nearer to the reader
    context.fillStyle = "#4a4a4a";
    context.textAlign = "center";
    const near = (one, other) => (one.depth < other.depth ? one : other);
    const edge = (place) => near(place(-0.62), place(0.62));
    const label = (text, { x, y }) => context.fillText(text, x, y + 5);
    label(titles[0], edge((side) => project(0, side * 1.22, 0)));
    label(titles[1], edge((side) => project(side * 1.22, 0, 0)));
    for (const end of [-0.5, 0.5]) {
      label(written(end < 0 ? a0 : a1), edge((side) => project(0.9 * end, side, 0)));
      label(written(end < 0 ? b0 : b1), edge((side) => project(side, 0.9 * end, 0)));
    }
  }

  function point(event) {
    const frame = canvas.getBoundingClientRect(), x = event.clientX - frame.left, y = event.clientY - frame.top;
    const inside = points.find(({ box }) => box && x >= box[0] && x < box[2] && y >= box[1] && y < box[3]);
    const far = (candidate) => Math.hypot(candidate.x - x, candidate.y - y);
    const found = inside || points.filter(({ box }) => !box).reduce(
      (best, candidate) => (far(candidate) < Math.min(16, best ? far(best) : Infinity) ? candidate : best), undefined);
    tip.hidden = !found;
    if (!found) return;
    tip.textContent = found.text;
    const room = canvas.clientWidth - tip.offsetWidth;
    tip.style.left = `${canvas.offsetLeft + Math.max(0, Math.min(found.x - tip.offsetWidth / 2, room))}px`;
    tip.style.top = `${canvas.offsetTop + found.y + (found.y > 60 ? -44 : 14)}px`;
  }

  function turn(dx, dy) {
    view.turn -= dx;
    view.tilt = Math.min(Math.max(view.tilt + dy, 0), Math.PI / 2);
    draw();
  }
  canvas.addEventListener("pointermove", (event) => {
    if (event.buttons && pick("view") === "surface") turn(event.movementX / 150, event.movementY / 150);
    else point(event);
  });
  canvas.addEventListener("pointerdown", (event) => { canvas.setPointerCapture(event.pointerId); point(event); });
  canvas.addEventListener("pointerleave", () => { tip.hidden = true; });
  canvas.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: [-0.1, 0], ArrowRight: [0.1, 0], ArrowUp: [0, -0.1], ArrowDown: [0, 0.1] }[event.key];
    if (step && pick("view") === "surface") { turn(...step); event.preventDefault(); }
  });
  one("#explorer form").addEventListener("change", draw);
  new ResizeObserver(draw).observe(canvas);

  root.classList.add("live");
  choose(network);
  follow();
})();
