import { defineConfig } from "vite";
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

// Two chunks: the page, and what talks to the network (src/network.ts). The second is asked for by the
// page itself, at once; so it comes beside the first, and with a Referer that names the canister where
// the host does not (http://127.0.0.1:PORT/?canisterId=...).
const preloadNetwork = {
  name: "preload-network",
  transformIndexHtml: {
    order: "post",
    handler: (html, { bundle }) => Object.values(bundle ?? {})
      .filter((chunk) => chunk.name === "network")
      .map(({ fileName }) => ({ tag: "link", attrs: { rel: "modulepreload", href: `/${fileName}` }, injectTo: "head" })),
  },
};

// licenses.txt: of the libraries whose code is in the page.
const licenses = {
  name: "licenses",
  generateBundle(_, bundle) {
    const modules = Object.values(bundle).flatMap((chunk) => Object.entries(chunk.modules ?? {}));
    const folders = modules.filter(([, { renderedLength }]) => renderedLength > 0)
      .map(([id]) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(id)?.[0]).filter(Boolean);
    const texts = [...new Set(folders)].sort().map((folder) => {
      const { name, version, license } = JSON.parse(readFileSync(`${folder}/package.json`, "utf8"));
      const file = `${folder}/LICENSE`;
      return `${name} ${version}: ${license}\n\n${existsSync(file) ? readFileSync(file, "utf8") : ""}`;
    });
    this.emitFile({ type: "asset", fileName: "licenses.txt", source: texts.join("\n\n----\n\n") });
  },
};

export default defineConfig({
  base: "/",
  plugins: [preloadNetwork, licenses],
  resolve: { alias: { "#model": fileURLToPath(new URL("./generated/model.did.js", import.meta.url)) } },
  build: {
    target: "es2022",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    sourcemap: false,
    reportCompressedSize: false,
  },
});
