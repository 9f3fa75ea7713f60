// node tools/embed_page.mjs DIST OUT: the files of DIST as OUT/page.bin, each plain and, where that is
// smaller, compressed; and OUT/page_assets.cc, which says where each lies.
import { execFileSync } from "node:child_process";
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { extname, join } from "node:path";

const kTypes = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".txt": "text/plain; charset=utf-8",
};
const kGzippedBytesMax = 300_000; // of all files together
const kFileBytesMax = 1_900_000; // a response is at most 2 MiB

const [dist, out] = process.argv.slice(2);
const files = readdirSync(dist, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile())
  .map((entry) => join(entry.parentPath ?? entry.path, entry.name).slice(dist.length))
  .sort();

const parts = [];
let size = 0;
function put(bytes) {
  parts.push(bytes);
  size += bytes.length;
  return `{gpt2ic_page + ${size - bytes.length}, ${bytes.length}}`;
}

let gzipped = 0;
const rows = files.map((path) => {
  const plain = readFileSync(join(dist, path));
  if (plain.length > kFileBytesMax) throw new Error(`${path} has ${plain.length} bytes, at most ${kFileBytesMax}`);
  const type = kTypes[extname(path)];
  if (type === undefined) throw new Error(`${path}: no content type is known for it`);
  const packed = execFileSync("zopfli", ["-c", "--i15", join(dist, path)], { maxBuffer: 1 << 24 });
  gzipped += Math.min(packed.length, plain.length);
  const where = [put(plain), packed.length < plain.length ? put(packed) : "{}"];
  return `    {"${path}", "${type}", ${path.startsWith("/assets/")}, ${where.join(", ")}},`;
});
if (gzipped > kGzippedBytesMax) throw new Error(`the page has ${gzipped} bytes compressed, at most ${kGzippedBytesMax}`);

writeFileSync(join(out, "page.bin"), Buffer.concat(parts));
writeFileSync(join(out, "page_assets.cc"), `// Made by tools/embed_page.mjs.
#include "canister/frontend/assets.h"

extern "C" const uint8_t gpt2ic_page[];

namespace frontend {

std::span<const Asset> Assets() {
  static const Asset kAssets[] = {
${rows.join("\n")}
  };
  return kAssets;
}

}  // namespace frontend
`);
