"use strict";
// The page "In your page": what is chosen becomes the line to paste, and a page with that line in it, shown below.
(() => {
  const app = new URL("..", document.currentScript.src); // where the app is served
  const { _, language } = Messages;
  const $ = (id) => document.getElementById(id);
  const escape = (text) => text.replace(/[&"<>]/g, (char) => `&#${char.charCodeAt(0)};`);

  function snippet() {
    const chosen = [...new FormData($("choices"))].filter(([name, value]) => value && !(name === "accent" && value === "#4338ca"));
    const attributes = chosen.map(([name, value]) => (name === "open" ? " data-open" : ` data-${name}="${escape(value)}"`));
    const lang = $("lang").value && `?lang=${$("lang").value}`; // of the bubble’s own sentences
    const script = `<script src="${app}widget.js${lang}" defer${attributes.join("")}></script>`;
    return $("place").value ? `${script}\n<div data-pullquote></div>` : script;
  }

  let timer;
  function draw() {
    $("line").textContent = snippet();
    clearTimeout(timer);
    const scheme = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
    const [title, words] = [_("A page of yours"), _("Its words stand here.")];
    const page = `<!doctype html><html lang="${language}" dir="${document.dir}"><meta name="color-scheme" content="${scheme}"><title>${title}</title>
<body style="font: 16px/1.6 system-ui; margin: 24px"><h1>${title}</h1><p>${words}</p>${snippet()}`;
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
    $("copy").textContent = copied ? _("Copied") : _("Press Ctrl+C to copy");
    setTimeout(() => ($("copy").textContent = _("Copy")), 2000);
  });
  draw();
})();
