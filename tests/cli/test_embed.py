"""`alcove embed`: token ids against Hugging Face's tokenizers, vectors against the originals', input that is none."""

import json
import random
import struct
import subprocess
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
from conftest import ROOT
from tokenizers import Tokenizer, normalizers, pre_tokenizers, processors
from tokenizers.models import WordPiece

GOLDEN = ROOT / "tests/golden/bert"
MINILM = ROOT / ".deps/all-MiniLM-L6-v2"
MARKS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
LIMIT = 512
# Where characters behave differently; the last is everything.
RANGES = [(0x20, 0x7E), (0x00, 0x2FF), (0x300, 0x36F), (0x370, 0x5FF), (0x600, 0x10FF), (0x1100, 0x11FF), (0x1680, 0x2BFF),
          (0x3000, 0x30FF), (0x4E00, 0x9FFF), (0xA000, 0xABFF), (0xAC00, 0xD7A3), (0xF900, 0xFFFF), (0x10000, 0x1FAFF), (0x20000, 0x2FFFF),
          (0x0, 0x10FFFF)]


def is_character(code: int) -> bool:
    return not 0xD800 <= code <= 0xDFFF


@pytest.fixture(scope="module")
def vocabulary() -> dict[str, int]:
    """Every character of the first two planes, as it stands and as it goes on with a word: a wrong one shows in the ids."""
    characters = [chr(code) for code in range(0x21, 0x20000) if is_character(code) and chr(code) not in "\x85\u2028\u2029"]
    words = ["the", "un", "aff", "able", "graph", "##aff", "##able", "##s", "##s1"]
    pieces = dict.fromkeys([*MARKS, *characters, *("##" + character for character in characters), *words])
    return {piece: place for place, piece in enumerate(pieces)}


def write_smallest_bert(folder: Path, vocabulary: int) -> None:
    """Weights of zeros: the ids are what is tried, and the program wants a whole model around its tokenizer."""
    sizes = {"hidden_size": 2, "num_hidden_layers": 1, "num_attention_heads": 1, "intermediate_size": 2, "type_vocab_size": 2,
             "max_position_embeddings": LIMIT, "vocab_size": vocabulary, "model_type": "bert"}
    shapes = {f"embeddings.{name}_embeddings.weight": [rows, 2] for name, rows in (("word", vocabulary), ("position", LIMIT), ("token_type", 2))}
    header, end = {}, 0
    for name, shape in shapes.items():
        size = 4 * shape[0] * shape[1]
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [end, end + size]}
        end += size
    text = json.dumps(header).encode()
    (folder / "model.safetensors").write_bytes(struct.pack("<Q", len(text)) + text + bytes(end))
    (folder / "config.json").write_text(json.dumps(sizes))


@pytest.fixture(scope="module")
def folder(tmp_path_factory, vocabulary):
    """Two models that differ in case alone, with the real tokenizer for each."""

    def make(cased: bool) -> tuple[Path, Tokenizer]:
        path = tmp_path_factory.mktemp("cased" if cased else "uncased")
        write_smallest_bert(path, len(vocabulary))
        real = Tokenizer(WordPiece(vocabulary, unk_token="[UNK]", max_input_chars_per_word=100))
        real.normalizer = normalizers.BertNormalizer(lowercase=not cased)
        real.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
        real.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
        real.add_special_tokens(MARKS)
        real.enable_truncation(LIMIT)
        real.save(str(path / "tokenizer.json"))
        return path, real

    return {cased: make(cased) for cased in (False, True)}


def ids_of(alcove: Path, folder: Path, texts: list[str]) -> list[list[int]]:
    lines = "\n".join(json.dumps(text) for text in texts)
    done = subprocess.run([alcove, "embed", "-", "--model", folder, "--tokens"], input=lines.encode(),
                          capture_output=True, timeout=300)
    assert done.returncode == 0, done.stderr.decode()
    return [json.loads(line) for line in done.stdout.splitlines()]


