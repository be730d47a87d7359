/* The units as a table, in which the ward of each can be chosen: a few rows at a time. */
(function (P) {
  "use strict";

  const el = (id) => document.getElementById(id);
  const ROWS = 50;

  P.Units = function (page) {
    const { review, painting } = page;
    const table = el("units-table");
    const kinds = review.groups.map((group) => group.kind).filter((kind) => kind !== "parish_ward" || !review.groups.some((group) => group.kind === "parish"));
    const words = review.codes.map((code, i) => [code, review.names ? review.names[i] : "", ...review.groups.map((group) => review.groupOf(i, group.kind))].join("\n").toLocaleLowerCase("en-GB"));
    let first = 0;
    let kept = [];
    let names = "";
    let lines = [];

    const heads = ["Unit", ...kinds.map((kind) => P.kinds[kind][0].replace(/^./, (one) => one.toUpperCase())), "Electors now", "Electors, forecast", "Ward"];
    table.tHead.replaceChildren(P.make("tr", {}, ...heads.map((head) => P.make("th", { scope: "col", class: /^Electors/.test(head) ? "number" : null }, head))));
    el("units-filter").addEventListener("input", () => search());
    el("units-ward").addEventListener("change", () => search());
    el("units-box").addEventListener("toggle", () => this.show());
    el("units-back").addEventListener("click", () => turn(-ROWS));
    el("units-on").addEventListener("click", () => turn(ROWS));

    this.show = function () {
      if (!el("units-box").open) { return; }
      const now = painting.wards.map((ward) => ward.slot + ward.name).join("\n");
      if (now !== names) { names = now; wardChoices(); search(); return; }
      lines.forEach(({ i, select }) => { select.value = String(painting.of[i]); });
    };

    function options() {
      return [P.make("option", { value: -1 }, "no ward"), ...painting.wards.map((ward) => P.make("option", { value: ward.slot }, ward.name))];
    }

    function wardChoices() {
      const before = el("units-ward").value;
      el("units-ward").replaceChildren(P.make("option", { value: "" }, "any ward"), ...options());
      el("units-ward").value = before;
      if (el("units-ward").selectedIndex < 0) { el("units-ward").value = ""; }
    }

    function search() {
      const asked = el("units-filter").value.trim().toLocaleLowerCase("en-GB");
      const ward = el("units-ward").value;
      kept = Array.from(review.codes.keys()).filter((i) => (!asked || words[i].includes(asked)) && (ward === "" || painting.of[i] === Number(ward)));
      first = 0;
      draw();
    }

    function turn(by) {
      first = Math.max(0, Math.min(first + by, ROWS * Math.floor((kept.length - 1) / ROWS)));
      draw();
    }

    function draw() {
      const shown = kept.slice(first, first + ROWS);
      lines = shown.map(line);
      table.tBodies[0].replaceChildren(...lines.map((one) => one.row));
      el("units-count").textContent = kept.length ? "Rows " + P.count(first + 1) + " to " + P.count(first + shown.length) + " of " + P.many(kept.length, "unit") + "." : "No unit is found.";
      P.allow(el("units-back"), first > 0);
      P.allow(el("units-on"), first + ROWS < kept.length);
    }

    function line(i) {
      const select = P.make("select", { "aria-label": "Ward of " + page.nameOf(i), autocomplete: "off" }, ...options());
      select.value = String(painting.of[i]);
      select.addEventListener("change", () => page.giveTo([i], Number(select.value)));
      const show = P.make("button", { type: "button", class: "link" }, page.nameOf(i));
      show.addEventListener("click", () => page.showUnit(i));
      const row = P.make("tr", {},
        P.make("th", { scope: "row" }, show),
        ...kinds.map((kind) => P.make("td", {}, review.groupOf(i, kind))),
        P.make("td", { class: "number" }, P.count(review.now[i])), P.make("td", { class: "number" }, P.count(review.forecast[i])),
        P.make("td", { class: "narrow" }, select));
      return { i: i, row: row, select: select };
    }
  };

  /* A button that cannot be used now stays where it is, and says so. */
  P.allow = function (button, on) { button.setAttribute("aria-disabled", String(!on)); };
})(placeshaping);
