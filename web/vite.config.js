import { defineConfig } from "vite";
import { fileURLToPath } from "node:url";

// Two chunks: the page, and what talks to the network (src/network.ts, loaded while the first is
// already on the screen).
export default defineConfig({
  base: "/",
  resolve: { alias: { "#model": fileURLToPath(new URL("./generated/model.did.js", import.meta.url)) } },
  build: {
    target: "es2022",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    sourcemap: false,
    reportCompressedSize: false,
  },
});
