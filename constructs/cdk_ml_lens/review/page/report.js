// Filter of the acknowledgements, and tables that sort by a column. The page says everything without it.
"use strict";
const form = document.querySelector(".filter");
if (form) {
  const articles = [...document.querySelectorAll(".reason")];
  const said = (article) => `${article.parentElement.querySelector("h3").textContent} ${article.textContent}`;
  const texts = new Map(articles.map((article) => [article, said(article).toLowerCase()]));
  const wanted = (article) => {
    const { pack, pillar, stack, fresh, text } = form.elements;
    const has = (list, value) => value === "" || list.split("|").includes(value);
    return has(article.dataset.packs, pack.value) && has(article.dataset.stacks, stack.value)
      && (pillar.value === "" || article.dataset.pillar === pillar.value)
      && (!fresh || !fresh.checked || article.dataset.fresh === "yes")
      && text.value.toLowerCase().split(/\s+/).every((word) => texts.get(article).includes(word));
  };
  const update = () => {
    for (const article of articles) article.hidden = !wanted(article);
    for (const rule of document.querySelectorAll(".by-rule")) rule.hidden = !rule.querySelector(".reason:not([hidden])");
    const shown = articles.filter((article) => !article.hidden).length;
    form.querySelector("output").value = `${shown} of ${articles.length} reasons`;
  };
  form.addEventListener("input", update);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.hidden = false;
  update();
}
for (const table of document.querySelectorAll("table.sortable")) {
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const down = head.getAttribute("aria-sort") === "ascending";
      heads.forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      const key = (row) => row.cells[column].dataset.sort ?? row.cells[column].textContent.trim().replaceAll(",", "");
      const order = new Intl.Collator("en", { numeric: true }).compare;
      const rows = [...table.tBodies[0].rows].sort((a, b) => order(key(a), key(b)) * (down ? -1 : 1));
      table.tBodies[0].append(...rows);
    });
  });
}
