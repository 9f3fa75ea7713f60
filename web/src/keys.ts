// The key pair that is this browser's identity, in IndexedDB.

const kStore = "keys";
const kKey = "identity";

function open(): Promise<IDBDatabase> {
  return new Promise((done, failed) => {
    const request = indexedDB.open("gpt2ic", 1);
    request.onupgradeneeded = () => request.result.createObjectStore(kStore);
    request.onsuccess = () => done(request.result);
    request.onerror = () => failed(request.error);
  });
}

async function inStore<T>(mode: IDBTransactionMode, use: (store: IDBObjectStore) => IDBRequest<T>): Promise<T> {
  const database = await open();
  try {
    return await new Promise<T>((done, failed) => {
      const request = use(database.transaction(kStore, mode).objectStore(kStore));
      request.onsuccess = () => done(request.result);
      request.onerror = () => failed(request.error);
    });
  } finally {
    database.close();
  }
}

export async function keptKey(): Promise<CryptoKeyPair | undefined> {
  try {
    return await inStore<CryptoKeyPair | undefined>("readonly", (store) => store.get(kKey));
  } catch {
    return undefined; // no IndexedDB here
  }
}

// False: it could not be kept.
export async function keepKey(pair: CryptoKeyPair): Promise<boolean> {
  try {
    await inStore("readwrite", (store) => store.put(pair, kKey));
    return true;
  } catch {
    return false;
  }
}

export async function forgetKey(): Promise<void> {
  await inStore("readwrite", (store) => store.delete(kKey));
}
