// Hides what does not have every word that is looked for. Without this file the page is complete, only longer.
"use strict";

(() => {
  const input = document.getElementById("find");
  const none = document.getElementById("none");
  const contents = document.querySelector("nav details");
  const all = Array.from(document.querySelectorAll("[data-words]"));
  const groups = Array.from(document.querySelectorAll(".group"));

  // On a phone the list of operations would push the text out of sight.
  if (window.matchMedia("(max-width: 59.99rem)").matches) {
    contents.open = false;
  }

  const filter = () => {
    const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    let count = 0;
    for (const element of all) {
      const fits = words.every((word) => element.dataset.words.includes(word));
      element.hidden = !fits;
      if (fits) {
        count += 1;
      }
    }
    for (const group of groups) {
      group.hidden = words.length > 0 && !group.querySelector("[data-words]:not([hidden])");
    }
    none.hidden = count > 0;
  };

  input.addEventListener("input", filter);
  document.addEventListener("keydown", (event) => {
    if (event.key === "/" && document.activeElement !== input) {
      event.preventDefault();
      input.focus();
    }
    if (event.key === "Escape" && document.activeElement === input) {
      input.value = "";
      filter();
    }
  });
  // An operation that is linked to is shown, whatever was looked for.
  window.addEventListener("hashchange", () => {
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (target && target.closest("[hidden]")) {
      input.value = "";
      filter();
      target.scrollIntoView();
    }
  });
  filter();
})();
