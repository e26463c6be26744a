"use strict";
// The page "Insights": where nobody signs in, its numbers are fetched with a token; and what its buttons do.
(() => {
  const root = new URL("..", document.currentScript.src).pathname.slice(0, -1); // where the app is served
  const KEY = "pullquote-token"; // as on the page "Articles"
  const $ = (id) => document.getElementById(id);
  const known = "known" in $("insights").dataset; // signed in to the app itself: the numbers are there already
  const asked = new URLSearchParams(location.search).get("lang");
  let days = 30;

  async function call(path, options = {}) {
    const headers = known ? {} : { authorization: `Bearer ${localStorage.getItem(KEY)}` };
    const response = await fetch(root + path, { ...options, headers });
    if (response.ok) return response;
    const body = await response.json().catch(() => ({}));
    throw Object.assign(new Error(body.detail || response.statusText), { status: response.status });
  }

  async function attempt(work) {
    $("message").hidden = true;
    try {
      await work();
    } catch (error) {
      if (error.status === 401 && !known) return signOut();
      $("message").textContent = error.message;
      $("message").hidden = false;
    }
  }

  const load = () => attempt(async () => {
    const text = await (await call(`/insights/numbers?days=${days}${asked ? `&lang=${encodeURIComponent(asked)}` : ""}`)).text();
    $("numbers").innerHTML = text; // our own template, in which everything is escaped
    if (!known) $("token").hidden = true;
  });

  function signOut() {
    localStorage.removeItem(KEY);
    $("numbers").replaceChildren();
    $("token").hidden = $("token-wrong").hidden = false;
  }

  const download = (link) => attempt(async () => {
    const address = URL.createObjectURL(await (await call(link.pathname.slice(root.length))).blob());
    Object.assign(document.createElement("a"), { href: address, download: link.download }).click();
    URL.revokeObjectURL(address);
  });

  $("numbers")?.addEventListener("click", (event) => {
    const link = event.target.closest("a");
    if (event.target.id === "forget-all") $("forget").showModal();
    if (known || !link || !(link.dataset.days || link.download)) return;
    event.preventDefault();
    if (link.download) return download(link);
    days = link.dataset.days;
    load();
  });

  $("forget").addEventListener("close", () => {
    if ($("forget").returnValue !== "forget") return;
    days = document.querySelector("[data-days][aria-current]").dataset.days;
    attempt(async () => {
      await call("/api/v1/gaps", { method: "DELETE" });
      await load();
    });
  });

  $("token")?.addEventListener("submit", (event) => {
    event.preventDefault();
    localStorage.setItem(KEY, $("token-value").value.trim());
    $("token-value").value = "";
    $("token-wrong").hidden = true;
    load();
  });
  if (!known && $("token") && localStorage.getItem(KEY)) load();
})();