def junk(source: random.Random, length: int) -> str:
    pieces = []
    while len(pieces) < length:
        low, high = source.choice(RANGES)
        pieces += [chr(code) for code in (source.randint(low, high) for _ in range(source.randint(1, 6))) if is_character(code)]
        if source.random() < 0.1:
            pieces.append(source.choice([*MARKS, " ", "the", "graphs", "unaffable", "e\u0323\u0301", "x" * 101]))
    return "".join(pieces)


@pytest.mark.parametrize("cased", [False, True])
def test_random_unicode_gives_the_ids_of_the_real_tokenizer(alcove, folder, cased):
    path, real = folder[cased]
    seed = random.randrange(1 << 32)
    source = random.Random(seed)
    texts = [junk(source, source.randint(0, 300)) for _ in range(1500)]
    for text, ours, theirs in zip(texts, ids_of(alcove, path, texts), real.encode_batch(texts), strict=True):
        assert ours == theirs.ids, f"seed {seed}: {text!r}"


@pytest.mark.parametrize("cased", [False, True])
def test_every_character_gives_the_ids_of_the_real_tokenizer(alcove, folder, cased):
    path, real = folder[cased]
    texts = ["".join(f"a{chr(code)}b " for code in range(first, first + 64) if is_character(code)) for first in range(0, 0x110000, 64)
             if first < 0x32000 or first >= 0xE0000 and first < 0xE0200]
    for text, ours, theirs in zip(texts, ids_of(alcove, path, texts), real.encode_batch(texts), strict=True):
        assert ours == theirs.ids, f"{text!r}"


def test_ten_megabytes_of_junk(alcove, folder):
    path, real = folder[False]
    source = random.Random(10)
    text = junk(source, 200_000) * 30
    assert len(text.encode()) > 10_000_000
    (ours,) = ids_of(alcove, path, [text])
    # The real one needs a minute for all of it; the ids that are kept come from the beginning.
    assert ours == real.encode(text[:50_000]).ids


def cosine(a, b) -> float:
    a, b = np.asarray(a, np.float64), np.asarray(b, np.float64)
    return float(a @ b / np.linalg.norm(a) / np.linalg.norm(b))


def vectors(run, tmp_path, texts: list, *arguments: object) -> list[list[float]]:
    """One row for each text: its vector, or its ids with --tokens."""
    (tmp_path / "texts.json").write_text(json.dumps(texts))
    done = run("embed", tmp_path / "texts.json", *arguments)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.parametrize("case", [case for case in json.loads((GOLDEN / "cases.json").read_text()) if case["adapter"] or "sentences" in case["model"]],
                         ids=lambda case: case["adapter"] or case["model"])
def test_vectors_of_the_original_packages(run, tmp_path, case):
    adapter = ["--adapter", GOLDEN / case["adapter"]] if case["adapter"] else []
    made = vectors(run, tmp_path, case["texts"], "--model", GOLDEN / case["model"], *adapter, "--precision", "f32")
    assert len(made) == len(case["vectors"])
    assert min(map(cosine, made, case["vectors"])) >= 0.9999


@pytest.mark.skipif(not MINILM.exists(), reason="script/bootstrap --papers fetches all-MiniLM-L6-v2")
def test_all_minilm_as_sentence_transformers_has_it(run, tmp_path):
    golden = json.loads((ROOT / "tests/golden/minilm.json").read_text())
    made = vectors(run, tmp_path, golden["texts"], "--model", MINILM, "--precision", "f32")
    assert min(map(cosine, made, golden["vectors"])) >= 0.9999
    assert np.allclose(np.linalg.norm(made, axis=1), 1, atol=1e-5)


@pytest.mark.skipif(not MINILM.exists(), reason="script/bootstrap --papers fetches all-MiniLM-L6-v2")
def test_all_minilm_reads_the_ids_of_its_own_tokenizer(alcove):
    real = Tokenizer.from_file(str(MINILM / "tokenizer.json"))
    real.no_padding()
    real.enable_truncation(LIMIT)
    source = random.Random(5)
    texts = [junk(source, 200) for _ in range(300)] + ["Attention is all you need.", "naïve Bayes, θ-EM & 强化学习"]
    for text, ours, theirs in zip(texts, ids_of(alcove, MINILM, texts), real.encode_batch(texts), strict=True):
        assert ours == theirs.ids, f"{text!r}"


