"""The original finder's work, for script/bench finder: a Gradio page whose /search asks a persistent Chroma collection, filled by
transformers eight papers at a time while the page answers.

    server.py MODEL PAPERS.jsonl FOLDER PORT

Written by us to the original's description: its loop, its collection and its inputs (query, number of results, authors, keywords).
"""

import json
import sys
import threading
import time
from pathlib import Path

import chromadb
import gradio as gr
import torch
from transformers import AutoModel, AutoTokenizer

BATCH = 8
HEADERS = ["Title", "Authors", "Keywords", "Abstract", "Venue", "Similarity"]


class Encoder:
    """Mean pooling, as all-MiniLM-L6-v2 asks for."""

    def __init__(self, folder: str) -> None:
        self.tokenizer, self.network = AutoTokenizer.from_pretrained(folder), AutoModel.from_pretrained(folder).eval()

    def __call__(self, texts: list[str]) -> list[list[float]]:
        inputs = self.tokenizer(texts, padding=True, truncation=True, max_length=256, return_tensors="pt")
        with torch.no_grad():
            tokens, mask = self.network(**inputs).last_hidden_state, inputs["attention_mask"].unsqueeze(-1)
        return torch.nn.functional.normalize((tokens * mask).sum(1) / mask.sum(1)).tolist()


def fill(collection: chromadb.Collection, encode: Encoder, papers: list[dict]) -> None:
    for at in range(0, len(papers), BATCH):
        some = papers[at : at + BATCH]
        vectors = encode([f"{paper['title']} {paper['abstract']}" for paper in some])
        facts = [{"title": paper["title"], "authors": ", ".join(paper["authors"]), "keywords": ", ".join(paper.get("keywords", [])), "venue": paper["venue"]} for paper in some]
        collection.upsert(ids=[paper["id"] for paper in some], documents=[paper["abstract"] for paper in some], embeddings=vectors, metadatas=facts)


def main() -> None:
    model, papers, folder, port = sys.argv[1:5]
    encode = Encoder(model)
    collection = chromadb.PersistentClient(path=folder).get_or_create_collection("openreview_papers", metadata={"hnsw:space": "cosine"})
    rows = [json.loads(line) for line in Path(papers).read_text().splitlines()]
    started = time.monotonic()

    def search(query: str, n: float, authors: str, keywords: str) -> list[list]:
        found = collection.query(query_embeddings=encode([query]), n_results=int(n), include=["metadatas", "documents", "distances"])
        hits = zip(*(found[part][0] for part in ("metadatas", "documents", "distances")), strict=True)
        return [[paper["title"], paper["authors"], paper["keywords"], abstract, paper["venue"], round(1 - distance, 4)] for paper, abstract, distance in hits
                if authors.lower() in paper["authors"].lower() and keywords.lower() in paper["keywords"].lower()]

    def pace() -> dict:
        return {"papers": collection.count(), "of": len(rows), "seconds": time.monotonic() - started}

    with gr.Blocks() as page:
        inputs = [gr.Textbox(), gr.Number(), gr.Textbox(), gr.Textbox()]
        table = gr.Dataframe(headers=HEADERS)
        inputs[0].submit(search, inputs, table, api_name="search", concurrency_limit=2)
        gr.Button().click(pace, None, gr.JSON(), api_name="pace")
    fill(collection, encode, rows[:BATCH])  # a search of an empty collection fails
    threading.Thread(target=fill, args=(collection, encode, rows[BATCH:]), daemon=True).start()
    page.queue(max_size=1000).launch(server_name="127.0.0.1", server_port=int(port), quiet=True)


if __name__ == "__main__":
    main()
