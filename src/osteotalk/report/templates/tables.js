"use strict";
/* Sorting and filtering of tables. The page is complete without it. */
(function () {
  function value(row, index) {
    const cell = row.cells[index];
    return cell.dataset.sort !== undefined ? cell.dataset.sort : cell.textContent.trim();
  }
  function compare(a, b) {
    const x = Number(a), y = Number(b);
    if (a !== "" && b !== "" && !isNaN(x) && !isNaN(y)) return x - y;
    return a.localeCompare(b, "en", { numeric: true });
  }
  function sort(table, index, up) {
    const body = table.tBodies[0];
    const empty = (row) => row.cells[index].querySelector(".na") !== null;
    const rows = Array.from(body.rows).sort(function (a, b) {
      if (empty(a) !== empty(b)) return empty(a) ? 1 : -1;
      return (up ? 1 : -1) * compare(value(a, index), value(b, index));
    });
    rows.forEach((row) => body.appendChild(row));
  }
  document.querySelectorAll("table").forEach(function (table) {
    if (table.tBodies[0].rows.length < 2) return;
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
    function apply() {
      const rows = Array.from(table.tBodies[0].rows);
      const wanted = search.value.trim().toLowerCase();
      let shown = 0;
      rows.forEach(function (row) {
        const fits = selects.every(function (select) {
          return !select.value || row.dataset[select.dataset.key] === select.value;
        });
        row.hidden = !(fits && row.textContent.toLowerCase().includes(wanted));
        if (!row.hidden) shown += 1;
      });
      output.textContent = shown + " of " + rows.length + " rows shown";
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
