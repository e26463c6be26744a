"use strict";
// The chat page under /embed, inside a frame of another page. It talks with the widget of that page, and only with it:
// `host` names the origin that messages go to and are taken from; the server has looked it up in the allowlist.
(() => {
  if (!location.pathname.endsWith("/embed")) return;
  const asked = new URLSearchParams(location.search);
  const host = parent === window ? null : asked.get("host");
  const root = document.documentElement;
  root.classList.add("pq-embed");
  root.classList.toggle("pq-hosted", host !== null);

  const tell = (kind, details) => host && parent.postMessage({ ...details, pullquote: kind }, host);

  // The page's token for who asks goes with every question; where it is not good any more, the page may give a new one.
  let visitor = "";
  const plainFetch = window.fetch;
  window.fetch = async (input, init = {}) => {
    if (!visitor || !Composer.hasGreeted() || init.method !== "POST") return plainFetch(input, init);
    const headers = new Headers(init.headers);
    headers.set("x-pullquote-visitor", visitor);
    const response = await plainFetch(input, { ...init, headers });
    if (response.status === 401) tell("expired");
    return response;
  };

  const answers = {
    ask: (question) => typeof question === "string" && Composer.ask(question),
    visitor: (token) => (visitor = String(token)),
    focus: () => Composer.box().focus({ preventScroll: true }),
  };

  addEventListener("message", (event) => {
    if (!host || event.source !== parent || event.origin !== host) return;
    if (Object.hasOwn(answers, event.data?.pullquote)) answers[event.data.pullquote](event.data.value);
  });

  document.addEventListener("keydown", (event) => {
    const isTaken = document.querySelector("#reader.open, [role=listbox]");
    if (event.key === "Escape" && !isTaken) tell("close");
  }, true);

  // The accent of the page around, made darker or lighter until it can be read on the paper (WCAG 2: 4.5 to 1).
  const luminance = (rgb) => {
    const [r, g, b] = rgb.map((c) => (c /= 255) <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  function readable(hex, paper, ink) {
    let rgb = [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
    const contrast = () => {
      const [dark, light] = [luminance(rgb), luminance(paper)].sort((a, b) => a - b);
      return (light + 0.05) / (dark + 0.05);
    };
    while (contrast() < 4.6) rgb = rgb.map((c) => c + Math.sign(ink - c));
    return `rgb(${rgb})`;
  }
  const accent = asked.get("accent");
  if (/^#[0-9a-f]{6}$/i.test(accent)) {
    root.classList.add("pq-accented");
    root.style.setProperty("--pq-own-light", readable(accent, [244, 245, 250], 0));
    root.style.setProperty("--pq-own-dark", readable(accent, [23, 27, 39], 255));
  }

  tell("hello");
  tell("ready");
  new MutationObserver((_, observer) => {
    const said = document.getElementById("answer-data");
    if (!said) return;
    observer.disconnect();
    let last = "";
    new MutationObserver(() => {
      const answer = said.querySelector(".prose")?.textContent.trim() ?? "";
      if (answer && answer !== last) tell("answer", { answer: JSON.parse(answer) });
      last = answer;
    }).observe(said, { childList: true, subtree: true, characterData: true });
  }).observe(root, { childList: true, subtree: true });
})();
