// The two drawings of the interactive network, as traces and layout for plotly.
window.osteotalkViews = (function () {
  "use strict";

  const GAP = 7; // pixels between the bars of a flow
  const LABEL = 16; // pixels from label to label
  const cut = (text, width) => (text.length <= width ? text : text.slice(0, width - 1).trimEnd() + "…");
  // Plotly reads tags and entities in its texts.
  const plain = (text) => text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
  const channels = (colour) => [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16));
  const lighter = (colour, share) => "rgb(" + channels(colour).map((c) => Math.round(c + (255 - c) * share)) + ")";
  const of = (list, key) => list.map((item) => item[key]);
  const total = (flows) => flows.reduce((sum, flow) => sum + flow.edges, 0);

  // A bow from rim to rim that turns inwards and to the right.
  function curve(from, to) {
    const middle = [
      (from.x + to.x) * 0.3 + (to.y - from.y) * 0.1,
      (from.y + to.y) * 0.3 - (to.x - from.x) * 0.1,
    ];
    const rim = (node) => {
      const [dx, dy] = [middle[0] - node.x, middle[1] - node.y];
      const share = node.radius / (Math.hypot(dx, dy) || 1);
      return [node.x + share * dx, node.y + share * dy];
    };
    const points = [rim(from), middle, rim(to)];
    const mix = (...weights) =>
      [0, 1].map((axis) => points.reduce((sum, point, at) => sum + point[axis] * weights[at], 0));
    const text = points.map((point) => point.map((value) => value.toFixed(1)).join(","));
    return {
      path: "M" + text[0] + " Q" + text[1] + " " + text[2],
      point: (t) => mix((1 - t) ** 2, 2 * t * (1 - t), t * t),
      slope: (t) => mix(2 * t - 2, 2 - 4 * t, 2 * t),
    };
  }

  // Places of the populations in pixels from the middle, so that arrows end at the rims.
  function places(people, across, up, largest) {
    const most = Math.max(...of(people, "cells"), 1);
    return people.map((person, at) => {
      const angle = Math.PI / 2 - (2 * Math.PI * at) / people.length;
      const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
      const radius = Math.max(3.5, largest * Math.sqrt(person.cells / most));
      return { x: across * cos, y: up * sin, cos, sin, radius };
    });
  }

  // Lines, arrow heads and the spots that tell what an arrow is.
  function strokes(found, people, nodes, look, note) {
    const top = found.length ? found[0].edges : 1;
    const shapes = [];
    const arrows = [];
    const spots = [];
    for (const flow of [...found].reverse()) {
      const share = flow.edges / top;
      const color = lighter(people[flow.source].colour, look.tint);
      // Opacity in the colour: as a layer of its own each line darkens what it lies on a little.
      const clear = color.replace("rgb(", "rgba(").replace(")", "," + (0.3 + 0.6 * share).toFixed(2) + ")");
      const line = { color: clear, width: 0.7 + (look.narrow ? 4 : 6) * share };
      const stroke = { line, layer: "below" };
      const [from, to] = [nodes[flow.source], nodes[flow.target]];
      const spot = (x, y) => spots.push({ x, y, text: note(flow) });
      if (from === to) {
        // a ring outside of the node
        const size = look.narrow ? 7 : 11;
        const [x, y] = ["cos", "sin"].map((part, at) => [from.x, from.y][at] + from[part] * (from.radius + size - 2));
        shapes.push({ type: "circle", x0: x - size, x1: x + size, y0: y - size, y1: y + size, ...stroke });
        spot(x + from.cos * size, y + from.sin * size);
        continue;
      }
      const bow = curve(from, to);
      shapes.push({ type: "path", path: bow.path, ...stroke });
      for (const at of [0.3, 0.45, 0.6, 0.75]) spot(...bow.point(at));
      const [[x, y], [dx, dy]] = [bow.point(0.6), bow.slope(0.6)];
      arrows.push({ x, y, angle: (Math.atan2(dx, dy) * 180) / Math.PI, size: 5 + line.width, color });
    }
    return { shapes, arrows, spots };
  }

  // Places of labels from the top, each at least so far from the last and none beyond the ends.
  function spread(wanted, gap, reach) {
    const at = [];
    for (const y of wanted) at.push(Math.min(y, at.length ? at[at.length - 1] - gap : reach));
    return at.map((y, i) => Math.max(y, (at.length - 1 - i) * gap - reach));
  }

  // Ends of the lines to the labels, outside of the circle: the right half, then the left one.
  function labelled(nodes, across, up, gap) {
    const half = Math.ceil(nodes.length / 2);
    const order = nodes.map((_, at) => at);
    const ends = [];
    for (const [side, members] of [[1, order.slice(0, half)], [-1, order.slice(half).reverse()]]) {
      const levels = spread(members.map((at) => up * nodes[at].sin), gap, up);
      members.forEach((at, i) => {
        const x = side * Math.max(across * Math.sqrt(Math.max(1 - (levels[i] / up) ** 2, 0)), 4);
        ends[at] = { x, y: levels[i], side: side > 0 ? "middle right" : "middle left" };
      });
    }
    return ends;
  }

  function network({ people, found, focus, width, look, note, nodeNote }) {
    const room = LABEL * Math.ceil(people.length / 2) + 60;
    const height = Math.max(room, look.narrow ? 380 : Math.min(720, Math.max(480, width * 0.6)));
    const across = Math.max(Math.min(width / 2 - (look.narrow ? 104 : 210), 400), 60);
    const up = height / 2 - (look.narrow ? 56 : 78); // room for the labels above and below
    const nodes = places(people, across, up, look.narrow ? 11 : 20);
    const { shapes, arrows, spots } = strokes(found, people, nodes, look, note);
    const touched = new Set(found.flatMap((flow) => [flow.source, flow.target]));
    const away = look.narrow ? 31 : 50; // of the labels from the circle
    const ends = labelled(nodes, across + away, up + away, LABEL);
    for (const [at, end] of ends.entries()) {
      const line = { color: look.ink, width: 0.4 };
      shapes.push({ type: "line", x0: nodes[at].x, y0: nodes[at].y, x1: end.x, y1: end.y, line, layer: "below" });
    }
    const heads = { symbol: "triangle-up", angle: of(arrows, "angle"), size: of(arrows, "size"),
      color: of(arrows, "color") };
    const marker = {
      size: nodes.map((node) => 2 * node.radius),
      color: people.map((person) => lighter(person.colour, look.tint)),
      opacity: people.map((_, at) => (touched.has(at) || !found.length ? 1 : 0.35)),
      line: { color: look.ink, width: people.map((_, at) => (at === focus ? 3 : 0.8)) },
    };
    const traces = [
      { name: "arrows", mode: "markers", x: of(arrows, "x"), y: of(arrows, "y"), hoverinfo: "skip",
        marker: { ...heads, opacity: 0.9, line: { width: 0 } } },
      { name: "edges", mode: "markers", x: of(spots, "x"), y: of(spots, "y"), hovertext: of(spots, "text"),
        hoverinfo: "text", marker: { size: 9, opacity: 0 } },
      { name: "nodes", mode: "markers", x: of(nodes, "x"), y: of(nodes, "y"), hoverinfo: "text",
        hovertext: people.map((_, at) => nodeNote(at)), customdata: people.map((_, at) => at), marker },
      { name: "labels", mode: "text", hoverinfo: "skip", textposition: of(ends, "side"),
        x: of(ends, "x"), y: of(ends, "y"),
        text: people.map((person) => plain(cut(person.label, look.narrow ? 13 : 28))) },
    ].map((trace) => ({ type: "scatter", cliponaxis: false, ...trace }));
    const axis = (reach) => ({ visible: false, fixedrange: true, range: [-reach, reach] });
    return { traces, height, layout: { shapes, xaxis: axis(width / 2), yaxis: axis(height / 2) } };
  }

  // Middles of the bars of one side from the top, so that they keep the order of the populations.
  function middles(list, end, found, scale, gap) {
    let top = 0;
    return list.map((at) => {
      const size = scale * total(found.filter((flow) => flow[end] === at));
      top += size + gap;
      return top - gap - size / 2;
    });
  }

  function sankey({ people, found, look, note, nodeNote }) {
    const used = (end) => [...new Set(of(found, end))].sort((a, b) => a - b);
    const [sources, targets] = [used("source"), used("target")];
    const all = [...sources, ...targets];
    const most = Math.max(sources.length, targets.length, 1);
    const height = Math.max(350, 30 * most + 50);
    const margin = { l: 16, r: 16, t: 34, b: 12 };
    const inner = height - margin.t - margin.b;
    const scale = (inner - GAP * (most - 1)) / (Math.max(total(found), 1) * inner);
    const side = (list, end) => middles(list, end, found, scale, GAP / inner);
    const node = {
      label: all.map((at) => plain(cut(people[at].label, look.narrow ? 14 : 32))),
      color: all.map((at) => lighter(people[at].colour, look.tint)),
      customdata: all.map((at) => ({ at, note: nodeNote(at) })),
      hovertemplate: "%{customdata.note}<extra></extra>",
      x: all.map((_, at) => (at < sources.length ? 0.001 : 0.999)),
      y: [...side(sources, "source"), ...side(targets, "target")],
      pad: GAP, thickness: 14, line: { width: 0.5, color: look.ink },
    };
    const link = {
      source: found.map((flow) => sources.indexOf(flow.source)),
      target: found.map((flow) => sources.length + targets.indexOf(flow.target)),
      value: of(found, "edges"),
      color: found.map((flow) => "rgba(" + channels(people[flow.source].colour) + ",0.45)"),
      customdata: found.map(note),
      hovertemplate: "%{customdata}<extra></extra>",
    };
    const annotations = ["ligand from", "receptor on"].map((text, x) =>
      ({ text, x, y: 1, yshift: 24, xshift: -30 * x, showarrow: false, xanchor: x ? "right" : "left" }));
    const traces = [{ type: "sankey", arrangement: "fixed", node, link }];
    return { traces, height, layout: { annotations, margin } };
  }

  return { network, sankey, plain, cut, total };
})();
