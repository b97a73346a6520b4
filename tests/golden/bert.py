#!/usr/bin/env python3
"""Tiny BERT folders with seeded random weights, and the vectors that the original packages make: writes bert/ beside this file.

python -m venv V && V/bin/pip install torch transformers==4.57.6 adapters==1.3.0 sentence-transformers==5.7.0 && V/bin/python bert.py

`bert/cases.json` lists (model folder, adapter folder or null, pooling or null, texts, tolerance-free vectors). The originals run in
float32 with padding, as they are used. The vocabulary is that of tokens/.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import adapters
import torch
from adapters import BnConfig, DoubleSeqBnConfig, SeqBnConfig
from safetensors.torch import save_file
from sentence_transformers import SentenceTransformer, models
from tokens import vocabulary
from transformers import BertConfig, BertModel, BertTokenizerFast

OUT = Path(__file__).resolve().parent / "bert"
TEXTS = [
    "Graph neural networks",
    "Unaffable transformers, tokenised: learning the token is action. naïve 123",
    "",
    "the " * 40,
    "a[SEP]b",
]


def config(**changes: object) -> BertConfig:
    sizes = {"vocab_size": len(vocabulary()), "hidden_size": 24, "num_hidden_layers": 2, "num_attention_heads": 3, "intermediate_size": 40,
             "max_position_embeddings": 48}
    return BertConfig(**(sizes | changes))


def random_model(seed: int, **changes: object) -> BertModel:
    torch.manual_seed(seed)
    model = BertModel(config(**changes)).eval()
    with torch.no_grad():
        for name, value in model.named_parameters():
            # Far from the starting values, so that every tensor is seen in the result.
            value.copy_(torch.randn_like(value) * (0.2 if value.ndim > 1 else 0.3) + (1.0 if "LayerNorm.weight" in name else 0.0))
    return model


def write_tokenizer(folder: Path, max_tokens: int) -> BertTokenizerFast:
    (folder / "vocab.txt").write_text("".join(piece + "\n" for piece in vocabulary()))
    (folder / "tokenizer_config.json").write_text(json.dumps({"do_lower_case": True, "model_max_length": max_tokens}))
    return BertTokenizerFast(vocab_file=str(folder / "vocab.txt"), model_max_length=max_tokens)


def save(model: BertModel, name: str, how: str, max_tokens: int = 48) -> BertTokenizerFast:
    folder = OUT / name
    folder.mkdir()
    tensors = {key: value.contiguous() for key, value in model.state_dict().items() if "position_ids" not in key}
    (folder / "config.json").write_text(json.dumps(model.config.to_diff_dict() | {"model_type": "bert", "type_vocab_size": 2,
                                        "layer_norm_eps": 1e-12, "hidden_act": model.config.hidden_act}))
    if how == "bin_old_names":  # with a head's prefix, and the norms' names of before 2019
        renamed = {("bert." + key).replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta"): value
                   for key, value in tensors.items()}
        torch.save(renamed | {"cls.predictions.bias": torch.zeros(3)}, folder / "pytorch_model.bin")
    elif how == "sharded":
        parts = [dict(list(tensors.items())[place::2]) for place in range(2)]
        names = [f"model-0000{place + 1}-of-00002.safetensors" for place in range(2)]
        for part, file in zip(parts, names, strict=True):
            save_file(part, folder / file)
        index = {"metadata": {}, "weight_map": {key: file for part, file in zip(parts, names, strict=True) for key in part}}
        (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    elif how == "half":
        save_file({key: value.half() for key, value in tensors.items()}, folder / "model.safetensors")
    else:
        save_file(tensors, folder / "model.safetensors")
    return write_tokenizer(folder, max_tokens)


@torch.no_grad()
def first_rows(model: BertModel, tokenizer: BertTokenizerFast, texts: list[str]) -> list[list[float]]:
    inputs = tokenizer(texts, padding=True, truncation=True, return_tensors="pt")
    rows = model(**inputs).last_hidden_state[:, 0]
    return torch.nn.functional.normalize(rows).double().tolist()


ADAPTERS = {
    "seq_bn": SeqBnConfig(reduction_factor=4),
    "double_seq_bn": DoubleSeqBnConfig(reduction_factor=4),
    "norms": BnConfig(mh_adapter=True, output_adapter=True, reduction_factor=6, non_linearity="gelu", original_ln_before=True, original_ln_after=False,
                      ln_before=True, ln_after=True, residual_before_ln=False, adapter_residual_before_ln=True),
    "post_add": BnConfig(mh_adapter=False, output_adapter=True, reduction_factor={"0": 4, "default": 8}, non_linearity="tanh", original_ln_before=True,
                         original_ln_after=True, ln_after=True, residual_before_ln="post_add", scaling=0.5),
    "after_norm": BnConfig(mh_adapter=True, output_adapter=True, reduction_factor=4, non_linearity="leakyrelu", original_ln_before=True,
                           residual_before_ln=False, scaling="learned", leave_out=[0]),
    "parallel": BnConfig(mh_adapter=False, output_adapter=True, is_parallel=True, reduction_factor=2, non_linearity="relu", ln_after=True, scaling="channel"),
    "gated": BnConfig(mh_adapter=False, output_adapter=True, reduction_factor=4, non_linearity="gelu_new", use_gating=True, original_ln_before=True),
}


def adapter_cases() -> list[dict]:
    cases = []
    for seed, (name, bottleneck) in enumerate(ADAPTERS.items()):
        model = random_model(1)
        tokenizer = BertTokenizerFast.from_pretrained(OUT / "plain")
        adapters.init(model)
        model.add_adapter(name, config=bottleneck)
        torch.manual_seed(100 + seed)
        with torch.no_grad():
            for key, value in model.named_parameters():
                if ".adapters." in key:
                    value.copy_(torch.randn_like(value) * 0.3 + (1.0 if "norm" in key and key.endswith("weight") else 0.0))
        model.set_active_adapters(name)
        model.eval()
        folder = OUT / f"adapter_{name}"
        model.save_adapter(str(folder), name, use_safetensors=name == "double_seq_bn")
        # A gate's mean counts padding there; one text at a time has none.
        batches = [[text] for text in TEXTS] if name == "gated" else [TEXTS]
        vectors = [row for batch in batches for row in first_rows(model, tokenizer, batch)]
        cases.append({"model": "plain", "adapter": folder.name, "texts": TEXTS, "vectors": vectors})
    return cases


def sentence_cases() -> list[dict]:
    cases = []
    for pooling, dense in (("mean", False), ("max", False), ("cls", True)):
        name = f"sentences_{pooling}"
        folder = OUT / name
        transformer = models.Transformer(str(OUT / "plain"), max_seq_length=20)
        modules = [transformer, models.Pooling(24, pooling_mode=pooling)]
        if dense:
            torch.manual_seed(7)
            modules.append(models.Dense(24, 10, activation_function=torch.nn.Tanh()))
        if pooling == "mean":
            modules.append(models.Normalize())
        sentences = SentenceTransformer(modules=modules, device="cpu")
        sentences.save_pretrained(str(folder), create_model_card=False)
        cases.append({"model": name, "adapter": None, "texts": TEXTS, "vectors": sentences.encode(TEXTS).astype("float64").tolist()})
    return cases


def main() -> None:
    shutil.rmtree(OUT, ignore_errors=True)
    OUT.mkdir()
    plain = random_model(1)
    cases = []
    for name, model, how in (("plain", plain, "safetensors"), ("old_names", plain, "bin_old_names"), ("sharded", plain, "sharded"),
                             ("half", random_model(1).half().float(), "half"), ("tanh_gelu", random_model(2, hidden_act="gelu_new"), "safetensors")):
        tokenizer = save(model, name, how)
        cases.append({"model": name, "adapter": None, "texts": TEXTS, "vectors": first_rows(model, tokenizer, TEXTS)})
    cases += adapter_cases() + sentence_cases()
    (OUT / "cases.json").write_text(json.dumps([case | {"vectors": [[round(x, 7) for x in row] for row in case["vectors"]]} for case in cases], separators=(",", ":")))


if __name__ == "__main__":
    main()
