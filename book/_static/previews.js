// Shows the equation, figure, exercise or term that a link points to while the link is hovered
// or focused; Escape closes it. Without this script the links are ordinary links.
(() => {
  "use strict";
  const TARGETS = /#(equation-|fig-|ex-|term-)/;
  const pages = new Map();
  let link = null;
  let box = null;
  let timer = 0;

  // The page that a link points into; another page is fetched once.
  const pageOf = (url) => {
    const address = url.origin + url.pathname;
    if (address === location.origin + location.pathname) return Promise.resolve(document);
    if (!pages.has(address)) {
      const parsed = fetch(address)
        .then((answer) => answer.text())
        .then((text) => new DOMParser().parseFromString(text, "text/html"));
      pages.set(address, parsed);
    }
    return pages.get(address);
  };

  // A copy that takes no identity and no place in the tab order from the original.
  const copyOf = (element, url) => {
    const copy = document.importNode(element, true);
    for (const node of [copy, ...copy.querySelectorAll("*")]) {
      node.removeAttribute("id");
      node.removeAttribute("tabindex");
      for (const name of ["src", "href"]) {
        if (node.hasAttribute(name)) node.setAttribute(name, new URL(node.getAttribute(name), url));
      }
    }
    return copy;
  };

  const close = () => {
    clearTimeout(timer);
    if (box) box.remove();
    if (link) link.removeAttribute("aria-describedby");
    box = link = null;
  };
  const closeSoon = () => {
    clearTimeout(timer);
    timer = setTimeout(close, 200);
  };

  const place = () => {
    const at = link.getBoundingClientRect();
    const widest = document.documentElement.clientWidth - box.offsetWidth - 8;
    const fits = at.bottom + box.offsetHeight + 8 < innerHeight;
    box.style.left = `${Math.max(8, Math.min(at.left, widest))}px`;
    box.style.top = `${fits ? at.bottom + 4 : Math.max(4, at.top - box.offsetHeight - 4)}px`;
  };

  const open = async (wanted) => {
    const url = new URL(wanted.href);
    let target = null;
    try {
      target = (await pageOf(url)).getElementById(decodeURIComponent(url.hash.slice(1)));
    } catch {
      return; // without a server pages cannot be fetched; the link still works
    }
    if (!target || link !== wanted) return;
    box = document.createElement("div");
    box.className = "book-preview";
    box.id = "book-preview";
    box.setAttribute("role", "tooltip");
    box.append(copyOf(target, url));
    if (target.tagName === "DT" && target.nextElementSibling) {
      box.append(copyOf(target.nextElementSibling, url));
    }
    box.addEventListener("mouseenter", () => clearTimeout(timer));
    box.addEventListener("mouseleave", closeSoon);
    (document.querySelector("main") || document.body).append(box);
    link.setAttribute("aria-describedby", box.id);
    place();
  };

  const openSoon = (event) => {
    const found = event.target.closest?.("a.reference[href*='#']");
    if (!found || found === link || !TARGETS.test(found.getAttribute("href"))) return;
    close();
    link = found;
    timer = setTimeout(() => open(found), 150);
  };
  addEventListener("mouseover", openSoon);
  addEventListener("focusin", openSoon);
  addEventListener("mouseout", (event) => {
    if (link && event.target.closest?.("a") === link) closeSoon();
  });
  addEventListener("focusout", closeSoon);
  addEventListener("scroll", close, { passive: true });
  addEventListener("keydown", (event) => {
    if (event.key === "Escape") close();
  });
})();
