/** Early: sets the theme that this device remembers before anything is drawn, so that nothing flashes; it imports nothing. */
try {
  const theme = localStorage.getItem("millrace-theme");
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
} catch {
  // Storage may be forbidden in this browser.
}
