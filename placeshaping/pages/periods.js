/* The periods as a slider, with play and pause. Nothing moves by itself unless asked to. */
(function (P) {
  "use strict";

  const el = (id) => document.getElementById(id);
  const STEP = 1500; /* milliseconds that a period stays */

  P.Periods = function (page) {
    const { data, state } = page;
    const slide = el("slide");
    const play = el("play");
    const last = data.periods.length - 1;
    let timer = null;
    let settle = null;
    let spoken = 0;
    if (last < 2) { el("player").hidden = true; }
    slide.min = 1;
    slide.max = Math.max(last, 1);

    this.show = function () {
      const whole = state.period === 0;
      slide.classList.toggle("idle", whole);
      slide.value = whole ? 1 : state.period;
      slide.setAttribute("aria-valuetext", data.periods[whole ? 0 : state.period].label);
      el("slide-label").textContent = whole ? "All periods" : data.periods[state.period].label;
      el("period").value = String(state.period);
    };

    const pause = this.pause = function () {
      if (timer === null) { return; }
      clearInterval(timer);
      timer = null;
      name();
      page.update();
    };

    slide.addEventListener("input", function () { pause(); go(Number(slide.value)); });
    slide.addEventListener("change", function () { pause(); go(Number(slide.value)); });
    play.addEventListener("click", function () {
      if (timer !== null) { pause(); return; }
      const next = state.period === 0 || state.period === last ? 1 : state.period + 1;
      if (!P.still) { timer = setInterval(tick, STEP); }
      go(next);
      name();
    });
    name();

    function tick() {
      if (state.period === last || state.period === 0) { pause(); return; }
      go(state.period + 1);
      if (state.period === last) { pause(); }
    }

    /* Who asked for less motion steps by hand. */
    function name() {
      const words = P.still ? "Next" : timer === null ? "Play" : "Pause";
      play.replaceChildren(P.svg("svg", { viewBox: "0 0 16 16", width: 14, height: 14, "aria-hidden": "true" },
        P.svg("path", { d: timer === null ? "M3 1l11 7-11 7z" : "M3 1h4v14H3zM9 1h4v14H9z", fill: "currentColor" })), " " + words);
      play.setAttribute("aria-label", { Next: "Next period", Play: "Play the periods one after another", Pause: "Pause" }[words]);
    }

    /* While it moves only the map and its legend follow; the table and the words when it rests. */
    function go(p) {
      if (p !== state.period) {
        state.period = p;
        page.update({ quick: true });
      }
      clearTimeout(settle);
      settle = setTimeout(function () { if (timer === null) { page.update(); } }, 250);
      const now = Date.now();
      if (now - spoken > 1000) { spoken = now; page.say(data.periods[p].label); }
    }
  };
})(placeshaping);