@pytest.mark.parametrize("content", ["", "[]", "\n\n"], ids=["empty", "empty array", "blank lines"])
def test_no_texts_are_no_vectors(run, tmp_path, content):
    (tmp_path / "texts").write_text(content)
    done = run("embed", tmp_path / "texts", "--model", GOLDEN / "plain")
    assert (done.returncode, done.stdout) in [(0, ""), (1, "")] and (content or done.returncode == 1)


def test_odd_texts_have_vectors(run, tmp_path):
    made = vectors(run, tmp_path, ["", " \n\t", "\u0000\u0007", "🚀" * 300, "x" * 1_000_000], "--model", GOLDEN / "plain")
    assert len(made) == 5 and np.isfinite(made).all()
    assert np.allclose(made[0], made[1]) and np.allclose(made[0], made[2])


@pytest.mark.parametrize(("content", "words"), [(b'["one", 2]', "text 2"), (b'"one"\n{"name": 1}', "line 2"), (b"\x00\xff\x00", "line 1"),
                                               (b'["cut', "not valid JSON"), (b'"\xff\xfe"', "not valid JSON")])
def test_what_is_no_text_is_named(run, tmp_path, content, words):
    (tmp_path / "texts").write_bytes(content)
    done = run("embed", tmp_path / "texts", "--model", GOLDEN / "plain")
    assert done.returncode == 1 and words in done.stderr and not done.stdout


def test_wrong_calls(run, tmp_path):
    (tmp_path / "texts").write_text('["one"]')
    assert run("embed", tmp_path / "texts").returncode == 2
    assert run("embed", tmp_path / "nowhere", "--model", GOLDEN / "plain").returncode == 2
    assert "nowhere" in run("embed", tmp_path / "texts", "--model", tmp_path / "nowhere").stderr
    assert run("embed", tmp_path / "texts", "--model", GOLDEN / "plain", "--pooling", "median").returncode == 2
    done = run("embed", tmp_path / "texts", "--model", GOLDEN / "plain", "--precision", "int8")
    assert done.returncode != 0 and "eight bits" in done.stderr


def test_an_exported_model_gives_the_same_vectors_in_onnx_runtime(run, tmp_path):
    done = run("model", "export", GOLDEN / "sentences_mean", tmp_path / "model.onnx")
    assert done.returncode == 0, done.stderr
    session = onnxruntime.InferenceSession(str(tmp_path / "model.onnx"), providers=["CPUExecutionProvider"])
    text = "Graph neural networks"
    (ids,) = vectors(run, tmp_path, [text], "--model", GOLDEN / "sentences_mean", "--tokens")
    inputs = {"input_ids": [ids], "attention_mask": [[1] * len(ids)], "token_type_ids": [[0] * len(ids)]}
    rows, embedding = session.run(["last_hidden_state", "sentence_embedding"], {name: np.array(value, np.int64) for name, value in inputs.items()})
    assert rows.shape == (1, len(ids), 24)
    assert cosine(embedding[0], vectors(run, tmp_path, [text], "--model", GOLDEN / "sentences_mean", "--precision", "f32")[0]) >= 0.999999


def test_inspect_and_prepare_take_a_folder(run, tmp_path):
    facts = json.loads(run("model", "inspect", GOLDEN / "sentences_cls", "--format", "json").stdout)
    assert (facts["kind"], facts["dimensions"], facts["max_tokens"], facts["precision"]) == ("sentence-transformers folder", 10, 48, "F32")
    done = run("model", "prepare", GOLDEN / "plain", "--cache", tmp_path)
    assert done.returncode == 0, done.stderr
    assert len(list(tmp_path.iterdir())) == 1
