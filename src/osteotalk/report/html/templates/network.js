// The interactive network of a cohort: the edges of the static figures, by choice of the reader.
(function () {
  "use strict";

  const LIST = 10; // ordered pairs of populations in the table
  const DRAWN = 200; // arrows
  const BEST = 5; // ligand-receptor pairs in a note
  const VIEWS = { network: "Network", sankey: "Flow (Sankey)" };
  const SELECTS = ["population", "theme", "claim", "view"];
  const views = window.osteotalkViews;
  const plotly = new URL("plotly.min.js", document.currentScript.src).href;
  const count = (value) => Number(value).toLocaleString("en");
  const plural = (n, word) => count(n) + " " + word + (n === 1 ? "" : "s");
  const told = (edge) => edge.name + " (" + edge.active + " of " + edge.informative + ")";
  const share = (edge) => edge.active / edge.informative;
  const strongest = (edges) => [...edges].sort((a, b) => share(b) - share(a)).slice(0, BEST);

  function element(tag, properties, ...children) {
    const made = Object.assign(document.createElement(tag), properties);
    made.append(...children);
    return made;
  }

  function choice(label, options) {
    const select = element("select", {}, ...options.map(([value, text]) => new Option(text, value)));
    return { select, box: element("label", {}, label + " ", select) };
  }

  function buildControls(data, initial) {
    const people = data.populations.map((person) => [person.id, views.cut(person.label, 40)]);
    const population = choice("Population", [["", "all"], ...people]);
    const theme = choice("Theme", [["", "all edges"], ...data.themes.map(({ id }) => [id, "claims: " + id])]);
    const claim = choice("Claim", []);
    const view = choice("View", Object.entries(VIEWS));
    const routes = data.routes.map((name) => element("input", { type: "checkbox", name, checked: true }));
    const legend = element("legend", { textContent: "How the ligand gets there" });
    const boxes = routes.map((box) => element("label", {}, box, " " + box.name));
    const support = element("input", { type: "range", min: 0, max: data.supports.length - 1, step: 1, value: initial });
    const level = element("span", { className: "network-level" });
    const reset = element("button", { type: "button", textContent: "Show all again" });
    const least = element("label", {}, "Support of at least ", support, " ", level);
    const box = element("form", { className: "network-controls" }, population.box, theme.box, claim.box,
      view.box, least, element("fieldset", {}, legend, ...boxes), reset);
    box.addEventListener("submit", (event) => event.preventDefault());
    return { box, population: population.select, theme: theme.select, claim: claim.select, view: view.select,
      routes, support, level, reset };
  }

  function buildTable(body) {
    const heads = ["Source (ligand)", "Target (receptor)", "Edges", "Best pairs (active in patients)"];
    const row = element("tr", {}, ...heads.map((textContent) => element("th", { scope: "col", textContent })));
    const title = "The " + LIST + " source and target pairs of this choice with most edges.";
    const caption = element("caption", {}, element("span", { textContent: title }));
    const table = element("table", {}, caption, element("thead", {}, row), body);
    const box = element("div", { className: "scroll", tabIndex: 0 }, table);
    box.setAttribute("role", "region");
    box.setAttribute("aria-label", title);
    return box;
  }

  function start(host) {
    const data = JSON.parse(host.querySelector("script[type='application/json']").textContent);
    const people = data.populations;
    const section = host.closest("section");
    const anchor = section && section.id ? section.id : host.id;
    const initial = Math.max(data.supports.indexOf(data.min_support), 0);
    const controls = buildControls(data, initial);
    const dark = window.matchMedia("(prefers-color-scheme: dark)");
    const plot = element("div", { className: "network-plot" });
    const words = element("output", { className: "network-words" });
    const body = element("tbody");
    const way = (flow) => people[flow.source].label + " to " + people[flow.target].label;
    let drawn = "";
    let width = 0;
    plot.setAttribute("role", "figure");
    words.setAttribute("aria-live", "polite");
    host.append(controls.box, words, plot, buildTable(body));
    host.hidden = false;
    controls.theme.addEventListener("change", () => offer(""));
    controls.box.addEventListener("input", (event) => event.target !== controls.theme && changed());
    controls.theme.addEventListener("change", changed);
    controls.reset.addEventListener("click", () => {
      restore(new URLSearchParams());
      changed();
    });
    window.addEventListener("hashchange", () => read() && update());
    dark.addEventListener("change", draw);
    restore(new URLSearchParams());
    read();
    update();
    new ResizeObserver(() => plot.clientWidth !== width && draw()).observe(plot);
    // Plotly is large: it is fetched when the drawing comes near the view, so that the page opens sooner.
    new IntersectionObserver((seen, observer) => {
      if (!seen.some((entry) => entry.isIntersecting)) return;
      observer.disconnect();
      const script = element("script", { src: plotly });
      script.addEventListener("load", draw);
      script.addEventListener("error", () => plot.append("assets/plotly.min.js is missing, so nothing is drawn here."));
      document.head.append(script);
    }, { rootMargin: "400px" }).observe(plot);

    // Offer the claims of the chosen theme.
    function offer(chosen) {
      const theme = controls.theme.value;
      const own = data.claims.filter((claim) => !theme || claim.theme === theme);
      const options = own.map(({ id, label }) => new Option(id + ": " + views.cut(label, 70), id));
      controls.claim.replaceChildren(new Option("any", ""), ...options);
      controls.claim.value = own.some(({ id }) => id === chosen) ? chosen : "";
    }

    function changed() {
      update();
      const query = new URLSearchParams();
      for (const name of SELECTS) {
        const { value } = controls[name];
        if (value && value !== "network") query.set(name, value);
      }
      const on = controls.routes.filter((box) => box.checked).map((box) => box.name);
      if (Number(controls.support.value) !== initial) query.set("support", data.supports[controls.support.value]);
      if (on.length < data.routes.length) query.set("routes", on.join(","));
      const text = query.toString();
      history.replaceState(null, "", "#" + anchor + (text ? "?" + text : ""));
    }

    // Take the state from the address; false if that names another part of the page.
    function read() {
      const [place, query] = location.hash.slice(1).split("?");
      const ours = place === anchor || place === host.id;
      if (ours) restore(new URLSearchParams(query));
      if (ours && query !== undefined) (section || host).scrollIntoView();
      return ours;
    }

    function restore(query) {
      for (const name of ["population", "theme", "view"]) {
        const options = [...controls[name].options].map((option) => option.value);
        controls[name].value = options.includes(query.get(name)) ? query.get(name) : options[0];
      }
      offer(query.get("claim"));
      const least = query.has("support") ? Number(query.get("support")) : NaN;
      const at = data.supports.findIndex((bound) => bound >= least);
      controls.support.value = at < 0 ? initial : at;
      const on = query.has("routes") ? query.get("routes").split(",") : data.routes;
      for (const box of controls.routes) box.checked = on.includes(box.name);
    }

    // Ordered pairs of populations with at least one edge of the choice, the most edges first.
    function chosen() {
      const [theme, id] = [controls.theme.value, controls.claim.value];
      const focus = people.findIndex((person) => person.id === controls.population.value);
      const level = Number(controls.support.value);
      const open = controls.routes.map((box) => box.checked);
      const stated = data.claims.filter((claim) => (id ? claim.id === id : claim.theme === theme));
      const part = id ? stated[0] : data.themes.find((one) => theme && one.id === theme);
      const flows = new Map();
      for (const [source, target, route, lowest, ...counts] of part ? part.rows : data.rows) {
        const edges = counts.slice(Math.max(level - lowest, 0)).reduce((sum, n) => sum + n, 0);
        if (!edges || !open[route] || (focus >= 0 && source !== focus && target !== focus)) continue;
        const key = source + ">" + target;
        if (!flows.has(key)) flows.set(key, { source, target, edges: 0, best: [] });
        flows.get(key).edges += edges;
      }
      for (const [source, target, pair, active, informative] of part ? listed(stated) : data.best) {
        const flow = flows.get(source + ">" + target);
        const [ligand, receptor, route] = data.pairs[pair];
        const edge = { name: ligand + "–" + receptor, active, informative };
        if (flow && open[route] && share(edge) >= data.supports[level]) flow.best.push(edge);
      }
      const order = (a, b) => b.edges - a.edges || a.source - b.source || a.target - b.target;
      const found = [...flows.values()].sort(order);
      for (const flow of found) flow.best = strongest(flow.best);
      return { found, focus, claim: id ? stated[0] : null };
    }

    // Edges of several claims, each once.
    function listed(claims) {
      const edges = claims.flatMap((claim) => claim.edges);
      return [...new Map(edges.map((edge) => [edge.slice(0, 3).join(), edge])).values()];
    }

    function sentence({ found, claim }) {
      const touched = new Set(found.flatMap((flow) => [flow.source, flow.target])).size;
      const edges = plural(views.total(found), "edge");
      let text = "No edge fits this choice: lower the support, or choose more.";
      if (touched === 1) text = edges + " within " + people[found[0].source].label + ".";
      if (touched > 1) {
        const most = way(found[0]) + ", " + count(found[0].edges);
        text = edges + " between " + plural(touched, "population") + "; most: " + most + ".";
      }
      if (found.length > DRAWN && controls.view.value === "network") {
        text += " Drawn are the " + DRAWN + " of " + count(found.length) + " arrows with most edges.";
      }
      if (claim && claim.few) {
        text += " Left out for too few informative patients: " + plural(claim.few, "edge") + " of the claim.";
      }
      if (claim && claim.more) text += " Counted, but not named among the best: " + plural(claim.more, "edge") + ".";
      return text;
    }

    function tableRow(flow) {
      const cells = [people[flow.target].label, count(flow.edges), flow.best.map(told).join("; ") || "–"];
      const made = cells.map((textContent, at) => element("td", { textContent, className: at === 1 ? "n" : "" }));
      return element("tr", {}, element("th", { scope: "row", textContent: people[flow.source].label }), ...made);
    }

    function update() {
      const now = chosen();
      const level = data.supports[controls.support.value];
      const percent = Math.round(1000 * level) / 10 + "% of informative patients";
      words.textContent = sentence(now);
      plot.setAttribute("aria-label", VIEWS[controls.view.value] + ". " + words.textContent);
      controls.level.textContent = level > 0 ? percent : "one patient";
      controls.support.setAttribute("aria-valuetext", controls.level.textContent);
      body.replaceChildren(...now.found.slice(0, LIST).map(tableRow));
      draw();
    }

    function note(flow) {
      return [way(flow), plural(flow.edges, "edge"), ...flow.best.map(told)].map(views.plain).join("<br>");
    }

    function nodeNote(at, found) {
      const [out, into] = ["source", "target"].map((end) => found.filter((flow) => flow[end] === at));
      const named = (flow) => flow.best.map((edge) => ({ ...edge, name: edge.name + ", " + way(flow) }));
      const best = strongest([...new Set([...out, ...into])].flatMap(named)).slice(0, 3);
      return [people[at].label, plural(people[at].cells, "cell"),
        plural(views.total(out), "edge") + " sent, " + count(views.total(into)) + " received",
        ...best.map(told), "Click to choose this population"].map(views.plain).join("<br>");
    }

    function draw() {
      if (!window.Plotly) return;
      const { found, focus } = chosen();
      const view = controls.view.value;
      const style = getComputedStyle(host);
      width = plot.clientWidth;
      const ink = style.getPropertyValue("--text").trim() || style.color;
      const paper = style.getPropertyValue("--card").trim() || "#ffffff";
      const look = { ink, narrow: width < 600, tint: dark.matches ? 0.3 : 0 };
      const shown = view === "network" ? found.slice(0, DRAWN) : found;
      const notes = { note, nodeNote: (at) => nodeNote(at, found) };
      const made = views[view]({ people, found: shown, focus, width, look, ...notes });
      const layout = {
        width, height: made.height, margin: { l: 0, r: 0, t: 0, b: 0 }, showlegend: false,
        paper_bgcolor: paper, plot_bgcolor: paper, hovermode: "closest", dragmode: false,
        font: { color: ink, family: style.fontFamily, size: look.narrow ? 10 : 12 },
        hoverlabel: { align: "left", bgcolor: paper, bordercolor: ink, font: { color: ink } }, ...made.layout,
      };
      const image = { format: "svg", filename: anchor + "_" + view };
      const config = { displaylogo: false, responsive: true, displayModeBar: true,
        modeBarButtons: [["toImage"]], toImageButtonOptions: image };
      // Stays with the picture when it is saved.
      const stamp = { text: data.stamp, x: 0, y: 0, xref: "paper", yref: "paper", xanchor: "left",
        yanchor: "bottom", showarrow: false, font: { color: dark.matches ? "#ff9db5" : "#8a1538", size: 12 } };
      if (data.stamp) layout.annotations = [...(layout.annotations || []), stamp];
      const fresh = drawn !== view;
      if (fresh && drawn) Plotly.purge(plot);
      drawn = view;
      Plotly[fresh ? "newPlot" : "react"](plot, made.traces, layout, config);
      if (fresh) plot.on("plotly_click", (event) => pick(event.points[0]));
      // The sentence and the table say what it shows.
      for (const drawing of plot.querySelectorAll("svg.main-svg")) drawing.setAttribute("aria-hidden", "true");
    }

    // Choose the population of a node, or all again if it was chosen.
    function pick({ customdata, data: trace }) {
      if (customdata === undefined || (trace && trace.name === "edges")) return;
      const person = people[typeof customdata === "object" ? customdata.at : customdata];
      if (!person) return;
      controls.population.value = controls.population.value === person.id ? "" : person.id;
      changed();
    }
  }

  if (views) document.querySelectorAll(".interactive[data-kind='network']").forEach(start);
})();
