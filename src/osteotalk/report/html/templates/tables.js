"use strict";
/* Sorting, filtering and grouping of tables. The page is complete without it. */
(function () {
  function lines(table) {
    return Array.from(table.tBodies).flatMap((body) => Array.from(body.rows))
      .filter((row) => !row.classList.contains("group"));
  }
  function value(row, index) {
    const cell = row.cells[index];
    return cell.dataset.sort !== undefined ? cell.dataset.sort : cell.textContent.trim();
  }
  function compare(a, b) {
    const x = Number(a), y = Number(b);
    if (a !== "" && b !== "" && !isNaN(x) && !isNaN(y)) return x - y;
    return a.localeCompare(b, "en", { numeric: true });
  }
  /* A group's title is shown while a row stands under it. */
  function titles(table) {
    Array.from(table.tBodies).forEach(function (body) {
      const title = body.querySelector("tr.group");
      if (title) title.hidden = !Array.from(body.rows).some((row) => row !== title && !row.hidden);
    });
  }
  function sort(table, index, up) {
    const empty = (row) => row.cells[index].querySelector(".na") !== null;
    const rows = lines(table).sort(function (a, b) {
      if (empty(a) !== empty(b)) return empty(a) ? 1 : -1;
      return (up ? 1 : -1) * compare(value(a, index), value(b, index));
    });
    const body = table.tBodies[table.tBodies.length - 1];
    rows.forEach((row) => body.appendChild(row));
    const last = body.querySelector("tr.group");
    titles(table);
    if (last) last.hidden = true;
  }
  document.querySelectorAll("table").forEach(function (table) {
    if (lines(table).length < 2) return;
    Array.from(table.tHead.rows[0].cells).forEach(function (head, index, heads) {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = head.textContent;
      head.textContent = "";
      head.appendChild(button);
      button.addEventListener("click", function () {
        const up = head.getAttribute("aria-sort") !== "ascending";
        heads.forEach((other) => other.removeAttribute("aria-sort"));
        head.setAttribute("aria-sort", up ? "ascending" : "descending");
        sort(table, index, up);
      });
    });
  });
  document.querySelectorAll(".tools").forEach(function (tools) {
    const table = document.getElementById(tools.dataset.for);
    const search = tools.querySelector("input");
    const selects = Array.from(tools.querySelectorAll("select"));
    const output = tools.querySelector("output");
    const home = lines(table).map((row) => [row, row.parentNode]);
    const regroup = tools.querySelector("[data-regroup]");
    function apply() {
      const wanted = search.value.trim().toLowerCase();
      let shown = 0;
      home.forEach(function ([row]) {
        const fits = selects.every(function (select) {
          return !select.value || row.dataset[select.dataset.key] === select.value;
        });
        row.hidden = !(fits && row.textContent.toLowerCase().includes(wanted));
        if (!row.hidden) shown += 1;
      });
      const sorted = table.querySelector("[aria-sort]") !== null;
      titles(table);
      if (sorted) table.querySelectorAll("tr.group").forEach((title) => (title.hidden = true));
      output.textContent = shown + " of " + home.length + " rows shown";
    }
    if (regroup) {
      regroup.addEventListener("click", function () {
        home.forEach(([row, body]) => body.appendChild(row));
        table.querySelectorAll("[aria-sort]").forEach((head) => head.removeAttribute("aria-sort"));
        apply();
      });
    }
    tools.hidden = false;
    tools.addEventListener("input", apply);
    apply();
  });
  window.addEventListener("beforeprint", function () {
    document.querySelectorAll("details").forEach((block) => (block.open = true));
  });
  function reveal() {
    const target = location.hash ? document.getElementById(location.hash.slice(1)) : null;
    const block = target && target.querySelector(":scope > details");
    if (block) block.open = true;
  }
  window.addEventListener("hashchange", reveal);
  reveal();
})();
