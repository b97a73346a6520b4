// The Hub's client for Node, driven by words: node node_client.mjs CLIENT whoami | send SPACE FOLDER | fetch SPACE FOLDER
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";

const [client, action, name, folder] = process.argv.slice(2);
const hub = await import(client);
const common = { hubUrl: process.env.HF_ENDPOINT, accessToken: process.env.HF_TOKEN || undefined };
const repo = { type: "space", name };

function* filesBelow(place) {
  for (const entry of readdirSync(place)) {
    const path = join(place, entry);
    if (statSync(path).isDirectory()) yield* filesBelow(path);
    else yield path;
  }
}

try {
  if (action === "whoami") {
    console.log((await hub.whoAmI(common)).name);
  } else if (action === "send") {
    if (!(await hub.repoExists({ ...common, repo }))) await hub.createRepo({ ...common, repo, sdk: "docker" });
    const files = [...filesBelow(folder)].map((path) => ({ path: relative(folder, path), content: new Blob([readFileSync(path)]) }));
    await hub.uploadFiles({ ...common, repo, files, commitTitle: "from Node" });
  } else if (action === "fetch") {
    for await (const file of hub.listFiles({ ...common, repo, recursive: true })) {
      if (file.type !== "file") continue;
      const content = await hub.downloadFile({ ...common, repo, path: file.path });
      const path = join(folder, file.path);
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, Buffer.from(await content.arrayBuffer()));
    }
  }
} catch (error) {
  console.error(`${error.statusCode ?? ""} ${error.message}`);
  process.exit(1);
}
