// What programs in JavaScript do with a paper finder, through the npm clients `chromadb` and `@gradio/client`; prints what they saw.
//
//   node clients.mjs chroma|gradio HOST PORT [TOKEN]
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const [what, host, port, token] = process.argv.slice(2);
const require = createRequire(new URL("../../.deps/npm/", import.meta.url));
const load = (name) => import(pathToFileURL(require.resolve(name)).href);

async function chroma() {
  const { ChromaClient } = await load("chromadb");
  const client = new ChromaClient({ host, port: Number(port), ssl: false, headers: token ? { Authorization: `Bearer ${token}` } : {} });
  const papers = await client.getOrCreateCollection({ name: "from-npm", configuration: { hnsw: { space: "cosine" } }, embeddingFunction: null });
  await papers.add({ ids: ["a", "b", "c"], embeddings: [[1, 0], [0, 1], [1, 1]], documents: ["one", "two", "three"], metadatas: [{ n: 1 }, { n: 2 }, { n: 3 }] });
  await papers.upsert({ ids: ["b", "d"], embeddings: [[0, 2], [2, 1]], documents: ["zwei", "four"] });
  await papers.update({ ids: ["c"], metadatas: [{ n: 4 }] });
  const near = await papers.query({ queryEmbeddings: [[1, 0.1]], nResults: 2 });
  const some = await papers.get({ where: { n: { $gte: 2 } } });
  const text = await papers.get({ whereDocument: { $contains: "we" } });
  await papers.delete({ ids: ["a"] });
  const seen = { near: near.ids, far: near.distances[0].map((each) => Math.round(each * 1e4) / 1e4), some: some.ids, metadatas: some.metadatas, text: text.ids, count: await papers.count(),
    listed: (await client.listCollections()).map((each) => each.name).sort() };
  await client.deleteCollection({ name: "from-npm" });
  return seen;
}

async function gradio() {
  const { Client } = await load("@gradio/client");
  const client = await Client.connect(`http://${host}:${port}`, token ? { token } : {});
  const { data } = await client.predict("/search", { query: "attention", num_results: 3, authors: "vaswani", keywords: "" });
  return data[0];
}

console.log(JSON.stringify(await (what === "chroma" ? chroma() : gradio())));
process.exit(0);
