"use strict";
// Tables that sort by a click on a head, and long ones that show only rows with a text.
(() => {
  const LONG = 10;

  const valueOf = (row, column) => {
    const cell = row.cells[column];
    const text = cell.dataset.order ?? cell.textContent.trim();
    const number = Number(text.replace(/[\s\u00a0\u202f,.']/g, (each) => (cell.dataset.order ? each : "")));
    return text !== "" && !Number.isNaN(number) ? number : text;
  };

  const compare = (one, other) => {
    const numbers = [one, other].filter((each) => typeof each === "number").length;
    if (numbers === 2) return one - other;
    if (numbers === 1) return typeof one === "number" ? -1 : 1;
    return one.localeCompare(other, document.documentElement.lang, { numeric: true });
  };

  const sort = (table, heads, column) => {
    const ascending = heads[column].getAttribute("aria-sort") !== "ascending";
    heads.forEach((head) => head.removeAttribute("aria-sort"));
    heads[column].setAttribute("aria-sort", ascending ? "ascending" : "descending");
    const body = table.tBodies[0];
    const rows = [...body.rows].map((row) => [valueOf(row, column), row]);
    rows.sort(([one], [other]) => (ascending ? 1 : -1) * compare(one, other));
    body.append(...rows.map(([, row]) => row));
  };

  const startSorting = (table) => {
    const heads = [...table.tHead.rows[0].cells];
    heads.forEach((head, column) => {
      const button = document.createElement("button");
      button.type = "button";
      button.title = table.dataset.sort.replace("{}", head.textContent);
      button.append(...head.childNodes);
      head.append(button);
      button.addEventListener("click", () => sort(table, heads, column));
    });
  };

  const startFiltering = (table) => {
    const label = document.createElement("label");
    label.className = "filter";
    const field = document.createElement("input");
    field.type = "search";
    const none = document.createElement("p");
    none.setAttribute("role", "status");
    label.append(`${table.dataset.filter} `, field);
    table.parentElement.before(label);
    table.parentElement.after(none);
    field.addEventListener("input", () => {
      const wanted = field.value.trim().toLocaleLowerCase();
      const rows = [...table.tBodies[0].rows];
      for (const row of rows) row.hidden = !row.textContent.toLocaleLowerCase().includes(wanted);
      none.textContent = rows.every((row) => row.hidden) ? table.dataset.none : "";
    });
  };

  for (const table of document.querySelectorAll("table.sortable")) {
    const rows = table.tBodies[0].rows.length;
    if (rows > 1) startSorting(table);
    if (rows > LONG) startFiltering(table);
  }
})();
