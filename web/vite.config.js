import { defineConfig } from "vite";
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

export default defineConfig({
  base: "/",
  plugins: [preloadNetwork],
  resolve: { alias: { "#model": fileURLToPath(new URL("./generated/model.did.js", import.meta.url)) } },
  build: {
    target: "es2022",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    sourcemap: false,
    reportCompressedSize: false,
  },
});
