
"use strict";
(() => {
  const { charts, palette } = JSON.parse(document.getElementById("data").textContent);
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const narrow = window.matchMedia("(max-width: 480px)");

  const theme = () => (dark.matches
    ? { shade: 1, ground: "#14171c", text: "#e6e8eb", grid: "#363c46", pane: "#1d2128" }
    : { shade: 0, ground: "#ffffff", text: "#1c1f24", grid: "#dfe3e8", pane: "#ffffff" });

  const painted = (trace, { shade, text }) => {
    const color = palette[trace.color % palette.length][shade];
    const end = { color, thickness: 1.5, width: 4 };
    const full = { ...trace, hoverinfo: "text", line: { ...trace.line, color, width: 2 }, textfont: { color: text, size: 12 } };
    if (trace.type === "scatter") full.marker = { color, symbol: trace.symbol, size: trace.sizes || 7, opacity: trace.mode.includes("lines") ? 1 : 0.7 };
    if (trace.type === "bar") full.marker = { color };
    if (trace.error_x) full.error_x = { ...trace.error_x, ...end };
    if (trace.error_y) full.error_y = { ...trace.error_y, ...end };
    if (trace.text) {
      full.textposition = trace.x.map((x, index) => (index % 2 ? "bottom center" : "top center"));
      full.cliponaxis = false;
    }
    return full;
  };

  const layout = (chart, { ground, text, grid, pane }) => {
    const title = (one) => ({ ...one.title, standoff: 8, font: { size: narrow.matches ? 11 : 13 } });
    const axis = { tickmode: "array", automargin: true, fixedrange: true, zeroline: false, gridcolor: grid, linecolor: grid };
    return {
      height: chart.rows ? 110 + 46 * chart.rows : 400,
      margin: { l: 10, r: 12, t: 10, b: 10 },
      paper_bgcolor: ground,
      plot_bgcolor: ground,
      font: { color: text, size: narrow.matches ? 11 : 13, family: "system-ui, sans-serif" },
      xaxis: { ...axis, ...chart.x, title: title(chart.x) },
      yaxis: { ...axis, ...chart.y, title: title(chart.y) },
      legend: { orientation: "h", x: 0, xanchor: "left", y: 1.02, yanchor: "bottom" },
      hovermode: "closest",
      hoverlabel: { bgcolor: pane, bordercolor: text, font: { color: text }, align: "left" },
      barmode: "overlay",
      bargap: 0,
      dragmode: false,
      showlegend: chart.traces.some((trace) => trace.showlegend),
    };
  };

  const draw = (place, chart) => {
    const colors = theme();
    const config = { responsive: true, displayModeBar: false, scrollZoom: false, doubleClick: false };
    return Plotly.react(place, chart.traces.map((trace) => painted(trace, colors)), layout(chart, colors), config);
  };

  const spoken = (text) => text.replaceAll("<br>", ", ").replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&");

  const keyboard = (place, chart, told) => {
    let series = -1;
    let point = 0;
    const length = (number) => chart.traces[number].x.length;
    const shown = (number) => length(number) > 0 && place.data[number].visible !== "legendonly";
    const next = (from, by) => {
      for (let number = from + by; number >= 0 && number < chart.traces.length; number += by) {
        if (shown(number)) return number;
      }
      return from;
    };
    const tell = () => {
      Plotly.Fx.hover(place, [{ curveNumber: series, pointNumber: point }]);
      told.textContent = spoken(chart.traces[series].hovertext[point]);
    };
    place.addEventListener("keydown", (event) => {
      if (event.key === "Escape") {
        Plotly.Fx.unhover(place);
        told.textContent = "";
        return;
      }
      const steps = { ArrowRight: 1, ArrowLeft: -1, Home: -Infinity, End: Infinity };
      const turns = { ArrowUp: -1, ArrowDown: 1 };
      if (!(event.key in steps) && !(event.key in turns)) return;
      event.preventDefault();
      if (series < 0 || !shown(series)) {
        series = next(-1, 1);
        point = 0;
        if (series < 0) return;
      } else if (event.key in turns) {
        series = next(series, turns[event.key]);
      } else {
        point += steps[event.key];
      }
      point = Math.min(Math.max(point, 0), length(series) - 1);
      tell();
    });
    place.addEventListener("blur", () => Plotly.Fx.unhover(place));
  };

  const places = charts.map((chart) => {
    const place = document.querySelector(`[data-chart="${chart.id}"]`);
    place.hidden = false;
    place.parentElement.classList.add("drawn");
    draw(place, chart);
    keyboard(place, chart, place.parentElement.querySelector(".told"));
    return [place, chart];
  });
  const again = () => places.forEach(([place, chart]) => draw(place, chart));
  // Tables that fit on a sheet are printed, whether they are open or not; those of charts are not, since the tables
  // of their sections hold the same figures.
  const opened = [];
  window.addEventListener("beforeprint", () => {
    for (const one of document.querySelectorAll(":not(figure) + details:not([open])")) {
      if (one.querySelectorAll("tr").length > 60) continue;
      one.open = true;
      opened.push(one);
    }
  });
  window.addEventListener("afterprint", () => opened.splice(0).forEach((one) => { one.open = false; }));
  dark.addEventListener("change", again);
  narrow.addEventListener("change", again);
})();
