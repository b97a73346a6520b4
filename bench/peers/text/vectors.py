"""The peers of bench/papers.py, in a process of their own: vectors.py loop|sentences|weights|fill|search MODEL THREADS [FOLDER]

Times are of the work alone, without loading. With ALCOVE_DEVICE=cuda in the environment they run on the GPU, in f16.
"""

import json
import os
import sys
import time
from pathlib import Path

import torch

BATCH = 8  # the original finder's
ON_GPU = os.environ.get("ALCOVE_DEVICE") == "cuda"
DEVICE, NUMBERS = ("cuda", torch.float16) if ON_GPU else ("cpu", torch.float32)


def loop(model: str, texts: list[str]) -> tuple[list, float]:
    """As the original does it: eight at a time, in the order they come, padded to the longest of the eight."""
    from transformers import AutoModel, AutoTokenizer

    tokenizer, network = AutoTokenizer.from_pretrained(model), AutoModel.from_pretrained(model).to(DEVICE, NUMBERS).eval()
    started, rows = time.perf_counter(), []
    with torch.no_grad():
        for at in range(0, len(texts), BATCH):
            inputs = tokenizer(texts[at : at + BATCH], padding=True, truncation=True, max_length=512, return_tensors="pt").to(DEVICE)
            rows += torch.nn.functional.normalize(network(**inputs).last_hidden_state[:, 0].float()).tolist()
    return rows, time.perf_counter() - started


def sentences(model: str, texts: list[str]) -> tuple[list, float]:
    """sentence-transformers with its own length sorting and batches of 32; the model's pooling, or the first token."""
    from sentence_transformers import SentenceTransformer, models

    if (Path(model) / "modules.json").exists():
        network = SentenceTransformer(model, device=DEVICE)
    else:
        whole = models.Transformer(model, max_seq_length=512)
        network = SentenceTransformer(modules=[whole, models.Pooling(whole.get_word_embedding_dimension(), pooling_mode="cls"), models.Normalize()], device=DEVICE)
    network = network.to(NUMBERS)
    started = time.perf_counter()
    rows = network.encode(texts, show_progress_bar=False).astype("float32").tolist()
    return rows, time.perf_counter() - started


def collection(folder: str):
    import chromadb

    return chromadb.PersistentClient(path=folder).get_or_create_collection("openreview_papers", metadata={"hnsw:space": "cosine"})


def fill(model: str, folder: str, texts: list[str]) -> None:
    rows, _ = loop(model, texts)
    collection(folder).upsert(ids=[str(number) for number in range(len(texts))], documents=texts, embeddings=rows)


def search(model: str, folder: str, texts: list[str]) -> list[str]:
    """As the original answers the first search after its start."""
    rows, _ = loop(model, texts)
    return collection(folder).query(query_embeddings=rows, n_results=10)["ids"][0]


def weights(model: str) -> None:
    """A BERT of base size with seeded random weights."""
    from transformers import BertConfig, BertModel

    torch.manual_seed(8)
    BertModel(BertConfig(), add_pooling_layer=False).save_pretrained(model)


def main() -> None:
    kind, model, threads = sys.argv[1:4]
    torch.set_num_threads(int(threads))
    if kind == "weights":
        return weights(model)
    texts = json.load(sys.stdin)
    if kind == "fill":
        return fill(model, sys.argv[4], texts)
    if kind == "search":
        return json.dump(search(model, sys.argv[4], texts), sys.stdout)
    rows, seconds = {"loop": loop, "sentences": sentences}[kind](model, texts)
    json.dump({"seconds": seconds, "vectors": rows}, sys.stdout)


if __name__ == "__main__":
    main()
