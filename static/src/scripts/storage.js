// What this browser remembers of a page. A browser that forbids storage forgets, and the page works all the same.

export function openStorage(prefix) {
  return {
    get(name) {
      try {
        return localStorage.getItem(prefix + name) ?? "";
      } catch {
        return "";
      }
    },
    set(name, value) {
      try {
        localStorage.setItem(prefix + name, value);
      } catch {
        // full or forbidden
      }
    },
  };
}
