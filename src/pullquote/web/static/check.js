"use strict";
// The page "Check a page": opens it with #pullquote-check, which has the widget there report to this window.
(() => {
  const { _ } = Messages;
  const $ = (id) => document.getElementById(id);
  const PATIENCE = 20_000; // ms
  let opened = null;
  let origin = "";
  let timer;

  function say(isWell, text) {
    const line = document.createElement("li");
    line.textContent = isWell ? _("Well: {what}", { what: text }) : _("Wrong: {what}", { what: text });
    line.className = isWell ? "well" : "wrong";
    $("found").append(line);
  }

  const heard = {
    script: () => say(true, _("the page loads widget.js, so its script-src and https let it.")),
    ready: () => say(true, _("the chat is there: the app answers, lists this origin, and the page’s frame-src lets it in.")),
    error: (sentence) => say(false, String(sentence)),
  };

  $("check").addEventListener("submit", (event) => {
    event.preventDefault();
    const url = new URL($("address").value);
    origin = url.origin;
    url.hash = "pullquote-check";
    $("found").replaceChildren();
    clearTimeout(timer);
    if (url.protocol === "https:" && location.protocol === "http:") {
      const block = _("the page is on https and this app on http: browsers block that. Serve {host} over https.", {
        host: location.host,
      });
      say(false, block);
    }
    opened = open(url);
    if (!opened) return say(false, _("the browser did not open a window; allow it to, and check again."));
    timer = setTimeout(() => {
      if ($("found").querySelector(".well")) return;
      const needed = ["script-src", "frame-src", "connect-src"].map((name) => `${name} ${location.origin}`).join("; ");
      say(false, _("nothing was heard from widget.js in {origin}. Is the line in the page? Its policy needs: {needed}. A page with Cross-Origin-Opener-Policy cannot report here: open the chat in it, and read what it says.", { origin, needed }));
    }, PATIENCE);
  });

  addEventListener("message", (event) => {
    if (!opened || event.source !== opened || event.origin !== origin) return;
    if (Object.hasOwn(heard, event.data?.pullquote)) heard[event.data.pullquote](event.data.detail);
  });
})();
