"use strict";
(() => {
  const tip = document.getElementById("tip");
  for (const title of document.querySelectorAll("svg title")) {
    title.parentNode.dataset.tip = title.textContent;
    title.remove();
  }
  for (const cell of document.querySelectorAll("td[title]")) {
    cell.dataset.tip = cell.title;
    cell.removeAttribute("title");
  }
  const hide = () => { tip.hidden = true; };
  document.addEventListener("pointerover", (event) => {
    const from = event.target.closest("[data-tip]");
    if (!from) { hide(); return; }
    tip.textContent = from.dataset.tip;
    tip.hidden = false;
    const place = tip.getBoundingClientRect();
    const room = document.documentElement.clientWidth - place.width - 8;
    const above = event.clientY - place.height - 14;
    tip.style.left = Math.max(8, Math.min(event.clientX - place.width / 2, room)) + "px";
    tip.style.top = (above < 8 ? event.clientY + 18 : above) + "px";
  });
  document.addEventListener("scroll", hide, { passive: true, capture: true });
  document.addEventListener("keydown", (event) => { if (event.key === "Escape") hide(); });
  addEventListener("beforeprint", () => {
    hide();
    for (const part of document.querySelectorAll("details")) part.open = true;
  });
})();
