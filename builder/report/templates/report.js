"use strict";
// Filters, sorting and ages. Everything is readable without this script: it only hides, orders and adds controls.
const make = (name, properties, ...children) => {
  const element = Object.assign(document.createElement(name), properties);
  element.append(...children);
  return element;
};
const labelled = (text, control) => make("label", {}, text + " ", control);
const choices = (name, values) =>
  make("select", { name }, make("option", { value: "", textContent: "all" }), ...values.map((value) => make("option", { value, textContent: value })));

const cellText = (row, index) => (row.cells[index].firstChild?.textContent ?? "").trim();
const distinct = (values) => [...new Set(values)].filter(Boolean).sort();

for (const table of document.querySelectorAll("table.rows")) {
  const body = table.tBodies[0];
  const rows = [...body.rows];
  const headers = [...table.tHead.rows[0].cells];
  headers.forEach((header, index) => {
    const button = make("button", { type: "button", textContent: header.textContent });
    button.addEventListener("click", () => {
      const down = header.getAttribute("aria-sort") === "ascending";
      headers.forEach((other) => other.removeAttribute("aria-sort"));
      header.setAttribute("aria-sort", down ? "descending" : "ascending");
      const key = (row) => row.cells[index].dataset.v;
      const order = (a, b) => key(a) === undefined ? cellText(a, index).localeCompare(cellText(b, index), "en", { numeric: true }) : key(a) - key(b);
      body.append(...rows.toSorted((a, b) => (down ? -1 : 1) * order(a, b)));
    });
    header.replaceChildren(button);
  });
  if (rows.length < 4) continue;
  const count = make("output", {});
  const search = make("input", { type: "search" });
  const selects = headers.map((header, index) => {
    const values = header.hasAttribute("data-choice") ? distinct(rows.map((row) => cellText(row, index))) : [];
    return values.length > 1 && values.length <= 60 ? choices(header.textContent, values) : null;
  });
  const texts = rows.map((row) => row.textContent.toLowerCase());
  const filter = () => {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    rows.forEach((row, number) => {
      const fits = words.every((word) => texts[number].includes(word))
        && selects.every((select, index) => !select || !select.value || cellText(row, index) === select.value);
      row.hidden = !fits;
      shown += fits;
    });
    count.textContent = `${shown} of ${rows.length} rows`;
  };
  const controls = make("div", { className: "controls" }, labelled("search", search));
  selects.forEach((select) => select && controls.append(labelled(select.name, select)));
  controls.append(count);
  controls.addEventListener("input", filter);
  table.parentElement.before(controls);
  filter();
  const showTarget = () => {
    const row = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (row?.hidden && rows.includes(row)) {
      search.value = "";
      selects.forEach((select) => select && (select.value = ""));
      filter();
      row.scrollIntoView();
    }
  };
  addEventListener("hashchange", showTarget);
}

const matrices = [...document.querySelectorAll(".matrix")];
if (matrices.length) {
  const columns = matrices.flatMap((one) => [...one.querySelectorAll("th[data-arch]")]);
  const lines = matrices.flatMap((one) => [...one.querySelectorAll("tr[data-platform]")]);
  const cells = matrices.flatMap((one) => [...one.querySelectorAll("td[data-state]")]);
  const selects = {
    release: choices("release", distinct(matrices.map((one) => one.dataset.release))),
    platform: choices("platform", distinct(lines.map((one) => one.dataset.platform))),
    framework: choices("framework", distinct(columns.map((one) => one.dataset.framework))),
    arch: choices("architecture", distinct(columns.map((one) => one.dataset.arch))),
    state: choices("state", distinct(cells.map((one) => one.dataset.state))),
  };
  const count = make("output", {});
  const wanted = (name, value) => !selects[name].value || selects[name].value === value;
  const filter = () => {
    let shown = 0;
    let total = 0;
    for (const one of matrices) {
      const heads = [...one.querySelectorAll("th[data-arch]")];
      one.hidden = !wanted("release", one.dataset.release);
      const visible = heads.map((head) => wanted("framework", head.dataset.framework) && wanted("arch", head.dataset.arch));
      heads.forEach((head, index) => (head.hidden = !visible[index]));
      for (const group of one.querySelectorAll("th[colspan], th[data-width]")) {
        const width = heads.filter((head) => head.dataset.framework === group.textContent && !head.hidden).length;
        group.dataset.width = width;
        group.hidden = width === 0;
        group.colSpan = width || 1;
      }
      for (const line of one.querySelectorAll("tr[data-platform]")) {
        line.hidden = !wanted("platform", line.dataset.platform);
        [...line.cells].slice(1).forEach((cell, index) => {
          cell.hidden = !visible[index];
          const fits = wanted("state", cell.dataset.state);
          if (cell.firstElementChild) cell.firstElementChild.hidden = !fits;
          total += cell.dataset.state !== undefined;
          shown += fits && !cell.hidden && !line.hidden && !one.hidden && cell.dataset.state !== undefined;
        });
      }
    }
    count.textContent = `${shown} of ${total} cells`;
  };
  const controls = make("div", { className: "controls", id: "matrix-filters" });
  Object.values(selects).forEach((select) => controls.append(labelled(select.name, select)));
  controls.append(count);
  controls.addEventListener("input", filter);
  matrices[0].before(controls);
  filter();
}

for (const time of document.querySelectorAll("time[data-age]")) {
  const days = Math.floor((Date.now() - Date.parse(time.dateTime)) / 86400000);
  if (days >= 0) time.append(` (${days} ${days === 1 ? "day" : "days"} ago)`);
}

const openDetails = () => {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (target instanceof HTMLDetailsElement) target.open = true;
};
addEventListener("hashchange", openDetails);
addEventListener("beforeprint", () => document.querySelectorAll("details").forEach((one) => (one.open = true)));
openDetails();
