// Keeps an unsent cook in the browser (IndexedDB): the upload's place, the memo, the ratings and, where there is room,
// the video itself. A reload, a crash or a login loses nothing. One record per learner and dish.

const DATABASE = "moment-clone";
const STORE = "cooks";
const FORGET_AFTER_MS = 7 * 24 * 3600 * 1000;
const VIDEO_MAX_BYTES = 512 * 1024 ** 2;
const SHARE_OF_ROOM = 0.3;

function settle(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

function openDatabase() {
  const request = indexedDB.open(DATABASE, 1);
  request.onupgradeneeded = () => request.result.createObjectStore(STORE, { keyPath: "key" });
  return settle(request);
}

export class CookKeeper {
  #database = null;
  #record;
  #writes = Promise.resolve();

  // `isLasting` is false where the browser keeps nothing (some private windows): the page says so.
  static async open(key) {
    const keeper = new CookKeeper();
    keeper.#record = { key, savedAt: Date.now() };
    try {
      keeper.#database = await openDatabase();
      await keeper.#sweep();
      keeper.#record = (await settle(keeper.#store("readonly").get(key))) ?? keeper.#record;
    } catch (error) {
      console.warn("this browser keeps nothing", error);
      keeper.#database = null;
    }
    return keeper;
  }

  get isLasting() {
    return this.#database !== null;
  }

  get record() {
    return this.#record;
  }

  change(changes) {
    this.#record = { ...this.#record, ...changes, savedAt: Date.now() };
    return this.#write((store) => store.put(this.#record));
  }

  forget() {
    this.#record = { key: this.#record.key, savedAt: Date.now() };
    return this.#write((store) => store.delete(this.#record.key));
  }

  // The video too, if this browser has room for it; answers whether.
  async keepVideo(file) {
    if (!this.isLasting || file.size > VIDEO_MAX_BYTES) {
      return false;
    }
    const { quota = 0, usage = 0 } = (await navigator.storage?.estimate?.()) ?? {};
    if (file.size > (quota - usage) * SHARE_OF_ROOM) {
      return false;
    }
    return this.change({ file });
  }

  #store(mode) {
    return this.#database.transaction(STORE, mode).objectStore(STORE);
  }

  // One after the other, in order; answers whether it was kept.
  #write(act) {
    this.#writes = this.#writes.then(async () => {
      if (!this.#database) {
        return false;
      }
      try {
        await settle(act(this.#store("readwrite")));
        return true;
      } catch (error) {
        console.warn("not kept", error);
        if (this.#record.file) {
          this.#record = { ...this.#record, file: undefined }; // no room for the video: keep the rest
          await settle(this.#store("readwrite").put(this.#record)).catch(() => {});
        }
        return false;
      }
    });
    return this.#writes;
  }

  async #sweep() {
    const records = await settle(this.#store("readonly").getAll());
    for (const record of records.filter((old) => Date.now() - old.savedAt > FORGET_AFTER_MS)) {
      await settle(this.#store("readwrite").delete(record.key));
    }
  }
}

export function describeFile(file) {
  return { name: file.name, size: file.size, lastModified: file.lastModified };
}

export function isSameFile(file, described) {
  return Boolean(described) && file.size === described.size && file.name === described.name && file.lastModified === described.lastModified;
}
