// A copy button for each block of code. Without it the pages lack nothing else.
"use strict";

const WORDS = { ready: "Copy", done: "Copied", failed: "Select and press Ctrl+C" };

function select(block) {
  const range = document.createRange();
  range.selectNodeContents(block);
  const selection = getSelection();
  selection.removeAllRanges();
  selection.addRange(range);
}

async function copy(block, button) {
  try {
    await navigator.clipboard.writeText(block.textContent.replace(/\n$/, ""));
    button.textContent = WORDS.done;
  } catch {
    select(block);
    button.textContent = WORDS.failed;
  }
  setTimeout(() => (button.textContent = WORDS.ready), 2000);
}

for (const block of document.querySelectorAll("pre")) {
  const frame = document.createElement("div");
  const button = document.createElement("button");
  frame.className = "code";
  button.type = "button";
  button.className = "copy";
  button.textContent = WORDS.ready;
  button.setAttribute("aria-live", "polite");
  button.addEventListener("click", () => copy(block, button));
  block.replaceWith(frame);
  frame.append(block, button);
}
