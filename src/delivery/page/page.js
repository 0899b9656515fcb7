
"use strict";
/* The line that follows the sound, and a click that moves it. The drawing is 1000 wide and lasts data-span
 * seconds, the sound begins data-offset seconds into it. */
for (const figure of document.querySelectorAll("figure.media")) {
  const audio = figure.querySelector("audio"), drawing = figure.querySelector("svg");
  const head = figure.querySelector(".head");
  if (!audio || !drawing || !head) continue;
  const span = Number(figure.dataset.span), offset = Number(figure.dataset.offset);
  if (!(span > 0)) continue;
  const draw = () => {
    const x = String((audio.currentTime + offset) / span * 1000);
    head.setAttribute("x1", x);
    head.setAttribute("x2", x);
    head.setAttribute("visibility", "visible");
    if (!audio.paused) requestAnimationFrame(draw);
  };
  audio.addEventListener("play", draw);
  audio.addEventListener("seeked", draw);
  audio.addEventListener("play", () => {
    for (const other of document.querySelectorAll("audio")) if (other !== audio) other.pause();
  });
  drawing.addEventListener("click", (event) => {
    const box = drawing.getBoundingClientRect();
    audio.currentTime = Math.max(0, (event.clientX - box.left) / box.width * span - offset);
    audio.play();
  });
  figure.classList.add("ready");
}
