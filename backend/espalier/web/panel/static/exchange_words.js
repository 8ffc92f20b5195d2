// Words that both sides of the page use.

export function size(bytes) {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let unit = 0;
  for (; bytes >= 1000 && unit < units.length - 1; unit++) bytes /= 1000;
  return `${bytes.toFixed(unit && bytes < 100 ? 1 : 0)} ${units[unit]}`;
}

export function counted(count, noun) {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

/** What stands in the address is kept; null leaves one out. */
export function remember(values) {
  const here = new URL(location.href);
  for (const [name, value] of Object.entries(values)) {
    if (value === null || value === "") here.searchParams.delete(name);
    else here.searchParams.set(name, value);
  }
  history.replaceState(null, "", here);
}

export function recalled(name) {
  return new URL(location.href).searchParams.get(name);
}
