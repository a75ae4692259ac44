// The certificate of an erasure goes on paper.
"use strict";
document.addEventListener("click", (event) => { if (event.target.closest("[data-print]")) window.print(); });
