/* The buttons and lists that choose what the map shows. */
(function (P) {
  "use strict";

  const el = (id) => document.getElementById(id);

  P.controls = function (page, toLevel) {
    const { data, model, state } = page;
    press("measures", (value) => { state.measure = value; });
    press("levels", (value) => toLevel(data.levels.findIndex((level) => level.level === value)));
    for (const id of ["category", "period"]) {
      el(id).addEventListener("change", function () {
        page.periods.pause();
        state[id] = Number(el(id).value);
        allow();
        page.update({ step: true });
        announce();
      });
    }
    el("marks").addEventListener("change", () => page.update());
    allow();
    return { allow: allow, show: show };

    function press(id, act) {
      for (const button of el(id).querySelectorAll("button")) {
        button.addEventListener("click", function () {
          if (button.getAttribute("aria-disabled") === "true") { page.say(button.title); return; }
          act(button.value);
          page.update({ step: true });
          announce();
        });
      }
    }

    function announce() { page.say("Shown: " + model.titleOf(state) + "."); }

    function show() {
      mark("measures", state.measure);
      mark("levels", data.levels[state.level].level);
      el("category").value = String(state.category);
    }

    function mark(id, value) {
      for (const button of el(id).querySelectorAll("button")) { button.setAttribute("aria-pressed", String(button.value === value)); }
    }

    /* A measure that a level does not have cannot be chosen there, and says why. */
    function allow() {
      const buttons = Array.from(el("measures").querySelectorAll("button"));
      for (const button of buttons) {
        const can = model.can(state.level, button.value);
        button.setAttribute("aria-disabled", String(!can));
        button.title = can ? "" : P.settings.reasons[button.value] || "Not known at this level of detail.";
      }
      if (!model.can(state.level, state.measure)) { state.measure = buttons.find((button) => model.can(state.level, button.value)).value; }
    }
  };
})(placeshaping);
