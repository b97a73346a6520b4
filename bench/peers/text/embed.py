"""The peers of bench/embed.py, in a process of their own: embed.py loop|sentences|weights …; times are of the work alone, without loading."""

import json
import sys
import time
from pathlib import Path

import torch

BATCH = 8  # the original finder's


def loop(model: str, texts: list[str]) -> tuple[list, float]:
    """As the original does it: eight at a time, in the order they come, padded to the longest of the eight."""
    from transformers import AutoModel, AutoTokenizer

    tokenizer, network = AutoTokenizer.from_pretrained(model), AutoModel.from_pretrained(model).eval()
    started, rows = time.perf_counter(), []
    with torch.no_grad():
        for at in range(0, len(texts), BATCH):
            inputs = tokenizer(texts[at : at + BATCH], padding=True, truncation=True, max_length=512, return_tensors="pt")
            rows += torch.nn.functional.normalize(network(**inputs).last_hidden_state[:, 0]).tolist()
    return rows, time.perf_counter() - started


def sentences(model: str, texts: list[str]) -> tuple[list, float]:
    """sentence-transformers with its own length sorting and batches of 32; the model's pooling, or the first token."""
    from sentence_transformers import SentenceTransformer, models

    if (Path(model) / "modules.json").exists():
        network = SentenceTransformer(model, device="cpu")
    else:
        whole = models.Transformer(model, max_seq_length=512)
        network = SentenceTransformer(modules=[whole, models.Pooling(whole.get_word_embedding_dimension(), pooling_mode="cls"), models.Normalize()], device="cpu")
    started = time.perf_counter()
    rows = network.encode(texts, show_progress_bar=False).tolist()
    return rows, time.perf_counter() - started


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
    rows, seconds = {"loop": loop, "sentences": sentences}[kind](model, json.load(sys.stdin))
    json.dump({"seconds": seconds, "vectors": rows}, sys.stdout)


if __name__ == "__main__":
    main()
