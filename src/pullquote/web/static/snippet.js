"use strict";
// The page "In your page": what is chosen becomes the line to paste, and a page with that line in it, shown below.
(() => {
  const app = new URL("..", document.currentScript.src); // where the app is served
  const $ = (id) => document.getElementById(id);
  const escape = (text) => text.replace(/[&"<>]/g, (char) => `&#${char.charCodeAt(0)};`);

  function snippet() {
    const chosen = [...new FormData($("choices"))].filter(([name, value]) => value && !(name === "accent" && value === "#4338ca"));
    const attributes = chosen.map(([name, value]) => (name === "open" ? " data-open" : ` data-${name}="${escape(value)}"`));
    const script = `<script src="${app}widget.js" defer${attributes.join("")}></script>`;
    return $("place").value ? `${script}\n<div data-pullquote></div>` : script;
  }

  let timer;
  function draw() {
    $("line").textContent = snippet();
    clearTimeout(timer);
    const scheme = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
    const page = `<!doctype html><html lang="en"><meta name="color-scheme" content="${scheme}"><title>A page</title>
<body style="font: 16px/1.6 system-ui; margin: 24px"><h1>A page of yours</h1><p>Its words stand here.</p>${snippet()}`;
    timer = setTimeout(() => ($("shown").srcdoc = page), 300);
  }

  $("choices").addEventListener("input", draw);
  $("choices").addEventListener("submit", (event) => event.preventDefault());
  $("copy").addEventListener("click", async () => {
    getSelection().selectAllChildren($("line"));
    let copied = true;
    try {
      await navigator.clipboard.writeText(snippet());
    } catch {
      copied = document.execCommand("copy"); // a page on plain http has no clipboard of its own
    }
    $("copy").textContent = copied ? "Copied" : "Press Ctrl+C to copy";
    setTimeout(() => ($("copy").textContent = "Copy"), 2000);
  });
  draw();
})();
