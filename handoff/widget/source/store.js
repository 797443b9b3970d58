// What survives a reload: the conversation's id and token, the last read message, choices, the text being written (of
// this tab alone), and messages not sent yet.
// Each unsent message is an entry of its own, so that two tabs of the site do not overwrite each other's.

class Memory {
  getItem(key) {
    return key in this ? this[key] : null;
  }
  setItem(key, value) {
    this[key] = value;
  }
  removeItem(key) {
    delete this[key];
  }
}

// Private windows and strict settings may refuse storage; then the conversation lasts as long as the page.
function storage(name) {
  try {
    window[name].setItem("jieli:test", "1");
    window[name].removeItem("jieli:test");
    return window[name];
  } catch {
    return new Memory();
  }
}

class Store {
  constructor(desk) {
    this.prefix = `jieli:${desk}:`;
    this.local = storage("localStorage");
    this.tab = storage("sessionStorage");
  }

  get(key) {
    return this.parse(this.local.getItem(this.prefix + key));
  }

  set(key, value) {
    this.write(this.local, key, value);
  }

  get draft() {
    return this.parse(this.tab.getItem(`${this.prefix}draft`)) || "";
  }

  set draft(text) {
    this.write(this.tab, "draft", text || null);
  }

  // Files belong to the tab that holds them: their bytes cannot be stored, only that they are still to be sent.
  keep(item) {
    const { file, progress, ...plain } = item;
    this.write(item.kind === "file" ? this.tab : this.local, `out:${item.client_id}`, plain);
  }

  drop(item) {
    this.write(item.kind === "file" ? this.tab : this.local, `out:${item.client_id}`, null);
  }

  kept() {
    const start = `${this.prefix}out:`;
    const items = (where) => Object.keys(where).filter((key) => key.startsWith(start)).map((key) => where.getItem(key));
    return [...items(this.local), ...items(this.tab)]
      .map((text) => this.parse(text))
      .filter(Boolean)
      .sort((one, other) => one.at - other.at);
  }

  parse(text) {
    try {
      return JSON.parse(text);
    } catch {
      return null;
    }
  }

  write(where, key, value) {
    try {
      if (value === null) where.removeItem(this.prefix + key);
      else where.setItem(this.prefix + key, JSON.stringify(value));
    } catch {
      // The storage is full: the page itself still holds everything.
    }
  }
}

function newId() {
  if (crypto.randomUUID) return crypto.randomUUID();
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
