// The colours that this person chose in the console, kept by its skin in this browser.
try {
  const chosen = (localStorage.getItem("_x_adminTheme") || localStorage.getItem("adminTheme") || "").replaceAll('"', "");
  if (chosen === "light" || chosen === "dark") document.documentElement.className = chosen;
} catch { /* storage is blocked: the system's colours stay */ }
