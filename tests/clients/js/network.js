// For tests: a network of `gpt2ic serve --demo` that lives as long as the test file.
import { execFile, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

export const root = resolve(dirname(fileURLToPath(import.meta.url)), "../../..");
export const gpt2ic = process.env.GPT2IC ?? join(root, "build/native/gpt2ic");

export async function startNetwork(...options) {
  const folder = mkdtempSync(join(tmpdir(), "gpt2ic-clients-"));
  const port = options.includes("--port") ? [] : ["--port", "0"];
  const server = spawn(gpt2ic, ["serve", ...port, "--quiet", "--seed", "clients", ...options], {
    cwd: folder,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let log = "";
  server.stderr.on("data", (text) => (log += text));
  const printed = await new Promise((done, failed) => {
    let text = "";
    server.stdout.on("data", (more) => {
      text += more;
      if (/canister +\S+|nothing is deployed/.test(text)) done(text);
    });
    server.on("exit", (code) => failed(new Error(`gpt2ic serve ended with ${code}: ${log}`)));
  });
  const listens = Number(/localhost:(\d+)/.exec(printed)[1]);
  return {
    folder,
    port: listens,
    url: `http://127.0.0.1:${listens}`,
    rootKey: Buffer.from(/root key +([0-9a-f]+)/.exec(printed)[1], "hex"),
    canister: /canister +(\S+)/.exec(printed)?.[1],
    page: /chat page +(\S+)/.exec(printed)?.[1],
    async stop() {
      server.removeAllListeners("exit");
      const ended = new Promise((done) => server.on("exit", done));
      server.kill("SIGINT");
      const code = await ended;
      rmSync(folder, { recursive: true, force: true });
      return code;
    },
  };
}

// Runs a program in the network's folder; gives its standard output.
export async function run(network, program, args, env = {}) {
  const { stdout } = await promisify(execFile)(program, args, {
    cwd: network.folder,
    env: { ...process.env, DO_NOT_TRACK: "1", ...env },
    maxBuffer: 1 << 24,
  });
  return stdout;
}
