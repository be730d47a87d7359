/* Light or dark: as the reader's system has it, until the button says otherwise, which is remembered
   where the browser keeps anything for a file. Paper is light. */
(function (P) {
  "use strict";

  const KEY = "placeshaping-look";
  const root = document.documentElement;
  const system = matchMedia("(prefers-color-scheme: dark)");

  P.Appearance = function (changed) {
    const button = document.getElementById("dark");
    let asked = kept();
    let paper = false;

    const dark = () => !paper && (asked === null ? system.matches : asked);

    function kept() {
      try {
        const word = localStorage.getItem(KEY);
        return word === "dark" ? true : word === "light" ? false : null;
      } catch (error) { return null; }
    }

    function keep() {
      try {
        if (asked === system.matches) { localStorage.removeItem(KEY); } else { localStorage.setItem(KEY, asked ? "dark" : "light"); }
      } catch (error) { /* not kept, then */ }
    }

    function set() {
      const light = P.settings.look;
      root.dataset.look = dark() ? "dark" : "light";
      button.setAttribute("aria-pressed", String(dark()));
      P.look = dark() ? Object.assign({}, light, light.dark) : light;
    }

    this.paper = function (on) { paper = on; set(); changed(); };
    button.addEventListener("click", function () { asked = !dark(); keep(); set(); changed(); });
    system.addEventListener("change", function () { set(); changed(); });
    set();
  };
})(placeshaping);
