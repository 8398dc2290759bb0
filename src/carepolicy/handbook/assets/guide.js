"use strict";
// One screen at a time. The place is in the hash: the id of a step, of a question or of a way that was taken, and,
// where many steps share it, after a "~" the step that it was taken at. Without this script the page is a list.
document.documentElement.classList.add("guided");
addEventListener("DOMContentLoaded", () => {
  const guide = document.getElementById("guide");
  const status = document.getElementById("guide-status");
  const key = `carepolicy.guide.${guide.dataset.flow}`;
  const title = document.title;
  const top = document.querySelector("h1");
  const steps = guide.querySelectorAll(".step").length;
  const byId = (id) => (id ? document.getElementById(id) : null);
  const headingOf = (screen) => screen.querySelector("h2");
  const named = (screen) => headingOf(screen).textContent.trim().replace(/\s+/g, " ");

  const remembered = () => { try { return sessionStorage.getItem(key) || ""; } catch { return ""; } };
  const remember = (hash) => { try { sessionStorage.setItem(key, hash); } catch { /* no storage, no memory */ } };

  // What a hash says: the screen, the way that led there, and the step at which it was taken.
  const placeOf = (hash) => {
    const [id, from = ""] = decodeURIComponent(hash.slice(1)).split("~");
    const found = byId(id);
    const way = found && found.classList.contains("way") ? found : null;
    const screen = way ? byId(way.dataset.to || from) : found && found.closest(".screen");
    if (screen && screen.classList.contains("screen")) return { screen, way, from, part: found };
    return { screen: byId("start"), way: null, from: "", part: null };
  };

  // A link to what many steps share takes the step along.
  const takeAlong = (link, from) => {
    const id = link.getAttribute("href").slice(1).split("~")[0];
    const target = byId(id);
    const shared = target && ((target.classList.contains("ask") && !target.dataset.step) ||
      (target.classList.contains("way") && !target.dataset.to));
    if (shared) link.setAttribute("href", `#${id}~${from}`);
  };

  const tell = ({ screen, way }) => {
    for (const each of guide.querySelectorAll(".way.shown")) each.classList.remove("shown");
    for (const each of guide.querySelectorAll(".just")) each.hidden = true;
    const just = screen.querySelector(".just");
    if (!way || !just) return;
    just.append(way);
    way.classList.add("shown");
    just.hidden = false;
  };

  const offer = () => {
    const link = guide.querySelector(".resume a");
    const { screen } = placeOf(remembered());
    link.parentElement.hidden = screen.id === "start";
    link.href = remembered() || "#start";
    link.textContent = link.dataset.text.replace("{}", named(screen));
  };

  let depth = 0;
  const show = (moved) => {
    const place = placeOf(location.hash);
    const { screen, way, from, part } = place;
    for (const each of guide.querySelectorAll(".screen")) each.classList.toggle("shown", each === screen);
    tell(place);
    const origin = screen.querySelector("[data-origin]");
    const step = screen.classList.contains("ask") ? byId(screen.dataset.step || from) : null;
    if (origin && step) {
      origin.href = `#${step.id}`;
      origin.textContent = named(step);
      for (const link of screen.querySelectorAll(".gos a")) takeAlong(link, from);
    }
    if (screen.id === "start") offer();
    else remember(location.hash);
    document.title = screen.id === "start" ? title : `${named(screen)} – ${title}`;
    const number = screen.dataset.number;
    const said = [number ? guide.dataset.place.replace("{}", number).replace("{}", steps) : "", way ? way.querySelector(".happened").textContent : ""];
    guide.dataset.shown = location.hash; // the address of the page is a moment ahead of what is shown
    if (!moved) return;
    status.textContent = said.filter(Boolean).join(". ");
    const heading = part && part.matches("h3") ? part : headingOf(screen);
    heading.focus({ preventScroll: true });
    (heading === part ? part : top).scrollIntoView();
  };

  // How many screens back the browser may go without leaving this page.
  const count = () => {
    const known = history.state && history.state.depth;
    depth = known === undefined || known === null ? depth + 1 : known;
    history.replaceState({ depth }, "");
  };

  const back = document.querySelector(".bar .back");
  back.addEventListener("click", (event) => {
    if (!depth) return;
    event.preventDefault();
    history.back();
  });

  const form = document.querySelector(".bar form");
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const number = form.querySelector("input").value;
    const step = guide.querySelector(`.step[data-number="${Number(number)}"]`);
    if (step) location.hash = step.id;
    else status.textContent = guide.dataset.none.replace("{}", number);
    status.classList.toggle("unseen", Boolean(step));
    form.reset();
  });

  for (const screen of guide.querySelectorAll(".step")) {
    for (const link of screen.querySelectorAll("a[href^='#']")) takeAlong(link, screen.id);
  }
  for (const link of document.querySelectorAll(".languages a")) {
    link.addEventListener("click", () => { link.hash = location.hash; });
  }
  document.querySelector(".bar").hidden = false;
  if ("scrollRestoration" in history) history.scrollRestoration = "manual";
  addEventListener("hashchange", () => { count(); status.classList.add("unseen"); show(true); });
  depth = -1;
  count();
  show(false);
  if (location.hash) addEventListener("load", () => top.scrollIntoView());
});
