// Before anything is painted: the theme that was chosen here, or what the system says.
const chosen = localStorage.getItem("espalier-theme");
if (chosen) document.documentElement.dataset.theme = chosen;
