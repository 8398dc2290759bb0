"use strict";
// Charts in a page: pan, zoom, fit, full screen, the ways in and out of a card, and one step with its neighbours.
(() => {
  const XLINK = "http://www.w3.org/1999/xlink";
  const STEP = 1.25;
  const LEAST = 0.05;
  const MOST = 4;
  const CARD = "drawn-";
  const NEAR = "#near-";

  // How the parts of a drawing hang together: cards, what stands between them, and the lines.
  const waysOf = (svg) => {
    const nodes = new Map([...svg.querySelectorAll("g.node[data-node]")].map((node) => [node.dataset.node, node]));
    const lines = [...svg.querySelectorAll("g.edge[data-way]")].map((line) => [line, line.dataset.way.split(" ")]);
    const cards = [...nodes.values()].filter((node) => node.id.startsWith(CARD));
    const addressOf = (link) => link.getAttributeNS(XLINK, "href") || "";
    const chips = [...nodes.values()].filter((node) => !node.id).flatMap((node) =>
      [...node.querySelectorAll("a")].map((link) => [node, svg.querySelector(`#${CARD}${CSS.escape(addressOf(link).slice(1))}`)]));

    // The lines and nodes from a node on, forwards or backwards, up to the next cards.
    const from = (start, forwards) => {
      const [near, far] = forwards ? [0, 1] : [1, 0];
      const found = new Set();
      const waiting = [start];
      while (waiting.length) {
        const here = waiting.pop();
        for (const [line, ends] of lines) {
          const node = nodes.get(ends[far]);
          if (ends[near] !== here.dataset.node || found.has(line) || !node) continue;
          found.add(line).add(node);
          if (!cards.includes(node)) waiting.push(node);
        }
      }
      return found;
    };
    const out = (card) => from(card, true);
    const into = (card) => from(card, false);
    const chipsTo = (card) => chips.filter(([, there]) => there === card)
      .flatMap(([chip]) => [chip, ...from(chip, false)]);
    const chipsOf = (parts) => chips.filter(([chip, there]) => there && parts.has(chip)).map(([, there]) => there);
    return { cards, chips, out, into, chipsTo, chipsOf };
  };

  const startChart = (viewer) => {
    const frame = viewer.querySelector(".chart");
    const picture = viewer.querySelector(".picture");
    const svg = picture.querySelector("svg");
    const folded = viewer.closest("details");
    const tools = viewer.querySelector(".tools");
    const [nearLine, nearText] = [viewer.querySelector(".near"), viewer.querySelector(".near [role=status]")];
    const ways = waysOf(svg);
    const box = svg.viewBox.baseVal;
    const width = parseFloat(picture.style.getPropertyValue("--natural"));
    const height = (width * box.height) / box.width;
    let scale = 0;

    const cardOf = (anchor) => svg.querySelector(`#${CARD}${CSS.escape(anchor)}`);
    const isWhole = () => document.fullscreenElement === viewer || viewer.classList.contains("whole");

    // Zooms, and keeps what is at a point of the frame where it is.
    const zoom = (wanted, x = frame.clientWidth / 2, y = frame.clientHeight / 2) => {
      const before = picture.getBoundingClientRect();
      const outside = frame.getBoundingClientRect();
      const [left, top] = [outside.left + frame.clientLeft + x, outside.top + frame.clientTop + y];
      const [across, down] = [(left - before.left) / before.width, (top - before.top) / before.height];
      scale = Math.min(MOST, Math.max(LEAST, wanted));
      picture.style.width = `${width * scale}px`;
      const after = picture.getBoundingClientRect();
      frame.scrollLeft += after.left + across * after.width - left;
      frame.scrollTop += after.top + down * after.height - top;
    };

    const roomOf = () => {
      const style = getComputedStyle(frame);
      return [
        frame.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight),
        frame.clientHeight - parseFloat(style.paddingTop) - parseFloat(style.paddingBottom),
      ];
    };

    const fit = () => {
      const [across, down] = roomOf();
      zoom(Math.min(across / width, down / height, 1));
    };

    // Brings nodes into the middle of the frame; a card that is higher than the frame with its beginning.
    const show = (parts, zoomed) => {
      const boxes = () => parts.map((part) => part.getBoundingClientRect());
      const around = (all) => ({
        left: Math.min(...all.map((each) => each.left)), right: Math.max(...all.map((each) => each.right)),
        top: Math.min(...all.map((each) => each.top)), bottom: Math.max(...all.map((each) => each.bottom)),
      });
      if (zoomed) {
        const all = around(boxes());
        const [across, down] = roomOf();
        zoom(Math.min(1, (scale * across) / (all.right - all.left + 16), (scale * down) / (all.bottom - all.top + 16)));
      }
      const all = around(boxes());
      const outside = frame.getBoundingClientRect();
      frame.scrollLeft += (all.left + all.right) / 2 - (outside.left + outside.right) / 2;
      const high = all.bottom - all.top > frame.clientHeight;
      frame.scrollTop += high ? all.top - outside.top - 8 : (all.top + all.bottom) / 2 - (outside.top + outside.bottom) / 2;
    };

    const open = () => {
      if (scale || !frame.clientWidth) return;
      const fitted = viewer.dataset.opening === "width";
      const [across] = roomOf();
      const high = fitted ? height * Math.min(1, across / width) : height;
      frame.style.height = `${Math.min(0.75 * window.innerHeight, high + 24)}px`;
      scale = picture.getBoundingClientRect().width / width;
      if (fitted) {
        zoom(Math.min(1, across / width));
      } else {
        zoom(1);
        const first = ways.cards[0];
        if (first) {
          show([first], false);
          frame.scrollTop = 0; // the way into the first card stands above it
        }
      }
      follow();
    };

    const unlight = () => {
      svg.classList.remove("lighting");
      svg.querySelectorAll(".out, .into, .lit").forEach((each) => each.classList.remove("out", "into", "lit"));
    };

    const light = (card) => {
      unlight();
      const out = ways.out(card);
      const into = [...ways.into(card), ...ways.chipsTo(card)];
      svg.classList.add("lighting");
      for (const each of into) each.classList.add("into");
      for (const each of [...out, ...ways.chipsOf(out)]) each.classList.add("out");
      card.classList.add("lit");
    };

    const lightUnder = (event) => {
      const card = event.target instanceof Element && event.target.closest("g.node");
      if (card && ways.cards.includes(card)) light(card);
      else unlight();
    };

    const showAll = () => {
      svg.classList.remove("alone");
      svg.querySelectorAll(".kept").forEach((each) => each.classList.remove("kept"));
      nearLine.hidden = true;
    };

    const showNear = (card) => {
      showAll();
      const between = [card, ...ways.out(card), ...ways.into(card)];
      const out = new Set(between);
      for (const each of [...between, ...ways.chipsTo(card), ...ways.chipsOf(out)]) each.classList.add("kept");
      svg.classList.add("alone");
      const title = document.getElementById(`${card.id.slice(CARD.length)}-title`);
      nearText.textContent = viewer.dataset.nearShown.replace("{}", title ? title.textContent.trim() : "");
      nearLine.hidden = false;
      show(between.filter((each) => each.classList.contains("node")), true);
    };

    // The address says what is shown: one step and its neighbours, or all, with a step in sight.
    const follow = () => {
      const hash = decodeURIComponent(location.hash);
      const card = cardOf(hash.slice(hash.startsWith(NEAR) ? NEAR.length : 1));
      if (hash.startsWith(NEAR) && card) {
        if (folded) folded.open = true;
        if (!scale) open();
        else {
          showNear(card);
          viewer.scrollIntoView({ block: "start" });
          frame.focus({ preventScroll: true });
        }
        return;
      }
      const was = svg.classList.contains("alone");
      showAll();
      if (scale && card) show([card], was);
      else if (was) zoom(1);
    };

    const toggleWhole = async (wanted) => {
      if (document.fullscreenElement === viewer) await document.exitFullscreen();
      else if (viewer.classList.contains("whole")) viewer.classList.remove("whole");
      else if (!wanted) return;
      else if (viewer.requestFullscreen) await viewer.requestFullscreen().catch(() => viewer.classList.add("whole"));
      else viewer.classList.add("whole");
      tellWhole();
    };
    const tellWhole = () => {
      tools.querySelector("[data-do=full]").setAttribute("aria-pressed", String(isWhole()));
    };

    const deeds = {
      in: () => zoom(scale * STEP),
      out: () => zoom(scale / STEP),
      fit,
      natural: () => zoom(1),
      full: () => toggleWhole(true),
    };
    const KEYS = { "+": "in", "=": "in", "-": "out", "0": "fit", "1": "natural" };

    tools.addEventListener("click", (event) => {
      const button = event.target.closest("button");
      if (button) deeds[button.dataset.do]();
    });
    viewer.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      if (event.key === "Escape" && viewer.classList.contains("whole")) toggleWhole(false);
      else if (KEYS[event.key] && frame.contains(event.target)) deeds[KEYS[event.key]]();
      else return;
      event.preventDefault();
    });
    frame.addEventListener("wheel", (event) => {
      if (!event.ctrlKey && !event.metaKey) return;
      event.preventDefault();
      const outside = frame.getBoundingClientRect();
      zoom(scale * Math.exp(-Math.max(-50, Math.min(50, event.deltaY)) / 200), event.clientX - outside.left, event.clientY - outside.top);
    }, { passive: false });

    // Two fingers zoom; one finger scrolls, as everywhere.
    let pinch = null;
    const apart = ([one, other]) => Math.hypot(one.clientX - other.clientX, one.clientY - other.clientY);
    frame.addEventListener("touchstart", (event) => {
      pinch = event.touches.length === 2 ? { apart: apart(event.touches), scale } : null;
    }, { passive: true });
    frame.addEventListener("touchmove", (event) => {
      if (!pinch || event.touches.length !== 2) return;
      event.preventDefault();
      const [one, other] = event.touches;
      const outside = frame.getBoundingClientRect();
      zoom(pinch.scale * (apart(event.touches) / pinch.apart), (one.clientX + other.clientX) / 2 - outside.left, (one.clientY + other.clientY) / 2 - outside.top);
    }, { passive: false });

    // A mouse drags; what it dragged over is not clicked.
    let drag = null;
    frame.addEventListener("pointerdown", (event) => {
      if (event.pointerType === "mouse" && event.button === 0) {
        drag = { x: event.clientX, y: event.clientY, left: frame.scrollLeft, top: frame.scrollTop, far: false };
      }
    });
    window.addEventListener("pointermove", (event) => {
      if (!drag) return;
      const [x, y] = [event.clientX - drag.x, event.clientY - drag.y];
      drag.far ||= Math.hypot(x, y) > 4;
      if (!drag.far) return;
      frame.classList.add("dragged");
      frame.scrollTo({ left: drag.left - x, top: drag.top - y, behavior: "instant" });
    });
    let dragged = false;
    window.addEventListener("pointerup", () => {
      dragged = Boolean(drag && drag.far);
      drag = null;
      frame.classList.remove("dragged");
      if (dragged) setTimeout(() => { dragged = false; });
    });
    frame.addEventListener("click", (event) => {
      if (dragged) event.preventDefault();
      else if (event.target.closest("a")) toggleWhole(false);
    }, true);
    frame.addEventListener("dragstart", (event) => event.preventDefault());

    frame.addEventListener("pointerover", lightUnder);
    frame.addEventListener("pointerleave", unlight);
    frame.addEventListener("focusin", lightUnder);
    frame.addEventListener("focusout", unlight);
    // A chip says again what a card says: the cards are the stops of the keyboard, the list below has all ways.
    for (const [chip] of ways.chips) chip.querySelectorAll("a").forEach((link) => link.setAttribute("tabindex", "-1"));

    for (const card of ways.cards) {
      const step = document.getElementById(card.id.slice(CARD.length));
      const place = step && step.querySelector("article");
      if (!place) continue;
      const link = document.createElement("a");
      link.href = `${NEAR}${step.id}`;
      link.className = "near-link";
      link.textContent = viewer.dataset.near;
      const title = document.getElementById(`${step.id}-title`);
      if (title) link.setAttribute("aria-label", viewer.dataset.nearWhat.replace("{}", title.textContent.trim()));
      place.append(link);
    }

    viewer.classList.add("live");
    for (const each of [tools, viewer.querySelector(".hint")]) each.hidden = false;
    const narrow = window.matchMedia("(max-width: 40rem)");
    const fold = () => { folded.open = !narrow.matches || location.hash.startsWith(NEAR); };
    if (folded) {
      fold();
      narrow.addEventListener("change", fold);
      folded.addEventListener("toggle", open);
    }
    document.addEventListener("fullscreenchange", tellWhole);
    window.addEventListener("hashchange", follow);
    open();
    if (location.hash.startsWith(NEAR)) viewer.scrollIntoView({ block: "start" });
  };

  document.querySelectorAll(".viewer").forEach((viewer) => {
    if (viewer.querySelector(".picture svg")) startChart(viewer);
  });
})();
