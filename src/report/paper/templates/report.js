
"use strict";
(() => {
  const { charts, palette, standing } = JSON.parse(document.getElementById("data").textContent);
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
    return full;
  };

  const height = (place, chart) => {
    if (chart.rows) return 110 + 46 * chart.rows;
    return place.closest(".alarms") ? 280 : 400;
  };

  const layout = (place, chart, { ground, text, grid, pane }) => {
    const title = (one) => ({ ...one.title, standoff: 8, font: { size: narrow.matches ? 11 : 13 } });
    const axis = { tickmode: "array", tickangle: 0, automargin: true, fixedrange: true, zeroline: false, gridcolor: grid, linecolor: grid };
    return {
      height: height(place, chart),
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

  const spoken = (text) => text.replaceAll("<br>", ", ").replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&");

  // Names beside marks, at the first free place of each: none covers another name or a mark.
  const DISTANCES = [3, 14, 28, 44, 62, 84, 110];
  const WAYS = [[0, -1], [1, 0], [-1, 0], [0, 1], [1, -1], [1, 1], [-1, 1], [-1, -1]];
  const measure = document.createElement("canvas").getContext("2d");
  const area = (x, y, width, height) => ({ left: x - width / 2, right: x + width / 2, top: y - height / 2, bottom: y + height / 2 });
  const overlap = (one, other) => one.left < other.right && other.left < one.right && one.top < other.bottom && other.top < one.bottom;
  const names = (place, chart, { text, grid }) => {
    const { xaxis, yaxis } = place._fullLayout;
    const size = narrow.matches ? 11 : 12;
    measure.font = `${size}px system-ui, sans-serif`;
    const marks = chart.traces.filter((trace) => trace.names).flatMap((trace) => trace.names.map((name, index) => ({
      name,
      at: [xaxis.d2p(trace.x[index]), yaxis.d2p(trace.y[index])],
      data: [trace.x[index], trace.y[index]],
      size: trace.sizes ? trace.sizes[index] : 7,
      width: measure.measureText(spoken(name)).width + 4,
    })));
    const taken = marks.map((mark) => area(...mark.at, mark.size, mark.size));
    const placed = (mark, [right, down], distance) => {
      const away = mark.size / 2 + distance;
      const shift = [right * (away + mark.width / 2), down * (away + size / 2 + 1)];
      return { shift, distance, area: area(mark.at[0] + shift[0], mark.at[1] + shift[1], mark.width, size + 3) };
    };
    const isFree = (one) => one.area.left >= 0 && one.area.right <= xaxis._length && one.area.top >= 0 && one.area.bottom <= yaxis._length
      && !taken.some((other) => overlap(one.area, other));
    return marks.map((mark) => {
      const tried = DISTANCES.flatMap((distance) => WAYS.map((way) => placed(mark, way, distance)));
      const one = tried.find(isFree) || tried[0];
      taken.push(one.area);
      const scaled = (axis, value) => (axis.type === "log" ? Math.log10(value) : value);
      return {
        x: scaled(xaxis, mark.data[0]),
        y: scaled(yaxis, mark.data[1]),
        text: mark.name,
        ax: one.shift[0],
        ay: one.shift[1],
        xanchor: "center",
        yanchor: "middle",
        font: { color: text, size },
        showarrow: true,
        arrowhead: 0,
        arrowwidth: 1,
        arrowcolor: one.distance > 10 ? text : "rgba(0, 0, 0, 0)",
        standoff: mark.size / 2,
        borderpad: 0,
        captureevents: false,
      };
    });
  };

  const draw = async (place, chart) => {
    const colors = theme();
    const config = { responsive: true, displayModeBar: false, scrollZoom: false, doubleClick: false };
    await Plotly.react(place, chart.traces.map((trace) => painted(trace, colors)), layout(place, chart, colors), config);
    if (chart.traces.some((trace) => trace.names)) await Plotly.relayout(place, { annotations: names(place, chart, colors) });
  };

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

  // A chart in a folded part has no size: it is drawn once its part is open.
  const places = charts.map((chart) => {
    const place = document.querySelector(`[data-chart="${chart.id}"]`);
    return { place, chart, isStale: true, hasKeys: false };
  });
  const drawOpen = () => {
    for (const one of places) {
      if (!one.isStale || one.place.closest("details:not([open])")) continue;
      one.isStale = false;
      one.place.hidden = false;
      one.place.parentElement.classList.add("drawn");
      draw(one.place, one.chart);
      if (!one.hasKeys) keyboard(one.place, one.chart, one.place.parentElement.querySelector(".told"));
      one.hasKeys = true;
    }
  };
  const again = () => {
    for (const one of places) one.isStale = true;
    drawOpen();
  };
  drawOpen();
  for (const one of document.querySelectorAll("details")) one.addEventListener("toggle", drawOpen);
  dark.addEventListener("change", again);
  narrow.addEventListener("change", again);
  // Names have other room where the page is wider.
  let width = window.innerWidth;
  window.addEventListener("resize", () => {
    if (window.innerWidth === width) return;
    width = window.innerWidth;
    for (const one of places) one.isStale ||= one.chart.traces.some((trace) => trace.names);
    setTimeout(drawOpen, 200);
  });

  // A link into a folded part opens it.
  const reveal = (id) => {
    const target = id && document.getElementById(id);
    if (!target) return;
    for (let one = target; one; one = one.parentElement) {
      if (one.tagName === "DETAILS") one.open = true;
    }
    drawOpen();
    target.scrollIntoView();
  };
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[href^='#']");
    if (link) reveal(link.hash.slice(1));
  });
  window.addEventListener("hashchange", () => reveal(window.location.hash.slice(1)));
  reveal(window.location.hash.slice(1));

  const fallback = (text) => {
    const area = document.createElement("textarea");
    area.value = text;
    document.body.append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    return done;
  };
  const copy = async (text) => {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch {
      return fallback(text);
    }
  };
  const copies = (code) => {
    const text = code.textContent;
    const button = document.createElement("button");
    button.type = "button";
    button.className = "copy";
    button.textContent = "Copy";
    button.addEventListener("click", async () => {
      button.textContent = (await copy(text)) ? "Copied" : "Not copied";
      setTimeout(() => { button.textContent = "Copy"; }, 2000);
    });
    return button;
  };
  for (const code of document.querySelectorAll("pre > code, .commands dd > code")) {
    const button = copies(code);
    code.parentElement.classList.add("copied");
    code.parentElement.append(button);
  }
  for (const code of document.querySelectorAll("li > code, p > code, dl:not(.commands) dd > code")) {
    if (code.textContent.startsWith("onnxprof ")) code.after(copies(code));
  }

  const table = standing && document.querySelector(".standing table");
  if (table) {
    const body = table.tBodies[0];
    const rows = [...body.rows];
    const heads = [...table.tHead.rows[0].cells];
    const told = document.querySelector(".standing .told");
    const keys = standing.keys;
    let sorted = { column: -1, way: 1 };

    const order = () => {
      const { column, way } = sorted;
      const of = (row) => keys[column][rows.indexOf(row)];
      const name = (row) => row.cells[0].textContent;
      const compare = (one, other) => {
        if (column === 0) return way * name(one).localeCompare(name(other));
        const [a, b] = [of(one), of(other)];
        if (a === null || b === null) return (a === null) - (b === null);
        return way * (a - b);
      };
      if (column >= 0) body.append(...[...rows].sort(compare));
      heads.forEach((head, number) => {
        if (number === column) head.setAttribute("aria-sort", way > 0 ? "ascending" : "descending");
        else head.removeAttribute("aria-sort");
      });
    };
    heads.forEach((head, column) => {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = head.textContent;
      button.addEventListener("click", () => {
        sorted = { column, way: sorted.column === column ? -sorted.way : 1 };
        order();
      });
      head.replaceChildren(button);
    });

    const column = standing.ratio_column;
    if (column !== null && standing.baselines.length > 1) {
      const label = document.createElement("label");
      const select = document.createElement("select");
      standing.baselines.forEach((one, number) => {
        const option = new Option(one.name, number, one.is_own, one.is_own);
        select.add(option);
      });
      label.className = "choose";
      label.append("Baseline of the ratios: ", select);
      table.closest(".standing").prepend(label);
      select.addEventListener("change", () => {
        const chosen = standing.baselines[select.value];
        rows.forEach((row, number) => { row.cells[column].textContent = chosen.ratios[number].text; });
        keys[column] = chosen.ratios.map((ratio) => ratio.factor);
        const apart = chosen.ratios.some((ratio) => ratio.text.includes("not in turns"));
        told.textContent = apart ? "not in turns: the run did not measure these two in turns, so that the ratio of their figures has no interval" : "";
        order();
      });
    }
  }
})();
