"use strict";
// Without this script the page shows everything; with it, details fold and the map can be searched.
(() => {
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const one = (id) => document.getElementById(id);
  const rows = all(".workload").map((row) => {
    const details = one(`${row.id}-more`);
    const text = `${row.closest("tbody").querySelector(".namespace").textContent} ${row.textContent} ${details.textContent}`;
    return { row, details, button: row.querySelector(".more"), text: text.toLowerCase(), open: false };
  });
  const [search, reached, wrong] = [one("search"), one("reached"), one("wrong")];

  const matches = (entry, words) =>
    words.every((word) => entry.text.includes(word)) &&
    (!reached.value || entry.row.dataset.reached === reached.value) &&
    (!wrong.checked || entry.row.dataset.wrong === "yes");

  const show = () => {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const entry of rows) {
      const matching = matches(entry, words);
      shown += matching;
      entry.row.hidden = !matching;
      entry.details.hidden = !(matching && entry.open);
      entry.button.setAttribute("aria-expanded", String(entry.open));
    }
    for (const body of all(".map tbody")) body.hidden = !body.querySelector(".workload:not([hidden])");
    one("shown").textContent = `${shown} of ${rows.length} shown`;
    one("nothing").hidden = shown > 0;
  };

  const follow = () => {
    const entry = rows.find(({ row }) => `#${row.id}` === location.hash);
    if (!entry) return;
    [search.value, reached.value, wrong.checked, entry.open] = ["", "", false, true];
    show();
    entry.row.scrollIntoView({ block: "center" });
    entry.button.focus({ preventScroll: true });
  };

  const copy = async (button) => {
    const text = button.parentElement.querySelector("code");
    try {
      await navigator.clipboard.writeText(text.textContent);
      button.textContent = "Copied";
    } catch {
      getSelection().selectAllChildren(text);
      button.textContent = "Selected";
    }
  };

  for (const entry of rows) {
    entry.button.hidden = false;
    entry.button.addEventListener("click", () => {
      entry.open = !entry.open;
      show();
    });
  }
  for (const button of all(".copy")) {
    button.hidden = false;
    button.addEventListener("click", () => copy(button));
  }
  const tools = document.querySelector(".tools");
  tools.hidden = false;
  tools.addEventListener("input", show);
  tools.addEventListener("submit", (event) => event.preventDefault());
  addEventListener("hashchange", follow);
  show();
  follow();
})();
