/* Light or dark: as the reader's system has it, until the button says otherwise. Paper is light. */
(function (P) {
  "use strict";

  const root = document.documentElement;
  const system = matchMedia("(prefers-color-scheme: dark)");

  P.Appearance = function (changed) {
    const button = document.getElementById("dark");
    let asked = null;
    let paper = false;

    const dark = () => !paper && (asked === null ? system.matches : asked);

    function set() {
      const light = P.settings.look;
      root.dataset.look = dark() ? "dark" : "light";
      button.setAttribute("aria-pressed", String(dark()));
      P.look = dark() ? Object.assign({}, light, light.dark) : light;
    }

    this.paper = function (on) { paper = on; set(); changed(); };
    button.addEventListener("click", function () { asked = !dark(); set(); changed(); });
    system.addEventListener("change", function () { set(); changed(); });
    set();
  };
})(placeshaping);
