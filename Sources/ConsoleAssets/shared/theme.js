// Light, dark, or as the system has it. A plain script in the page's head, so that nothing is painted in the wrong colours first.

(() => {
  const key = "printtrail.theme";
  const root = document.documentElement;

  /** "light", "dark" or "system". */
  const stored = () => {
    // Storage may be forbidden; then the choice holds for this page.
    try { return localStorage.getItem(key) ?? "system"; } catch { return root.dataset.theme ?? "system"; }
  };

  const apply = (choice) => {
    if (choice === "light" || choice === "dark") root.dataset.theme = choice;
    else delete root.dataset.theme;
  };

  apply(stored());
  window.printtrailTheme = {
    get: stored,
    set(choice) {
      apply(choice);
      try { localStorage.setItem(key, choice); } catch { /* As above. */ }
    },
  };
  // Another tab's choice.
  addEventListener("storage", (event) => { if (event.key === key) apply(event.newValue ?? "system"); });
})();
